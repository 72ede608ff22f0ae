"""YAML files of pages: read as text (no surprises with NO, 010 or dates), checked by pydantic models."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from analysis_lib.errors import InvalidValue, nearest


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ReportEntry(_Strict):
    """One notebook with the rows it is run for.

    Attributes
    ----------
    notebook : str
        File name in ``notebooks/`` without suffix.
    title : str
        Title of its pages; ``{name}`` stands for a parameter.
    rows : list[dict[str, str | list[str]]]
        Explicit rows.
    over : dict[str, list[str]]
        A grid, multiplied out.
    constants : dict[str, str | list[str]]
        ``with:`` in the file; added to every row.
    """

    notebook: str
    title: str = ""
    rows: list[dict[str, str | list[str]]] = Field(default_factory=list)
    over: dict[str, list[str]] = Field(default_factory=dict)
    constants: dict[str, str | list[str]] = Field(default_factory=dict, alias="with")


class PartEntry(_Strict):
    """A part of the book: a caption in the sidebar and its reports."""

    title: str
    reports: list[ReportEntry] = Field(default_factory=list)


class ReportsFile(_Strict):
    """The whole of ``book/reports.yml``."""

    parts: list[PartEntry] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return {} if value in (None, "") else value


class _TextLoader(yaml.BaseLoader):
    """Every scalar stays the text that was written: types come from the notebook."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """A mapping; a key that stands twice is an error, not a silent loss."""
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key '{key.value}' stands twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


Model = TypeVar("Model", bound=BaseModel)


def read_yaml(path: Path, model: type[Model]) -> Model:
    """A YAML file as a checked model.

    Raises
    ------
    InvalidValue
        Syntax, unknown keys or wrong kinds of values; names file, path in the file and nearest key.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_TextLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidValue(f"{path}: {error}") from error
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = [_sentence(path, problem, model) for problem in error.errors()]
        raise InvalidValue("\n".join(dict.fromkeys(lines))) from error


def _sentence(path: Path, problem: dict[str, Any], model: type[BaseModel]) -> str:
    place = _place(problem["loc"])
    if problem["type"] != "extra_forbidden":
        return f"{path}: {place}: {problem['msg']}"
    key = str(problem["loc"][-1])
    allowed = _keys_at(model, len([part for part in problem["loc"] if isinstance(part, str)]))
    guess = nearest(key, allowed)
    hint = f"Did you mean '{guess}'?" if guess else f"Known: {', '.join(allowed)}."
    return f"{path}: {place}: unknown key '{key}'. {hint}"


def _place(location: tuple[str | int, ...]) -> str:
    """``parts[0].reports[1].title`` from pydantic's location."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.lstrip(".") or "the file"


def _keys_at(model: type[BaseModel], depth: int) -> list[str]:
    # The file nests file > part > report, one named key per level.
    level = [model, PartEntry, ReportEntry][min(depth, 3) - 1] if model is ReportsFile else model
    return [field.alias or name for name, field in level.model_fields.items()]
