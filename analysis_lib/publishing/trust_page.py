"""The chapter of grades: how each method did where the truth was known, good or bad."""

from __future__ import annotations

from collections.abc import Iterable
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
_HEADS = ("What", "Bias", "Holds the truth", "False alarms", "Finds an effect", "Width", "Refused")

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
        figure_html(coverage_exhibit(grade)),
        _tables(grade),
        f"{escape_markdown(made)}{stale}",
    ])  # fmt: skip


def _tables(grade: Grade) -> str:
    """One table per scenario, the first open."""
    parts = []
    for place, (scenario, own) in enumerate(grade.table.groupby("scenario", sort=False)):
        rows = table_of((_row(grade, row) for row in own.to_dict("records")), _HEADS)
        opened = " open" if not place else ""
        name = escape_html(str(scenario))
        parts.append(f'<details class="sb-grade"{opened}><summary>{name}</summary>{rows}</details>')
    return "".join(parts)


def _row(grade: Grade, row: dict[str, Any]) -> str:
    verdicts = {told["measure"]: told["verdict"] for told in grade.verdicts().to_dict("records")
                if (told["scenario"], told["quantity"]) == (row["scenario"], row["quantity"])}  # fmt: skip
    cells = [
        _share(row, measure, verdicts.get(measure, ""))
        for measure in ("rel_bias", "coverage", "false_positive", "power")
    ]
    ratio = row["width_ratio"]
    width = "" if ratio != ratio else f"{ratio:.2f} ×"
    return row_of((escape_html(str(row["quantity"])), *cells, width, _share(row, "refused", "")))


def _share(row: dict[str, Any], measure: str, verdict: str) -> str:
    """A share with its Monte Carlo error, and what is to be said of it."""
    value, error = row[measure], row[f"{measure}_mcse"]
    if value != value:
        return ""
    shown = format_percent(value) + (f" ± {format_percent(1.96 * error)}" if error == error else "")
    said = f' <span class="sb-{verdict}">{_VERDICTS[verdict]}</span>' if verdict else ""
    return f"{shown}{said}"


def coverage_exhibit(grade: Grade) -> Exhibit:
    """How often intervals held the truth, by scenario and quantity, against what they promise."""
    table = grade.table.dropna(subset=["coverage"])
    wanted = next((one for one in grade.wanted if one.measure == "coverage"), None)
    low, high = (wanted.low, wanted.high) if wanted else (grade.level, grade.level)
    inside = int(((table["coverage"] >= low) & (table["coverage"] <= high)).sum())
    frame = table[["scenario", "quantity", "coverage", "coverage_mcse"]].reset_index(drop=True)
    return Exhibit(
        title=f"{inside} of {len(frame)} coverages lie between {format_percent(low, 0)} and {format_percent(high, 0)}",
        subtitle=(
            f"Share of {format_percent(grade.level, 0)} intervals that hold the truth, with Monte Carlo error; band:"
            " what is wanted"
        ),
        frame=frame,
        units={"coverage": "share", "coverage_mcse": "share"},
        draw=partial(_draw, frame=frame, band=(low, high)),
        height=0.14 + 0.052 * (len(frame) + frame["scenario"].nunique()),
    )


def _draw(axes: Any, frame: pd.DataFrame, band: tuple[float, float]) -> None:
    axes.axvspan(*band, color=PALETTE["sky"], alpha=0.25, lw=0)
    axes.axvline(0.95, color="#5f5f5f", lw=1, ls=(0, (2, 3)))
    labels: list[tuple[float, str, bool]] = []
    place = 0
    for scenario, own in frame.groupby("scenario", sort=False):
        labels.append((place, str(scenario), True))
        for row in own.itertuples():
            place += 1
            labels.append((place, str(row.quantity), False))
            _dot(axes, place, row.coverage, row.coverage_mcse, band)
        place += 1
    _labels(axes, labels)
    axes.set_ylim(place - 0.4, -0.6)
    axes.set_xlim(min(0.85, frame["coverage"].min() - 0.02), 1.005)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def _dot(axes: Any, place: int, value: float, error: float, band: tuple[float, float]) -> None:
    reached = band[0] <= value <= band[1]
    color = PALETTE["subject"] if reached else PALETTE["second"]
    if error == error:
        axes.hlines(place, max(0.0, value - 1.96 * error), min(1.0, value + 1.96 * error), color=color, lw=1.8)
    axes.plot([value], [place], "o" if reached else "D", color=color, ms=6)


def _labels(axes: Any, labels: Iterable[tuple[float, str, bool]]) -> None:
    named = list(labels)
    axes.set_yticks([place for place, *_ in named], [name for _, name, _ in named])
    for tick, (_, _, is_head) in zip(axes.get_yticklabels(), named, strict=True):
        tick.set_fontweight("bold" if is_head else "normal")
    axes.tick_params(axis="y", length=0)
