"""A metric by market and week, without the days on which a campaign of the market moved it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis_lib import metrics
from analysis_lib.errors import NotEnoughData
from analysis_lib.launches.odd_weeks import odd_weeks
from analysis_lib.metrics.part_cells import parts
from analysis_lib.warehouse.campaign_days import in_campaign

if TYPE_CHECKING:
    from analysis_lib.launches.launch import Launch
    from analysis_lib.warehouse import Warehouse

#: Days of a week that must be left for it to count.
FEWEST_DAYS = 3

#: Counted things a market must have in an ordinary week; with fewer its logarithm is mostly chance.
FEWEST_COUNTED = 3.0

#: Share of its weeks that a market may lack.
MOST_MISSING = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class MarketWeeks:
    """What is compared.

    Attributes
    ----------
    frame : pandas.DataFrame
        country, week (its Monday), outcome (logarithm of the metric; missing where it cannot be told), noise,
        first_affected, first_live (the first Monday from which on a whole week is affected, or live; missing if not by
        then).
    first, last : date
        First and last day.
    left_out : dict of str to str
        Markets that cannot be told, and why.
    n_campaign_days : int
        Market-days left out as a campaign ran.
    odd : tuple of (str, date)
        Market and Monday of weeks left out as something happened to that market alone.
    """

    frame: pd.DataFrame
    first: date
    last: date
    left_out: dict[str, str]
    n_campaign_days: int
    odd: tuple[tuple[str, date], ...]

    @property
    def n_markets(self) -> int:
        """Markets that are told."""
        return int(self.frame["country"].nunique())


def market_weeks(
    warehouse: Warehouse, launch: Launch, metric: str, *, weeks_before: int, without_campaigns: bool, as_of: str | None
) -> MarketWeeks:
    """A metric by market and whole week, from ``weeks_before`` weeks before the launch was first known.

    Raises
    ------
    NotEnoughData
        It cannot be told in any market, or too few days are covered.
    UnknownName, InvalidValue, SourceError, ContractError
        As ``metrics.query``.
    """
    until = pd.Timestamp(launch.until) - timedelta(days=_maturity(warehouse, metric))
    starts = _begins(launch) - timedelta(weeks=weeks_before)
    days, counted = _days(warehouse, launch, metric, (starts, until), as_of)
    if days.empty:
        raise NotEnoughData(f"no whole week of '{metric}' lies before {until:%-d %b %Y}")
    busy = in_campaign(warehouse, days) if without_campaigns else pd.Series(False, index=days.index)
    weeks = days[~busy].groupby(["country", "week"], as_index=False).agg(
        numerator=("numerator", "sum"), denominator=("denominator", "sum"), n_days=("day", "size")
    )  # fmt: skip
    frame, left_out = _told(weeks[weeks["n_days"] >= FEWEST_DAYS], counted)
    odd = odd_weeks(frame)
    frame = _dated(frame.assign(outcome=frame["outcome"].mask(odd)), launch, pd.Timestamp(launch.until))
    named = tuple((str(row.country), row.week.date()) for row in frame[odd].sort_values("week").itertuples())
    last = (frame["week"].max() + timedelta(days=6)).date()
    return MarketWeeks(frame, frame["week"].min().date(), last, left_out, int(busy.sum()), named)


def _begins(launch: Launch) -> pd.Timestamp:
    """The day on which it was first known or live anywhere."""
    return pd.concat([launch.markets["live_on"], launch.markets["announced_on"]]).min()


def _days(
    warehouse: Warehouse, launch: Launch, metric: str, window: tuple[pd.Timestamp, pd.Timestamp], as_of: str | None
) -> tuple[pd.DataFrame, bool]:
    """Parts of the metric by market and day of whole weeks, and whether they are counts."""
    days = parts(warehouse, metric, by="country", as_of=as_of)
    counted = bool(days.attrs["counted"])
    days = days[days["country"].isin(launch.markets["country"])].rename(columns={"period_start": "day"})
    week = days["day"] - pd.to_timedelta(days["day"].dt.weekday, unit="D")
    first, last = max(window[0], days["day"].min()), min(window[1], days["day"].max())
    whole = (week >= first) & (week + timedelta(days=6) <= last)
    return days.assign(week=week)[whole].reset_index(drop=True), counted


def _maturity(warehouse: Warehouse, metric: str) -> int:
    """Days after which a value of the metric is final."""
    return int(metrics.load_metrics(warehouse.project).get(metric).maturity_days)


def _told(weeks: pd.DataFrame, counted: bool) -> tuple[pd.DataFrame, dict[str, str]]:
    """Logarithms and their noise, and the markets for which there are none."""
    left_out, kept = {}, []
    n_weeks = weeks["week"].nunique()
    for country, rows in weeks.groupby("country"):
        reason = _missing(rows, n_weeks, counted)
        if reason:
            left_out[str(country)] = reason
            continue
        kept.append(_logarithms(rows, counted))
    if not kept:
        raise NotEnoughData(f"no market can be told: {'; '.join(f'{name} {why}' for name, why in left_out.items())}")
    return pd.concat(kept, ignore_index=True), left_out


def _missing(rows: pd.DataFrame, n_weeks: int, counted: bool) -> str:
    """Why a market cannot be told; empty if it can."""
    if not (rows["numerator"] > 0).any():
        return "has nothing to count in any week"
    if counted and rows["numerator"].mean() < FEWEST_COUNTED:
        return f"has {rows['numerator'].mean():.1f} counted a week: too few"
    usable = (rows["denominator"] > 0) & ((rows["numerator"] > 0) | counted)
    if usable.sum() < (1 - MOST_MISSING) * n_weeks:
        return f"has a value in {int(usable.sum())} of {n_weeks} weeks only"
    return ""


def _logarithms(rows: pd.DataFrame, counted: bool) -> pd.DataFrame:
    """Logarithm of the metric and how noisy it is against other weeks and markets.

    Of two counts the noise is that of a share, and half a count is added to each, so that a week with none has a
    logarithm; else it is what a market's weeks show, in inverse proportion to the denominator.
    """
    above, below = rows["numerator"].to_numpy(), rows["denominator"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        if counted:
            share = min(above.sum() / below.sum(), 1 - 1e-6)
            outcome, noise = np.log((above + 0.5) / (below + 0.5)), (1 / share - 1) / below
        else:
            outcome = np.log(above / below) if rows["denominator"].nunique() > 1 else np.log(above / rows["n_days"])
            steps = np.diff(outcome[np.isfinite(outcome)])
            noise = np.full(len(rows), max(float(np.mean(steps**2)) / 2, 1e-12)) * below.mean() / below
    usable = np.isfinite(outcome) & np.isfinite(noise) & (noise > 0)
    return rows.assign(outcome=np.where(usable, outcome, np.nan), noise=np.where(usable, noise, 1.0))[
        ["country", "week", "outcome", "noise"]
    ]


def _dated(frame: pd.DataFrame, launch: Launch, until: pd.Timestamp) -> pd.DataFrame:
    """When each market was first affected and first live, by whole weeks; the week of the change itself is left out."""
    dates = launch.markets.set_index("country")
    live = dates["live_on"].where(dates["live_on"] <= until)
    told = dates["announced_on"].where(dates["announced_on"] <= until)
    affected = told.where(told.notna(), live)
    by_row = {name: frame["country"].map(column) for name, column in (("live", live), ("affected", affected))}
    ends = frame["week"] + timedelta(days=6)
    # A week in which something changes is neither before nor after.
    mixed = (by_row["live"] > frame["week"]) & (by_row["live"] <= ends)
    mixed |= (by_row["affected"] > frame["week"]) & (by_row["affected"] <= ends)
    return frame.assign(
        outcome=frame["outcome"].mask(mixed), first_live=_monday(by_row["live"], forward=True),
        first_affected=_monday(by_row["affected"], forward=False),
    )  # fmt: skip


def _monday(days: pd.Series, *, forward: bool) -> pd.Series:
    """The Monday from which on whole weeks are after a day (``forward``), or the one of the week that holds it."""
    back = days - pd.to_timedelta(days.dt.day_of_week, unit="D")
    return back.where(back == days, back + timedelta(weeks=1)) if forward else back
