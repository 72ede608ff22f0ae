"""What every result of the library can do."""

from __future__ import annotations

from dataclasses import fields
from html import escape


class Result:
    """Base of the frozen result classes.

    Subclasses are ``@dataclass(frozen=True, slots=True, eq=False)``; views (``to_frame``, ``text``,
    ``plot``) are derived from the fields, and rounding happens in views only.
    """

    __slots__ = ()

    @property
    def text(self) -> str:
        """The result as sentences, built from its numbers."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.text)}</p>"

    def to_dict(self) -> dict[str, object]:
        """The plain fields as a dictionary (scalars and text only)."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))  # type: ignore[arg-type]
        return {name: value for name, value in values if isinstance(value, str | int | float | bool)}
