"""The table contract: what each table and column means, and the rules a source must keep."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from analysis_lib import config
from analysis_lib.errors import InvalidValue, nearest
from analysis_lib.settings import read_yaml, shown, validated

ColumnType = Literal["string", "integer", "number", "boolean", "date", "timestamp", "json", "array"]


class Column(BaseModel):
    """One column of a contract table.

    Attributes
    ----------
    type : str
        Kind of value; ``integer`` is also a ``number``.
    unit : str | None
        Unit in words, for example ``share`` or ``money in `currency```.
    required : bool
        Whether a source that has the table must have the column.
    nullable : bool
        Whether a value may be missing; unless said otherwise, only where the column is optional.
    personal : bool
        Whether the value identifies a person: never published.
    allowed : list of str
        The closed vocabulary; empty when any value will do.
    minimum, maximum, above : float | None
        Bounds of the value; ``above`` itself is not allowed.
    pattern : str | None
        Regular expression the whole text must match.
    references : str | None
        ``table.column`` the value must exist in, where the source has that table.
    not_before : str | None
        Date or time column of the same row that this one must not precede.
    future : bool
        Whether a date or time may lie in the future (plans).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    type: ColumnType
    meaning: str
    unit: str | None = None
    required: bool = False
    nullable: bool = True
    personal: bool = False
    allowed: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    pattern: str | None = None
    references: str | None = None
    not_before: str | None = None
    future: bool = False

    @model_validator(mode="before")
    @classmethod
    def _required_means_filled(cls, values: dict[str, object]) -> dict[str, object]:
        if isinstance(values, dict) and "nullable" not in values:
            return {**values, "nullable": not values.get("required", False)}
        return values


class Table(BaseModel):
    """One table of the contract.

    Attributes
    ----------
    table : str
        Name of the table.
    grain : str
        What one row stands for, as a sentence.
    key : list of str
        Columns that identify a row.
    required : bool
        Whether every source must have the table.
    columns : list of Column
        The columns, in their usual order. A source may have more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    meaning: str
    grain: str
    key: tuple[str, ...]
    required: bool = False
    columns: tuple[Column, ...]

    @model_validator(mode="after")
    def _names_agree(self) -> Table:
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise ValueError(f"table {self.table} names a column twice")
        wanted = [*self.key, *(column.not_before for column in self.columns if column.not_before)]
        missing = [name for name in wanted if name not in names]
        if missing:
            raise ValueError(f"table {self.table} speaks of {', '.join(missing)}, which is not one of its columns")
        return self

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def required_columns(self) -> list[str]:
        """Names of the columns every source that has the table must have."""
        return [column.name for column in self.columns if column.required]


def load_contract(project: config.Project | None = None) -> dict[str, Table]:
    """The contract tables by name, read once per folder.

    Raises
    ------
    InvalidValue
        A file is not valid, is named unlike its table, or a reference leads nowhere.
    """
    return dict(_load((project or config.project()).contract))


@lru_cache(maxsize=8)
def _load(folder: Path) -> dict[str, Table]:
    files = sorted(folder.glob("*.yml"))
    if not files:
        raise InvalidValue(f"{shown(folder)} holds no table contract (one .yml file per table).")
    tables = {}
    for file in files:
        table = validated(Table, read_yaml(file), shown(file))
        if table.table != file.stem:
            raise InvalidValue(f"{shown(file)} declares table '{table.table}': name the file {table.table}.yml.")
        tables[table.table] = table
    for table in tables.values():
        _check_references(table, tables)
    return tables


def _check_references(table: Table, tables: dict[str, Table]) -> None:
    known = [f"{other.table}.{column.name}" for other in tables.values() for column in other.columns]
    for column in table.columns:
        if column.references is not None and column.references not in known:
            guess = nearest(column.references, known)
            hint = f" Did you mean '{guess}'?" if guess else ""
            raise InvalidValue(
                f"contract/{table.table}.yml: {column.name} references '{column.references}', which is no column.{hint}"
            )
