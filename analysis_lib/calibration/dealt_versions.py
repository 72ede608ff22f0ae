"""A version of the app dealt out to the users of quiet weeks: who has it when, and what it does to their visits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.releases.people import PRE_DAYS
from analysis_lib.releases.release import DAYS, Release
from analysis_lib.releases.visits import ALL

if TYPE_CHECKING:
    import ibis
    import pandas as pd

#: The ramp of every version that is dealt, and the days that the last take to install it.
RAMP, LAG = ((0, 0.05), (4, 0.2), (8, 0.5), (14, 1.0)), 18

#: How much being active, buying at other times, and chance say about who installs soon.
_WEIGHTS = (0.5, 0.5, 0.7)

_COLUMNS = (
    "session_key", "user_id", "platform", "app_version", "os_version", "country", "day", "start_ms", "has_crash",
    "has_payment",
)  # fmt: skip

#: The name of the version that is dealt.
DEALT = "new"


@dataclass(frozen=True, slots=True)
class Window:
    """Weeks without a release.

    Attributes
    ----------
    version : str
        In use, on Android.
    since : date
        Its first day.
    first : date
        First day of the version that is dealt.
    """

    version: str
    since: date
    first: date


@dataclass(frozen=True, slots=True)
class Planted:
    """What a version does.

    Attributes
    ----------
    crash : float
        Chance that a visit on ``systems`` crashes that otherwise would not.
    systems : tuple of str
        Systems on which it crashes.
    slower : float
        Relative change of every start time.
    lost : float
        Share of the payments that are lost.
    """

    crash: float = 0.0
    systems: tuple[str, ...] = ("android 9", "android 10")
    slower: float = 0.0
    lost: float = 0.0


NOTHING, PLANTED = Planted(), Planted(crash=0.044, slower=0.10, lost=0.05)


@dataclass(frozen=True, slots=True, eq=False)
class Quiet:
    """Visits of a marketplace in an engine of their own.

    Attributes
    ----------
    connection : ibis.BaseBackend
        The engine; table ``visits``.
    """

    connection: ibis.BaseBackend

    @property
    def run(self) -> Callable[[ibis.Table], pd.DataFrame]:
        """Runs an expression."""
        return self.connection.to_pandas


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """A version as it was dealt.

    Attributes
    ----------
    release : Release
        The version.
    visits : ibis.Table
        As the mart ``sessions``.
    truths : dict
        Relative effect by (metric, system).
    """

    release: Release
    visits: ibis.Table
    truths: dict[tuple[str, str], float] = field(default_factory=dict)


def quiet_visits(sessions: ibis.Table, connection: ibis.BaseBackend) -> Quiet:
    """Android visits of signed-in users, kept beside the source they come from.

    Parameters
    ----------
    sessions : ibis.Table
        The mart.
    connection : ibis.BaseBackend
        DuckDB, with the mart attached.
    """
    import ibis

    own = sessions.filter((sessions.platform == "android") & sessions.user_id.notnull()).select(*_COLUMNS)
    connection.raw_sql(f"CREATE OR REPLACE TEMP TABLE visits AS {ibis.to_sql(own, dialect='duckdb')}")
    return Quiet(connection)


def dealt(quiet: Quiet, windows: Sequence[Window], planted: Planted, *, seed: int) -> Rollout:
    """Deal a version to the users of some windows, laid over each other if there are several.

    Parameters
    ----------
    seed : int
        Two rollouts of one seed have the version in the same hands, whatever it does. The next one takes the place of
        this one in the engine.
    """
    start, rng = windows[0].first, np.random.default_rng(seed)
    parts = " UNION ALL ".join(_shifted(window, place, start) for place, window in enumerate(windows))
    engine = quiet.connection
    engine.raw_sql(f"CREATE OR REPLACE TEMP TABLE laid AS {parts}")
    hands = _hands(engine.raw_sql(_TRAITS.format(first=start)).df(), rng)
    engine.con.register("hands", hands)
    engine.raw_sql(_versions(planted, start, seed))
    since = windows[0].since if len(windows) == 1 else None
    release = Release("android", DEALT, "before", start, start + timedelta(days=DAYS - 1), since, RAMP)
    return Rollout(release, engine.table("rolled"), _truths(planted))


def _shifted(window: Window, place: int, start: date) -> str:
    """The visits of a window, its first day moved to the common one, its users apart from those of other windows."""
    back, moved = window.first - timedelta(days=240), (start - window.first).days
    return f"""SELECT session_key || '/{place}' AS session_key, user_id || '/{place}' AS user_id, platform,
            CASE WHEN app_version = '{window.version}' THEN 'before' ELSE 'older' END AS app_version, os_version,
            country, day + ({moved})::INTEGER AS day, start_ms, has_crash, has_payment
        FROM visits WHERE day BETWEEN '{back}' AND '{window.first + timedelta(days=DAYS - 1)}'"""


#: What users are like at other times than those that are compared: visits, and the share of them that are paid.
_TRAITS = f"""SELECT user_id,
        count(*) FILTER (day < DATE '{{first}}' - INTERVAL {PRE_DAYS} DAY) AS earlier,
        avg(has_payment::INTEGER) FILTER (day < DATE '{{first}}' - INTERVAL {PRE_DAYS} DAY) AS paid
    FROM laid GROUP BY user_id ORDER BY user_id"""


def _hands(traits: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Day since the release on which each user has the version: offered by chance, installed by eagerness."""
    active = _standard(np.log1p(traits["earlier"].to_numpy(dtype=float)))
    buys = _standard(traits["paid"].to_numpy(dtype=float))
    score = sum(
        weight * part for weight, part in zip(_WEIGHTS, (active, buys, rng.normal(size=len(traits))), strict=True)
    )
    eager = score.argsort().argsort() / len(traits)
    bucket, offered = rng.random(len(traits)), np.zeros(len(traits))
    for (_, below), (day, _) in pairwise(RAMP):
        offered = np.where(bucket >= below, day, offered)
    return traits[["user_id"]].assign(since=offered + np.floor(LAG * (1 - eager) ** 2))


def _standard(values: np.ndarray) -> np.ndarray:
    """In standard deviations from the mean; the mean where nothing is known."""
    spread = np.nanstd(values)
    return np.nan_to_num((values - np.nanmean(values)) / spread) if spread > 0 else np.zeros(len(values))


def _versions(planted: Planted, start: date, seed: int) -> str:
    """The visits as they are with the version in those hands."""
    systems = ", ".join(f"'{name}'" for name in planted.systems)

    def chance(purpose: str) -> str:
        return f"(hash(session_key || '{purpose}{seed}') / 18446744073709551616.0)"

    return f"""CREATE OR REPLACE TEMP TABLE rolled AS
        SELECT session_key, user_id, platform, CASE WHEN is_new THEN '{DEALT}' ELSE app_version END AS app_version,
            os_version, country, day,
            CASE WHEN is_new THEN start_ms * {1 + planted.slower} ELSE start_ms END AS start_ms,
            has_crash OR (is_new AND os_version IN ({systems}) AND {chance("crash")} < {planted.crash}) AS has_crash,
            has_payment AND NOT (is_new AND {chance("paid")} < {planted.lost}) AS has_payment
        FROM (SELECT laid.*, day >= DATE '{start}' + since::INTEGER AS is_new FROM laid JOIN hands USING (user_id))"""


def _truths(planted: Planted) -> Mapping[tuple[str, str], float]:
    """Relative effects; of crashes on the systems by themselves, as their share of the visits is nobody's choice."""
    crashes = {("crash_free_rate", name): -planted.crash for name in planted.systems}
    start = {(name, ALL): planted.slower for name in ("start_ms_p50", "start_ms_p95")}
    return crashes | start | {("conversion", ALL): -planted.lost}
