"""The figures and tables of an explanation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from analysis_lib.metrics import explanation_text
from analysis_lib.metrics.explanation_drawings import draw_bars, draw_waterfall
from analysis_lib.results import Exhibit, format_value, nothing_to_show

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.metrics.explanation import Explanation

#: Segments that are drawn; the others are one bar.
MOST_BARS = 12

_CONTRIBUTIONS = ("contribution", "contribution_ci_lower", "contribution_ci_upper")

#: The same as a table shows them.
_UNITS = ("contribution", "ci_lower", "ci_upper")


def waterfall(one: Explanation) -> Exhibit:
    """From the value before to the value after, part by part."""
    return Exhibit(
        title=explanation_text.subject(one) + " " + explanation_text.moved(one),
        subtitle=_subtitle(one, "parts"),
        frame=_table(one, one.parts, one.parts["part"]),
        units=dict.fromkeys(_UNITS, one.money_unit),
        draw=partial(
            draw_waterfall,
            parts=one.parts,
            ends=(one.value_before, one.value_after),
            unit=one.money_unit,
            end_unit=one.metric.unit,
        ),
        height=0.18 + 0.085 * (len(one.parts) + 2),
    )


def segments(one: Explanation) -> Exhibit:
    """Contribution of each segment."""
    if not one.by:
        return nothing_to_show("Segments", "the explanation was not asked by any dimension")
    names = _names(one.segments, one.by)
    shown = _largest(one.segments.assign(segment=names))
    first = shown.iloc[shown["contribution"].abs().to_numpy().argmax()]
    return Exhibit(
        title=f"{first['segment']} moved it most: {_signed(first['contribution'], one.money_unit)}",
        subtitle=_subtitle(one, f"contributions by {' and '.join(one.by)}"),
        frame=_table(one, one.segments, names),
        units=dict.fromkeys(_UNITS, one.money_unit),
        draw=partial(draw_bars, frame=shown, unit=one.money_unit),
        height=0.16 + 0.075 * len(shown),
    )


def cells(one: Explanation) -> Exhibit:
    """Each part of each segment, as a table."""
    if not one.by:
        return nothing_to_show("Parts by segment", "the explanation was not asked by any dimension")
    frame = one.cells.assign(segment=_names(one.cells, one.by))
    wide = frame.pivot_table(index="segment", columns="part", values="contribution", sort=False)
    wide = wide[list(one.parts["part"])]
    wide["together"] = wide.sum(axis=1)
    order = wide["together"].abs().sort_values(ascending=False).index
    wide = wide.loc[order].reset_index().rename(columns={"segment": "row"})
    total = {"row": "total"} | {name: wide[name].sum() for name in wide if name != "row"}
    wide.loc[len(wide)] = total
    return Exhibit(
        title="What moved in each segment; rows and columns add up",
        subtitle=_subtitle(one, "contributions"),
        frame=wide,
        units={name: one.money_unit for name in wide if name != "row"},
    )


def table(one: Explanation) -> Exhibit:
    """The parts with their intervals, as a table that adds up."""
    return Exhibit(
        title="The parts add up to the change",
        subtitle=_subtitle(one, "parts"),
        frame=_table(one, one.parts, one.parts["part"]),
        units=dict.fromkeys(_UNITS, one.money_unit),
    )


def _subtitle(one: Explanation, what: str) -> str:
    money = {"usd": "US dollars", "constant_usd": "US dollars at constant rates", "local": "local money"}[one.currency]
    is_money = one.metric.currency == "converted" and one.metric.unit != "share"
    unit = money if is_money else one.metric.unit.replace("_", " ")
    band = f"; whiskers: {one.change.level:.0%} interval" if one.unit else ""
    before, after = explanation_text.period(one.before), explanation_text.period(one.after)
    return f"{what.capitalize()}, {unit}, {before} against {after}{band}"


def _table(one: Explanation, frame: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    import pandas as pd

    rows = frame[list(_CONTRIBUTIONS)].set_axis(list(_UNITS), axis=1).assign(row=names)[["row", *_UNITS]]
    total = [("total change", one.change.value, one.change.ci_lower, one.change.ci_upper)]
    return pd.concat([rows, pd.DataFrame(total, columns=["row", *_UNITS])], ignore_index=True)


def _names(frame: pd.DataFrame, by: tuple[str, ...]) -> pd.Series:
    return frame[list(by)].astype(str).agg(" / ".join, axis=1)


def _largest(frame: pd.DataFrame) -> pd.DataFrame:
    """The largest contributions, and all others as one bar without a whisker."""
    import pandas as pd

    order = frame["contribution"].abs().sort_values(ascending=False, kind="stable").index
    shown = frame.loc[order[:MOST_BARS], ["segment", *_CONTRIBUTIONS]]
    rest = frame.loc[order[MOST_BARS:], "contribution"]
    if len(rest):
        other = pd.DataFrame([{"segment": f"{len(rest)} others", "contribution": rest.sum()}])
        shown = pd.concat([shown, other], ignore_index=True)
    return shown.reset_index(drop=True)


def _signed(value: float, unit: str) -> str:
    return f"{'+' if value > 0 else ''}{format_value(value, unit)}"


EXHIBITS = {"waterfall": waterfall, "segments": segments, "cells": cells, "table": table}
