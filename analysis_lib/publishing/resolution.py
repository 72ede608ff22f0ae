"""Given parameters against declared ones: everything wrong is said at once, before a kernel starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from analysis_lib.config import Project
from analysis_lib.errors import InvalidValue, ShopbookError, UnknownName, unknown
from analysis_lib.publishing.parameters import Parameter, names, source_of
from analysis_lib.publishing.values import TYPES, check, coerce

#: How many values of a column are looked at for the nearest one.
_LOOK_AT = 10_000

Connect = Callable[[str], Any]


def connect_source(source: str, project: Project | None = None) -> Any:
    """The warehouse behind a source's name; imported late because engines are slow to import."""
    from analysis_lib import warehouse

    return warehouse.connect(source, project=project)


def resolve(
    parameters: Sequence[Parameter],
    given: Mapping[str, Any],
    *,
    connect: Connect | None = None,
    notebook: str = "this notebook",
) -> dict[str, Any]:
    """The value of every parameter: given ones parsed and checked, the others at their defaults.

    Parameters
    ----------
    parameters : Sequence[Parameter]
        What the notebook declares.
    given : Mapping[str, object]
        Values by name; text is parsed.
    connect : Callable, optional
        Opens a source by name; default ``analysis_lib.warehouse.connect``.
    notebook : str
        What messages call the notebook.

    Raises
    ------
    UnknownName
        Names or values that do not exist, with the nearest that does.
    InvalidValue
        Values of a wrong type or outside what is allowed.
    """
    values, problems = coerce_given(parameters, given, notebook=notebook)
    problems += check_data(parameters, values, connect or connect_source)
    raise_all(problems)
    return values


def coerce_given(
    parameters: Sequence[Parameter], given: Mapping[str, Any], *, notebook: str
) -> tuple[dict[str, Any], list[ShopbookError]]:
    """Values and problems as far as they can be known without opening the data."""
    problems: list[ShopbookError] = [
        unknown("parameter", name, names(parameters), f"notebook '{notebook}'")
        for name in given
        if name not in names(parameters)
    ]
    values: dict[str, Any] = {}
    for parameter in parameters:
        values[parameter.name] = parameter.default
        if parameter.name not in given or given[parameter.name] == parameter.default:
            continue
        try:
            value = coerce(parameter.type, given[parameter.name])
        except (ValueError, OverflowError):
            problems.append(_wrong_type(parameter, given[parameter.name]))
            continue
        problem = check(parameter, value)
        if problem:
            problems.append(InvalidValue(problem))
        values[parameter.name] = value
    return values, problems


def _wrong_type(parameter: Parameter, value: Any) -> InvalidValue:
    return InvalidValue(f"{parameter.name}: {value!r} is not {TYPES[parameter.type]} ({parameter.meaning})")


def check_data(parameters: Sequence[Parameter], values: Mapping[str, Any], connect: Connect) -> list[ShopbookError]:
    """What is wrong with values that must occur in the source."""
    source = source_of(parameters, dict(values))
    if source is None:
        return []
    try:
        warehouse = connect(source)
    except (UnknownName, InvalidValue) as error:
        return [error]
    problems: list[ShopbookError] = []
    for parameter in parameters:
        if parameter.column:
            problems += _absent(parameter, values[parameter.name], warehouse, source)
    return problems + _undefined(parameters, values, warehouse)


def _undefined(parameters: Sequence[Parameter], values: Mapping[str, Any], warehouse: Any) -> list[ShopbookError]:
    """Metrics that are not defined, and dimensions by which theirs cannot be cut."""
    asked = [one for one in parameters if one.is_metric or one.dimension_of]
    if not asked:
        return []
    from analysis_lib.metrics import load_metrics

    registry = load_metrics(warehouse.project)
    problems: list[ShopbookError] = []
    for parameter in asked:
        if parameter.is_metric:
            wrong = [name for name in _many(values[parameter.name]) if name not in registry.metrics]
            problems += [unknown("metric", name, registry.names, registry.where) for name in wrong]
        known = [name for name in _many(values.get(parameter.dimension_of)) if name in registry.metrics]
        if known:
            dimensions, where = registry.dimensions(known), f"the dimensions of {', '.join(known)}"
            wrong = [name for name in _many(values[parameter.name]) if name not in dimensions]
            problems += [unknown(parameter.name, name, dimensions, where) for name in wrong]
    return problems


def _many(value: Any) -> list[str]:
    """The names in a value; an empty text names nothing."""
    return [name for name in (value if isinstance(value, list) else [value]) if name]


def _absent(parameter: Parameter, value: Any, warehouse: Any, source: str) -> list[ShopbookError]:
    # An empty default stands for "all of them" and cannot occur in a column.
    if value == parameter.default and value in ("", []):
        return []
    table, column = parameter.column.split(".")
    parts = value if isinstance(value, list) else [value]
    wrong = [part for part in parts if not warehouse.value_exists(table, column, part)]
    if not wrong:
        return []
    known = [str(known) for known in warehouse.values(table, column, _LOOK_AT)]
    where = f"{parameter.column} of source '{source}'"
    return [unknown(parameter.name, str(part), known, where) for part in wrong]


def raise_all(problems: Iterable[ShopbookError]) -> None:
    """Raise one error with every problem in it; unknown names keep their class if nothing else is wrong."""
    problems = list(dict.fromkeys(problems))
    if not problems:
        return
    lines = list(dict.fromkeys(str(problem) for problem in problems))
    kind = UnknownName if all(isinstance(problem, UnknownName) for problem in problems) else InvalidValue
    raise kind("\n".join(lines))
