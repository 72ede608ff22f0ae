"""Arms dealt out anew through the front door: a source in which an experiment was dealt many times over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import config
from analysis_lib.calibration.samples import Samples
from analysis_lib.calibration.scoring import DRAWS, draw_of
from analysis_lib.errors import NotEnoughData
from analysis_lib.experiments.arms import ArmMoments, arms_of
from analysis_lib.experiments.effects import effect_of, quantile_effect
from analysis_lib.experiments.trial import Trial, find_trial
from analysis_lib.metrics import moments
from analysis_lib.pipelines import mart
from analysis_lib.warehouse import connect

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from analysis_lib.results import Estimate
    from analysis_lib.warehouse import Warehouse

HOW = (
    "Arms of tests in the book's marketplace are dealt anew and measured through the front door, a hundred deals in one"
    " call, so that nothing can differ: quantiles of start times among the users of the home page, and money among"
    " creators, of whom there are few. Real households: the same of what the households of The Complete Journey spent."
)

#: Days before an experiment that are kept, and deals that are asked for at once.
PRE_DAYS, AT_ONCE = 28, 100

#: Days in which households are counted, and before.
HOUSEHOLD_DAYS = 56


@dataclass(frozen=True, slots=True)
class Case:
    """Metrics of an experiment whose arms are dealt out anew.

    Attributes
    ----------
    experiment : str
        One of the world; what its arms got is nobody's doing once they are dealt anew.
    metrics : dict of str to str
        What is measured, and what it is called.
    marts : tuple of str
        What that is measured on.
    adjusted : bool
        Whether values are adjusted for what was before.
    """

    experiment: str
    metrics: dict[str, str]
    marts: tuple[str, ...]
    adjusted: bool


CASES = (
    Case("aa_home", {"start_ms_p50": "a quantile, median start", "start_ms_p95": "a quantile, slow starts"},
         ("sessions",), adjusted=False),
    Case("live_banner", {"gmv_per_creator": "money per creator"}, ("order_facts", "creator_days"), adjusted=True),
)  # fmt: skip


class ManyDeals(Samples):
    """A source in which the units of an experiment are in an arm by chance, once for each deal.

    The deal stands where the phase did: ``by=("variant", "phase")`` measures all deals in one call.

    Parameters
    ----------
    warehouse : Warehouse
        With its marts built.
    trial : Trial
        The experiment.
    marts : tuple of str
        Marts that are measured.
    n : int
        Deals at once.
    """

    def __init__(self, warehouse: Warehouse, trial: Trial, marts: tuple[str, ...], n: int) -> None:
        last = trial.starts_at.date() + timedelta(days=trial.days + 1)
        days = (trial.starts_at.date() - timedelta(days=PRE_DAYS + 1), last)
        super().__init__(warehouse, (*marts, "experiment_units"), days, n)
        self._experiment = trial.experiment_id

    def _sample(
        self, connection: duckdb.DuckDBPyConnection, name: str, partition: int, number: int, swap: object
    ) -> None:
        if name != "experiment_units":
            within = "day BETWEEN DATE '{}' AND DATE '{}'".format(*self._days)
            connection.execute(f'CREATE TABLE "_{name}" AS FROM made.main."{name}" WHERE {within}')
            return
        # Half of the sixteen digits: a fair coin for each unit and deal.
        coin = f"right(md5(unit_id || 'deal {partition} {number} ' || deal), 1) < '8'"
        connection.execute(
            f'CREATE TABLE "_{name}" AS SELECT units.* REPLACE ('
            f" CASE WHEN {coin} THEN 'control' ELSE 'treatment' END AS variant, 'deal ' || deal AS phase,"
            f' 0.5::DOUBLE AS planned_share) FROM made.main."{name}" AS units, range({self.n}) AS deals(deal)'
            f" WHERE experiment_id = '{self._experiment}'"
        )


def simulate(worlds: int, draws: int, seed: int, progress: Callable[[str], None]) -> pd.DataFrame:
    """Deals of every case.

    Parameters
    ----------
    worlds : int
        Rounds of draws.
    draws : int
        Deals of each case in a round.
    seed : int
        Of the first round.
    progress : callable
        Called as each part is begun.
    """
    import pandas as pd

    rows: list[tuple] = []
    for number in range(seed, seed + worlds):
        with connect("world") as source:
            rows += deals_of(source, draws, number, progress)
        progress("real households")
        with connect("complete_journey") as source:
            rows += household_deals(source, draws, number)
    return pd.DataFrame(rows, columns=list(DRAWS))


def deals_of(
    warehouse: Warehouse, draws: int, seed: int, progress: Callable[[str], None], *, at_once: int = AT_ONCE
) -> Iterator[tuple]:
    """Intervals of metrics whose arms differ by chance alone, as rows of draws.

    Parameters
    ----------
    warehouse : Warehouse
        The simulated marketplace, with marts.
    draws : int
        Deals of each case.
    seed : int
        Another seed deals otherwise.
    """
    for case in CASES:
        trial, done = find_trial(warehouse, case.experiment), 0
        with ManyDeals(warehouse, trial, case.marts, min(at_once, draws)) as source:
            while done < draws:
                progress(f"{', '.join(case.metrics.values())}: deal {done + 1} of {draws}")
                with source.drawn(seed, done) as sample:
                    yield from _measured(sample, case, trial, f"{seed}-{done}", min(source.n, draws - done))
                done += source.n


def _measured(sample: Warehouse, case: Case, trial: Trial, name: str, n: int) -> Iterator[tuple]:
    beside = {"covariates": "own", "pre_days": PRE_DAYS} if case.adjusted else {"covariates": ()}
    options = {"by": ("variant", "phase"), "experiment": case.experiment, "unit": trial.unit, **beside}
    # One call a metric where they are quantiles: each has a grid of its own.
    for metric, says in case.metrics.items():
        got = moments(sample, [metric], **options)
        for deal in range(n):
            for word, found in _effects(got, metric, f"deal {deal}", adjusted=case.adjusted):
                yield draw_of("without effect", f"{says}{word}", f"{name}-{deal}", found, 0.0)


def _effects(got, metric: str, deal: str, *, adjusted: bool) -> list[tuple[str, Estimate | None]]:
    if not adjusted:
        rows = got.to_frame()
        own = rows[rows["phase"] == deal]
        pair = {row.variant: (row.value, row.se, row.n_units) for row in own.itertuples()}
        return [("", _safe(lambda: quantile_effect(pair, level=config.LEVEL, unit="ms")))]
    cells = arms_of(got, metric, cut=("variant", "phase"))
    pair = [cells["control", deal], cells["treatment", deal]]
    return [
        (", adjusted", _safe(lambda: effect_of(*pair, level=config.LEVEL, unit=""))),
        (", plain", _safe(lambda: effect_of(*(arm.plain() for arm in pair), level=config.LEVEL, unit=""))),
    ]


def _safe(made: Callable) -> Estimate | None:
    try:
        return made().rel_effect
    except NotEnoughData:
        return None


def household_deals(warehouse: Warehouse, draws: int, seed: int) -> Iterator[tuple]:
    """The same of real households: what they spent in eight weeks, adjusted for the eight weeks before, and plain.

    Parameters
    ----------
    warehouse : Warehouse
        ``complete_journey``, with marts.
    """
    values, rng = households(warehouse), np.random.default_rng(seed)
    for place in range(draws):
        treated = rng.random(len(values)) < 0.5
        arms = [_arm(values[~treated]), _arm(values[treated])]
        for word, pair in ((", adjusted", arms), (", plain", [arm.plain() for arm in arms])):
            found = _safe(lambda pair=pair: effect_of(*pair, level=config.LEVEL, unit=""))
            yield draw_of("real households", f"money per household{word}", f"{seed}-{place}", found, 0.0)


def households(warehouse: Warehouse) -> np.ndarray:
    """USD that each household spent in the last eight weeks, and in the eight weeks before: shape (households, 2)."""
    import pandas as pd

    table = mart(warehouse, "order_facts")
    table = table.filter(table.user_id.notnull())
    last = pd.Timestamp(warehouse.query(table.agg(last=table.day.max()))["last"].iloc[0]).date()
    start = last - timedelta(days=HOUSEHOLD_DAYS - 1)
    now = (table.day >= start).cast("float64")
    earlier = ((table.day < start) & (table.day >= start - timedelta(days=HOUSEHOLD_DAYS))).cast("float64")
    gmv = table.gmv_usd.fill_null(0.0)
    sums = table.group_by("user_id").agg(now=(gmv * now).sum(), earlier=(gmv * earlier).sum())
    return warehouse.query(sums).sort_values("user_id")[["now", "earlier"]].to_numpy(dtype=float)


def _arm(values: np.ndarray) -> ArmMoments:
    return ArmMoments(float(len(values)), values.mean(axis=0), np.cov(values, rowvar=False), False, True)
