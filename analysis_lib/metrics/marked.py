"""YAML that remembers on which line everything stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from analysis_lib.errors import InvalidValue
from analysis_lib.settings import shown

Place = tuple[Any, ...]


class Marked:
    """The content of a YAML file, with the line of each key and item.

    Attributes
    ----------
    content : dict
        The file as a dictionary.
    where : str
        The file, as messages name it.
    """

    def __init__(self, path: Path) -> None:
        self.where = shown(path)
        self._lines: dict[Place, int] = {}
        self.content: dict[str, Any] = self._read(path)

    def line(self, place: Place) -> int:
        """Line of the key or item at a place; of the nearest one above it, where the place is not in the file."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def error(self, place: Place, problem: str) -> InvalidValue:
        """An error that says where: file, line, and the name of the metric or mart."""
        kind = {"metrics": "metric", "marts": "mart", "areas": "area"}.get(str(place[0]) if place else "", "")
        named = f" ({kind} '{place[1]}')" if kind and len(place) > 1 else ""
        return InvalidValue(f"{self.where}, line {self.line(place)}{named}: {problem}.")

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            text = path.read_text(encoding="utf-8")
            root = yaml.compose(text, Loader=yaml.SafeLoader)
            self._mark(root, ())
            content = yaml.safe_load(text)
        except OSError as error:
            raise InvalidValue(f"{self.where} cannot be read: {error.strerror or error}.") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InvalidValue(f"{self.where} is not valid YAML: {error}") from error
        if not isinstance(content, dict):
            raise InvalidValue(f"{self.where} must hold names with values, not {type(content).__name__}.")
        return content

    def _mark(self, node: Any, place: Place) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*place, key.value)
                line = key.start_mark.line + 1
                if inner in self._lines:
                    raise self.error(
                        inner, f"'{key.value}' is given again on line {line}; one of the two would be lost"
                    )
                self._lines[inner] = line
                self._mark(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                self._lines[(*place, number)] = item.start_mark.line + 1
                self._mark(item, (*place, number))
