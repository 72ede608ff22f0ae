"""Sales of every market of the simulated marketplace, week by week."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis_lib.config import PALETTE
from analysis_lib.results import Exhibit, format_value

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: Festivals marked on the time axis: those held in most markets.
MARKED = {"double_11": "11.11", "double_9": "9.9"}

#: The festival that the title speaks of.
FESTIVAL = "double_11"

#: Height of a market's strip, in means of its own weekly sales.
STRIP = 2.6


def sales_by_week(warehouse: Warehouse) -> pd.DataFrame:
    """GMV in US dollars by market and week.

    Returns
    -------
    pandas.DataFrame
        Columns country, week (Monday), gmv_usd; whole weeks only.
    """
    from analysis_lib import pipelines

    facts = pipelines.mart(warehouse, "order_facts")
    days = facts.group_by("country", "day").aggregate(gmv_usd=facts.gmv_usd.sum())
    weeks = days.mutate(week=days.day.truncate("W")).group_by("country", "week")
    found = weeks.aggregate(gmv_usd=lambda t: t.gmv_usd.sum(), n_days=lambda t: t.day.nunique())
    frame = warehouse.query(found.order_by("country", "week"))
    whole = frame.groupby("week")["n_days"].transform("max") == 7
    return frame[whole].drop(columns="n_days").reset_index(drop=True)


def sales_exhibit(frame: pd.DataFrame, order: list[str]) -> Exhibit:
    """The figure: one strip per market, in the order given, each on the scale of its own mean.

    Parameters
    ----------
    frame : pandas.DataFrame
        From ``sales_by_week``.
    order : list of str
        Markets from the top.
    """
    total = format_value(float(frame["gmv_usd"].sum()), "usd")
    return Exhibit(
        title=f"The week of {MARKED[FESTIVAL]} sells {_lift(frame):.1f} times what weeks near it sell, at the median",
        subtitle=f"Weekly GMV before returns, each market on the scale of its own mean; {total} in all, in US dollars",
        frame=frame.pivot(index="week", columns="country", values="gmv_usd")[order].round(0).reset_index(),
        units=dict.fromkeys(order, "usd"),
        draw=lambda axes: _draw(axes, frame, order),
        height=1.15,
    )


def _lift(frame: pd.DataFrame) -> float:
    """Sales of the festival's week over the mean of the four weeks two and three away, median of markets and years."""
    import pandas as pd

    wide = frame.pivot(index="week", columns="country", values="gmv_usd")
    wide.index = pd.to_datetime(wide.index)
    around = (wide.shift(2) + wide.shift(3) + wide.shift(-2) + wide.shift(-3)) / 4
    mondays = [day - pd.Timedelta(days=day.weekday()) for day, name in _festival_days(wide.index) if name == FESTIVAL]
    ratios = (wide / around).loc[[monday for monday in mondays if monday in wide.index]]
    return float(ratios.stack().median())


def _festival_days(weeks: pd.DatetimeIndex) -> list[tuple[pd.Timestamp, str]]:
    """Main days of the marked festivals, with the festival's name."""
    import pandas as pd

    from analysis_lib.calendar import load_calendar

    first, last = weeks.min().date(), weeks.max().date()
    return [
        (pd.Timestamp(one.main_on), name)
        for name in MARKED
        for one in load_calendar().festivals(first, last, countries=["ID"], name=name)
    ]


def _draw(axes: Any, frame: pd.DataFrame, order: list[str]) -> None:
    import pandas as pd

    weeks = pd.to_datetime(frame["week"])
    for place, country in enumerate(reversed(order)):
        own = frame[frame["country"] == country]
        days, height = pd.to_datetime(own["week"]), own["gmv_usd"] / own["gmv_usd"].mean()
        base = place * STRIP
        axes.fill_between(days, base, base + height, color=PALETTE["subject"], alpha=0.25, lw=0)
        axes.plot(days, base + height, color=PALETTE["subject"], lw=1.4)
        axes.text(weeks.min() - pd.Timedelta(days=12), base + 0.5, country, ha="right", va="center")
    _mark(axes, pd.DatetimeIndex(weeks), len(order) * STRIP)
    axes.set_yticks([])
    axes.set_xlim(weeks.min() - pd.Timedelta(days=60), weeks.max() + pd.Timedelta(days=10))
    axes.set_ylim(-0.2, len(order) * STRIP + 1.6)
    _months(axes)


def _mark(axes: Any, weeks: pd.DatetimeIndex, top: float) -> None:
    """Festivals as thin lines with their names above."""
    for day, name in _festival_days(weeks):
        axes.axvline(day, color=PALETTE["context"], lw=1, ls=(0, (2, 3)), zorder=0, ymax=0.965)
        axes.text(day, top + 0.6, MARKED[name], ha="center", va="bottom", color="#5f5f5f")


def _months(axes: Any) -> None:
    from matplotlib.dates import DateFormatter, MonthLocator

    axes.xaxis.set_major_locator(MonthLocator(bymonth=(1, 7)))
    axes.xaxis.set_major_formatter(DateFormatter("%b %Y"))
