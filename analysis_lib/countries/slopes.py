"""What a metric goes with in each market by itself, drawn to the mean of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries.market_panel import MarketPanel, alone

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.causal import DrawnEffects

#: Rows of a market that are needed for a slope of its own, and markets that are needed to draw them together.
FEWEST_ROWS, FEWEST_SLOPES = 8, 3

#: More than this a month never seems to keep of the one before: with more, levels would say nothing.
MOST_KEPT = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """One factor's slope by market.

    Attributes
    ----------
    factor : str
        The surest factor.
    markets : list of str
        Codes.
    own : numpy.ndarray
        Each market's by itself, log points per unit.
    drawn : DrawnEffects
        Drawn to their mean.
    apart : float
        p value of all markets having the same.
    """

    factor: str
    markets: list[str]
    own: np.ndarray
    drawn: DrawnEffects
    apart: float


def slopes_by_market(panel: MarketPanel, level: float) -> dict[str, Slopes]:
    """Slopes of each factor, the others held fixed; factors that too few markets tell are not in it."""
    names = [factor.name for factor in panel.moving]
    found = {name: _slopes(panel, name, [other for other in names if other != name], level) for name in names}
    return {name: slopes for name, slopes in found.items() if slopes is not None}


def _slopes(panel: MarketPanel, name: str, others: list[str], level: float) -> Slopes | None:
    from scipy.stats import chi2  # slow to import

    from analysis_lib.causal import drawn_effects

    told = {
        str(country): own
        for country, own in alone(panel, name, others).sort_values("month").groupby("country")
        if _tells(own)
    }
    if len(told) < FEWEST_SLOPES:
        return None
    kept = lasting(list(told.values()))
    fits = [_slope(own, kept) for own in told.values()]
    value, variance = (np.array(column) for column in zip(*fits, strict=True))
    mean = np.average(value, weights=1 / variance)
    apart = float(chi2.sf((np.square(value - mean) / variance).sum(), len(fits) - 1))  # Cochran's Q
    return Slopes(name, list(told), value, drawn_effects(value, variance, level=level), apart)


def _tells(own: pd.DataFrame) -> bool:
    """Whether a market has a slope; one that hangs on one month has no error."""
    pull = np.square(own["x"] - own["x"].mean())
    return len(own) >= FEWEST_ROWS and pull.sum() > 0 and pull.max() <= (1 - 2 / len(own)) * pull.sum()


def _slope(own: pd.DataFrame, kept: float) -> tuple[float, float]:
    """Slope and its variance, of months less what they keep of the month before (Prais and Winsten)."""
    import pandas as pd

    from analysis_lib.regression import fit

    first = np.sqrt(1 - kept**2)
    columns = {"one": np.ones(len(own)), "x": own["x"].to_numpy(), "y": own["y"].to_numpy()}
    moved = {
        name: np.concatenate([first * column[:1], column[1:] - kept * column[:-1]]) for name, column in columns.items()
    }
    found = fit("y ~ 0 + one + x", pd.DataFrame(moved), variance="iid").fit_of("x")
    free = len(own) - 2  # of few months, errors are those of a t distribution, which is wider
    return found.value, found.se**2 * free / (free - 2)


def lasting(markets: list[pd.DataFrame]) -> float:
    """How much a month keeps of what is left of the month before: 0 or more, from all markets together.

    One market's months are too few to tell. What a mean and a slope of its own take from each market's correlation is
    given back (Kendall).

    References
    ----------
    Prais and Winsten (1954), "Trend estimators and serial correlation", Cowles Commission; Kendall (1954), "Note on
    bias in the estimation of autocorrelation", Biometrika 41(3).
    """
    together = total = 0.0
    for own in markets:
        x, y = (own[name].to_numpy() - own[name].mean() for name in ("x", "y"))
        left = y - x * (x @ y) / (x @ x)
        together, total = together + left[1:] @ left[:-1], total + left @ left
    if total == 0:
        return 0.0
    months = float(np.mean([len(own) for own in markets]))
    found = together / total
    return float(np.clip((months * found + 2) / (months - 4), 0.0, MOST_KEPT))
