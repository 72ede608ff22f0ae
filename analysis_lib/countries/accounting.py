"""``countries.growth``: the growth of each market, told apart to the cent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from analysis_lib.config import LEVEL
from analysis_lib.countries import periods as spans
from analysis_lib.countries.growth_cells import growth_cells
from analysis_lib.countries.growth_parts import growth_parts
from analysis_lib.countries.growth_result import CountryGrowth
from analysis_lib.errors import InvalidValue, NotEnoughData, check_level, unknown
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse

#: What can be told apart so far.
METRICS = ("gmv",)

#: Fewer ordinary days in a period say nothing of an ordinary day.
FEWEST_ORDINARY = 14


def growth(
    wh: Warehouse, metric: str = "gmv", *, weeks: int = 26, before: spans.Window | None = None,
    after: spans.Window | None = None, markets: Iterable[str] = (), level: float = LEVEL,
) -> CountryGrowth:  # fmt: skip
    """Why each market grew: users, conversion, frequency, basket, mix, price, discount, currency, occasions.

    The parts of a market add up to its change in USD exactly. Growth without currency and without festivals and
    campaigns is called organic. Intervals are over users: how far a part would vary with other, equally drawn users in
    the same days.

    Parameters
    ----------
    wh : Warehouse
        From ``warehouse.connect``; marts ``user_days`` and ``order_facts``.
    metric : str
        ``gmv``.
    weeks : int
        The last whole weeks of the data are compared with the same weekdays a year before.
    before, after : tuple of datetime.date, optional
        First and last market-local day of each, instead of ``weeks``; of equal length.
    markets : iterable of str
        Codes; empty for all that sold in both periods.
    level : float
        Level of all intervals.

    Returns
    -------
    CountryGrowth

    Raises
    ------
    UnknownName
        A metric or market that does not exist.
    InvalidValue
        Periods that differ in length, overlap or leave the data; a level out of range.
    NotEnoughData
        No market sold in both periods.

    Examples
    --------
    >>> countries.growth(wh, weeks=26).to_frame()  # doctest: +SKIP
    """
    if metric not in METRICS:
        raise unknown("metric", metric, METRICS, "what growth can be told apart for")
    check_level(level)
    if (before is None) != (after is None):
        raise InvalidValue("before and after are given together, or neither: then the last weeks are compared")
    first, last = data_span(wh)
    chosen = spans.year_on_year(last, first, weeks) if before is None else spans.given(before, after, first, last)
    names = wh.query(wh.table("countries").select("country", "name")).set_index("country")["name"]
    asked = sorted(set(markets)) or sorted(names.index)
    for code in asked:
        if code not in names.index:
            raise unknown("market", code, list(names.index), "table countries")
    return _told(wh, chosen, asked, {code: str(names[code]) for code in asked}, level, last)


def _told(
    wh: Warehouse, periods: spans.Periods, markets: list[str], names: dict[str, str], level: float, last: date
) -> CountryGrowth:
    days = spans.days_of(wh, periods, markets)
    ordinary = days[days["is_ordinary"]].groupby(["country", "is_after"]).size().unstack(fill_value=0)
    few = [code for code in markets if code not in ordinary.index or ordinary.loc[code].min() < FEWEST_ORDINARY]
    left_out = dict.fromkeys(few, f"fewer than {FEWEST_ORDINARY} of its days had no festival or campaign")
    kept = [code for code in markets if code not in few]
    counted = growth_cells(wh, days[days["country"].isin(kept)], kept, periods.n_days)
    # A market that was not there before has no growth.
    complete = counted.is_complete
    if not complete.any():
        raise NotEnoughData(f"no market sold in both periods ({periods.text})")
    cells = counted.of(complete)
    empty = [code for code in kept if code not in cells.markets]
    left_out |= dict.fromkeys(empty, "it sold nothing on ordinary days of one of the periods")
    return CountryGrowth(
        periods=periods, markets={code: names[code] for code in cells.markets}, cells=cells, parts=growth_parts(cells),
        left_out={names[code]: why for code, why in left_out.items()}, level=level, last_day=last, source=wh.name,
    )  # fmt: skip


def data_span(wh: Warehouse) -> tuple[date, date]:
    """First and last whole market-local day that has orders in every market's clock."""
    import pandas as pd

    table = mart(wh, "order_facts")
    row = wh.query(table.agg(first=table.day.min(), last=table.day.max())).iloc[0]
    if pd.isna(row["last"]):
        raise NotEnoughData(f"source '{wh.name}' has no orders")
    ends = wh.query(table.group_by("country").agg(first=table.day.min(), last=table.day.max()))
    # Clocks differ: the last day of the easternmost market has hardly begun in the westernmost.
    return pd.Timestamp(ends["first"].min()).date(), pd.Timestamp(ends["last"].min()).date()
