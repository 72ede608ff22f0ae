"""Terms that others already hold: found in the order of the formula, dropped and named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis_lib.errors import NotEnoughData
from analysis_lib.regression.sample import Sample

#: A column of which no more than this part is its own, is a sum of others.
TOLERANCE = 1e-9

#: Part of a column that is left by fixed effects; below it the effects hold all of it.
ABSORBED = 1e-7

#: pyfixest's demeaning stops here.
DEMEANING = 1e-12


def demeaned(values: np.ndarray, effects: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Columns less their fixed effects.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (n, k).
    effects : numpy.ndarray
        Codes, shape (n, number of fixed effects); with none, the values come back.
    weights : numpy.ndarray
        Shape (n,).

    Raises
    ------
    NotEnoughData
        If the demeaning does not settle.
    """
    if effects.shape[1] == 0 or values.shape[1] == 0:
        return values
    from pyfixest.core.demean import demean  # slow to import

    x = np.ascontiguousarray(values, dtype=float)
    found, settled = demean(x, np.ascontiguousarray(effects, dtype=np.uint64), weights, DEMEANING, 100_000)
    if not settled:
        raise NotEnoughData("the fixed effects hardly overlap, their averages do not settle: use fewer of them")
    return found


def independent(design: np.ndarray) -> np.ndarray:
    """Which columns are no sum of those before them.

    Parameters
    ----------
    design : numpy.ndarray
        Shape (n, k).

    Returns
    -------
    numpy.ndarray
        A flag a column.
    """
    kept = np.zeros(design.shape[1], dtype=bool)
    basis = np.empty((design.shape[0], min(design.shape)))
    size = 0
    for place in range(design.shape[1]):
        column = design[:, place]
        length = np.linalg.norm(column)
        left = column
        for _ in range(2):  # twice is enough (Kahan)
            left = left - basis[:, :size] @ (basis[:, :size].T @ left)
        own = np.linalg.norm(left)
        if size < basis.shape[1] and own > TOLERANCE * length and length > 0:
            basis[:, size] = left / own
            size += 1
            kept[place] = True
    return kept


def without_collinear(sample: Sample) -> Sample:
    """The sample with terms dropped, and named, that fixed effects or earlier terms already hold.

    Raises
    ------
    NotEnoughData
        If no term is left, or no more rows than terms.
    """
    within = demeaned(sample.design, sample.effects, sample.weights) * np.sqrt(sample.weights)[:, None]
    whole = np.linalg.norm(sample.design * np.sqrt(sample.weights)[:, None], axis=0)
    held = np.linalg.norm(within, axis=0) <= ABSORBED * whole if sample.effects.shape[1] else whole == 0
    kept = ~held
    kept[kept] = independent(within[:, kept])
    for place, name in enumerate(sample.names):
        if held[place]:
            sample = sample.noted("absorbed", name, np.nan)
        elif not kept[place]:
            sample = sample.noted("collinear", name, np.nan)
    if not kept.any():
        raise NotEnoughData(
            f"{', '.join(sample.names)}: nothing varies within the fixed effects, so that no coefficient can be told; "
            "leave out the fixed effects that hold it"
        )
    sample = sample.columns(kept)
    sample = replace(sample, endogenous=tuple(name for name in sample.endogenous if name in sample.names))
    used = len(sample.names) + absorbed_by(sample.effects)
    if sample.n <= used:
        raise NotEnoughData(
            f"{sample.n} rows for {used} coefficients and fixed effects: more rows are needed, or fewer terms"
        )
    return sample


def absorbed_by(effects: np.ndarray) -> int:
    """Degrees of freedom that fixed effects take, a constant included; as fixest counts them."""
    levels = [int(effects[:, place].max()) + 1 for place in range(effects.shape[1])]
    return sum(levels) - (len(levels) - 1) if levels else 0
