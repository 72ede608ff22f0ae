"""Regressions side by side: estimates with their errors below."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from analysis_lib.errors import InvalidValue
from analysis_lib.regression.result import Fit
from analysis_lib.results import format_count

MINUS = "−"

#: p values below which a coefficient gets one, two or three stars, where they are asked for.
STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))


def side_by_side(
    fits: Mapping[str, Fit], *, names: Mapping[str, str] | None = None, units: Mapping[str, str] | None = None,
    stars: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Several fits as one table.

    Parameters
    ----------
    fits : mapping of str to Fit
        By the heading of their column.
    names : mapping of str to str, optional
        Terms in words.
    units : mapping of str to str, optional
        Unit of each fit's outcome in words, by heading ("USD a week").
    stars : bool
        Whether to mark p values under 0.05, 0.01 and 0.001. Off: an interval says more.

    Returns
    -------
    pandas.DataFrame
        "term" and a column of text a fit; each estimate with its error in brackets in the row below; then the unit,
        rows, fixed effects, how errors are measured, and R² where there is one.

    Raises
    ------
    InvalidValue
        No fits.
    """
    if not fits:
        raise InvalidValue("no regressions to show: give {'heading': fit, …}")
    terms = list(dict.fromkeys(term for fit in fits.values() for term in fit.solved.sample.names))
    terms.sort(key=lambda term: term == "Intercept")
    rows = {"term": [text for term in terms for text in ((names or {}).get(term, term), "")]}
    foot = ["outcome in", "rows", "fixed effects", "errors", "R²"]
    for heading, fit in fits.items():
        table = fit.coefficients.set_index("term")
        cells = [text for term in terms for text in _cell(table, term, stars)]
        rows[heading] = [*cells, *_foot(fit, (units or {}).get(heading, ""))]
    rows["term"] += foot
    return pd.DataFrame(rows)


def _cell(table: pd.DataFrame, term: str, stars: bool) -> tuple[str, str]:
    if term not in table.index:
        return "", ""
    row = table.loc[term]
    mark = next((text for limit, text in STARS if row["pvalue"] < limit), "") if stars else ""
    return f"{_figure(row['value'], row['se'])}{mark}", f"({_figure(row['se'], row['se'])})"


def _figure(value: float, se: float) -> str:
    """As many decimals as give the error two figures, four at most."""
    decimals = min(max(1 - math.floor(math.log10(se)), 0), 4) if se > 0 else 2
    text = f"{abs(value):,.{decimals}f}"
    return f"{MINUS}{text}" if value < 0 and float(text.replace(",", "")) else text


def _foot(fit: Fit, unit: str) -> list[str]:
    clusters = f", {format_count(fit.n_clusters, 'clusters')}" if fit.n_clusters is not None else ""
    effects = " and ".join(fit.request.fixed_effects) or "none"
    r2 = fit.facts.get("r2")
    return [unit, format_count(fit.n), effects, f"{fit.variance}{clusters}", "" if r2 is None else f"{r2:.2f}"]
