"""What the page about the data lists: sources with their caveats, and the table contract."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from analysis_lib.publishing.markup import escape_html, row_of, table_of

#: Lines of ``book/data.md`` that are replaced.
SOURCES_MARK, CONTRACT_MARK = "<!-- sources -->", "<!-- contract -->"


def data_page(text: str, sources: dict[str, Any], tables: dict[str, Any], present: dict[str, set[str]]) -> str:
    """The page with both lists filled in.

    Parameters
    ----------
    text : str
        The written page, with its two marks.
    sources : dict
        Settings by name of source (``warehouse.load_sources``).
    tables : dict
        Contract by name of table (``warehouse.load_contract``).
    present : dict of str to set
        Tables that each built source holds.
    """
    text = text.replace(SOURCES_MARK, "".join(_source(name, settings) for name, settings in sources.items()))
    return text.replace(CONTRACT_MARK, contract_table(tables.values(), present))


def contract_table(tables: Iterable[Any], present: dict[str, set[str]]) -> str:
    """Every table of the contract: grain, columns, and the sources that fill it."""
    rows = (_table_row(table, present) for table in sorted(tables, key=lambda table: table.table))
    return table_of(rows, ("Table", "One row per", "Columns", "Filled by"))


def _table_row(table: Any, present: dict[str, set[str]]) -> str:
    filled = ", ".join(sorted(name for name, held in present.items() if table.table in held)) or "no source yet"
    columns = ", ".join(column.name for column in table.columns)
    cells = (
        f"<code>{escape_html(table.table)}</code>",
        escape_html(table.grain),
        escape_html(columns),
        escape_html(filled),
    )
    return row_of(cells)


def _source(name: str, settings: Any) -> str:
    return (
        f'<div class="sb-say tex2jax_ignore mathjax_ignore"><p><strong>{escape_html(settings.title)}</strong> '
        f"(<code>{escape_html(name)}</code>). {escape_html(settings.caveat)}</p>"
        f"<p>Credits: {escape_html(settings.credits)}</p></div>"
    )
