"""What flows are told from: sales by origin, destination and month, with those that never were."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    import ibis
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: What is counted of each origin, destination and month.
COUNTS = (
    "n_lines", "units", "gmv_usd", "discount_usd", "shipping_usd", "n_delivered", "delivery_days", "n_settled",
    "n_returned",
)  # fmt: skip

#: Days after delivery until what will be returned has been.
RETURN_DAYS = 30

#: Delivery days from which on all count as one, so that no cell is a single parcel's.
LONGEST = 40


@dataclass(frozen=True, slots=True, eq=False)
class FlowCells:
    """Sales by origin, destination and month.

    Attributes
    ----------
    flows : pandas.DataFrame
        origin, country, month, and ``COUNTS`` (``delivery_days`` summed over ``n_delivered`` lines; ``n_settled``
        lines were delivered long enough ago for ``n_returned`` to be final). Every origin with every market in every
        month; 0 where nothing was sold.
    buyers : pandas.DataFrame
        origin, country, n_buyers, over all months.
    merchants : pandas.DataFrame
        origin, month, n_merchants that sold anything.
    parcels : pandas.DataFrame
        origin, country, category, days (whole days of delivery), n, n_returned: lines whose return is settled.
    rates : pandas.DataFrame
        country, month, currency, usd_per_unit: of most lines, and their median rate.
    markets, regions : dict of str to str
        Names of destinations by code, and where they lie.
    months : list of pandas.Timestamp
        Whole months, in order.
    n_unplaced : int
        Order lines without a home of the merchant or an amount in USD: left out.
    last_day : datetime.date
        Last day of the data.
    """

    flows: pd.DataFrame
    buyers: pd.DataFrame
    merchants: pd.DataFrame
    parcels: pd.DataFrame
    rates: pd.DataFrame
    markets: dict[str, str]
    regions: dict[str, str]
    months: list[pd.Timestamp]
    n_unplaced: int
    last_day: date

    @property
    def origins(self) -> list[str]:
        """Where merchants are at home."""
        return sorted(self.flows["origin"].unique())


def flow_cells(wh: Warehouse, months: int, markets: dict[str, str], regions: dict[str, str]) -> FlowCells:
    """Count; a few passes over the order lines in the engine.

    Raises
    ------
    InvalidValue
        More months than the data have.
    NotEnoughData
        Nothing was sold, fewer than two markets, or no merchant sells abroad.
    """
    facts = mart(wh, "order_facts")
    facts = facts.filter(facts.country.isin(list(markets)))
    span, last_day = _whole_months(wh, facts, months)
    lines = facts.filter(facts.day >= span[0].date(), facts.day < (span[-1] + _month()).date())
    placed = lines.merchant_country.notnull() & lines.gmv_usd.notnull()
    n_unplaced = int(wh.query(lines.agg(n=(~placed).cast("int64").sum().fill_null(0)))["n"].iloc[0])
    lines = lines.filter(placed).mutate(month=lines.day.truncate("M"), origin=lines.merchant_country)
    flows = wh.query(_sums(lines, last_day))
    refuse_untold(flows, n_unplaced)
    sold = [code for code in markets if (flows["country"] == code).any()]
    by = lines.group_by("origin", "country").agg(n_buyers=lines.user_id.nunique())
    active = lines.group_by("origin", "month").agg(n_merchants=lines.merchant_id.nunique())
    return FlowCells(
        flows=filled(flows, sold, span), buyers=wh.query(by), merchants=_dated(wh.query(active)),
        parcels=wh.query(_parcels(lines, last_day)), rates=_rates(wh, lines), last_day=last_day,
        markets={code: markets[code] for code in sold}, regions={code: regions.get(code, "") for code in sold},
        months=span, n_unplaced=n_unplaced,
    )  # fmt: skip


def refuse_untold(flows: pd.DataFrame, n_unplaced: int = 0) -> None:
    """Refuse what has no flows between countries.

    Raises
    ------
    NotEnoughData
        Nothing sold, one market alone, or nobody who sells abroad.
    """
    if flows.empty:
        raise NotEnoughData(f"no order line has a merchant's home and an amount in USD ({n_unplaced} lines have not)")
    markets = sorted(flows["country"].unique())
    if len(markets) < 2:
        raise NotEnoughData(
            f"one market alone ({markets[0]}) has sales: flows between countries are told apart from at least 2; take "
            "a source with several markets"
        )
    if not (flows["origin"] != flows["country"]).any():
        raise NotEnoughData(
            f"no merchant sells abroad: all sales of {', '.join(markets)} are of merchants at home there; check "
            "merchants.home_country"
        )


def filled(flows: pd.DataFrame, markets: list[str], months: list[pd.Timestamp]) -> pd.DataFrame:
    """Every origin with every market in every month; 0 where nothing was sold."""
    import pandas as pd

    axes = [sorted(flows["origin"].unique()), sorted(markets), months]
    every = pd.MultiIndex.from_product(axes, names=["origin", "country", "month"])
    summed = _dated(flows).groupby(["origin", "country", "month"])[list(COUNTS)].sum()
    return summed.reindex(every, fill_value=0).astype(float).reset_index()


def _month() -> pd.DateOffset:
    import pandas as pd

    return pd.DateOffset(months=1)


def _whole_months(wh: Warehouse, facts: ibis.Table, wanted: int) -> tuple[list[pd.Timestamp], date]:
    """The last whole months; all of them if 0 are wanted."""
    import pandas as pd

    row = wh.query(facts.agg(first=facts.day.min(), last=facts.day.max())).iloc[0]
    if pd.isna(row["last"]):
        raise NotEnoughData(f"source '{wh.name}' has no orders in these markets")
    first, last = pd.Timestamp(row["first"]), pd.Timestamp(row["last"])
    begins = first if first.day == 1 else (first + pd.offsets.MonthBegin(1))
    ends = (last + pd.Timedelta(days=1)).replace(day=1) - pd.Timedelta(days=1)
    span = list(pd.date_range(begins.normalize(), ends, freq="MS"))
    if wanted < 0 or wanted > len(span) or not span:
        raise InvalidValue(
            f"months={wanted}: the data have {len(span)} whole months ({first:%-d %b %Y} to {last:%-d %b %Y}); 0 for"
            " all of them"
        )
    return span[-wanted:], last.date()


def _sums(lines: ibis.Table, last_day: date) -> ibis.Table:
    rate, delivered = lines.usd_per_unit, lines.delivery_days.notnull()
    settled = _settled(lines, last_day)
    return lines.group_by("origin", "country", "month").agg(
        n_lines=lines.count(), units=lines.quantity.sum(), gmv_usd=lines.gmv_usd.sum(),
        discount_usd=(lines.discount_local.fill_null(0.0) * rate).sum(),
        shipping_usd=(lines.shipping_local.fill_null(0.0) * rate).sum(),
        n_delivered=delivered.cast("int64").sum(), delivery_days=lines.delivery_days.sum(),
        n_settled=settled.cast("int64").sum(), n_returned=(settled & lines.returned_at.notnull()).cast("int64").sum(),
    )  # fmt: skip


def _settled(lines: ibis.Table, last_day: date):
    """Delivered so long ago that what is returned has been."""
    from datetime import timedelta

    by = last_day - timedelta(days=RETURN_DAYS)
    return lines.delivery_days.notnull() & (lines.delivered_at.date() <= by)


def _parcels(lines: ibis.Table, last_day: date) -> ibis.Table:
    """Returns by days of delivery."""
    import ibis

    kept = lines.filter(_settled(lines, last_day))
    days = ibis.least(kept.delivery_days.floor(), ibis.literal(float(LONGEST)))
    kept = kept.mutate(days=days, category=kept.category.fill_null("no category"))
    returned = kept.returned_at.notnull().cast("int64").sum()
    return kept.group_by("origin", "country", "category", "days").agg(n=kept.count(), n_returned=returned)


def _rates(wh: Warehouse, lines: ibis.Table) -> pd.DataFrame:
    """The median, as a rate that is wrong for some days must not move a month."""
    priced = lines.filter(lines.usd_per_unit.notnull())
    by = priced.group_by("country", "month", "currency")
    found = _dated(wh.query(by.agg(usd_per_unit=priced.usd_per_unit.median(), n=priced.count())))
    found = found.sort_values("n").drop_duplicates(["country", "month"], keep="last")
    return found.drop(columns="n").sort_values(["country", "month"], ignore_index=True)


def _dated(frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return frame.assign(month=pd.to_datetime(frame["month"]))


def sides(cells: FlowCells) -> pd.DataFrame:
    """Sales of each market and month by side.

    Returns
    -------
    DataFrame
        country, month, is_abroad, and ``COUNTS``.
    """
    flows = cells.flows.assign(is_abroad=np.asarray(cells.flows["origin"] != cells.flows["country"]))
    return flows.groupby(["country", "month", "is_abroad"], as_index=False)[list(COUNTS)].sum()
