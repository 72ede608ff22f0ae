"""Terms that tell the outcomes 0 and 1 apart without fail: then no finite coefficient is best."""

from __future__ import annotations

import numpy as np

from analysis_lib.errors import InvalidValue
from analysis_lib.regression.sample import Sample

#: Rows up to which separation is looked for before fitting; beyond, only where the fit is extreme.
MOST_ROWS = 20_000

#: A fitted chance this near to 0 or 1 is a sign of separation.
EXTREME = 1e-6

#: A direction counts as separating beyond this (columns are scaled to 1 at most).
SEPARATES = 1e-6


def refuse_separated(sample: Sample) -> None:
    """Refuse a sample in which a term, or a sum of terms, separates zeros from ones.

    A linear program looks for a direction in which no 1 lies below and no 0 above; rows alike count once.

    Raises
    ------
    InvalidValue
        If there is one; the message names the terms.

    References
    ----------
    Albert and Anderson (1984), "On the existence of maximum likelihood estimates in logistic regression
    models", Biometrika 71(1). Konis (2007), "Linear programming algorithms for detecting separated data",
    Oxford.
    """
    if sample.outcome.min() == sample.outcome.max():
        raise InvalidValue(f"the outcome is {sample.outcome[0]:g} in all rows: there is nothing to explain")
    from scipy.optimize import linprog  # slow to import

    design = sample.design / np.abs(sample.design).max(axis=0)
    signed = np.unique(np.where(sample.outcome[:, None] == 1, design, -design), axis=0)
    k = design.shape[1]
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=[(-1, 1)] * k, method="highs")
    if found.x is None or -found.fun <= SEPARATES:
        return
    raise InvalidValue(_message(sample, np.abs(found.x)))


def _message(sample: Sample, weight: np.ndarray) -> str:
    alone = [name for place, name in enumerate(sample.names) if _separates_alone(sample, place)]
    others = [name for name, size in zip(sample.names, weight, strict=True) if size > SEPARATES and name != "Intercept"]
    named = alone or others
    return (
        f"'{' and '.join(named)}' separates the outcome: where it is {'high' if len(named) == 1 else 'known'}, the "
        "outcome never differs, and the coefficient has no finite value; leave the term out, or group its levels"
    )


def _separates_alone(sample: Sample, place: int) -> bool:
    """Whether all ones lie on one side of all zeros, touching at most."""
    column = sample.design[:, place]
    if np.ptp(column) == 0:
        return False
    ones, zeros = column[sample.outcome == 1], column[sample.outcome == 0]
    return bool(ones.min() >= zeros.max() or zeros.min() >= ones.max())


def refuse_empty(sample: Sample) -> None:
    """Refuse a term of 0 and 1 where it is 1 in rows without any count: a Poisson regression then has no maximum.

    Raises
    ------
    InvalidValue
        If there is one; the message names it.

    References
    ----------
    Correia, Guimarães and Zylkin (2019), "Verifying the existence of maximum likelihood estimates for generalized
    linear models", arXiv:1903.01633.
    """
    for place, name in enumerate(sample.names):
        column = sample.design[:, place]
        if np.isin(column, (0.0, 1.0)).all() and sample.outcome[column == 1].sum() == 0:
            raise InvalidValue(
                f"where '{name}' is 1 the outcome is always 0, and the coefficient has no finite value; leave the term "
                "out, or group its levels"
            )
