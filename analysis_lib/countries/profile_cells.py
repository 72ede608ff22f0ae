"""What a market does with its visits: steps from a visit to money, by group of users, market by market."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries.user_groups import by_group, user_group
from analysis_lib.errors import NotEnoughData
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    import ibis

    from analysis_lib.warehouse import Warehouse

#: Days of users in which something happened, from the mart of users' days; each step is a share of the one before.
STEPS = {
    "visits": "n_sessions", "views": "n_views", "carts": "n_carts", "checkouts": "n_checkouts", "orders": "n_orders",
}  # fmt: skip

#: Sums beside them.
SUMS = {
    "attempts": "n_payment_attempts", "paid": "n_payments_ok", "units": "n_units", "gmv": "gmv_usd", "net": "net_usd",
}  # fmt: skip

#: Of order lines: delivered ones and the days they took.
LINES = ("delivered", "delivery_days")


@dataclass(frozen=True, slots=True, eq=False)
class ProfileCells:
    """Quantities by group of users and market.

    Attributes
    ----------
    markets : list of str
        In the order of the last axis.
    values : dict of str to numpy.ndarray
        ``STEPS`` (days of users), ``SUMS`` and ``LINES``, shape (groups, markets).
    first, last : datetime.date
        Market-local days counted.
    """

    markets: list[str]
    values: dict[str, np.ndarray]
    first: date
    last: date

    @property
    def n_days(self) -> int:
        """Days counted."""
        return (self.last - self.first).days + 1


def profile_cells(wh: Warehouse, last: date, weeks: int) -> ProfileCells:
    """Count the last weeks; one pass over the users' days and one over the order lines.

    Raises
    ------
    NotEnoughData
        Nobody came in those weeks.
    """
    first = last - timedelta(days=7 * weeks - 1)
    days, facts = mart(wh, "user_days"), mart(wh, "order_facts")
    people = wh.query(_people(days.filter(days.day.between(first, last), days.user_id.notnull())))
    if people.empty:
        raise NotEnoughData(f"source '{wh.name}' has no visits between {first} and {last}")
    lines = wh.query(_lines(facts.filter(facts.day.between(first, last))))
    markets = sorted(people["country"].unique())
    axes = {"country": markets}
    values = {name: by_group(people, name, axes) for name in (*STEPS, *SUMS)}
    values |= {name: by_group(lines, name, axes) for name in LINES}
    return ProfileCells(markets, values, first, last)


def _people(rows: ibis.Table) -> ibis.Table:
    rows = rows.mutate(user_group=user_group(rows.user_id))
    steps = {name: (rows[column] > 0).fill_null(False).cast("float64").sum() for name, column in STEPS.items()}
    sums = {name: rows[column].cast("float64").sum() for name, column in SUMS.items()}
    return rows.group_by("country", "user_group").agg(**steps, **sums)


def _lines(rows: ibis.Table) -> ibis.Table:
    rows = rows.mutate(user_group=user_group(rows.user_id, rows.order_id))
    return rows.group_by("country", "user_group").agg(
        delivered=rows.delivery_days.count().cast("float64"), delivery_days=rows.delivery_days.cast("float64").sum()
    )
