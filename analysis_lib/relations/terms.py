"""From a formula to columns that the engine computes: numbers, products, and indicators of factors."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import ContractError, InvalidValue, nearest

if TYPE_CHECKING:
    import ibis

    from analysis_lib.warehouse import Warehouse

#: Levels of a factor up to which it is told level by level; more are for ``fixed_effects``.
MOST_LEVELS = 60

#: Functions of a formula that the engine has too; outside of where they are defined they are missing, not an error.
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "log": lambda x: (x > 0).ifelse(x, None).ln(),
    "log1p": lambda x: (x > -1).ifelse(x + 1.0, None).ln(),
    "exp": lambda x: x.exp(),
    "sqrt": lambda x: (x >= 0).ifelse(x, None).sqrt(),
    "abs": lambda x: x.abs(),
    "I": lambda x: x,
}

_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / (b.nullif(0.0) if hasattr(b, "nullif") else b),
    ast.Pow: lambda a, b: a**b,
}


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """A formula in the engine.

    Attributes
    ----------
    outcome : str
        Left side, as it was written.
    left : ibis.Expr
        The outcome.
    names : tuple of str
        Terms in the order of the formula, ``Intercept`` among them if it has one.
    right : list of ibis.Expr
        A column each of the names, without the constant.
    """

    outcome: str
    left: Any
    names: tuple[str, ...]
    right: list[Any]

    @property
    def regressors(self) -> tuple[str, ...]:
        """Names without the constant."""
        return tuple(name for name in self.names if name != "Intercept")


def parsed(formula: str) -> Any:
    """A formula, read.

    Raises
    ------
    InvalidValue
        It cannot be read.
    """
    import formulaic  # slow to import

    try:
        return formulaic.Formula(formula)
    except (SyntaxError, formulaic.errors.FormulaicError) as wrong:
        raise InvalidValue(f"formula '{formula}' cannot be read: {wrong}") from None


def used_by(formula: Any, text: str, columns: Iterable[str]) -> list[str]:
    """Columns of a formula, in its order."""
    names = [str(name) for name in formula.required_variables]
    known = set(columns)
    names = [name for name in names if name in known or name not in (*_FUNCTIONS, "C", "np")]
    return sorted(names, key=lambda name: (text.find(name) < 0, text.find(name)))


def check_columns(names: Iterable[str], table: ibis.Table) -> None:
    """All of them are there.

    Raises
    ------
    ContractError
        One is not; the message names the nearest.
    """
    for name in names:
        if name not in table.columns:
            guess = nearest(name, table.columns)
            hint = f"Did you mean '{guess}'?" if guess else f"It has {', '.join(table.columns)}."
            raise ContractError(f"the table has no column '{name}'. {hint}")


def terms_of(warehouse: Warehouse, complete: ibis.Table, text: str, *, without_constant: bool) -> Terms:
    """Columns of a formula over rows that are complete.

    Parameters
    ----------
    warehouse : Warehouse
        Asked for the levels of factors.
    complete : ibis.Table
        Rows in which nothing used is missing.
    text : str
        The formula.
    without_constant : bool
        Whether fixed effects hold the constant.

    Raises
    ------
    InvalidValue
        What the engine cannot compute; a factor with one level, or with too many.
    """
    formula = parsed(text)
    factors = factors_of(formula, complete)
    levels = {name: _levels(warehouse, complete, name) for name in factors}
    for written in _written(formula.rhs):
        if written not in (*factors.values(), "0", "1"):
            _number(written, complete)  # refused by name, before anything is asked
    made = _shape(formula, complete, levels)
    if made.lhs.shape[1] != 1 or any(str(factor) in factors.values() for factor in _written(formula.lhs)):
        raise InvalidValue(f"the outcome must be one column of numbers; came {', '.join(made.lhs.columns)}")
    shown = {written: (name, levels[name]) for name, written in factors.items()}
    columns: dict[str, Any] = {}
    for part in made.rhs.model_spec.structure:
        for scoped in part.scoped_terms:
            columns |= _columns(scoped, shown, complete)
    names = tuple(str(name) for name in made.rhs.columns if name != "Intercept" or not without_constant)
    regressors = [name for name in names if name != "Intercept"]
    if not regressors:
        raise InvalidValue("the formula has no regressors")
    left = _number(_written(formula.lhs)[0], complete)
    return Terms(text.split("~", 1)[0].strip(), left, names, [columns[name] for name in regressors])


def _written(side: Any) -> list[str]:
    """Factors of one side, as they were written."""
    return list(dict.fromkeys(str(factor.expr) for term in side for factor in term.factors))


def factors_of(formula: Any, table: ibis.Table) -> dict[str, str]:
    """Columns that are factors, and how the formula writes them."""
    found = {}
    for written in _written(formula.rhs):
        name = written.removeprefix("C(").removesuffix(")").strip() if written.startswith("C(") else written
        if written.startswith("C(") and name not in table.columns:
            raise InvalidValue(
                f"'{written}' cannot be computed in the engine: C(column) can, with its first level left"
            )
        if name in table.columns and (written != name or not _is_number(table[name])):
            found[name] = written
    return found


def _levels(warehouse: Warehouse, table: ibis.Table, name: str) -> list[Any]:
    column = warehouse.query(table.select(level=table[name]).distinct().limit(MOST_LEVELS + 1))["level"]
    values = sorted(column.tolist())
    if len(values) > MOST_LEVELS:
        raise InvalidValue(
            f"factor '{name}' has more than {MOST_LEVELS} levels: take fixed_effects=['{name}'], which tells no level"
        )
    if len(values) < 2:
        raise InvalidValue(
            f"factor '{name}' has one level ({', '.join(map(str, values))}) in the rows that are complete: leave it "
            "out, or bring rows of another level"
        )
    return values


def _shape(formula: Any, table: ibis.Table, levels: dict[str, list[Any]]) -> Any:
    """The formula over a frame of a few rows that has every level: which columns it makes, and of what."""
    import formulaic
    import pandas as pd

    n = max([len(values) for values in levels.values()], default=1)
    used = [str(name) for name in formula.required_variables if name in table.columns]
    frame = pd.DataFrame({name: (levels.get(name, [1.0]) * n)[:n] for name in used})
    try:
        return formula.get_model_matrix(frame)
    except (formulaic.errors.FormulaicError, TypeError, ValueError) as wrong:
        raise InvalidValue(f"formula '{formula}' cannot be computed: {wrong}") from None


def _columns(scoped: Any, factors: dict[str, tuple[str, list[Any]]], table: ibis.Table) -> dict[str, Any]:
    """Columns of one term: the products of what each of its factors has."""
    parts: list[list[tuple[str, Any]]] = []
    for one in scoped.factors:
        written = str(one.factor.expr)
        if written not in factors:
            parts.append([(written, _number(written, table))])
            continue
        name, levels = factors[written]
        mark = "T." if one.reduced else ""
        parts.append([
            (f"{written}[{mark}{level}]", (table[name] == level).cast("float64"))
            for level in levels[1 if one.reduced else 0 :]
        ])  # fmt: skip
    found = {}
    for combination in product(*parts):
        value = None
        for _, column in combination:
            value = column if value is None else value * column
        found[":".join(name for name, _ in combination)] = value
    return found


def _number(written: str, table: ibis.Table) -> Any:
    """An expression of numbers, in the engine."""
    if written in table.columns:
        return _column(written, table)
    try:
        return _computed(ast.parse(written.replace("np.", ""), mode="eval").body, table).cast("float64")
    except (SyntaxError, KeyError, AttributeError):
        known = ", ".join(name for name in _FUNCTIONS if name != "I")
        raise InvalidValue(
            f"'{written}' cannot be computed in the engine: columns, + - * / **, {known} and C(column) can; else add a "
            "column to the table"
        ) from None


def _computed(node: ast.AST, table: ibis.Table) -> Any:
    if isinstance(node, ast.Name):
        return _column(node.id, table)
    if isinstance(node, ast.Constant):
        return float(node.value)
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_computed(node.left, table), _computed(node.right, table))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_computed(node.operand, table)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        return _FUNCTIONS[node.func.id](_computed(node.args[0], table))
    raise KeyError(type(node).__name__)


def _column(name: str, table: ibis.Table) -> Any:
    return table[name].cast("float64")


def _is_number(column: Any) -> bool:
    return bool(column.type().is_numeric() or column.type().is_boolean())
