"""The grade of ``releases.assess``: visits of quiet weeks, on which a version is rolled out again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import config, pipelines
from analysis_lib.calibration.dealt_versions import NOTHING, PLANTED, Quiet, Rollout, Window, dealt, quiet_visits
from analysis_lib.calibration.passing import passing_world
from analysis_lib.calibration.scoring import DRAWS, RIGHT
from analysis_lib.errors import NotEnoughData
from analysis_lib.releases.adoption import adoption_by_class, days_until
from analysis_lib.releases.assessment import Assessment
from analysis_lib.releases.beside import Beside
from analysis_lib.releases.estimating import METRICS, Comparison, compare
from analysis_lib.releases.judging import concluded, judged, tolerated
from analysis_lib.releases.verdict import decide
from analysis_lib.releases.visits import ALL, compared_visits, placebo_visits
from analysis_lib.releases.worth import worth_of

if TYPE_CHECKING:
    import pandas as pd

HOW = (
    "Marketplaces of the book's size are built from different seeds. In weeks without a release a version is rolled"
    " out in the ramp of Android 33, as often as one likes: users who are more active, and users who buy more often at"
    " other times, install it sooner. Either it does nothing, or it makes one visit in 23 on Android 9 and 10 crash,"
    " starts a tenth slower, and loses one payment in twenty. At 5, 25, 50 and 90 %: what the page says on the day on"
    " which that share of the visits is on it. Six together: six such periods laid over each other, six times the"
    " visits."
)

#: Shares of visits on the version at which it is assessed.
SHARES = (0.05, 0.25, 0.5, 0.9)

#: Periods without a release: the version in use, its first day, and the first day of the version that is dealt.
WINDOWS = (
    Window("31.0", date(2025, 2, 10), date(2025, 5, 12)),
    Window("31.0", date(2025, 2, 10), date(2025, 6, 9)),
    Window("31.0", date(2025, 2, 10), date(2025, 7, 7)),
    Window("32.0", date(2025, 8, 18), date(2025, 12, 22)),
    Window("32.0", date(2025, 8, 18), date(2026, 1, 12)),
    Window("32.0", date(2025, 8, 18), date(2026, 2, 2)),
)

TOGETHER, ONE = "six together", "the book's size"

_TITLES = {
    "crash_free_rate": "visits without a crash", "start_ms_p50": "median start", "start_ms_p95": "slow starts",
    "conversion": "conversion",
}  # fmt: skip


def simulate(worlds: int, draws: int, seed: int, progress: Callable[[str], None]) -> pd.DataFrame:
    """Rollouts with and without effect.

    Parameters
    ----------
    worlds : int
        Marketplaces, each from its own seed.
    draws : int
        Rollouts of each of either kind, at the book's size; a fifth as many of six periods together.
    seed : int
        Of the first.
    progress : callable
        Called as each part is begun.
    """
    import pandas as pd

    rows: list[tuple] = []
    for number in range(seed, seed + worlds):
        progress(f"marketplace {number - seed + 1} of {worlds}")
        with _visits_of(number) as quiet:
            rng = np.random.default_rng(number)
            for place in range(draws):
                if place % 20 == 0:
                    progress(f"rollout {place + 1} of {draws}")
                window = WINDOWS[int(rng.integers(len(WINDOWS)))]
                rows += _rollouts(quiet, (window,), ONE, number, rng)
                if place % 5 == 0:
                    rows += _rollouts(quiet, WINDOWS, TOGETHER, number, rng)
    return pd.DataFrame(rows, columns=[*DRAWS, RIGHT])


@contextmanager
def _visits_of(seed: int) -> Iterator[Quiet]:
    """The visits of a marketplace, in an engine of their own."""
    import ibis

    with passing_world(seed=seed, scale=1.0, marts=["sessions"]) as source:
        yield quiet_visits(pipelines.mart(source, "sessions"), ibis.duckdb.from_connection(source.connection))


def _rollouts(quiet: Quiet, windows: tuple[Window, ...], size: str, marketplace: int, rng) -> list[tuple]:
    """One version that does nothing, and one that does harm, in the same hands."""
    rows, own = [], int(rng.integers(1 << 30))
    for planted, says in ((NOTHING, "does nothing"), (PLANTED, "does harm")):
        rollout = dealt(quiet, windows, planted, seed=own)
        try:
            comparison = compare(compared_visits(rollout.visits, rollout.release, quiet.run))
        except NotEnoughData:
            rows += [_refused(f"{says}, {size}", _TITLES[name], marketplace) for name in METRICS]
            continue
        one = _assessment(rollout, comparison)
        rows += _estimates(one, rollout, f"{says}, {size}", marketplace)
        rows += _verdicts(one, says, f"verdicts, {size}", marketplace)
        if planted is NOTHING and len(windows) == 1:
            rows += _placebo(rollout, quiet, marketplace)
    return rows


def _assessment(rollout: Rollout, comparison: Comparison) -> Assessment:
    """The assessment of a rollout, without what is beside it."""
    import pandas as pd

    limits, release = tolerated(None), rollout.release
    looks = judged(comparison.looks, limits, level=config.LEVEL, is_over=True)
    cells = comparison.cells
    days = cells.assign(n_new=cells["n"] * cells["is_new"]).groupby("day", as_index=False)[["n_new", "n"]].sum()
    days = days.rename(columns={"n": "n_all"}).assign(share=days["n_new"] / days["n"])
    days["offered"] = [release.offered(day) for day in days["day"]]
    last = concluded(looks)
    worth = worth_of(comparison, last, level=config.LEVEL, days=release.days, platform_visits=float(cells["n"].sum()),
                     money_per_paid_visit=float("nan"))  # fmt: skip
    nothing = Beside(pd.DataFrame(), pd.DataFrame(), {}, 1.0)
    return Assessment(
        release=release, until=release.last, level=config.LEVEL, tolerances=limits, comparison=comparison, looks=looks,
        last=last, placebo=None, adoption=days, adopters=adoption_by_class(cells), beside=nothing, n_other=0,
        worth=worth,
    )  # fmt: skip


def _estimates(one: Assessment, rollout: Rollout, scenario: str, marketplace: int) -> Iterator[tuple]:
    """What is said of each metric on the day on which a share of the visits is on the version."""
    looks = one.looks
    for share in SHARES:
        after = days_until(one.adoption, share)
        if after is None:
            continue
        day = one.adoption["day"].iloc[after]
        for name, truth in rollout.truths.items():
            metric, system = name
            row = looks[(looks["day"] == day) & (looks["metric"] == metric) & (looks["system"] == system)]
            says = f"{_TITLES[metric]}{'' if system == ALL else f' on {system}'}, at {share:.0%}"
            if row.empty or bool(row["is_thin"].iloc[0]):
                yield _refused(scenario, says, marketplace)
                continue
            found = row.iloc[0]
            values = (found["rel_value"], found["rel_ci_lower"], found["rel_ci_upper"])
            yield (scenario, says, marketplace, *values, truth, False, float("nan"))


def _verdicts(one: Assessment, says: str, scenario: str, marketplace: int) -> list[tuple]:
    action = decide(one).action
    nothing = (float("nan"),) * 4
    if says == "does nothing":
        return [(scenario, "does nothing: not rolled back", marketplace, *nothing, False, float(action != "Roll back"))]
    alarms = one.looks[one.looks["is_alarm"] & (one.looks["metric"] == "crash_free_rate")]
    first = None if alarms.empty else (alarms["day"].min() - one.release.first).days + 1
    found = {"does harm: rolled back": action == "Roll back"}
    for days in (2, 7, 14):
        found[f"crashes: alarm within {days} days"] = first is not None and first <= days
    return [(scenario, what, marketplace, *nothing, False, float(right)) for what, right in found.items()]


def _placebo(rollout: Rollout, quiet: Quiet, marketplace: int) -> Iterator[tuple]:
    """The same at an earlier time, when nobody had the version."""
    try:
        early = compare(placebo_visits(rollout.visits, rollout.release, quiet.run, shift=28))
    except NotEnoughData:
        yield from (_refused("placebo", _TITLES[name], marketplace) for name in METRICS)
        return
    looks = judged(early.looks, tolerated(None), level=config.LEVEL, is_over=True)
    for row in looks[looks["system"] == ALL].groupby("metric", sort=False).tail(1).itertuples():
        values = (row.rel_value, row.rel_ci_lower, row.rel_ci_upper)
        yield ("placebo", _TITLES[row.metric], marketplace, *values, 0.0, bool(row.is_thin), float("nan"))


def _refused(scenario: str, says: str, marketplace: int) -> tuple:
    return scenario, says, marketplace, *(float("nan"),) * 4, True, float("nan")
