"""Whether markets come closer to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries.market_panel import MARKETS, Called
from analysis_lib.results import Estimate, Result, format_percent

if TYPE_CHECKING:
    import pandas as pd

#: Months at either end whose mean is a market's level then.
MONTHS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Convergence(Result):
    """Two answers to the question.

    Attributes
    ----------
    beta : Estimate
        Log points of growth from the first months to the last per log point of the level in the first: below zero,
        those behind grow faster.
    spread : tuple of float
        Standard deviation of levels between markets, in the first months and in the last, log points.
    spread_pvalue : float
        How often chance alone changes the spread as much.
    levels : pandas.DataFrame
        country, first, last (log points).
    called : Called
        What is compared.
    """

    beta: Estimate
    spread: tuple[float, float]
    spread_pvalue: float
    levels: pd.DataFrame
    called: Called

    def to_frame(self) -> pd.DataFrame:
        """Levels at both ends."""
        return self.levels.copy()

    @property
    def text(self) -> str:
        """Both in words."""
        beta, (first, last) = self.beta, self.spread
        one, many, periods = self.called.one, self.called.many, self.called.periods
        catching = (
            "catch up"
            if beta.ci_upper < 0
            else "fall back"
            if beta.ci_lower > 0
            else "neither catch up nor fall back beyond doubt"
        )
        moved = "differs" if self.spread_pvalue < 1 - beta.level else "does not differ"
        return (
            f"{many.capitalize()} that were behind {catching}: a {one} one per cent lower to begin with grew by"
            f" {_signed(-beta.value)} per cent more ({format_percent(beta.level, 0)} interval"
            f" {_signed(-beta.ci_upper)} to"
            f" {_signed(-beta.ci_lower)}). The spread between {many} went from {format_percent(first, 0)} to"
            f" {format_percent(last, 0)}, which {moved} by more than chance makes it. What was measured too low at"
            f" first seems to catch up by itself, so the first number is too large where {periods} are noisy."
        )


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def convergence(frame: pd.DataFrame, *, level: float, called: Called = MARKETS) -> Convergence:
    """Growth against the level at first, and the spread at both ends.

    Parameters
    ----------
    frame : pandas.DataFrame
        country, month, outcome (log).
    level : float
        Of the interval.
    called : Called
        What the rows are called.

    References
    ----------
    Barro and Sala-i-Martin (1992), "Convergence", Journal of Political Economy 100(2); Friedman (1992), "Do old
    fallacies ever die?", Journal of Economic Literature 30(4), for the warning; Pitman (1939) and Morgan (1939),
    Biometrika 31, for two spreads of the same markets.
    """
    from scipy.stats import pearsonr  # slow to import

    from analysis_lib.regression import fit

    ranked = frame.sort_values("month")
    months = ranked["month"].drop_duplicates().to_numpy()
    n = min(MONTHS, len(months) // 2)
    first, last = (
        ranked[ranked["month"].isin(side)].groupby("country")["outcome"].mean() for side in (months[:n], months[-n:])
    )
    levels = first.to_frame("first").join(last.to_frame("last"), how="inner").reset_index()
    found = fit("growth ~ first", levels.assign(growth=levels["last"] - levels["first"]), variance="HC3", level=level)
    # Spreads of the same markets differ if sums and differences go together.
    together = pearsonr(levels["first"] + levels["last"], levels["last"] - levels["first"])
    spread = tuple(float(np.std(levels[side], ddof=1)) for side in ("first", "last"))
    return Convergence(found.fit_of("first"), spread, float(together.pvalue), levels, called)
