"""Read ``data/metrics.yml``; every problem is an error that names its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from analysis_lib.errors import InvalidValue, nearest
from analysis_lib.metrics.checks import check_marts, check_metrics
from analysis_lib.metrics.declaration import CLASSES, Metric
from analysis_lib.metrics.marked import Marked, Place
from analysis_lib.metrics.measures import Condition, Measure
from analysis_lib.metrics.registry import Registry
from analysis_lib.metrics.surroundings import Area, MartUse

Model = TypeVar("Model", bound=BaseModel)

_SECTIONS = ("areas", "marts", "metrics")


def read_metrics(path: Path) -> Registry:
    """The checked content of a metrics file.

    Raises
    ------
    InvalidValue
        It cannot be read, has unknown or missing keys, values of a wrong kind, names that do not exist, a cycle, or
        adds up what does not add; the message names the line of each.
    """
    file = Marked(path)
    for name in file.content:
        if name not in _SECTIONS:
            raise file.error((name,), f"unknown section '{name}'; there are {', '.join(_SECTIONS)}")
    areas = {name: _model(file, Area, ("areas", name), item) for name, item in _section(file, "areas").items()}
    marts = {name: _model(file, MartUse, ("marts", name), item) for name, item in _section(file, "marts").items()}
    metrics = {name: _metric(file, name, item, areas) for name, item in _section(file, "metrics").items()}
    registry = Registry(metrics, areas, marts, file.where)
    check_marts(file, registry)
    check_metrics(file, registry)
    return registry


def _section(file: Marked, name: str) -> dict[str, Any]:
    section = file.content.get(name)
    if not isinstance(section, dict) or not section:
        raise file.error((name,), f"section '{name}' must hold names with values")
    return section


def _metric(file: Marked, name: Any, content: Any, areas: dict[str, Area]) -> Metric:
    place: Place = ("metrics", name)
    if not isinstance(content, dict):
        raise file.error(place, f"a definition must hold keys with values, not {type(content).__name__}")
    kind = content.get("type")
    if kind not in CLASSES:
        guess = nearest(str(kind), CLASSES)
        hint = f"did you mean '{guess}'?" if kind and guess else f"choose one of {', '.join(CLASSES)}"
        raise file.error((*place, "type"), f"type '{kind}' does not exist; {hint}" if kind else f"no type; {hint}")
    area = content.get("area")
    if area not in areas:
        guess = nearest(str(area), areas)
        raise file.error(
            (*place, "area"), f"area '{area}' is not in 'areas'; did you mean '{guess or next(iter(areas))}'?"
        )
    return _model(file, CLASSES[kind], place, {"name": name, "owner": areas[area].owner, **content})


def _model(file: Marked, model: type[Model], place: Place, content: Any) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = {(file.line(_inside(place, item)), _problem(model, item)) for item in _relevant(error)}
        (line, first), *others = sorted(problems)
        more = "".join(f"; line {number}: {problem}" for number, problem in others)
        raise _error(file, place, line, first + more) from error


def _error(file: Marked, place: Place, line: int, problem: str) -> InvalidValue:
    named = f"{ {'metrics': 'metric', 'marts': 'mart', 'areas': 'area'}[place[0]] } '{place[1]}'"
    return InvalidValue(f"{file.where}, line {line} ({named}): {problem}.")


def _relevant(error: ValidationError) -> list[Any]:
    """Problems without the complaint that a measure is not a name, where it is plainly a measure."""
    found = error.errors()
    kept = [
        item for item in found if not (item["loc"] and item["loc"][-1] == "str" and isinstance(item["input"], dict))
    ]
    kept = [item for item in kept if not ("Measure" in item["loc"] and isinstance(item["input"], str) and
                                          item["type"] in ("model_type", "model_attributes_type"))]  # fmt: skip
    return kept or list(found)


def _inside(place: Place, item: Any) -> Place:
    """The place in the file: what pydantic adds to name the kind tried is no key."""
    return (*place, *(part for part in item["loc"] if part not in ("Measure", "str", "literal", "tuple")))


def _problem(model: type[BaseModel], item: Any) -> str:
    path = _inside((), item)
    named = ".".join(str(part) for part in path)
    if item["type"] == "extra_forbidden":
        guess = nearest(str(path[-1]), _keys(model, path))
        return f"unknown key '{named}'" + (f", did you mean '{guess}'?" if guess else "")
    if item["type"] == "missing":
        role = str(path[-1])
        return f"a ratio with no {role}" if role in ("numerator", "denominator") else f"'{named}' is missing"
    message = item["msg"].removeprefix("Value error, ")
    given = "" if isinstance(item["input"], dict | BaseModel) else f" (got {item['input']!r})"
    return f"'{named}': {message}{given}" if named else message


def _keys(model: type[BaseModel], path: Place) -> list[str]:
    """Keys allowed where an unknown one stands: of the definition, of a condition, or of a measure."""
    inside: type[BaseModel] = model
    if len(path) > 1:
        inside = Condition if isinstance(path[-2], int) else Measure
    return [field.alias or name for name, field in inside.model_fields.items()]
