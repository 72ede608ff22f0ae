"""What the coupons cost, and how much of it went to buyers who would have bought anyway."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis_lib.campaigns.cells import campaign_coupons
from analysis_lib.campaigns.windows import Windows
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate, Result, format_count, format_percent, format_value
from analysis_lib.warehouse.instants import begins, falls_on

#: Weeks in which a redeemer bought the coupon's products before; from the last class on, alike.
MOST_WEEKS_BOUGHT = 4

WHY = (
    " those products anyway: as often as that, buyers without the coupon and with the same history bought them. Who"
    " redeems a coupon is likelier still, so the true share is higher."
)

METHOD_ALWAYS = "floor: purchase rate of comparable untargeted buyers with the same history of the coupon's products"


@dataclass(frozen=True, slots=True, eq=False)
class Redemptions:
    """Redemptions of the campaign's coupons in its window.

    Attributes
    ----------
    rows : pandas.DataFrame
        user_id, coupon_id, n (redemptions), discount (recorded on order lines), recorded (whether
        any line carries the coupon), is_new (whether the user's first purchase lies in the window).
    """

    rows: pd.DataFrame

    @property
    def n(self) -> int:
        """Redemptions."""
        return int(self.rows["n"].sum())

    @property
    def n_recorded(self) -> int:
        """Redemptions whose discount is found on an order line."""
        return int(self.rows.loc[self.rows["recorded"], "n"].sum())

    @property
    def new_share(self) -> float:
        """Share of the recorded discount that went to buyers who had never bought before."""
        discount = self.rows["discount"]
        return float(discount[self.rows["is_new"]].sum() / discount.sum())

    @property
    def users(self) -> pd.Index:
        """Buyers who redeemed at least once."""
        return pd.Index(self.rows["user_id"].unique())


@dataclass(frozen=True, slots=True, eq=False)
class Cost(Result):
    """The campaign's bill.

    Attributes
    ----------
    n_redemptions, n_recorded : int
        Redemptions, and those whose discount stands on an order line.
    recorded : float
        Discount found on order lines, in ``unit``.
    total : float
        All redemptions at the average recorded discount, in ``unit``.
    always_share : Estimate | None
        At least this share of redemptions was by buyers who would have bought a product of that
        coupon in the same weeks without it; the interval reaches up to 1.
    unit : str
        Currency in lower case.
    why : str
        What the share rests on, as the end of a sentence that begins "buyers who would have bought".
    new_share : float
        Share of the discount that went to buyers who had never bought before; missing where there were no coupons.
    media : float
        Money for reach outside the marketplace; 0 where none is known.
    commission : Estimate | None
        What creators are paid on the additional sales; None where the source does not tell.
    """

    n_redemptions: int
    n_recorded: int
    recorded: float
    total: float
    always_share: Estimate | None
    unit: str
    why: str = WHY
    new_share: float = float("nan")
    media: float = 0.0
    commission: Estimate | None = None

    @property
    def always_buyers(self) -> Estimate:
        """Discount given to buyers who would have bought anyway."""
        return self.always_share.scaled(self.total, self.unit)

    @property
    def others(self) -> Estimate:
        """The rest of the discount."""
        return self.always_share.scaled(-self.total, self.unit).shifted(self.total)

    @property
    def text(self) -> str:
        """The bill and who got it, in two sentences."""
        share = self.always_share
        if not self.n_redemptions:
            return f"It had no coupons; the {format_value(self.total, self.unit)} set aside for it is taken as spent."
        if share is None:
            return (
                f"The coupons cost {format_value(self.total, self.unit)} on {format_count(self.n_redemptions)} orders."
                f" As everybody could have one, nobody shows how many would have bought without.{self._new}"
            )
        return (
            f"The coupons cost {format_value(self.total, self.unit)}: {format_count(self.n_redemptions)} redemptions "
            f"at the {format_value(self.total / self.n_redemptions, self.unit)} that those show whose discount is on "
            f"the receipt ({format_percent(self.n_recorded / self.n_redemptions, 0)} of them). At least "
            f"{format_percent(share.value, 0)} of it went to buyers who would have bought{self.why}{self._new}"
        )

    @property
    def _new(self) -> str:
        """How much of it found new buyers; nothing where that is not known."""
        if self.new_share != self.new_share:
            return ""
        return f" {format_percent(self.new_share, 0)} of it went to buyers who had never bought before."


def redemptions(wh, windows: Windows) -> Redemptions:
    """Redemptions in the campaign window, with the discount recorded on order lines."""
    campaign = windows.campaign
    coupons = campaign_coupons(wh, campaign)
    users = wh.table("users")
    users = users.filter(users.country == campaign.country)
    events = wh.table("coupon_events").semi_join(coupons, "coupon_id").semi_join(users, "user_id")
    events = events.filter(events.kind == "redemption", windows.in_campaign(events.at))
    counted = wh.query(events.group_by("user_id", "coupon_id").aggregate(n=events.count()))
    orders = wh.table("orders")
    lines = orders.filter(orders.country == campaign.country, orders.coupon_id.notnull())
    lines = lines.filter(windows.in_campaign(lines.ordered_at)).semi_join(coupons, "coupon_id")
    given = wh.query(lines.group_by("user_id", "coupon_id").aggregate(discount=lines.platform_subsidy_local.sum()))
    buyers = orders.filter(orders.country == campaign.country).semi_join(events, "user_id")
    firsts = buyers.group_by("user_id").aggregate(first=buyers.ordered_at.min())
    start = ibis.literal(begins(campaign.starts_on, campaign.timezone))
    new = wh.query(firsts.filter(firsts.first >= start).select("user_id"))
    rows = counted.merge(given, on=["user_id", "coupon_id"], how="left")
    rows = rows.assign(recorded=rows["discount"].notna(), discount=rows["discount"].fillna(0.0).astype(float))
    return Redemptions(rows.assign(is_new=rows["user_id"].isin(new["user_id"])))


def campaign_cost(wh, windows: Windows, redeemed: Redemptions, *, untargeted: pd.Series, level: float) -> Cost:
    """The bill, and the share of it that bought nothing new.

    Parameters
    ----------
    wh : Warehouse
        Source of the orders.
    windows : Windows
        Windows of the review.
    redeemed : Redemptions
        From ``redemptions``.
    untargeted : pandas.Series
        Weight of each comparable untargeted buyer, indexed by user_id.
    level : float
        Level of the interval.

    Raises
    ------
    NotEnoughData
        If nothing was redeemed, or no redemption shows a discount on an order line.
    """
    recorded = recorded_discount(redeemed)
    share = always_share(_purchases(wh, windows, redeemed), redeemed.rows, untargeted, level=level)
    return Cost(
        n_redemptions=redeemed.n, n_recorded=redeemed.n_recorded, recorded=recorded,
        total=recorded * redeemed.n / redeemed.n_recorded, always_share=share, unit=windows.campaign.currency,
        new_share=redeemed.new_share,
    )  # fmt: skip


def recorded_discount(redeemed: Redemptions) -> float:
    """Discount found on order lines.

    Raises
    ------
    NotEnoughData
        Nothing was redeemed, or no redemption shows a discount on an order line.
    """
    if redeemed.n == 0:
        raise NotEnoughData("no coupon of the campaign was redeemed in its window: there is no cost to set against it")
    if redeemed.n_recorded == 0:
        raise NotEnoughData(
            f"none of the {redeemed.n} redemptions carries its discount on an order line (orders.coupon_id, "
            "orders.platform_subsidy_local): the cost is not known"
        )
    recorded = float(redeemed.rows["discount"].sum())
    if recorded <= 0:
        raise NotEnoughData(
            "the order lines of the redemptions carry no discount (orders.platform_subsidy_local is 0): the cost is "
            "not known"
        )
    return recorded


def always_share(purchases: pd.DataFrame, redeemed: pd.DataFrame, untargeted: pd.Series, *, level: float) -> Estimate:
    """A floor for the share of redemptions that would have been purchases without the campaign.

    A redemption of a coupon counts with the rate at which untargeted buyers, weighted to resemble the
    targeted, bought that coupon's products in the campaign window, given in how many of the weeks
    before they had bought them. Taken as given: who redeems is at least as likely to have bought
    anyway as others with that history. Nothing in the data bounds the share from above, so the
    interval ends at 1. A history that no untargeted buyer shares counts as 0, which keeps it a floor.

    Parameters
    ----------
    purchases : pandas.DataFrame
        user_id, coupon_id, weeks_bought (before), bought (0, 1: in the window); pairs without any
        purchase may be absent.
    redeemed : pandas.DataFrame
        user_id, coupon_id, n.
    untargeted : pandas.Series
        Weights indexed by user_id.
    level : float
        Level of the interval; the error is clustered by untargeted buyer.
    """
    classes = purchases.assign(weeks=purchases["weeks_bought"].clip(upper=MOST_WEEKS_BOUGHT).astype(int))
    mine = redeemed.merge(classes[["user_id", "coupon_id", "weeks"]], on=["user_id", "coupon_id"], how="left")
    shares = mine.groupby(mine["weeks"].fillna(0).astype(int))["n"].sum() / redeemed["n"].sum()
    per_coupon = redeemed.groupby("coupon_id")["n"].sum()
    seen, bought = _weighted_classes(classes, per_coupon, untargeted)
    total = seen.sum()
    shares = shares[total[shares.index] > 0]
    rates = bought.sum()[shares.index] / total[shares.index]
    influence = ((bought - seen * rates)[shares.index] / total[shares.index] * shares).sum(axis=1)
    value, se = float(rates @ shares), float(np.sqrt(np.square(influence).sum()))
    reach = norm.ppf(0.5 + level / 2) * se
    return Estimate(
        value=value, se=se, ci_lower=max(0.0, value - reach), ci_upper=1.0, level=level,
        unit="share", n=int(redeemed["n"].sum()), method=METHOD_ALWAYS,
    )  # fmt: skip


def _weighted_classes(classes: pd.DataFrame, per_coupon: pd.Series, untargeted: pd.Series):
    """Per untargeted buyer and class: coupons seen and bought, weighted by redemptions and by buyer."""
    theirs = classes[untargeted.index.get_indexer(classes["user_id"]) >= 0]
    weight = theirs["coupon_id"].map(per_coupon).to_numpy(float)
    theirs = theirs.assign(seen=weight, got=weight * theirs["bought"].to_numpy(float))
    columns = range(MOST_WEEKS_BOUGHT + 1)
    seen, bought = (
        theirs.pivot_table(index="user_id", columns="weeks", values=value, aggfunc="sum", fill_value=0.0).reindex(
            index=untargeted.index, columns=columns, fill_value=0.0
        )
        for value in ("seen", "got")
    )
    # Pairs without a purchase before or during are not in the data: they belong to class 0, not bought.
    seen[0] += per_coupon.sum() - seen.sum(axis=1)
    return seen.mul(untargeted, axis=0), bought.mul(untargeted, axis=0)


def _purchases(wh, windows: Windows, redeemed: Redemptions) -> pd.DataFrame:
    """user_id, coupon_id, weeks_bought, bought: purchases of the redeemed coupons' products."""
    campaign = windows.campaign
    orders = wh.table("orders")
    looked_at = falls_on(orders.ordered_at, windows.starts_on, campaign.ends_on, campaign.timezone)
    orders = orders.filter(orders.country == campaign.country, looked_at)
    since = windows.day_of(orders.ordered_at).delta(ibis.literal(campaign.starts_on), unit="day")
    # Buyer, product and week once: a basket of five yoghurts is one purchase of yoghurt.
    days = orders.select("user_id", "product_id", since=since)
    weeks = days.select("user_id", "product_id", week=(days.since / 7.0).floor().cast("int64"), now=days.since >= 0)
    weeks = weeks.distinct()
    coupons = wh.table("coupon_products")
    coupons = coupons.filter(coupons.coupon_id.isin(list(redeemed.rows["coupon_id"].unique())))
    pairs = weeks.join(coupons.select("coupon_id", "product_id").distinct(), "product_id")
    return wh.query(
        pairs.group_by("user_id", "coupon_id").aggregate(
            weeks_bought=pairs.week.nunique(where=~pairs.now), bought=pairs.now.cast("int8").max()
        )
    )
