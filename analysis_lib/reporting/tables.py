"""Tables: units in the header, numbers right-aligned, long ones folded, small groups not counted out."""

from __future__ import annotations

import base64
import math
import re

import pandas as pd

from analysis_lib.config import PEOPLE, PRIVACY_THRESHOLD
from analysis_lib.reporting import markup
from analysis_lib.results import CURRENCY_SYMBOLS, Exhibit, format_value

#: Column names whose word on a page is another.
WORDS = {"ci_lower": "from", "ci_upper": "to", "se": "standard error", "n_users": "number", "row": "part"}

#: Rows shown before the rest is folded.
ROWS_SHOWN = 8

#: Columns that count people; a number from 1 to the threshold is not published.
COUNTS_OF_PEOPLE = re.compile(rf"^n_({'|'.join(PEOPLE)}|units|targeted|untargeted|control|treatment)$")


def table_html(exhibit: Exhibit, *, caption: bool = True) -> str:
    """An exhibit's frame as a table.

    Parameters
    ----------
    exhibit : Exhibit
        Its ``units`` say how columns are formatted; a column named ``row`` that starts with
        ``total`` or ``net`` marks a total.
    caption : bool
        Whether to print the title as caption.
    """
    frame = suppress_small(exhibit.frame)
    totals = _totals(frame)
    if {"row", "meaning"} <= set(frame.columns):
        # The name of a row is for the CSV and the code; a reader needs its meaning once.
        frame = frame.drop(columns="row").rename(columns={"meaning": "row"})
    head = markup.element("tr", *(_header(column, exhibit.units.get(column)) for column in frame.columns))
    rows = [_row(row, exhibit.units, total=total) for row, total in zip(frame.to_dict("records"), totals, strict=True)]
    title = markup.element("caption", markup.text(exhibit.title)) if caption else ""
    shown = _table(title, head, rows[:ROWS_SHOWN])
    if len(rows) <= ROWS_SHOWN:
        return shown
    summary = markup.element("summary", f"{len(rows) - ROWS_SHOWN} more rows")
    return shown + markup.element("details", summary, _table("", head, rows[ROWS_SHOWN:]), classes="sb-more")


def csv_link(frame: pd.DataFrame, name: str) -> str:
    """A link that downloads the frame as CSV, without a server."""
    data = base64.b64encode(_inert(suppress_small(frame)).to_csv(index=False).encode("utf-8")).decode("ascii")
    file_name = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "table"
    return markup.element(
        "a", "CSV", classes="sb-csv", href=f"data:text/csv;charset=utf-8;base64,{data}", download=f"{file_name}.csv"
    )


def _inert(frame: pd.DataFrame) -> pd.DataFrame:
    """Text that a spreadsheet would run as a formula, with an apostrophe before it."""

    def quoted(value: object) -> object:
        return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value

    return frame.map(quoted)


def suppress_small(frame: pd.DataFrame) -> pd.DataFrame:
    """Counts of people under the privacy threshold, and the shares made of them, replaced by text."""
    counts = [column for column in frame.columns if COUNTS_OF_PEOPLE.match(str(column))]
    if not counts:
        return frame
    small = ((frame[counts] > 0) & (frame[counts] < PRIVACY_THRESHOLD)).any(axis=1)
    hidden = frame.astype(object)
    hidden.loc[small, counts] = f"under {PRIVACY_THRESHOLD}"
    shares = [column for column in frame.columns if "share" in str(column)]
    hidden.loc[small, shares] = "not shown"
    # A share of the row before would give that row's count away.
    of_previous = [column for column in shares if "previous" in str(column)]
    hidden.loc[small.shift(1, fill_value=False), of_previous] = "not shown"
    return hidden


def _table(title: str, head: str, rows: list[str]) -> str:
    table = markup.element("table", title, markup.element("thead", head), markup.element("tbody", *rows))
    return markup.element("div", table, classes="sb-table", tabindex="0")


def _header(column: object, unit: str | None) -> str:
    label = WORDS.get(str(column), str(column).replace("_", " "))
    currency = unit and unit.upper() if unit in CURRENCY_SYMBOLS else ""
    shown = markup.text(f"{label} ({currency})" if currency else label)
    return markup.element(
        "th", shown, scope="col", classes="" if unit is None else "sb-number", data_column=str(column)
    )


def _totals(frame: pd.DataFrame) -> list[bool]:
    """Which rows are totals: those whose name says so."""
    if "row" not in frame.columns:
        return [False] * len(frame)
    return [str(name).startswith(("total", "net")) for name in frame["row"]]


def _row(row: dict[str, object], units: dict[str, str], *, total: bool) -> str:
    cells = [_cell(value, units.get(column)) for column, value in row.items()]
    return markup.element("tr", *cells, classes="sb-total" if total else "")


def _cell(value: object, unit: str | None) -> str:
    if unit is None or isinstance(value, str):
        return markup.element("td", markup.text(value), classes="" if unit is None else "sb-number")
    return markup.element("td", markup.text(_number(value, unit)), classes="sb-number")


def _number(value: object, unit: str) -> str:
    """Money in whole units of the header's currency, so that columns add up by eye."""
    number = float(value)  # type: ignore[arg-type]
    if unit in CURRENCY_SYMBOLS:
        decimals = 0 if abs(number) >= 1000 else 2
        shown = round(number, decimals) + 0.0  # no negative zero
        return f"{shown:,.{decimals}f}".replace("-", "−") if math.isfinite(number) else "n/a"
    return format_value(number, unit)
