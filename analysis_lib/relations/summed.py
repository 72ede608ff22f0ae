"""A regression of which only sums are known, in the clothes of one whose rows are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.errors import InvalidValue
from analysis_lib.relations.spread import units_of

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.regression import Fit
    from analysis_lib.regression.variance import Variance
    from analysis_lib.relations.least_squares import Squares
    from analysis_lib.relations.rows import Absorbed


def _refuse(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise InvalidValue(
        f"'{name}' needs single rows, and these stayed in the engine: bring some into a frame, for regression.fit"
    )


@dataclass(frozen=True, eq=False)
class SummedSample:
    """What is known of rows that stayed in the engine.

    Attributes
    ----------
    names : tuple of str
        Terms in the order of the formula.
    n : int
        Rows.
    dropped : pandas.DataFrame
        reason, name, n: what was left out.
    """

    names: tuple[str, ...]
    n: int
    dropped: pd.DataFrame

    @property
    def has_constant(self) -> bool:
        """Whether a constant is among the terms."""
        return "Intercept" in self.names

    def __getattr__(self, name: str) -> Any:
        return _refuse(name)


@dataclass(frozen=True, eq=False)
class SummedSolved:
    """Coefficients whose rows stayed in the engine.

    Attributes
    ----------
    sample : SummedSample
        What was solved.
    coefficients : numpy.ndarray
        One a term.
    facts : dict of str to float
        R², and the standard deviation of residuals.
    """

    sample: SummedSample
    coefficients: np.ndarray
    facts: dict[str, float]

    @property
    def n_terms(self) -> int:
        """Terms of the formula."""
        return len(self.sample.names)

    def __getattr__(self, name: str) -> Any:
        return _refuse(name)


def summed(squares: Squares, found: Absorbed, errors: Variance) -> Fit:
    """The result: coefficients in the units of the terms, errors, facts."""
    import pandas as pd

    from analysis_lib.regression import Fit

    rows, kept = squares.rows, list(squares.kept)
    regressors = tuple(rows.terms.regressors[place - 1] for place in kept)
    has_constant = "Intercept" in rows.terms.names
    names = ("Intercept", *regressors) if has_constant else regressors
    dropped = pd.DataFrame(list(rows.dropped), columns=["reason", "name", "n"])
    sample = SummedSample(names, squares.seen.n, dropped)
    frame = pd.DataFrame(columns=[rows.terms.outcome, *regressors])
    solved = SummedSolved(sample, _coefficients(squares), _facts(squares, found))
    return Fit(rows.request, solved, errors, frame)


def _coefficients(squares: Squares) -> np.ndarray:
    rows, kept = squares.rows, list(squares.kept)
    scales, shifts = np.array(rows.scales), np.array(rows.shifts)
    slopes = squares.coefficients * scales[0] / scales[kept]
    if "Intercept" not in rows.terms.names:
        return slopes
    means = shifts + scales * squares.plain.means
    return np.array([means[0] - means[kept] @ slopes, *slopes])


def _facts(squares: Squares, found: Absorbed) -> dict[str, float]:
    rows, plain = squares.rows, squares.plain
    whole = float(plain.cross[0, 0])
    if not found.levels and "Intercept" not in rows.terms.names:
        whole -= plain.weight * float(plain.means[0]) ** 2
    df = squares.seen.n - len(units_of(squares)) - found.total
    share = 1 - squares.left / whole if whole > 0 else float("nan")
    spread = squares.left / df * rows.n_complete / rows.weight
    return {"r2_within" if found.levels else "r2": share, "residual_sd": float(rows.scales[0] * spread**0.5)}
