"""What Mankiw, Romer and Weil printed, and how far the rounding of their data moves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

#: Their samples, in words.
SAMPLES = {
    "non_oil": "countries without oil",
    "intermediate": "countries neither small nor poorly measured",
    "oecd": "countries of the OECD",
}

#: Terms of their models, in the order of print.
MODELS = {"textbook": ("invested", "grown"), "schooling": ("invested", "grown", "schooled")}

#: Coefficients and usual errors as they stand in print, tables I and II of the paper, by sample and model.
PRINTED: dict[tuple[str, str], dict[str, tuple[float, float]]] = {
    ("non_oil", "textbook"): {"Intercept": (5.48, 1.59), "invested": (1.42, 0.14), "grown": (-1.97, 0.56)},
    ("intermediate", "textbook"): {"Intercept": (5.36, 1.55), "invested": (1.31, 0.17), "grown": (-2.01, 0.53)},
    ("oecd", "textbook"): {"Intercept": (7.97, 2.48), "invested": (0.50, 0.43), "grown": (-0.76, 0.84)},
    ("non_oil", "schooling"): {
        "Intercept": (6.89, 1.17), "invested": (0.69, 0.13), "grown": (-1.73, 0.41), "schooled": (0.66, 0.07),
    },
    ("intermediate", "schooling"): {
        "Intercept": (7.81, 1.19), "invested": (0.70, 0.15), "grown": (-1.50, 0.40), "schooled": (0.73, 0.10),
    },
    ("oecd", "schooling"): {
        "Intercept": (8.63, 2.19), "invested": (0.28, 0.39), "grown": (-1.07, 0.75), "schooled": (0.76, 0.29),
    },
}  # fmt: skip

#: Share of capital and its error in print, table I, countries without oil.
PRINTED_SHARE = (0.60, 0.02)

#: Half of the last digit that is printed: of a coefficient; of income; of a share or growth rate, as a fraction.
HALF_OF_COEFFICIENT, HALF_OF_INCOME, HALF_OF_SHARE = 0.005, 0.5, 0.0005

#: Tables that would be printed alike, drawn.
DRAWS = 1000


def moved_by_rounding(frame: pd.DataFrame, terms: Sequence[str], *, seed: int = 1) -> dict[str, tuple[float, float]]:
    """Least and greatest coefficient over tables that would be printed with the very same digits.

    Each number is drawn anew, evenly, from all that round to it, and the regression run again.

    Parameters
    ----------
    frame : pandas.DataFrame
        Logarithms, as ``solow.logarithms`` gives them: income and the terms.
    terms : sequence of str
        Of the regression, without the constant.
    seed : int
        Of the draws.

    Returns
    -------
    dict of str to tuple of float
        By term, ``Intercept`` among them.
    """
    rng = np.random.default_rng(seed)

    def drawn(name: str, half: float) -> np.ndarray:
        typed = np.exp(frame[name].to_numpy(float))
        return np.log(typed + rng.uniform(-half, half, (DRAWS, len(typed))))

    outcome = drawn("income", HALF_OF_INCOME)
    columns = [drawn(name, HALF_OF_SHARE) for name in terms]
    design = np.stack([np.ones_like(outcome), *columns], axis=-1)
    across = design.transpose(0, 2, 1)
    slopes = np.linalg.solve(across @ design, across @ outcome[..., None])[..., 0]
    names = ("Intercept", *terms)
    return {name: (float(slopes[:, at].min()), float(slopes[:, at].max())) for at, name in enumerate(names)}
