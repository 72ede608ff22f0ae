"""From a formula and a frame to the numbers of a regression; what had to be left out is counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, nearest
from analysis_lib.regression.request import Request

#: Names that a formula may use beside columns.
_FUNCTIONS = {"C", "I", "np", "log", "exp", "log1p", "sqrt", "abs", "center", "scale", "bs", "poly"}


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What is fitted: one row an observation.

    Attributes
    ----------
    outcome, weights : numpy.ndarray
        Shape (n,); weights are 1 where none were given.
    design : numpy.ndarray
        Shape (n, k), a column each of ``names``.
    names : tuple of str
        Terms in the order of the formula.
    effects, clusters : numpy.ndarray
        Whole numbers from 0, shapes (n, number of fixed effects) and (n, number of cluster columns).
    unit, time : numpy.ndarray or None
        Whole numbers from 0 in sorted order.
    instruments : numpy.ndarray
        Shape (n, q): instruments from outside.
    endogenous : tuple of str
        Terms that they move.
    index : numpy.ndarray
        Positions of the rows in the frame.
    dropped : pandas.DataFrame
        reason, name, n: what was left out.
    """

    outcome: np.ndarray
    weights: np.ndarray
    design: np.ndarray
    names: tuple[str, ...]
    effects: np.ndarray
    clusters: np.ndarray
    unit: np.ndarray | None
    time: np.ndarray | None
    instruments: np.ndarray
    endogenous: tuple[str, ...]
    index: np.ndarray
    dropped: pd.DataFrame

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.outcome)

    @property
    def has_constant(self) -> bool:
        """Whether a constant is among the terms."""
        return "Intercept" in self.names

    def rows(self, kept: np.ndarray) -> Sample:
        """Some of the rows, by flag or place."""
        pick = {name: getattr(self, name)[kept] for name in
                ("outcome", "weights", "design", "effects", "clusters", "instruments", "index")}  # fmt: skip
        unit, time = (None if part is None else part[kept] for part in (self.unit, self.time))
        return replace(self, **pick, unit=unit, time=time)

    def columns(self, kept: np.ndarray) -> Sample:
        """Some of the terms, by flag."""
        return replace(self, design=self.design[:, kept], names=tuple(np.array(self.names, dtype=object)[kept]))

    def noted(self, reason: str, name: str, n: float) -> Sample:
        """The same, with one more thing left out."""
        row = pd.DataFrame({"reason": [reason], "name": [name], "n": [n]})
        return replace(self, dropped=row if self.dropped.empty else pd.concat([self.dropped, row], ignore_index=True))


def sample_of(frame: pd.DataFrame, request: Request) -> Sample:
    """The sample of a request.

    Raises
    ------
    ContractError
        A column that is not there; the message names the nearest.
    InvalidValue
        Infinite values, weights not above 0, a factor with one level, a constant regressor.
    NotEnoughData
        No rows are left.
    """
    formula, used = _variables(frame, request)
    _check_finite(frame, used)
    missing = frame[used].isna()
    kept = ~missing.any(axis=1).to_numpy()
    data = frame.loc[kept, used]
    if data.empty:
        raise NotEnoughData(f"no row is complete in {', '.join(used)}: {_counted(missing)}")
    weights = _weights(data, request.weights)
    _check_factors(data, formula)
    outcome, design, names = _matrices(data, formula, without_constant=bool(request.fixed_effects))
    endogenous = tuple(name for name in request.endogenous if name in names)
    if len(endogenous) < len(request.endogenous):
        raise InvalidValue(f"endogenous={list(request.endogenous)} must be regressors of '{request.formula}'")
    sample = Sample(
        outcome, weights, design, names, _codes(data, request.fixed_effects), _codes(data, request.cluster),
        _order(data, request.unit), _order(data, request.time), _numbers(data, request.instruments), endogenous,
        np.flatnonzero(kept), pd.DataFrame(columns=["reason", "name", "n"]),
    )  # fmt: skip
    for name in used:
        if missing[name].any():
            sample = sample.noted("missing", name, int(missing[name].sum()))
    _check_constant(sample, bool(request.fixed_effects))
    return _without_singletons(sample, request.fixed_effects)


def _variables(frame: pd.DataFrame, request: Request) -> tuple[Any, list[str]]:
    """The parsed formula and all columns used."""
    import formulaic  # slow to import

    try:
        formula = formulaic.Formula(request.formula)
        names = sorted(str(name) for name in formula.required_variables)
    except (SyntaxError, formulaic.errors.FormulaicError) as wrong:
        raise InvalidValue(f"formula '{request.formula}' cannot be read: {wrong}") from None
    names = [name for name in names if name in frame.columns or name not in _FUNCTIONS]
    # In the order of the formula, so that messages and counts read as it does.
    names.sort(key=lambda name: (request.formula.find(name) < 0, request.formula.find(name)))
    used = list(dict.fromkeys([*names, *request.columns]))
    for name in used:
        if name not in frame.columns:
            guess = nearest(name, frame.columns)
            hint = f"Did you mean '{guess}'?" if guess else f"It has {', '.join(map(str, frame.columns))}."
            raise ContractError(f"the frame has no column '{name}'. {hint}")
    return formula, used


def _check_finite(frame: pd.DataFrame, used: list[str]) -> None:
    for name in used:
        if pd.api.types.is_float_dtype(frame[name]):
            infinite = int(np.isinf(frame[name].to_numpy(dtype=float, na_value=np.nan)).sum())
            if infinite:
                raise InvalidValue(f"'{name}' is infinite in {infinite} rows: set them missing or leave them out first")


def _counted(missing: pd.DataFrame) -> str:
    counts = missing.sum()
    return (
        "; ".join(f"'{name}' is missing in {n} of {len(missing)} rows" for name, n in counts.items() if n) or "0 rows"
    )


def _weights(data: pd.DataFrame, name: str | None) -> np.ndarray:
    if name is None:
        return np.ones(len(data))
    weights = data[name].to_numpy(dtype=float)
    if not (weights > 0).all():
        raise InvalidValue(
            f"'{name}' holds {int((weights <= 0).sum())} weights not above 0 (the smallest is {weights.min():g}): "
            "a row of weight 0 is left out first, a negative weight means nothing"
        )
    return weights / weights.mean()


def _check_factors(data: pd.DataFrame, formula: Any) -> None:
    """A factor tells nothing if all rows have the same level."""
    for term in formula.rhs:
        for factor in term.factors:
            name = str(factor).removeprefix("C(").removesuffix(")")
            if str(factor) == name and name in data and _reads_as_numbers(data[name]):
                raise InvalidValue(
                    f"'{name}' holds text or objects that read as numbers: convert it with astype(float)"
                )
            is_factor = name in data and (str(factor) != name or not pd.api.types.is_numeric_dtype(data[name]))
            if is_factor and data[name].nunique() < 2:
                raise InvalidValue(
                    f"factor '{name}' has one level ({data[name].iloc[0]}) in the {len(data)} rows that are complete: "
                    "leave it out, or bring rows of another level"
                )


def _reads_as_numbers(column: pd.Series) -> bool:
    """Whether a column of text or objects would be taken for a factor, though it holds numbers."""
    if not (pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)):
        return False
    return bool(pd.to_numeric(column, errors="coerce").notna().all()) and column.nunique() > 2


def _matrices(
    data: pd.DataFrame, formula: Any, *, without_constant: bool
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    import formulaic  # slow to import

    try:
        with np.errstate(divide="ignore", invalid="ignore"):
            made = formula.get_model_matrix(data, na_action="ignore")
    except (formulaic.errors.FormulaicError, TypeError, ValueError) as wrong:
        raise InvalidValue(f"formula '{formula}' cannot be computed: {wrong}") from None
    left, right = made.lhs, made.rhs
    if left.shape[1] != 1:
        raise InvalidValue(f"the outcome must be one column of numbers; came {', '.join(left.columns)}")
    if without_constant and "Intercept" in right.columns:
        right = right.drop(columns="Intercept")
    for part in (left, right):
        for name in part.columns:
            bad = int((~np.isfinite(part[name].to_numpy(dtype=float))).sum())
            if bad:
                raise InvalidValue(
                    f"'{name}' is not finite in {bad} rows (a logarithm of 0?): add a constant or drop them"
                )
    if right.shape[1] == 0:
        raise InvalidValue("the formula has no regressors")
    return left.to_numpy(dtype=float)[:, 0], right.to_numpy(dtype=float), tuple(map(str, right.columns))


def _codes(data: pd.DataFrame, names: tuple[str, ...]) -> np.ndarray:
    # Sorted: what is drawn by cluster is then the same in any order of rows.
    codes = [pd.factorize(data[name], sort=True)[0] for name in names]
    return np.column_stack(codes) if codes else np.zeros((len(data), 0), dtype=int)


def _order(data: pd.DataFrame, name: str | None) -> np.ndarray | None:
    return None if name is None else pd.factorize(data[name], sort=True)[0]


def _numbers(data: pd.DataFrame, names: tuple[str, ...]) -> np.ndarray:
    return data[list(names)].to_numpy(dtype=float) if names else np.zeros((len(data), 0))


def _check_constant(sample: Sample, has_effects: bool) -> None:
    if np.ptp(sample.outcome) == 0:
        raise NotEnoughData(f"the outcome is {sample.outcome[0]:g} in all {sample.n} rows: there is nothing to explain")
    if not (sample.has_constant or has_effects):
        return
    for place, name in enumerate(sample.names):
        column = sample.design[:, place]
        if name != "Intercept" and np.ptp(column) <= 1e-12 * np.abs(column).max(initial=0.0):
            raise InvalidValue(
                f"regressor '{name}' is {column[0]:g} in all {sample.n} rows: what does not vary explains nothing; "
                "leave it out, or bring rows in which it differs"
            )


def _without_singletons(sample: Sample, names: tuple[str, ...]) -> Sample:
    """Rows that a fixed effect of their own explains wholly: they say nothing and make errors look small."""
    counts = dict.fromkeys(names, 0)
    while True:
        before = sample.n
        for place, name in enumerate(names):
            sizes = np.bincount(sample.effects[:, place])
            alone = sizes[sample.effects[:, place]] == 1
            counts[name] += int(alone.sum())
            sample = sample.rows(~alone)
        if sample.n == 0:
            raise NotEnoughData(f"each row is alone in its level of {' and '.join(names)}: nothing is left to compare")
        if sample.n == before:
            break
    for name, n in counts.items():
        if n:
            sample = sample.noted("singleton", name, n)
    return replace(sample, effects=recoded(sample.effects))


def recoded(codes: np.ndarray) -> np.ndarray:
    """Columns of whole numbers, each without gaps from 0."""
    parts = [np.unique(codes[:, place], return_inverse=True)[1] for place in range(codes.shape[1])]
    return np.column_stack(parts) if parts else codes
