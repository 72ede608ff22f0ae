"""Panels: within units, between them, quasi-demeaned, and in first differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.regression.collinear import without_collinear
from analysis_lib.regression.linear import solve_linear
from analysis_lib.regression.request import Request
from analysis_lib.regression.sample import Sample

#: Fewest units behind a comparison between units.
FEWEST_UNITS = 6


def panel_sample(sample: Sample, request: Request) -> Sample:
    """The sample whose least squares are the panel estimate.

    Raises
    ------
    InvalidValue
        Weights where they have no meaning; a unit with two rows for a period.
    NotEnoughData
        Too few units, or none with two periods.

    References
    ----------
    Swamy and Arora (1972), "The exact finite sample properties of the estimators of coefficients in the
    error components regression models", Econometrica 40(2).
    """
    if request.effects == "fixed":
        return sample  # the unit is among its fixed effects
    if request.weights:
        raise InvalidValue(f"effects='{request.effects}' takes no weights: use effects='fixed'")
    n_units = int(sample.unit.max()) + 1
    if n_units < FEWEST_UNITS and request.effects != "first_differences":
        raise NotEnoughData(
            f"{n_units} units: effects='{request.effects}' compares units, and needs at least {FEWEST_UNITS}; "
            "effects='fixed' compares each with itself"
        )
    make = {"random": _quasi_demeaned, "between": _means, "first_differences": _differences}
    return make[request.effects](sample)


def _unit_means(sample: Sample, values: np.ndarray) -> np.ndarray:
    sizes = np.bincount(sample.unit)
    sums = [np.bincount(sample.unit, values[:, place]) for place in range(values.shape[1])]
    return np.column_stack(sums) / sizes[:, None]


def _means(sample: Sample) -> Sample:
    """One row a unit: its averages."""
    means = _unit_means(sample, np.column_stack([sample.outcome, sample.design]))
    first = np.unique(sample.unit, return_index=True)[1]
    short = sample.rows(first)
    return replace(short, outcome=means[:, 0], design=means[:, 1:])


def _quasi_demeaned(sample: Sample) -> Sample:
    """Each row less a part of its unit's average, the larger the more units differ."""
    share = _share_taken(sample)[sample.unit]
    means = _unit_means(sample, np.column_stack([sample.outcome, sample.design]))[sample.unit]
    return replace(
        sample, outcome=sample.outcome - share * means[:, 0], design=sample.design - share[:, None] * means[:, 1:]
    )


def _share_taken(sample: Sample) -> np.ndarray:
    """The part of its average that each unit loses (Swamy and Arora)."""
    sizes = np.bincount(sample.unit)
    within = without_collinear(replace(sample, effects=sample.unit[:, None]).columns(~_constant(sample)))
    inside = solve_linear(within).facts["residual_sd"] ** 2
    between = without_collinear(_means(sample))
    across = solve_linear(between).facts["residual_sd"] ** 2
    harmonic = len(sizes) / np.sum(1 / sizes)
    lasting = max(0.0, across - inside / harmonic)
    return 1 - np.sqrt(inside / (sizes * lasting + inside))


def _constant(sample: Sample) -> np.ndarray:
    return np.array(sample.names) == "Intercept"


def _differences(sample: Sample) -> Sample:
    """Each row less the row of the same unit one period before."""
    order = np.lexsort([sample.time, sample.unit])
    rows = sample.rows(order)
    same = rows.unit[1:] == rows.unit[:-1]
    step = rows.time[1:] - rows.time[:-1]
    if (same & (step == 0)).any():
        raise InvalidValue("a unit has two rows for a period: add them up first, or name a finer time")
    kept = same & (step == 1)
    if not kept.any():
        raise NotEnoughData("no unit has two periods in a row: nothing can be differenced")
    later = rows.rows(np.flatnonzero(kept) + 1)
    outcome, design = np.diff(rows.outcome)[kept], np.diff(rows.design, axis=0)[kept]
    found = replace(later, outcome=outcome, design=design).columns(~_constant(rows))
    return found.noted("no period before", "rows", rows.n - found.n)


def has_twice(sample: Sample) -> bool:
    """Whether a unit has more than one row for a period."""
    return bool(pd.DataFrame({"unit": sample.unit, "time": sample.time}).duplicated().any())
