"""What speaks against a value: said per metric and cell, never left to the reader."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from analysis_lib.metrics.asking import Question, last_whole_day
from analysis_lib.metrics.assembling import ends
from analysis_lib.metrics.cells import BEFORE, PERIOD, SEP, keys
from analysis_lib.metrics.coverage import Covered, hours_of
from analysis_lib.metrics.declaration import Cumulative, Metric

if TYPE_CHECKING:
    import pandas as pd

#: The flags of a row, in the order of the columns, with what each says.
FLAGS = {
    "is_immature": "is not final yet",
    "is_incomplete": "leaves out lines without an amount (no exchange rate, or impossible)",
    "is_undefined": "has nothing to divide by, or no value to take",
    "is_partial": "covers a part of its period only",
    "is_clock_change": "is a day of 23 or 25 hours in a market",
}

#: Flags that are about the period, whatever is measured.
_OF_THE_PERIOD = ("is_partial", "is_clock_change")


def flagged(
    table: pd.DataFrame, values: pd.DataFrame, question: Question, days: dict[str, Covered], zones: dict[str, str]
) -> pd.DataFrame:
    """One row per metric, cell and flag that holds.

    Parameters
    ----------
    table
        Cells side by side, with the parts of each metric.
    values
        The metrics, row by row of ``table``.

    Returns
    -------
    DataFrame
        The keys, ``metric``, ``flag``, and ``n_lines`` for those that are incomplete.
    """
    import pandas as pd

    last, is_cut = ends(table[PERIOD], question)
    changed = _clock_changes(table, question, zones)
    found = []
    for metric in question.metrics:
        column = f"{metric.name}{SEP}unpriced"
        lines = table[column].fillna(0) if column in table else pd.Series(0, index=table.index)
        known = _known_until(question, days[metric.mart])
        holds = {
            "is_immature": ~table[BEFORE] & (last + pd.Timedelta(days=metric.maturity_days) > known),
            "is_incomplete": lines > 0,
            "is_undefined": values[metric.name].isna() & (lines == 0),
            "is_partial": _is_partial(table, metric, question, days[metric.mart], is_cut),
            "is_clock_change": changed,
        }
        for flag, rows in holds.items():
            part = table.loc[rows, keys(question)]
            found.append(
                part.assign(metric=metric.name, flag=flag, n_lines=lines[rows] if flag == "is_incomplete" else 0)
            )
    return pd.concat(found, ignore_index=True)


def _known_until(question: Question, days: Covered) -> Any:
    import pandas as pd

    return pd.Timestamp(days.last if question.as_of is None else last_whole_day(question.as_of))


def _is_partial(table: Any, metric: Metric, question: Question, days: Covered, is_cut: Any) -> Any:
    """Cut by the question, by the end of what was known, or, of a running total, by the beginning of the data."""
    import pandas as pd

    last, _ = ends(table[PERIOD], question)
    cut = (last > _known_until(question, days)) & ~table[BEFORE]
    if not isinstance(metric, Cumulative):
        return cut | is_cut
    since = last.to_period({"month": "M", "quarter": "Q", "year": "Y"}[metric.resets]).start_time
    return cut | (since < pd.Timestamp(days.first))


def _clock_changes(table: pd.DataFrame, question: Question, zones: dict[str, str]) -> Any:
    """Rows of a single day on which the clocks of their market, or of any in question, are changed."""
    import pandas as pd

    rows = pd.Series(False, index=table.index)
    if question.grain != "day":
        return rows
    for day in table[PERIOD].drop_duplicates():
        codes = _changing(day.date(), zones)
        if codes:
            here = table[PERIOD] == day
            rows |= here & table["by_country"].isin(codes) if "country" in question.by else here
    return rows & ~table[BEFORE]


def _changing(day: date, zones: dict[str, str]) -> list[str]:
    return [code for code, zone in zones.items() if hours_of(day, zone) != 24]


def sentences(flags: pd.DataFrame, titles: dict[str, str]) -> Iterable[str]:
    """The flags in words, one sentence per flag."""
    for flag, says in FLAGS.items():
        rows = flags[flags["flag"] == flag]
        if rows.empty:
            continue
        if flag in _OF_THE_PERIOD:
            cells = rows.drop(columns=["metric", "n_lines"]).drop_duplicates()
            subject = f"{len(cells):,} row{'s' if len(cells) > 1 else ''}"
        else:
            named = ", ".join(titles[name] for name in dict.fromkeys(rows["metric"]))
            subject = f"{len(rows):,} value{'s' if len(rows) > 1 else ''} of {named}"
        yield f"{subject}: {says}{f' ({int(rows.n_lines.sum()):,} lines)' if flag == 'is_incomplete' else ''}."
