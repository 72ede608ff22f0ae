"""Read a YAML settings file into a pydantic model, with messages that name the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from analysis_lib.errors import InvalidValue, nearest

Model = TypeVar("Model", bound=BaseModel)


def shown(path: Path) -> str:
    """The last three parts of a path: enough to find the file, no machine-specific prefix."""
    return "/".join(path.parts[-3:]) if len(path.parts) > 3 else str(path)


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as a dictionary.

    Raises
    ------
    InvalidValue
        The file is missing, is not YAML or is not a mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidValue(f"{shown(path)} cannot be read: {error.strerror or error}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidValue(f"{shown(path)} is not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise InvalidValue(f"{shown(path)} must hold names with values, not {type(content).__name__}.")
    return content


def validated(model: type[Model], content: Any, where: str) -> Model:
    """``content`` as ``model``; every problem is listed with the place it is in.

    Raises
    ------
    InvalidValue
        Unknown keys (with the nearest known one), missing keys, values of a wrong kind.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(_problem(model, item) for item in error.errors())
        raise InvalidValue(f"{where}: {problems}.") from error


def _problem(model: type[BaseModel], item: Any) -> str:
    place = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        guess = nearest(str(item["loc"][-1]), _known_keys(model, item["loc"]))
        return f"unknown key '{place}'" + (f", did you mean '{guess}'?" if guess else "")
    if item["type"] == "missing":
        return f"'{place}' is missing"
    message = item["msg"].removeprefix("Value error, ")
    given = "" if isinstance(item["input"], dict) else f" (got {item['input']!r})"
    return f"'{place}': {message}{given}" if place else message


def _known_keys(model: type[BaseModel], place: tuple[Any, ...]) -> list[str]:
    """Keys of the model that stands at a place, found by walking down the fields and through lists and mappings."""
    at: Any = model
    for part in place[:-1]:
        at = at.model_fields[part].annotation if _is_model(at) and part in at.model_fields else _inside(at)
        while not _is_model(at) and type(None) in get_args(at):
            at = _inside(at)
    return [field.alias or name for name, field in at.model_fields.items()] if _is_model(at) else []


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _inside(kind: Any) -> Any:
    """What a list, a mapping or an optional value holds."""
    parts = [part for part in get_args(kind) if part not in (type(None), ...)]
    return parts[-1] if parts else None
