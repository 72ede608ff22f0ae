"""Who the users are before a version comes out: how active, how quick to install, and what their visits were like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.releases.release import Release

if TYPE_CHECKING:
    import ibis
    import pandas as pd

#: Days before the release in which visits are counted.
PRE_DAYS = 84

#: Shares of visits or versions that can be added up: name, and what one visit counts.
RATES = ("crash_free_rate", "conversion")

#: What a user without a class is filed under.
NO_VISIT, NOT_KNOWN = "none", "not known"

ACTIVITY = (NO_VISIT, "few", "some", "many")
SPEED = ("soon", "later", "last", NOT_KNOWN)


@dataclass(frozen=True, slots=True)
class Classes:
    """Where the classes of users begin.

    Attributes
    ----------
    some, many : float
        Visits beforehand from which a user counts as one with some, or with many.
    later, last : float
        Days from the release of the version before to its first visit, from which a user took it up later, or last.
    means : dict of str to float
        Rates of all visits beforehand: what is expected of a user without any.
    """

    some: float
    many: float
    later: float
    last: float
    means: dict[str, float]


def tallied(visits: ibis.Table) -> ibis.Table:
    """Visits with what each counts for the rates: 0 or 1 in a column by name."""
    return visits.mutate(
        crash_free_rate=1.0 - visits.has_crash.fill_null(False).cast("float64"),
        conversion=visits.has_payment.fill_null(False).cast("float64"),
    )


def people(visits: ibis.Table, release: Release, first: date) -> ibis.Table:
    """One row per user with a visit before a day: visits, rates, and days to the version before.

    Parameters
    ----------
    visits : ibis.Table
        As ``tallied``, of the platform.
    first : date
        The day the comparison begins.

    Returns
    -------
    ibis.Table
        owner, n_before, one sum per rate, delay (missing where no switch to the version before was seen).
    """
    import ibis

    start = first - timedelta(days=PRE_DAYS)
    since = release.before_since
    earliest = start if since is None else min(start, since - timedelta(days=PRE_DAYS))
    table = visits.filter((visits.day >= earliest) & (visits.day < first))
    recent = (table.day >= start).cast("float64")
    sums: dict[str, Any] = {name: (table[name] * recent).sum() for name in RATES}
    on_it = table.app_version == release.before
    found = table.group_by(owner=table.user_id).agg(
        n_before=recent.sum(), **sums, taken=ibis.ifelse(on_it, table.day, None).min(),
        had_older=ibis.ifelse(on_it, 0, 1).max(),
    )  # fmt: skip
    if since is None:
        return found.mutate(delay=ibis.null("float64")).drop("taken", "had_older")
    switched = found.taken.notnull() & (found.had_older == 1) & (found.taken >= since)
    delay = ibis.ifelse(switched, found.taken.delta(ibis.literal(since), unit="day").cast("float64"), None)
    return found.mutate(delay=delay).drop("taken", "had_older")


def counted(found: ibis.Table) -> ibis.Table:
    """How many users have which visits and delay: what the classes are made from."""
    sums = {name: found[name].sum() for name in RATES}
    return found.group_by("n_before", "delay").agg(n_users=found.count(), **sums)


def classes_of(counts: pd.DataFrame) -> Classes:
    """Classes that hold about as many visits each.

    Parameters
    ----------
    counts : pandas.DataFrame
        As ``counted``.
    """
    visits = counts["n_before"] * counts["n_users"]
    some, many = _split(counts["n_before"], visits.where(counts["n_before"] > 0, 0.0))
    switched = counts["delay"].notna()
    later, last = _split(counts.loc[switched, "delay"], counts.loc[switched, "n_users"])
    whole = float(visits.sum())
    means = {name: float(counts[name].sum()) / whole if whole else 0.0 for name in RATES}
    return Classes(max(some, 1.5), max(many, 2.5), later, last, means)


def _split(values: pd.Series, weights: pd.Series) -> tuple[float, float]:
    """Where a third and two thirds of the weight lie below."""
    if not float(weights.sum()):
        return float("inf"), float("inf")
    order = np.argsort(values.to_numpy(dtype=float))
    reached = np.cumsum(weights.to_numpy(dtype=float)[order]) / float(weights.sum())
    sorted_values = values.to_numpy(dtype=float)[order]
    third, two_thirds = (float(sorted_values[np.searchsorted(reached, share)]) for share in (1 / 3, 2 / 3))
    return third + 0.5, max(two_thirds, third + 1.0) + 0.5


def described(visits: ibis.Table, found: ibis.Table, classes: Classes) -> ibis.Table:
    """Visits with the classes of their users and what those users' visits were like beforehand.

    Returns
    -------
    ibis.Table
        The visits, with activity, speed, system, and ``was_<rate>``: the user's own rate beforehand, or that of all
        where there was no visit.
    """
    import ibis

    users = found.rename({f"sum_{name}": name for name in RATES})
    table = visits.left_join(users, visits.user_id == users.owner)
    n, delay = table.n_before.fill_null(0.0), table.delay
    none, few, some, many = ACTIVITY
    soon, later, last, not_known = SPEED
    return table.mutate(
        activity=ibis.cases((n <= 0, none), (n < classes.some, few), (n < classes.many, some), else_=many),
        speed=ibis.cases(
            (delay.isnull(), not_known), (delay < _finite(classes.later), soon), (delay < _finite(classes.last), later),
            else_=last,
        ),
        system=table.os_version.fill_null("unknown"),
        **{
            f"was_{name}": ibis.ifelse(n > 0, table[f"sum_{name}"] / n.nullif(0.0), classes.means[name])
            for name in RATES
        },
    )  # fmt: skip


def _finite(edge: float) -> float:
    return min(edge, 1e9)
