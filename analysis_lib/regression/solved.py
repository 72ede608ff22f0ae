"""Coefficients before their errors: what every kind of regression hands to the variances."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from analysis_lib.regression.sample import Sample


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """Coefficients that solve scores summing to zero.

    Attributes
    ----------
    sample : Sample
        What was solved; for panels after their transformation.
    coefficients : numpy.ndarray
        One a term of ``sample``, then those of ``extra`` (a dispersion).
    bread : numpy.ndarray
        Inverse of the derivative of the summed scores, sign turned.
    scores : numpy.ndarray
        One row an observation, one column a coefficient.
    residuals, fitted : numpy.ndarray
        In the outcome's unit.
    equal : numpy.ndarray
        Covariance if errors had equal variances (linear) or the model held (others).
    leverage : numpy.ndarray or None
        Pull of each row on its own fitted value; None where not defined.
    refit : callable or None
        Coefficients from the rows flagged; None where leaving out makes no sense.
    extra : tuple of str
        Coefficients beyond the terms.
    facts : mapping of str to float
        R², first-stage F, dispersion and the like.
    """

    sample: Sample
    coefficients: np.ndarray
    bread: np.ndarray
    scores: np.ndarray
    residuals: np.ndarray
    fitted: np.ndarray
    equal: np.ndarray
    leverage: np.ndarray | None = None
    refit: Callable[[np.ndarray], np.ndarray] | None = None
    extra: tuple[str, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def n_terms(self) -> int:
        """Terms of the formula, without a dispersion."""
        return len(self.sample.names)
