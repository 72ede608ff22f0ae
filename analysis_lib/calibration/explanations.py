"""The grade of ``metrics.explain``: its parts and intervals, asked of samples of users whose whole is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from analysis_lib import metrics
from analysis_lib.calibration.samples import Samples, Window
from analysis_lib.calibration.scoring import DRAWS
from analysis_lib.warehouse import connect

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.metrics import Explanation

HOW = (
    "Users of the simulated marketplace are drawn in samples that have nobody in common, one user of {n} in each, and"
    " the same change is explained in every sample. The truth is the explanation of all users, for amounts divided by"
    " {n}. In the scenarios without change, the two periods are exchanged for a random half of the users, so that no"
    " part can have changed."
)

#: Two periods of four weeks, four months apart.
BEFORE: Window = (date(2026, 2, 2), date(2026, 3, 1))
AFTER: Window = (date(2026, 6, 1), date(2026, 6, 28))

#: One user of so many is in a sample: about 3,700 users, of whom a third come in either period.
ONE_OF = 40

#: Quantities that parts of segments are pooled in, in units of their own intervals: factors, and products of changes.
FACTORS, PRODUCTS = "factors of segments", "mix of segments, and both"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A question asked of every sample."""

    metric: str
    by: tuple[str, ...]


SCENARIOS = (
    Scenario("gmv", ()),
    Scenario("gmv", ("country",)),
    Scenario("visit_conversion", ("country",)),
    Scenario("aov", ("country",)),
    Scenario("refund_rate", ("surface",)),
)

#: Marts that these questions read.
MARTS = ("order_facts", "sessions")


def simulate(worlds: int, draws: int, seed: int, progress: Callable[[str], None]) -> pd.DataFrame:
    """Draws of every scenario, with change and without.

    Parameters
    ----------
    worlds : int
        Partitions of the users.
    draws : int
        Samples of each partition.

    Returns
    -------
    DataFrame
        Columns ``scoring.DRAWS``.
    """
    import pandas as pd

    rows: list[tuple[object, ...]] = []
    with connect("world") as whole, Samples(whole, MARTS, (BEFORE[0], AFTER[1]), ONE_OF) as samples:
        truths = {scenario: _explained(whole, scenario) for scenario in SCENARIOS}
        for partition in range(seed, seed + worlds):
            progress(f"partition {partition - seed + 1} of {worlds}")
            for number in range(min(draws, ONE_OF)):
                rows += _draw(samples, truths, partition, number)
    return pd.DataFrame(rows, columns=list(DRAWS))


def _explained(warehouse: object, scenario: Scenario) -> Explanation:
    return metrics.explain(warehouse, scenario.metric, before=BEFORE, after=AFTER, by=scenario.by)  # type: ignore[arg-type]


def _name(scenario: Scenario) -> str:
    return scenario.metric + (f" by {' and '.join(scenario.by)}" if scenario.by else "")


def _draw(
    samples: Samples, truths: dict[Scenario, Explanation], partition: int, number: int
) -> Iterator[tuple[object, ...]]:
    """Every scenario asked of one sample as it is, and with the periods exchanged for half of its users."""
    for ending, swap in (("changed", None), ("nothing changed", (BEFORE, AFTER))):
        with samples.drawn(partition, number, swap=swap) as sample:
            for scenario, truth in truths.items():
                scale = 1 / samples.n if truth.metric.type in ("sum", "count", "distinct") else 1.0
                found = _explained(sample, scenario)
                yield from _rows(f"{_name(scenario)}, {ending}", partition, found, truth, 0.0 if swap else scale)


def _rows(
    scenario: str, world: int, found: Explanation, truth: Explanation, scale: float
) -> Iterator[tuple[object, ...]]:
    """One row per part and the whole change; parts of segments pooled."""
    change = found.change
    true = scale * truth.change.value
    yield scenario, "change", world, change.value, change.ci_lower, change.ci_upper, true, change.se != change.se
    both = found.parts.merge(truth.parts[["part", "contribution"]], on="part", suffixes=("", "_true"))
    for row in both.itertuples():
        low, high = row.contribution_ci_lower, row.contribution_ci_upper
        yield scenario, row.part, world, row.contribution, low, high, scale * row.contribution_true, low != low
    if found.by:
        yield from _pooled(scenario, world, found, truth, scale)


def _pooled(
    scenario: str, world: int, found: Explanation, truth: Explanation, scale: float
) -> Iterator[tuple[object, ...]]:
    keys = [*found.by, "part"]
    both = found.cells.merge(truth.cells[[*keys, "contribution"]], on=keys, suffixes=("", "_true"))
    both = both[both["kind"].isin(("factor", "mix", "interaction"))]
    for row in both.itertuples():
        quantity = FACTORS if row.kind == "factor" else PRODUCTS
        half = (row.contribution_ci_upper - row.contribution_ci_lower) / 2
        refused = not half > 0
        error = (row.contribution - scale * row.contribution_true) / half if not refused else float("nan")
        yield scenario, quantity, world, error, error - 1, error + 1, 0.0, refused
