"""Whether an effect differs between parts of the traffic, and what is known of it in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import chi2, norm
from statsmodels.stats.meta_analysis import combine_effects

from analysis_lib.errors import NotEnoughData
from analysis_lib.experiments.effects import Effect
from analysis_lib.results import Result, format_count, format_percent

if TYPE_CHECKING:
    import pandas as pd

#: Segments are said to differ when the test of all of them together is below this.
ALPHA = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Segments(Result):
    """Effects by segment.

    Attributes
    ----------
    metric, variant, dimension : str
        Which effect, cut by what.
    frame : pandas.DataFrame
        segment, rel_effect, rel_effect_ci_lower, rel_effect_ci_upper (each by itself), shrunken, shrunken_ci_lower,
        shrunken_ci_upper (drawn to the common effect), n_control, n_treatment.
    pvalue : float
        Of no difference between any segments.
    spread : float
        Standard deviation of the true relative effects, estimated.
    left_out : tuple of str
        Segments that are too small.
    """

    metric: str
    variant: str
    dimension: str
    frame: pd.DataFrame
    pvalue: float
    spread: float
    left_out: tuple[str, ...]

    @property
    def differ(self) -> bool:
        """Whether segments differ at all."""
        return self.pvalue < ALPHA

    @property
    def text(self) -> str:
        """Whether segments differ, and where."""
        word = self.dimension.replace("_", " ")
        told = f"{format_count(len(self.frame))} {word} segments"
        out = f" {', '.join(self.left_out)} left out: too few units." if self.left_out else ""
        if not self.differ:
            return f"Nothing shows that the effect differs between {told} (p {self.pvalue:.2f}).{out}"
        first, last = self.frame.iloc[0], self.frame.iloc[-1]
        return (
            f"The effect differs between {told} (p {self.pvalue:.2g}): from {format_percent(first['shrunken'])} in"
            f" {first['segment']} to {format_percent(last['shrunken'])} in {last['segment']}, each drawn to the"
            f" common effect by as much as its own is uncertain.{out}"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per segment."""
        return self.frame.copy()


def compare_segments(
    effects: Mapping[str, Effect], *, metric: str, variant: str, dimension: str, level: float, left_out: tuple[str, ...]
) -> Segments:
    """Effects by segment, the test that they are all one, and each drawn to the common one.

    The effects are relative. Their spread is estimated by Paule and Mandel's method; an effect is drawn to the mean of
    all by the share of its own variance in the whole (empirical Bayes).

    Raises
    ------
    NotEnoughData
        Fewer than two segments have an effect.

    References
    ----------
    Cochran (1954), Biometrics 10(1), for the test; Paule and Mandel (1982), Journal of Research of the NBS 87(5); Efron
    and Morris (1975), JASA 70(350), for the shrinkage.
    """
    import pandas as pd

    known = {name: one for name, one in effects.items() if one.rel_effect.se > 0}
    if len(known) < 2:
        raise NotEnoughData(f"fewer than two segments by {dimension} have enough units")
    value = np.array([one.rel_effect.value for one in known.values()])
    variance = np.array([one.rel_effect.se**2 for one in known.values()])
    weights = 1 / variance
    common = float(weights @ value / weights.sum())
    statistic = float(weights @ (value - common) ** 2)
    spread2 = max(0.0, float(combine_effects(value, variance, method_re="iterated").tau2))
    shrunken, se = shrink(value, variance, spread2)
    reach = norm.ppf(0.5 + level / 2) * se
    frame = pd.DataFrame(
        {
            "segment": list(known), "rel_effect": value,
            "rel_effect_ci_lower": [one.rel_effect.ci_lower for one in known.values()],
            "rel_effect_ci_upper": [one.rel_effect.ci_upper for one in known.values()],
            "shrunken": shrunken, "shrunken_ci_lower": shrunken - reach, "shrunken_ci_upper": shrunken + reach,
            "n_control": [one.n_control for one in known.values()],
            "n_treatment": [one.n_treatment for one in known.values()],
        }
    ).sort_values("shrunken", ignore_index=True)  # fmt: skip
    return Segments(
        metric=metric, variant=variant, dimension=dimension, frame=frame,
        pvalue=float(chi2.sf(statistic, len(known) - 1)), spread=float(np.sqrt(spread2)), left_out=left_out,
    )  # fmt: skip


def shrink(value: np.ndarray, variance: np.ndarray, spread2: float) -> tuple[np.ndarray, np.ndarray]:
    """Effects drawn to their common mean, with the standard errors that they then have.

    The error of the mean itself is part of each (Morris 1983, JASA 78(381)).
    """
    weights = 1 / (variance + spread2)
    mean, mean_variance = float(weights @ value / weights.sum()), 1 / weights.sum()
    own = spread2 / (spread2 + variance)
    return mean + own * (value - mean), np.sqrt(own * variance + (1 - own) ** 2 * mean_variance)
