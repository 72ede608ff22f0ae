"""How a change's effect differs between markets, as it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_lib.countries import effects_exhibits, effects_text
from analysis_lib.results import Answer, Decision, Estimate, Finding

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from analysis_lib.countries.effects_cells import Base, Moderator
    from analysis_lib.countries.meta_regression import MetaRegression
    from analysis_lib.metrics import Metric


@dataclass(frozen=True, slots=True, eq=False)
class EffectsAcross(Finding):
    """An experiment's effect from market to market.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per market: country, name, ran (the experiment), factor, beyond (the factor lies outside what was
        tested), raw, raw_ci_lower, raw_ci_upper (the market by itself, relative), effect, effect_ci_lower,
        effect_ci_upper (drawn to the line; where it did not run, predicted), above_zero (probability), base (USD sold
        in 30 days to those who meet it), gain, gain_ci_lower, gain_ci_upper (USD in 30 days).
    fit, flat : MetaRegression
        Against the factor, and against none; the same where there is no slope.
    centre : float
        Value of the factor, on the scale that is used, that the line is centred at.
    moderator : Moderator
        The factor.
    refusal : str
        Why there is no slope; empty if there is one.
    base : Base
        Sales that the effect is a share of.
    left_out : dict of str to str
        Markets that are not in it, with the reason.
    live : tuple of str
        Markets that have it already.
    level : float
        Of all intervals.
    experiment, variant : str
        Which change.
    metric : Metric
        What it changes.
    passed : bool
        Whether the experiment's own checks passed.
    source : str
        Name of the source.
    window : tuple of date
        First and last day that were read.
    data_end : date
        Last day that the source holds.
    """

    SENTENCES = effects_text.SENTENCES
    EXHIBITS = effects_exhibits.EXHIBITS
    CALLED = "a look at effects by market"
    PLOTTED = "line"

    table: pd.DataFrame
    fit: MetaRegression
    flat: MetaRegression
    centre: float
    moderator: Moderator
    refusal: str
    base: Base
    left_out: dict[str, str]
    live: tuple[str, ...]
    level: float
    experiment: str
    variant: str
    metric: Metric
    passed: bool
    source: str
    window: tuple[date, date]
    data_end: date

    @property
    def n_ran(self) -> int:
        """Markets that ran it."""
        return int(self.table["ran"].sum())

    @property
    def sign(self) -> float:
        """1 where more of the metric is better, −1 where less is."""
        return -1.0 if self.metric.better == "down" else 1.0

    @property
    def is_priced(self) -> bool:
        """Whether sales go with the metric, so that effects are money."""
        return bool(self.table["gain"].notna().any())

    @property
    def ranked(self) -> pd.DataFrame:
        """The table, by what is to be gained: money, or the effect to the better where there is none."""
        key = self.table["gain"] if self.is_priced else self.table["effect"] * self.sign
        return self.table.assign(key=key).sort_values("key", ascending=False, ignore_index=True)

    @property
    def slope(self) -> Estimate | None:
        """Relative change of the effect with one step of the factor; None where it was refused."""
        if self.refusal:
            return None
        step, _ = self.moderator.step
        own = [float(side[1]) * step for side in (self.fit.value, self.fit.se, self.fit.ci_lower, self.fit.ci_upper)]
        return Estimate(*own, self.level, "pp", self.n_ran, "random-effects meta-regression, Knapp and Hartung")

    def estimate(self, country: str) -> Estimate:
        """Relative effect in a market."""
        return self._of(country, "effect", "share")

    def gain(self, country: str) -> Estimate | None:
        """USD in 30 days in a market; None where there is no price."""
        return self._of(country, "gain", "usd") if self.is_priced else None

    def _of(self, country: str, column: str, unit: str) -> Estimate:
        row = self.table.set_index("country").loc[country]
        low, high = (float(row[f"{column}_ci_{end}"]) for end in ("lower", "upper"))
        method = "drawn to the line" if row["ran"] else "predicted from the line"
        return Estimate(float(row[column]), (high - low) / 4, low, high, self.level, unit, self.n_ran, method)

    def to_frame(self) -> pd.DataFrame:
        """As ``table``."""
        return self.table.copy()

    @property
    def decision(self) -> Decision:
        """Which market should get it next."""
        return effects_text.decide(self)

    @property
    def text(self) -> str:
        """Where it would bring most, and what to do."""
        return f"{effects_text.headline(self)} {self.decision.text}"

    @property
    def answer(self) -> Answer:
        """The first screen of the page."""
        return effects_text.answer(self)
