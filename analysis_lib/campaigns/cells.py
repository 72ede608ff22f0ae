"""What the engine brings back for a review: one pass over the orders, cells by buyer and week."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

import ibis
import numpy as np
import pandas as pd

from analysis_lib.campaigns.windows import Campaign, Windows
from analysis_lib.errors import ContractError, NotEnoughData
from analysis_lib.pipelines import mart
from analysis_lib.warehouse.instants import begins, day_of

#: Money measures a review can be made of: expression on an order line, and its meaning.
MEASURES = {
    "gmv": "value of goods at the price paid before coupons",
    "paid": "what buyers paid: value of goods less coupons",
}

REQUIRED = {
    "orders": [
        "order_id", "ordered_at", "user_id", "product_id", "country", "quantity", "price_local", "discount_local",
        "platform_subsidy_local", "coupon_id", "currency",
    ],
    "users": ["user_id", "country", "signed_up_at"],
    "countries": ["country", "name", "currency", "timezone"],
    "campaigns": ["campaign_id", "name", "country", "starts_on", "ends_on", "mechanic"],
    "campaign_targets": ["campaign_id", "user_id", "is_holdout"],
    "coupons": ["coupon_id", "campaign_id"],
    "coupon_products": ["coupon_id", "product_id"],
    "coupon_events": ["coupon_id", "user_id", "at", "kind"],
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Panel:
    """Spending by buyer, week and part of the week, counted from the campaign's first day.

    The campaign need not last whole weeks. Each week is kept in two parts, split where the
    campaign's last, broken week ends, so that windows of its exact length can be summed at any
    week of the year.

    Attributes
    ----------
    users : pandas.Index
        Buyers known before the campaign, sorted.
    first_week : int
        Week of the first column; week 0 starts with the campaign.
    promoted, other : numpy.ndarray
        Spending on products with a coupon of the campaign, and on all others; shape
        (users, weeks, 2), in the market's currency. Best with the users of a week side by side in memory (order F).
    n_days : int
        Length of the campaign.
    lost : numpy.ndarray | None
        Of the spending, what was cancelled, refused or refunded later; None where the source does not tell.
    """

    users: pd.Index
    first_week: int
    promoted: np.ndarray
    other: np.ndarray
    n_days: int
    lost: np.ndarray | None = None

    @property
    def n_weeks(self) -> int:
        """Weeks in the panel."""
        return self.promoted.shape[1]

    @property
    def kinds(self) -> dict[str, np.ndarray]:
        """The kinds of money that the panel holds."""
        kinds = {"promoted": self.promoted, "other": self.other, "lost": self.lost}
        return {name: kind for name, kind in kinds.items() if kind is not None}

    @cached_property
    def _weeks_bought(self) -> np.ndarray:
        """Weeks with any money up to each; shape (users, weeks + 1)."""
        some = np.zeros((len(self.users), self.n_weeks + 1), dtype=np.int16, order="F")
        for kind in self.kinds.values():
            for part in (0, 1):
                some[:, 1:] |= kind[:, :, part] != 0
        return np.cumsum(some, axis=1, out=some)

    def bought(self, first: int, last: int) -> np.ndarray:
        """Whether each user has any money in the weeks ``first`` to ``last - 1``, as far as they are in the panel."""
        begin, end = (min(week - self.first_week, self.n_weeks) for week in (first, last))
        return self._weeks_bought[:, end] > self._weeks_bought[:, begin]

    def part(self, rows: np.ndarray, first: int, last: int) -> Panel:
        """Some of the users (by row), the weeks ``first`` to ``last - 1``."""
        weeks = slice(first - self.first_week, last - self.first_week)
        kept = {name: _rows_of(kind[:, weeks], rows) for name, kind in self.kinds.items()}
        return replace(self, users=self.users[rows], first_week=first, **kept)

    def weekly(self, first: int, last: int, kind: np.ndarray | None = None) -> np.ndarray:
        """Spending (of one kind, or all) in the weeks ``first`` to ``last - 1``; shape (users, weeks)."""
        span = slice(first - self.first_week, last - self.first_week)
        kinds = (self.promoted, self.other) if kind is None else (kind,)
        return sum(one[:, span, 0] + one[:, span, 1] for one in kinds)

    def during(self, start: int, kind: np.ndarray) -> np.ndarray:
        """Spending in a window of the campaign's length from week ``start``; shape (users,)."""
        full = start - self.first_week + self.n_days // 7
        total = kind[:, start - self.first_week : full].sum(axis=(1, 2))
        return total + kind[:, full, 0] if self.n_days % 7 else total

    def after(self, start: int, weeks: int, kind: np.ndarray | None = None) -> np.ndarray:
        """Spending (of one kind, or all) in the ``weeks`` after such a window; shape (users,)."""
        kinds = (self.promoted, self.other) if kind is None else (kind,)
        full = start - self.first_week + self.n_days // 7
        early = full + (1 if self.n_days % 7 else 0)  # of a broken week the first part belongs to the campaign
        return sum(
            one[:, full : full + weeks, 1].sum(axis=1) + one[:, early : early + weeks, 0].sum(axis=1) for one in kinds
        )


def _rows_of(kind: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Some rows of all weeks and parts, the users of a week still side by side in memory."""
    found = np.empty((len(rows), *kind.shape[1:]), order="F")
    for week, part in np.ndindex(*kind.shape[1:]):
        np.take(kind[:, week, part], rows, out=found[:, week, part])
    return found


def days_with_orders(wh, campaign: Campaign) -> tuple[date, date]:
    """First and last market-local day with orders in the campaign's market."""
    orders = wh.table("orders")
    orders = orders.filter(orders.country == campaign.country)
    ends = orders.aggregate(first=orders.ordered_at.min(), last=orders.ordered_at.max())
    ends = ends.filter(ends.first.notnull())
    found = wh.query(ends)
    if found.empty:
        raise NotEnoughData(f"source '{wh.name}' has no orders in {campaign.country}")
    first, last = (day_of(pd.Timestamp(found[end][0]).to_pydatetime(), campaign.timezone) for end in ("first", "last"))
    return first, last


def targets(wh, country: str | None = None) -> pd.DataFrame:
    """Who was targeted by which campaign, each buyer in the home market only; of one market, or of all.

    Returns
    -------
    pandas.DataFrame
        campaign_id, user_id, is_holdout, country, starts_on, ends_on.
    """
    target, campaign, users = wh.table("campaign_targets"), wh.table("campaigns"), wh.table("users")
    campaign = campaign.select("campaign_id", "country", "starts_on", "ends_on")
    if country is not None:
        users = users.filter(users.country == country)
    # A campaign of several markets has one row a market: without the buyer's own, each target would count in all.
    target = target.select("campaign_id", "user_id", "is_holdout").join(users.select("user_id", "country"), "user_id")
    frame = wh.query(target.join(campaign, ["campaign_id", "country"]))
    return frame.assign(starts_on=pd.to_datetime(frame["starts_on"]), ends_on=pd.to_datetime(frame["ends_on"]))


def spending(wh, windows: Windows, measure: str) -> Panel:
    """Spending of every buyer of the market who was known before the campaign.

    One pass over the orders; the engine returns at most one row a buyer, week, part and kind.
    """
    campaign = windows.campaign
    cells = wh.query(_cells(wh, windows, measure))
    _refuse_unusable(wh, campaign, cells)
    users = pd.Index(wh.query(_known_users(wh, campaign))["user_id"], name="user_id").sort_values()
    first = -(-(windows.first_day - campaign.starts_on).days // 7)  # the first whole week
    n_weeks = (windows.last_day - campaign.starts_on).days // 7 + 1 - first
    place, week = users.get_indexer(cells["user_id"]), cells["week"].to_numpy(int) - first
    kept = (place >= 0) & (week >= 0) & (week < n_weeks)
    rows = cells[kept]
    # Users of a week side by side, the weeks of a part after each other.
    at = place[kept] + len(users) * (week[kept] + n_weeks * rows["part"].to_numpy(int))

    def placed(chosen: np.ndarray | slice, column: str) -> np.ndarray:
        flat = np.zeros(len(users) * n_weeks * 2)
        np.add.at(flat, at[chosen], rows[column].to_numpy(float)[chosen])
        return flat.reshape((len(users), n_weeks, 2), order="F")

    is_promoted = rows["promoted"].to_numpy() == 1
    other, promoted = placed(~is_promoted, "spent"), placed(is_promoted, "spent")
    lost = placed(slice(None), "lost") if _knows_returns(wh) else None
    return Panel(users, first, promoted, other, campaign.n_days, lost)


def _knows_returns(wh) -> bool:
    """Whether the source tells what became of orders."""
    return "order_updates" in wh.tables()


def _cells(wh, windows: Windows, measure: str):
    """user_id, week, part, promoted, spent, lost."""
    campaign = windows.campaign
    promoted = promoted_products(wh, campaign).mutate(promoted=ibis.literal(1))
    lines = (_settled_lines if _knows_returns(wh) else _recorded_lines)(wh, windows, measure)
    lines = lines.left_join(promoted, "product_id")
    lines = lines.mutate(promoted=lines.promoted.fill_null(0))
    broken = campaign.n_days % 7
    # Python's floor and modulo for days before the campaign, spelled so that every engine agrees.
    week = (lines.since / 7.0).floor().cast("int64")
    lines = lines.mutate(week=week).mutate(part=ibis.ifelse(lines.since - week * 7 < (broken or 7), 0, 1))
    return lines.group_by("user_id", "week", "part", "promoted").aggregate(
        spent=lines.spent.sum(),
        lost=lines.lost.sum(),
        without_value=lines.spent.isnull().sum(),
        foreign=(lines.currency != campaign.currency.upper()).sum(),
    )


def _recorded_lines(wh, windows: Windows, measure: str):
    """Order lines as recorded: user_id, product_id, currency, since (days from the start), spent, lost (0)."""
    orders = wh.table("orders")
    orders = orders.filter(orders.country == windows.campaign.country)
    since = windows.day_of(orders.ordered_at).delta(ibis.literal(windows.campaign.starts_on), unit="day")
    return orders.select(
        "user_id", "product_id", "currency", since=since, spent=line_value(orders, measure), lost=ibis.literal(0.0)
    )


def _settled_lines(wh, windows: Windows, measure: str):
    """The same with what became of the orders, each line once."""
    facts = mart(wh, "order_facts")
    facts = facts.filter(facts.country == windows.campaign.country)
    worth, lost = settled_value(facts, measure)
    since = facts.day.delta(ibis.literal(windows.campaign.starts_on), unit="day")
    return facts.select("user_id", "product_id", "currency", since=since, spent=worth, lost=lost.fill_null(0.0))


def settled_value(facts, measure: str):
    """What order facts were worth in local money, and what of it was lost later."""
    gmv, lost = facts.gmv_local.cast("float64"), facts.lost_local.cast("float64")
    if measure == "gmv":
        return gmv, lost
    # Of what is given back, buyers had paid only their part.
    paid = gmv - facts.subsidy_local.cast("float64")
    return paid, (lost * paid / gmv.nullif(0.0)).fill_null(0.0)


def _refuse_unusable(wh, campaign: Campaign, cells: pd.DataFrame) -> None:
    """Lines that a sum would pass over or mix up are an error, not a smaller or larger number."""
    reasons = {
        "without_value": "have no value (quantity, price_local, discount_local or platform_subsidy_local is null)",
        "foreign": f"are not in {campaign.currency.upper()}, the currency of {campaign.market}",
    }
    for column, reason in reasons.items():
        if lines := int(cells[column].sum()):
            raise ContractError(
                f"{lines:,} order lines of {campaign.country} in source '{wh.name}' {reason}. Run "
                f"`shopbook data check {wh.name}` and mend them there"
            )


def line_value(orders, measure: str):
    """The value of an order line in local money."""
    gmv = orders.quantity * orders.price_local - orders.discount_local
    return gmv if measure == "gmv" else gmv - orders.platform_subsidy_local


def campaign_coupons(wh, campaign: Campaign):
    """The campaign's coupons: expression with coupon_id."""
    coupons = wh.table("coupons")
    return coupons.filter(coupons.campaign_id == campaign.campaign_id).select("coupon_id")


def promoted_products(wh, campaign: Campaign):
    """Products that the campaign promotes in its market, each once: expression with product_id."""
    if "campaign_products" in wh.tables():
        table = wh.table("campaign_products")
        own = table.filter(table.campaign_id == campaign.campaign_id, table.country == campaign.country)
    else:
        own = wh.table("coupon_products").semi_join(campaign_coupons(wh, campaign), "coupon_id")
    return own.select("product_id").distinct()


def _known_users(wh, campaign: Campaign):
    users = wh.table("users")
    start = ibis.literal(begins(campaign.starts_on, campaign.timezone))
    return users.filter(users.country == campaign.country, users.signed_up_at < start).select("user_id")


def days_between(frame: pd.DataFrame, start: date) -> pd.DataFrame:
    """Start and end of each row's campaign in days from ``start``."""
    origin = pd.Timestamp(start)
    return frame.assign(
        first=(frame["starts_on"] - origin) // timedelta(days=1), last=(frame["ends_on"] - origin) // timedelta(days=1)
    )
