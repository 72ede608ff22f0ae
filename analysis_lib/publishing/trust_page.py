"""The chapter of grades: how each method did where the truth was known, good or bad."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from analysis_lib.config import PALETTE
from analysis_lib.publishing.markup import escape_html, escape_markdown, row_of, table_of
from analysis_lib.results import Exhibit, format_percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.calibration import Grade

#: Where the grades stand in the written page.
MARK = "<!-- grades -->"

#: What the columns of the table say.
_HEADS = ("What", "Bias", "Holds the truth", "False alarms", "Finds an effect", "Right", "Width", "Refused")

_VERDICTS = {"reached": "reached", "missed": "missed", "open": "within error of it"}


def trust_page(text: str, grades: dict[str, Grade]) -> str:
    """The chapter with its grades filled in.

    Parameters
    ----------
    text : str
        The written page.
    grades : dict of str to Grade
        From ``calibration.load_grades``.
    """
    if not grades:
        return text.replace(MARK, "*No method has been graded here: run* `make grades`.")
    return text.replace(MARK, "\n\n".join(_section(grade) for grade in grades.values()))


def _section(grade: Grade) -> str:
    from analysis_lib.reporting import figure_html

    made = (
        f"Drawn: {grade.draws:,} estimates over {grade.worlds} worlds or partitions, seed {grade.seed}, on"
        f" {grade.graded_on}, in {grade.seconds / 60:,.0f} minutes; `make grades` draws them again."
    )
    stale = "" if grade.is_current else " The code has changed since, so the grades may have as well."
    return "\n\n".join([
        f"## {escape_markdown(grade.title)}: `{grade.name}`",
        escape_markdown(grade.how),
        escape_markdown(grade.text),
        # The tables below the figures hold their numbers.
        figure_html(coverage_exhibit(grade), with_numbers=False),
        *(figure_html(shown, with_numbers=False) for shown in [comparison_exhibit(grade)] if shown is not None),
        _tables(grade),
        f"{made}{stale}",
    ])  # fmt: skip


def _tables(grade: Grade) -> str:
    """One table per scenario, the first open."""
    parts = []
    for place, (scenario, own) in enumerate(grade.table.groupby("scenario", sort=False)):
        rows = [_HEADS, *(_cells(grade, row) for row in own.to_dict("records"))]
        # What was not measured of any row is no column: on a phone it would push what was out of sight.
        heads, *lines = zip(*(column for column in zip(*rows, strict=True) if any(column[1:])), strict=True)
        table = table_of(map(row_of, lines), heads)
        opened = " open" if not place else ""
        name = escape_html(str(scenario))
        parts.append(f'<details class="sb-grade"{opened}><summary>{name}</summary>{table}</details>')
    return "".join(parts)


def _cells(grade: Grade, row: dict[str, Any]) -> tuple[str, ...]:
    verdicts = {told["measure"]: told["verdict"] for told in grade.verdicts().to_dict("records")
                if (told["scenario"], told["quantity"]) == (row["scenario"], row["quantity"])}  # fmt: skip
    cells = [
        _share(row, measure, verdicts.get(measure, ""))
        for measure in ("rel_bias", "coverage", "false_positive", "power", "right")
    ]
    ratio = row["width_ratio"]
    width = "" if ratio != ratio else f"{ratio:.2f}\u00a0×"
    return escape_html(str(row["quantity"])), *cells, width, _share(row, "refused", "")


def _share(row: dict[str, Any], measure: str, verdict: str) -> str:
    """A share with its Monte Carlo error, and what is to be said of it."""
    value, error = row[measure], row[f"{measure}_mcse"]
    if value != value:
        return ""
    apart = f"\u00a0±\u00a0{196 * error:.1f}" if error > 0 else ""
    shown = format_percent(value).replace("\u00a0%", "").replace(" %", "") + f"{apart}\u00a0%"
    said = f' <span class="sb-{verdict}">{_VERDICTS[verdict]}</span>' if verdict else ""
    return f"{shown}{said}"


def coverage_exhibit(grade: Grade) -> Exhibit:
    """How often intervals held the truth: a dot per quantity, a line per scenario, against what they promise."""
    from analysis_lib.calibration.scoring import COMPARISON

    table = grade.table.dropna(subset=["coverage"])
    table = table[table["scenario"] != COMPARISON]
    wanted = next((one for one in grade.wanted if one.measure == "coverage"), None)
    low, high = (wanted.low, wanted.high) if wanted else (grade.level, grade.level)
    inside = int(((table["coverage"] >= low) & (table["coverage"] <= high)).sum())
    frame = table[["scenario", "quantity", "coverage", "coverage_mcse"]].round(4).reset_index(drop=True)
    return Exhibit(
        title=f"{inside} of {len(frame)} coverages lie between {format_percent(low, 0)} and {format_percent(high, 0)}",
        subtitle=(
            f"Share of {format_percent(grade.level, 0)} intervals that hold the truth, one dot per quantity, with Monte"
            " Carlo error; band: what is wanted"
        ),
        frame=frame,
        units={"coverage": "share", "coverage_mcse": "share"},
        draw=partial(_draw, frame=frame, band=(low, high)),
        height=0.2 + 0.085 * frame["scenario"].nunique(),
    )


def comparison_exhibit(grade: Grade) -> Exhibit | None:
    """The same of other ways, on the same draws: a line for each way, a dot for each case; None where none was tried.

    Rows for comparison are named ``case: way``, and one of the ways is the one that is shipped.
    """
    from analysis_lib.calibration.scoring import COMPARISON, SHIPPED

    table = grade.table.dropna(subset=["coverage"])
    table = table[table["scenario"] == COMPARISON]
    parts = table["quantity"].str.rsplit(": ", n=1)
    if not (parts.str[1] == SHIPPED).any():
        return None
    frame = table.assign(case=parts.str[0], scenario=parts.str[1])[
        ["scenario", "case", "coverage", "coverage_mcse", "width_ratio"]
    ].round(4)
    wanted = next((one for one in grade.wanted if one.measure == "coverage"), None)
    low, high = (wanted.low, wanted.high) if wanted else (grade.level, grade.level)
    lowest = frame.groupby("scenario")["coverage"].min().sort_values(ascending=False)
    frame = frame.sort_values("scenario", key=lambda names: names.map(lowest), ascending=False, kind="stable")
    kept = int((lowest >= low).sum())
    return Exhibit(
        title=f"{kept} of {len(lowest)} ways hold the truth in at least {format_percent(low, 0)} of every case",
        subtitle="Ways that were compared on the same draws: one dot per case; the lowest of a way decides its place",
        frame=frame.reset_index(drop=True),
        units=dict.fromkeys(("coverage", "coverage_mcse", "width_ratio"), "share"),
        draw=partial(_draw, frame=frame, band=(low, high)),
        height=0.2 + 0.085 * len(lowest),
    )


def _draw(axes: Any, frame: pd.DataFrame, band: tuple[float, float]) -> None:
    axes.axvspan(*band, color=PALETTE["sky"], alpha=0.25, lw=0)
    axes.axvline(0.95, color="#5f5f5f", lw=1, ls=(0, (2, 3)))
    names = list(dict.fromkeys(frame["scenario"]))
    lines = frame.groupby("scenario", sort=False)["coverage"]
    number, size = lines.cumcount(), lines.transform("size")
    # Dots of a line stand a little above each other, so that none hides another.
    line = frame["scenario"].map(names.index).astype(float)
    places = line + 0.5 * (number - (size - 1) / 2) / size.clip(lower=2)
    reached = frame["coverage"].between(*band)
    # All dots of a kind at once: each call would write the shape of its dot into the page anew.
    for kind, marker, color in ((reached, "o", PALETTE["subject"]), (~reached, "D", PALETTE["second"])):
        _dots(axes, places[kind], frame[kind], marker, color)
    axes.set_yticks(range(len(names)), [name.replace("_", " ").replace(", ", ",\n") for name in names])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(min(0.85, frame["coverage"].min() - 0.02), 1.005)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def _dots(axes: Any, places: pd.Series, frame: pd.DataFrame, marker: str, color: str) -> None:
    import numpy as np

    value, reach = frame["coverage"], 1.96 * frame["coverage_mcse"]
    # One path with gaps between the lines; where an error is not known there is none.
    ends = np.column_stack([(value - reach).clip(lower=0.0), (value + reach).clip(upper=1.0), reach * np.nan])
    axes.plot(ends.ravel(), np.repeat(places, 3), color=color, lw=1, alpha=0.6, solid_capstyle="butt")
    axes.plot(value, places, marker, color=color, ms=4.5, ls="")
