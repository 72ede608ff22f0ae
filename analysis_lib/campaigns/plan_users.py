"""What users of a market spent in windows of its past, as a campaign there would have been measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd

from analysis_lib.campaigns.cells import settled_value
from analysis_lib.campaigns.lot_cells import BEFORE
from analysis_lib.campaigns.plan_asking import Asked
from analysis_lib.errors import ContractError, NotEnoughData
from analysis_lib.pipelines import mart
from analysis_lib.warehouse.days import local_day

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse

#: Lengths of a campaign that are tried beside the planned one, in days.
LENGTHS = (3, 7, 14, 21, 28, 42, 56)

#: Windows of the past, the latest first; one a year before the start comes on top, where the data reach it.
MOST_WINDOWS = 6

#: Days that must lie before a window.
LEAST_BEFORE = 28

YEAR = 364


@dataclass(frozen=True, slots=True, eq=False)
class PastWindow:
    """Users known before a past day, and what they spent from then on.

    Attributes
    ----------
    starts_on : date
        The day on which a campaign is pretended to start.
    totals : dict of int to numpy.ndarray
        By length of the campaign in days: net spending of each user in it and the weeks after, local money; (users,).
    before : numpy.ndarray
        ``BEFORE`` of each user; (users, 4).
    """

    starts_on: date
    totals: dict[int, np.ndarray]
    before: np.ndarray

    @property
    def n(self) -> int:
        """Users known then."""
        return len(self.before)

    def spent(self, days: int) -> float:
        """Mean net spending of a user."""
        return float(self.totals[days].mean())


@dataclass(frozen=True, slots=True, eq=False)
class PastUsers:
    """Past windows, and whom a campaign could reach.

    Attributes
    ----------
    windows : tuple of PastWindow
        The latest first.
    n_known : int
        Users known before the planned start, as far as the data tell.
    """

    windows: tuple[PastWindow, ...]
    n_known: int


def starts_of(asked: Asked) -> list[date]:
    """First days of past windows that fit between the first day and the last, the latest first.

    Raises
    ------
    NotEnoughData
        Not one fits.
    """
    earliest = asked.first_day + timedelta(days=LEAST_BEFORE)
    latest = asked.last_day - timedelta(days=asked.span - 1)
    found = [latest - timedelta(days=asked.span * number) for number in range(MOST_WINDOWS)]
    # The season of the planned days, where it is not among them.
    year = asked.starts_on - timedelta(days=YEAR)
    found = [day for day in found if day >= earliest]
    if earliest <= year <= latest and year not in found:
        found.append(year)
    if not found:
        raise NotEnoughData(
            f"the data hold {(asked.last_day - asked.first_day).days + 1} days before {asked.starts_on}; a window of"
            f" {asked.span} days with {LEAST_BEFORE} before it is needed to see how users differ"
        )
    return sorted(found, reverse=True)


def past_users(wh: Warehouse, asked: Asked) -> PastUsers:
    """Spending of the market's users in past windows; one pass over the orders, one row per user.

    Raises
    ------
    NotEnoughData
        No window fits, or nobody was known before one.
    ContractError
        Orders without a value.
    """
    starts = starts_of(asked)
    rows = wh.query(_users(wh, asked, starts))
    if lines := int(rows["worthless"].sum()):
        raise ContractError(
            f"{lines:,} order lines of {asked.country} in source '{wh.name}' have no value in the market's currency."
            f" Run `shopbook data check {wh.name}` and mend them there"
        )
    signed = pd.to_datetime(rows["signed_up_on"])
    windows = [_window(rows[signed < pd.Timestamp(day)], asked, place, day) for place, day in enumerate(starts)]
    windows = [window for window in windows if window.n]
    if not windows:
        raise NotEnoughData(f"no user of {asked.market} was known before {starts[0]}")
    return PastUsers(tuple(windows), int((signed < pd.Timestamp(asked.starts_on)).sum()))


def _users(wh: Warehouse, asked: Asked, starts: list[date]) -> ibis.Table:
    """One row per user of the market, zeros for those who bought nothing; the order is the same on every engine."""
    users = wh.table("users")
    users = users.filter(users.country == asked.country)
    users = users.select("user_id", signed_up_on=local_day(users.signed_up_at, asked.timezone))
    facts = mart(wh, "order_facts")
    facts = facts.filter(
        facts.country == asked.country, facts.user_id.notnull(), facts.day.between(asked.first_day, asked.last_day)
    )
    worth, lost = settled_value(facts, asked.metric)
    since = facts.day.delta(ibis.literal(asked.first_day), unit="day")
    lines = facts.select("user_id", "order_id", since=since, worth=worth, lost=lost)
    sums = {"worthless": lines.worth.isnull().cast("float64").sum()}
    for place, day in enumerate(starts):
        sums |= _sums(lines, asked, place, (day - asked.first_day).days)
    spent = lines.group_by("user_id").agg(**sums).rename(buyer="user_id")
    table = users.left_join(spent, users.user_id == spent.buyer)
    filled = {name: table[name].fill_null(0.0) for name in sums}
    return table.order_by("user_id").select("signed_up_on", **filled)


def _sums(lines: ibis.Table, asked: Asked, place: int, start: int) -> dict[str, Any]:
    """What a user adds to each column of a window that starts so many days after the first."""

    def total(first: int, last: int, value: Any) -> Any:
        return (value.fill_null(0.0) * lines.since.between(first, last).cast("float64")).sum()

    net, earliest = lines.worth - lines.lost.fill_null(0.0), start - 7 * asked.weeks_before
    early = lines.since.between(earliest, start - 1)
    found = {
        f"recent_{place}": total(start - 28, start - 1, lines.worth),
        f"earlier_{place}": total(earliest, start - 29, lines.worth),
        f"orders_before_{place}": early.ifelse(lines.order_id, None).nunique().cast("float64"),
    }
    for days in lengths_in(asked, start):
        found[f"total_{place}_{days}"] = total(start, start + days + 7 * asked.weeks_after - 1, net)
    return found


def lengths_in(asked: Asked, start: int) -> list[int]:
    """Lengths whose campaign and weeks after end before the planned start, from a day counted from the first."""
    room = (asked.last_day - asked.first_day).days + 1 - start - 7 * asked.weeks_after
    return [days for days in sorted({*LENGTHS, asked.days}) if days <= room]


def _window(rows: pd.DataFrame, asked: Asked, place: int, day: date) -> PastWindow:
    recent, earlier = (rows[f"{name}_{place}"].to_numpy(float) for name in ("recent", "earlier"))
    log_before = np.log1p(np.maximum(recent + earlier, 0.0))
    columns = {"recent": recent, "earlier": earlier, "log_before": log_before,
               "orders_before": rows[f"orders_before_{place}"].to_numpy(float)}  # fmt: skip
    lengths = lengths_in(asked, (day - asked.first_day).days)
    totals = {days: rows[f"total_{place}_{days}"].to_numpy(float) for days in lengths}
    return PastWindow(day, totals, np.column_stack([columns[name] for name in BEFORE]))
