"""All tests of a source together: what was won, what was luck, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from analysis_lib.experiments import programme_exhibits, programme_text
from analysis_lib.experiments.belief import Prior
from analysis_lib.results import Answer, Decision, Estimate, Finding

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

WON, ROLLED_BACK, HELD, TOLD_NOTHING = "won", "rolled back", "held", "told nothing"
STILL_RUNNING, NOT_BELIEVED, NOT_READ, NOT_STARTED = "still running", "not believed", "not read", "not started"

#: What can become of a test that is over and can be believed.
FINISHED = (WON, ROLLED_BACK, HELD, TOLD_NOTHING)

#: Standard deviations beyond which a test is unlike the others.
FAR = float(norm.ppf(0.995))


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One test of the programme.

    Attributes
    ----------
    experiment_id, name : str
        Which.
    starts_on : date | None
        Planned first day; None where the source does not say what it was.
    outcome : str
        won, rolled back, held, told nothing, still running, not believed, not read, or not started.
    variant, metric : str
        The arm that the verdict is about, and the metric that decides, in words.
    effect : Estimate | None
        Relative effect of the arm, more being better.
    arms : dict of str to Estimate
        The same of every arm.
    money : Estimate | None
        USD per 30 days if everybody had the arm.
    why : str
        The reason of the verdict, or why there is none.
    """

    experiment_id: str
    name: str
    starts_on: date | None
    outcome: str
    variant: str
    metric: str
    effect: Estimate | None
    arms: dict[str, Estimate]
    money: Estimate | None
    why: str

    @property
    def is_finished(self) -> bool:
        """Whether it is over and can be believed."""
        return self.outcome in FINISHED


@dataclass(frozen=True, slots=True, eq=False)
class Programme(Finding):
    """What the tests brought.

    Attributes
    ----------
    lines : tuple of Line
        Every test, by its start.
    level : float
        Of all intervals.
    data_end : date | None
        Last day that was read.
    priors : dict of str to Prior
        By experiment: what the other tests found.
    effects : dict of str to Estimate
        By experiment: the relative effect drawn to that.
    money : dict of str to Estimate
        By experiment: its money per month, drawn by the same factor.
    """

    SENTENCES = programme_text.SENTENCES
    EXHIBITS = programme_exhibits.EXHIBITS
    CALLED = "a programme"
    PLOTTED = "over_time"

    lines: tuple[Line, ...]
    level: float
    data_end: date | None
    priors: dict[str, Prior]
    effects: dict[str, Estimate]
    money: dict[str, Estimate]

    def having(self, outcomes: Iterable[str] | str) -> list[Line]:
        """Tests with an outcome, by their start."""
        wanted = (outcomes,) if isinstance(outcomes, str) else tuple(outcomes)
        return [line for line in self.lines if line.outcome in wanted]

    @property
    def finished(self) -> list[Line]:
        """Tests that are over and can be believed."""
        return self.having(FINISHED)

    @property
    def run(self) -> list[Line]:
        """Tests that had started, those included that could not be read."""
        return [line for line in self.lines if line.outcome != NOT_STARTED]

    @property
    def win_rate(self) -> Estimate | None:
        """Share of finished tests that won, with Wilson's interval; None without any."""
        return self.rate(WON)

    def rate(self, outcome: str) -> Estimate | None:
        """Share of finished tests with an outcome, with Wilson's interval; None without any.

        References
        ----------
        Brown, Cai and DasGupta (2001), "Interval estimation for a binomial proportion", Statistical Science 16(2).
        """
        from statsmodels.stats.proportion import proportion_confint

        n, count = len(self.finished), len(self.having(outcome))
        if not n:
            return None
        low, high = proportion_confint(count, n, alpha=1 - self.level, method="wilson")
        share = count / n
        return Estimate(share, float(np.sqrt(share * (1 - share) / n)), float(low), float(high), self.level, "share", n,
                        "share of tests, Wilson's interval")  # fmt: skip

    def counted(self, outcome: str = WON) -> list[Line]:
        """Tests with an outcome whose money is known, plain and drawn to the other tests."""
        return [line for line in self.having(outcome) if line.experiment_id in self.money]

    def impact(self, *, plain: bool = False) -> Estimate:
        """Money per month of all that was shipped, with luck taken out, or (``plain``) taken at its word."""
        return self._sum(WON, plain)

    def saved(self, *, plain: bool = False) -> Estimate:
        """Money per month that rolling back kept from being lost."""
        return self._sum(ROLLED_BACK, plain).scaled(-1.0)

    def _sum(self, outcome: str, plain: bool) -> Estimate:
        """Independent tests: effects add up, and so do variances."""
        found = [line.money if plain else self.money[line.experiment_id] for line in self.counted(outcome)]
        value, se = sum(one.value for one in found), float(np.sqrt(sum(one.se**2 for one in found)))
        reach = float(norm.ppf(0.5 + self.level / 2)) * se
        method = "sum over tests" if plain else "sum over tests, each drawn to what the others found"
        return Estimate(float(value), se, value - reach, value + reach, self.level, "usd", len(found), method)

    @property
    def over_time(self) -> pd.DataFrame:
        """Money per month of what was shipped, added up by the start of each test.

        Returns
        -------
        DataFrame
            day, test, outcome, plain, corrected, corrected_ci_lower, corrected_ci_upper; one row per test that started.
        """
        import pandas as pd

        adds = {line.experiment_id for line in self.counted()}
        rows, plain, value, variance, z = [], 0.0, 0.0, 0.0, float(norm.ppf(0.5 + self.level / 2))
        for line in self.run:
            if line.starts_on is None:
                continue
            if line.experiment_id in adds:
                after = self.money[line.experiment_id]
                plain, value, variance = plain + line.money.value, value + after.value, variance + after.se**2
            reach = z * variance**0.5
            rows.append((line.starts_on, line.name, line.outcome, plain, value, value - reach, value + reach))
        return pd.DataFrame(rows, columns=["day", "test", "outcome", "plain", "corrected", "corrected_ci_lower",
                                           "corrected_ci_upper"])  # fmt: skip

    @property
    def unlike(self) -> list[Line]:
        """Finished tests that lie farther from the others than a hundredth of tests would."""
        known = [line for line in self.finished if line.effect is not None]
        return [line for line in known if self._distance(line) > FAR]

    def _distance(self, line: Line) -> float:
        """How far a test lies from where the others expect it, in standard deviations of what it would be."""
        prior = self.priors[line.experiment_id]
        return abs(line.effect.value - prior.mean) / float(np.hypot(prior.spread, line.effect.se))

    def to_frame(self) -> pd.DataFrame:
        """One row per test.

        Returns
        -------
        DataFrame
            experiment_id, name, starts_on, outcome, variant, metric, rel_effect, corrected, money_per_month,
            money_corrected (each with ``_ci_lower`` and ``_ci_upper``), and why; effects: more is better.
        """
        import pandas as pd

        rows = []
        for line in self.lines:
            row = {"experiment_id": line.experiment_id, "name": line.name, "starts_on": line.starts_on,
                   "outcome": line.outcome, "variant": line.variant, "metric": line.metric}  # fmt: skip
            numbers = {
                "rel_effect": line.effect, "corrected": self.effects.get(line.experiment_id),
                "money_per_month": line.money, "money_corrected": self.money.get(line.experiment_id),
            }  # fmt: skip
            for name, one in numbers.items():
                row |= {
                    name: float("nan") if one is None else one.value,
                    f"{name}_ci_lower": float("nan") if one is None else one.ci_lower,
                    f"{name}_ci_upper": float("nan") if one is None else one.ci_upper,
                }
            rows.append(row | {"why": line.why})
        return pd.DataFrame(rows)

    @property
    def decision(self) -> Decision:
        """The verdict on the way tests are run, by the printed rule."""
        return programme_text.decide(self)

    @property
    def text(self) -> str:
        """What was run, what it brought, and the verdict."""
        return programme_text.whole(self)

    def answer(self, warehouse: Warehouse, grade: str = "") -> Answer:
        """The first screen of a page about it."""
        return programme_text.answer(self, warehouse.name, grade)
