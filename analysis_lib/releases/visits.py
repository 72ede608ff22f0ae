"""What the engine says of the visits on two versions: cells, start times, and how much each user moves the result."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from analysis_lib.releases.people import RATES, classes_of, counted, described, people, tallied
from analysis_lib.releases.release import Release
from analysis_lib.releases.weighting import ALIKE

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis
    import pandas as pd

    #: Runs an expression and gives back its rows.
    Run = Callable[[ibis.Table], pd.DataFrame]

#: Start-time bins per e-fold: each is one percent wide.
BINS = 100

#: Levels of the start-time quantiles, by metric.
QUANTILES = {"start_ms_p50": 0.5, "start_ms_p95": 0.95}

#: Columns of the visits that are compared.
COMPARED = ("user_id", "day", "is_new", *ALIKE, *RATES, *(f"was_{name}" for name in RATES), "start_ms")

#: Name of what is true of all systems together.
ALL = "all"


def natural(system: str) -> tuple:
    """Order of systems: all together first, then by name and number, android 9 before android 10.

    Examples
    --------
    >>> sorted(["android 10", "android 9", "all"], key=natural)
    ['all', 'android 9', 'android 10']
    """
    parts = re.split(r"(\d+)", system)
    return system != ALL, [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """The visits that are compared, as expressions, and the way to run them.

    Attributes
    ----------
    table : ibis.Table
        Visits on the two versions with ``is_new``, ``day``, the columns of ``ALIKE``, rates, and ``was_<rate>``.
    run : callable
        Runs an expression.
    n_other : int
        Visits of the platform in the window that are left out: on other versions, or signed out.
    """

    table: ibis.Table
    run: Run
    n_other: int

    def cells(self) -> pd.DataFrame:
        """Visits by day, version and what they are made alike in.

        Returns
        -------
        DataFrame
            day, is_new, the columns of ``ALIKE``, n, ``<rate>`` (sum), ``gain_<rate>`` (sum over what was before).
        """
        table = self.table
        sums: dict[str, Any] = {name: table[name].sum() for name in RATES}
        gains: dict[str, Any] = {f"gain_{name}": (table[name] - table[f"was_{name}"]).sum() for name in RATES}
        found = self.run(table.group_by("day", "is_new", *ALIKE).agg(n=table.count(), **sums, **gains))
        return _dated(found).sort_values(["day", "is_new", *ALIKE], ignore_index=True)

    def starts(self, weights: pd.DataFrame) -> pd.DataFrame:
        """Weight of start times by day, version, system and bin; bin ``b`` begins at ``exp(b / BINS)`` ms.

        Parameters
        ----------
        weights : pandas.DataFrame
            day, is_new, the columns of ``ALIKE``, weight.
        """
        import ibis

        table = self._with(weights)
        table = table.filter((table.start_ms > 0).fill_null(False) & ~table.start_ms.isnan())
        # The floor in floating point: engines differ in how they cast to whole numbers.
        table = table.mutate(
            bin=(table.start_ms.ln() * BINS).floor(), weight=ibis.ifelse(table.is_new, table.weight, -table.weight)
        )
        found = self.run(table.group_by("day", "is_new", "system", "bin").agg(weight=table.weight.sum()))
        return _dated(found).sort_values(["day", "is_new", "system", "bin"], ignore_index=True)

    def moves(self, weights: pd.DataFrame) -> pd.DataFrame:
        """Sums of squares of what each user moves the result by, as they stand at the end of each day.

        Parameters
        ----------
        weights : pandas.DataFrame
            As for ``starts``, and for each rate ``centre_<rate>``, for each quantile and scope (``all`` or ``own``)
            ``at_<scope>_<quantile>`` (ms) and ``dense_<scope>_<quantile>`` (share per ms).

        Returns
        -------
        DataFrame
            system, day and for each column of ``moved()`` the increase of the sum of squares on that day.
        """
        import ibis

        table = self._with(weights)
        names = moved()
        own = table.group_by("system", "user_id", "day").agg(**{name: one.sum() for name, one in _moves(table).items()})
        window = ibis.window(group_by=["system", "user_id"], order_by="day", preceding=None, following=0)
        so_far = own.mutate(**{f"to_{name}": own[name].sum().over(window) for name in names})
        squares: dict[str, Any] = {
            name: (so_far[f"to_{name}"] ** 2 - (so_far[f"to_{name}"] - so_far[name]) ** 2).sum() for name in names
        }
        return _dated(self.run(so_far.group_by("system", "day").agg(**squares))).sort_values(["system", "day"])

    def _with(self, weights: pd.DataFrame) -> ibis.Table:
        import ibis

        keys = ["day", "is_new", *ALIKE]
        return self.table.inner_join(ibis.memtable(weights), keys)


def moved() -> list[str]:
    """What users move: each rate, each quantile of all systems and of the own one, and how often they crashed."""
    return [*RATES, *(f"{scope}_{name}" for scope in (ALL, "own") for name in QUANTILES), "crashes"]


def _moves(table: ibis.Table) -> dict[str, Any]:
    import ibis

    found: dict[str, Any] = {
        name: table.weight * (table[name] - table[f"was_{name}"] - table[f"centre_{name}"]) for name in RATES
    }
    for scope in (ALL, "own"):
        for name, level in QUANTILES.items():
            below = (table.start_ms <= table[f"at_{scope}_{name}"]).cast("float64") - level
            found[f"{scope}_{name}"] = (-table.weight * below / table[f"dense_{scope}_{name}"]).fill_null(0.0)
    crashed = 1.0 - table.crash_free_rate
    return found | {"crashes": ibis.ifelse(table.is_new, crashed, 0.0)}


def compared_visits(visits: ibis.Table, release: Release, run: Run) -> Visits:
    """The visits on a version and on the one before, while both are in use.

    Parameters
    ----------
    visits : ibis.Table
        The mart ``sessions``, or a table with its columns.
    run : callable
        Runs an expression.
    """
    own = tallied(visits.filter((visits.platform == release.platform) & visits.user_id.notnull()))
    users = people(own, release, release.first)
    table = described(own.filter(own.day.between(release.first, release.last)), users, classes_of(run(counted(users))))
    table = table.mutate(is_new=table.app_version == release.version)
    return Visits(_kept(table, release), run, _others(visits, release, run))


def _kept(table: ibis.Table, release: Release) -> ibis.Table:
    return table.filter(table.app_version.isin([release.version, release.before])).select(*COMPARED)


def _others(visits: ibis.Table, release: Release, run: Run) -> int:
    table = visits.filter((visits.platform == release.platform) & visits.day.between(release.first, release.last))
    is_ours = table.app_version.isin([release.version, release.before]).fill_null(False) & table.user_id.notnull()
    found = run(table.agg(n=(~is_ours).cast("int64").sum()))
    return int(found["n"].fillna(0).iloc[0])


def placebo_visits(visits: ibis.Table, release: Release, run: Run, *, shift: int) -> Visits:
    """The same users earlier, when none had the version: each counts as new from as many days after as they took.

    Parameters
    ----------
    shift : int
        Days by which the comparison is moved back: at least as many as it lasts.
    """
    import ibis

    back = timedelta(days=shift)
    own = tallied(visits.filter((visits.platform == release.platform) & visits.user_id.notnull()))
    users = people(own, release, release.first - back)
    later = own.filter(own.day.between(release.first, release.last))
    took = later.group_by(taker=later.user_id).agg(
        first_new=ibis.ifelse(later.app_version == release.version, later.day, None).min(),
        last_old=ibis.ifelse(later.app_version == release.before, later.day, None).max(),
    )
    early = own.filter(own.day.between(release.first - back, release.last - back) & (own.app_version == release.before))
    table = described(early, users, classes_of(run(counted(users))))
    table = table.inner_join(took, table.user_id == took.taker)
    moved_on = table.day + ibis.interval(days=shift)
    table = table.mutate(
        is_new=(table.first_new <= moved_on).fill_null(False), still_old=(table.last_old >= moved_on).fill_null(False)
    )
    return Visits(table.filter(table.is_new | table.still_old).select(*COMPARED), run, 0)


def _dated(frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return frame.assign(day=pd.to_datetime(frame["day"]).dt.date)
