"""A festival in each market, as it was measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries import seasons_exhibits, seasons_text
from analysis_lib.results import Answer, Decision, Estimate, Finding

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.causal import DrawnEffects
    from analysis_lib.countries.season_markets import MarketSeason, Told
    from analysis_lib.countries.season_windows import Occasion
    from analysis_lib.countries.season_years import YearOnYear
    from analysis_lib.metrics import Metric


@dataclass(frozen=True, slots=True, eq=False)
class FestivalLift(Finding):
    """What a festival does in each market, on its own dates.

    Attributes
    ----------
    names : tuple of str
        Festivals of the calendar that go as one, or ``payday``.
    title : str
        What they are called.
    metric : Metric
        What is measured; money at constant exchange rates.
    markets : dict of str to str
        Names of all markets by code.
    seasons : dict of str to MarketSeason
        Days of each market that can be told.
    phases : dict of str to dict
        By market and phase (``before``, ``festival``, ``after``, and each step): all years together, then each year.
    years : dict of str to YearOnYear
        This year against last, by market; of those that have both.
    upcoming : dict of str to Occasion
        The next after the data; None where the calendar does not reach so far.
    left_out : dict of str to str
        Markets that cannot be told, with the reason.
    cut : list of Occasion
        Occasions that lie partly outside the data: left out.
    span : tuple of datetime.date
        First and last day of the data.
    level : float
        Level of the intervals.
    source : str
        Name of the source.
    """

    SENTENCES = seasons_text.SENTENCES
    EXHIBITS = seasons_exhibits.EXHIBITS
    CALLED = "a festival's lift"
    PLOTTED = "steps"

    names: tuple[str, ...]
    title: str
    metric: Metric
    markets: dict[str, str]
    seasons: dict[str, MarketSeason]
    phases: dict[str, dict[str, list[Told]]]
    years: dict[str, YearOnYear]
    upcoming: dict[str, Occasion | None]
    left_out: dict[str, str]
    cut: list[Occasion]
    span: tuple[date, date]
    level: float
    source: str

    @property
    def is_payday(self) -> bool:
        """Whether what is looked at are paydays."""
        return next(iter(self.seasons.values())).is_payday

    @property
    def steps(self) -> list[str]:
        """Single days about a payday, else weeks, in order."""
        longest = max(self.seasons.values(), key=lambda one: max(item.n_days for item in one.calendar.occasions))
        return list(longest.phases(max(longest.calendar.occasions, key=lambda item: item.n_days))[1])

    def own(self, phase: str) -> dict[str, Estimate]:
        """Each market's own lift in a phase, all years together; of those that can be told."""
        return {code: rows[phase][0].rel for code, rows in self.phases.items() if phase in rows}

    def drawn(self, phase: str, level: float | None = None) -> tuple[list[str], DrawnEffects] | None:
        """Lifts of a phase drawn to the mean of markets; None of fewer than two."""
        from analysis_lib.causal.drawn_effects import drawn_effects

        own = self.own(phase)
        if len(own) < 2:
            return None
        value, variance = (np.array(side) for side in zip(*[(it.value, it.se**2) for it in own.values()], strict=True))
        return list(own), drawn_effects(value, np.maximum(variance, 1e-12), level=level or self.level)

    def mean(self, phase: str) -> Estimate | None:
        """Mean lift of markets in a phase; the one market's, if there is one; None if there is none."""
        own = self.own(phase)
        found = self.drawn(phase)
        if found is None:
            return next(iter(own.values()), None)
        _, drawn = found
        return Estimate.normal(
            drawn.mean, drawn.mean_se, level=self.level, unit="share", n=len(own),
            method="mean of markets, their spread allowed for",
        )  # fmt: skip

    @property
    def ranked(self) -> list[tuple[str, Estimate]]:
        """Markets by the lift of the festival, drawn to their mean, the highest first."""
        from scipy.stats import norm  # slow to import

        found = self.drawn("festival")
        own = self.own("festival")
        if found is None:
            return list(own.items())
        codes, drawn = found
        # Half the width of an interval that is nearly normal.
        reach = float(norm.ppf(0.5 + self.level / 2))
        rows = [
            (code, Estimate(
                float(drawn.value[k]), float((drawn.ci_upper[k] - drawn.ci_lower[k]) / 2 / reach),
                float(drawn.ci_lower[k]), float(drawn.ci_upper[k]), self.level, "share", own[code].n,
                "drawn to the mean of markets",
            )) for k, code in enumerate(codes)
        ]  # fmt: skip
        return sorted(rows, key=lambda row: -row[1].value)

    @property
    def starts(self) -> dict[str, str | None]:
        """The earliest step before it from which on every step lies above usual beyond doubt; None where none does.

        As many are looked at as there are markets and steps, so each must be surer: Bonferroni's correction.
        """
        early = [step for step in self.steps if step.startswith("−")]
        surer = 1 - (1 - self.level) / max(1, len(early) * len(self.seasons))
        above = {code: {} for code in self.seasons}
        for step in early:
            found = self.drawn(step, surer)
            for k, code in enumerate(found[0] if found else []):
                above[code][step] = bool(found[1].ci_lower[k] > 0)
        starts = {}
        for code, hits in above.items():
            starts[code] = None
            for step in reversed(early):
                if not hits.get(step, False):
                    break
                starts[code] = step
        return starts

    @property
    def table(self) -> pd.DataFrame:
        """Lifts by market, phase and year.

        Returns
        -------
        DataFrame
            country, phase, year (0: all), rel_lift, rel_lift_ci_lower, rel_lift_ci_upper (of usual days), extra,
            extra_ci_lower, extra_ci_upper (the metric's unit), n_days, n_left_out.
        """
        import pandas as pd

        rows = [
            (code, phase, told.year, told.rel.value, told.rel.ci_lower, told.rel.ci_upper, told.extra.value,
             told.extra.ci_lower, told.extra.ci_upper, told.rel.n, told.n_left_out)
            for code, by_phase in self.phases.items() for phase, kept in by_phase.items()
            for told in (kept if len(kept) > 2 else kept[:1])
        ]  # fmt: skip
        ends = ("", "_ci_lower", "_ci_upper")
        columns = [f"{kind}{end}" for kind in ("rel_lift", "extra") for end in ends]
        return pd.DataFrame(rows, columns=["country", "phase", "year", *columns, "n_days", "n_left_out"])

    def to_frame(self) -> pd.DataFrame:
        """As ``table``."""
        return self.table

    @property
    def decision(self) -> Decision:
        """Where it is worth preparing for, and from when on."""
        return seasons_text.decide(self)

    @property
    def text(self) -> str:
        """What it does, and what to do."""
        return f"{seasons_text.headline(self)} {self.decision.text}"

    @property
    def answer(self) -> Answer:
        """The first screen of the page."""
        return seasons_text.answer(self)
