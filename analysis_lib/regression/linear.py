"""Least squares, with fixed effects taken out, and by instruments."""

from __future__ import annotations

import numpy as np

from analysis_lib.errors import NotEnoughData
from analysis_lib.regression.collinear import absorbed_by, demeaned, independent
from analysis_lib.regression.sample import Sample, recoded
from analysis_lib.regression.solved import Solved

#: Least first-stage F; below it the instruments are hardly told apart from chance, and neither number nor error
#: mean anything.
LEAST_F = 4.0


def solve_linear(sample: Sample) -> Solved:
    """Coefficients of a linear regression; two-stage least squares where there are instruments.

    Raises
    ------
    NotEnoughData
        Instruments that hardly move what they should.
    """
    outcome, design, moved, facts = _columns(sample)
    coefficients, bread = least_squares(moved, outcome, sample.weights)
    residuals = outcome - design @ coefficients
    df = sample.n - design.shape[1] - absorbed_by(sample.effects)
    spread = float(sample.weights @ residuals**2) / df
    facts |= _fit_facts(sample, outcome, residuals)
    facts["residual_sd"] = spread**0.5
    plain = not sample.endogenous
    return Solved(
        sample=sample, coefficients=coefficients, bread=bread,
        scores=(sample.weights * residuals)[:, None] * moved, residuals=residuals,
        fitted=sample.outcome - residuals, equal=bread * spread,
        leverage=_leverage(moved, bread, sample.weights) if plain and not sample.effects.shape[1] else None,
        refit=lambda kept: _refit(sample, kept), facts=facts,
    )  # fmt: skip


def least_squares(design: np.ndarray, outcome: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted least squares by an orthogonal decomposition.

    Returns
    -------
    tuple
        Coefficients, shape (k,), and the inverse of the weighted cross-products, shape (k, k).
    """
    from scipy.linalg import solve_triangular  # slow to import

    root = np.sqrt(weights)
    scale = np.linalg.norm(design * root[:, None], axis=0)
    rotation, triangle = np.linalg.qr(design * root[:, None] / scale)
    coefficients = solve_triangular(triangle, rotation.T @ (outcome * root)) / scale
    inverse = solve_triangular(triangle, np.eye(len(scale))) / scale[:, None]
    return coefficients, inverse @ inverse.T


def _columns(sample: Sample) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, float]]:
    """Outcome, regressors and what of these the instruments move, all within fixed effects; and how strongly."""
    whole = np.column_stack([sample.outcome, sample.design, sample.instruments])
    whole = demeaned(whole, sample.effects, sample.weights)
    k = len(sample.names)
    outcome, design, outside = whole[:, 0], whole[:, 1 : k + 1], whole[:, k + 1 :]
    if not sample.endogenous:
        return outcome, design, design, {}
    is_moved = np.isin(sample.names, sample.endogenous)
    exogenous = design[:, ~is_moved]
    kept = independent(np.column_stack([exogenous, outside]))[exogenous.shape[1] :]
    if kept.sum() < is_moved.sum():
        raise NotEnoughData(
            f"{int(kept.sum())} instruments vary beside the regressors, {int(is_moved.sum())} are needed: one for each "
            f"of {', '.join(sample.endogenous)}"
        )
    first = np.column_stack([exogenous, outside[:, kept]])
    moved = design.copy()
    strengths = []
    for place in np.flatnonzero(is_moved):
        stage, inverse = least_squares(first, design[:, place], sample.weights)
        moved[:, place] = first @ stage
        strengths.append(_strength(sample, first, stage, inverse, design[:, place], int(kept.sum())))
    if min(strengths) < LEAST_F:
        raise NotEnoughData(
            f"the first-stage F is {min(strengths):.1f}: under {LEAST_F:g} the instruments hardly move "
            f"'{sample.endogenous[int(np.argmin(strengths))]}'; find stronger ones or more data"
        )
    return outcome, design, moved, {"first_stage_f": min(strengths)}


def _strength(
    sample: Sample, first: np.ndarray, stage: np.ndarray, inverse: np.ndarray, treated: np.ndarray, n_outside: int
) -> float:
    """F of the instruments in a first stage, robust to unequal variances, and to clusters where there are some."""
    scores = (sample.weights * (treated - first @ stage))[:, None] * first
    if sample.clusters.shape[1]:
        codes = sample.clusters[:, 0]
        scores = np.column_stack([np.bincount(codes, scores[:, place]) for place in range(scores.shape[1])])
    n = len(scores)
    factor = n / (n - 1) if sample.clusters.shape[1] else n / max(n - first.shape[1], 1)
    covariance = inverse @ (scores.T @ scores) @ inverse * factor
    outside = stage[-n_outside:]
    return float(outside @ np.linalg.pinv(covariance[-n_outside:, -n_outside:]) @ outside) / n_outside


def _leverage(design: np.ndarray, bread: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weights * np.einsum("ij,jk,ik->i", design, bread, design)


def _fit_facts(sample: Sample, outcome: np.ndarray, residuals: np.ndarray) -> dict[str, float]:
    """Shares of the outcome's variance that are explained: in all, and within fixed effects."""
    weights = sample.weights
    about = sample.outcome - np.average(sample.outcome, weights=weights)
    left = float(weights @ residuals**2)
    found = {"r2": 1 - left / float(weights @ about**2)}
    if sample.effects.shape[1]:
        within = float(weights @ outcome**2)
        found["r2_within"] = 1 - left / within if within > 0 else float("nan")
    return found


def _refit(sample: Sample, kept: np.ndarray) -> np.ndarray:
    """Coefficients from some of the rows; missing where a term is told by the others alone."""
    part = sample.rows(kept)
    whole = np.column_stack([part.outcome, part.design, part.instruments])
    whole = demeaned(whole, recoded(part.effects), part.weights)
    k = len(part.names)
    design = whole[:, 1 : k + 1]
    if not independent(design).all():
        return np.full(k, np.nan)
    moved = design
    if part.endogenous:
        is_moved = np.isin(part.names, part.endogenous)
        first = np.column_stack([design[:, ~is_moved], whole[:, k + 1 :]])
        moved = design.copy()
        moved[:, is_moved] = first @ np.linalg.lstsq(first, design[:, is_moved], rcond=None)[0]
        if not np.allclose(part.weights, 1.0):
            root = np.sqrt(part.weights)[:, None]
            moved[:, is_moved] = first @ np.linalg.lstsq(first * root, design[:, is_moved] * root, rcond=None)[0]
    return least_squares(moved, whole[:, 0], part.weights)[0]
