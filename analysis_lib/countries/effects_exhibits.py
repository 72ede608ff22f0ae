"""Figures and tables of a look at effects by market."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries import effects_drawings
from analysis_lib.countries.profile_drawings import draw_worth
from analysis_lib.drawings import draw_forest
from analysis_lib.results import Exhibit, format_percent, nothing_to_show

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.countries.effects_result import EffectsAcross

_ENDS = ("ci_lower", "ci_upper")


def line(one: EffectsAcross) -> Exhibit:
    """Effects of markets against the factor, with the line and its band."""
    if one.slope is None:
        return nothing_to_show("The effect against a factor", one.refusal)
    ran = one.table[one.table["ran"]]
    name, slope = one.moderator.title, one.slope
    goes = "higher" if slope.value > 0 else "lower"
    unsure = "" if slope.excludes_zero else ", but that may be chance"
    frame = one.table[["name", "country", "ran", "factor", "raw", "raw_ci_lower", "raw_ci_upper", "effect"]]
    curve = _curve(one)
    return Exhibit(
        title=f"The effect is {goes} where {name} is higher{unsure}",
        subtitle=(
            f"Relative change of {one.metric.title.lower()} by market; whiskers: the market by itself; line and band:"
            f" mean of markets alike, {format_percent(one.level, 0)}; hollow: did not run it ({len(ran)} did)"
        ),
        frame=frame, units=dict.fromkeys(("raw", "raw_ci_lower", "raw_ci_upper", "effect"), "share") | {"factor": ""},
        draw=partial(
            effects_drawings.draw_line, frame=frame, curve=curve, is_log=one.moderator.is_log, name=name,
            unit=one.moderator.unit,
        ),
        height=0.75,
    )  # fmt: skip


def _curve(one: EffectsAcross) -> pd.DataFrame:
    """x, effect, ci_lower, ci_upper along the factor."""
    import pandas as pd

    scaled = one.moderator.scaled(one.table["factor"].to_numpy(float))
    along = np.linspace(scaled.min(), scaled.max(), 80)
    drawn = one.fit.line(np.column_stack([np.ones(len(along)), along - one.centre]))
    return pd.DataFrame({
        "x": np.exp(along) if one.moderator.is_log else along, "effect": np.expm1(drawn.value),
        "ci_lower": np.expm1(drawn.ci_lower), "ci_upper": np.expm1(drawn.ci_upper),
    })  # fmt: skip


def _named(one: EffectsAcross, table: pd.DataFrame) -> pd.Series:
    """Names of markets, with what is to be known of them."""
    marks = np.where(table["ran"], "", np.where(table["beyond"].astype(bool), " (extrapolated)", " (predicted)"))
    return table["name"] + marks


def forest(one: EffectsAcross) -> Exhibit:
    """Every market: by itself, drawn to the line, or predicted."""
    table = one.table.sort_values(["ran", "effect"], ascending=[False, False], ignore_index=True)
    frame = table[
        ["name", "ran", "raw", "raw_ci_lower", "raw_ci_upper", "effect", "effect_ci_lower", "effect_ci_upper"]
    ]
    drawn = table.assign(row=_named(one, table), role=np.where(table["ran"], "success", "other"), margin=float("nan"))
    drawn = drawn.assign(rel_effect=table["raw"], **{end: table[f"effect_{end}"] for end in _ENDS})
    clear = int((table["effect_ci_lower"] > 0).sum() + (table["effect_ci_upper"] < 0).sum())
    return Exhibit(
        title=f"In {clear} of {len(table)} markets the effect is clear of zero",
        subtitle=(
            f"Relative change of {one.metric.title.lower()}, {format_percent(one.level, 0)} intervals; coloured: ran"
            " it, drawn to the line; light dots: the market by itself; grey: predicted"
        ),
        frame=frame, units=dict.fromkeys(frame.columns[2:], "share"),
        draw=partial(draw_forest, frame=drawn), height=0.11 * len(table) + 0.12,
    )  # fmt: skip


def money(one: EffectsAcross) -> Exhibit:
    """Gain a month by market, ranked."""
    if not one.is_priced:
        return nothing_to_show("Money by market", f"sales do not go with {one.metric.title.lower()} one to one")
    table = one.ranked[one.ranked["gain"].notna()].reset_index(drop=True)
    frame = table[["name", "ran", "base", "gain", "gain_ci_lower", "gain_ci_upper", "above_zero"]]
    shown = table.assign(step=_named(one, table), worth=table["gain"])
    shown = shown.assign(worth_ci_lower=table["gain_ci_lower"], worth_ci_upper=table["gain_ci_upper"])
    first = table.iloc[0]
    return Exhibit(
        title=f"{first['name']} has most to gain",
        subtitle=(
            f"Sales in USD in 30 days from giving it to all who meet it, {format_percent(one.level, 0)} intervals;"
            " coloured: above zero beyond doubt"
        ),
        frame=frame,
        units=dict.fromkeys(("base", "gain", "gain_ci_lower", "gain_ci_upper"), "usd") | {"above_zero": "share"},
        draw=partial(draw_worth, frame=shown), height=0.11 * len(table) + 0.12,
    )  # fmt: skip


def table(one: EffectsAcross) -> Exhibit:
    """All numbers."""
    frame = one.ranked[["name", "ran", "factor", "raw", "effect", "effect_ci_lower", "effect_ci_upper", "above_zero",
                        "base", "gain"]]  # fmt: skip
    frame = frame.assign(ran=np.where(frame["ran"], "yes", "no"))
    return Exhibit(
        title="Every market",
        subtitle=f"By gain; factor: {one.moderator.title or 'none'}; base: sales in 30 days of those who meet it",
        frame=frame,
        units={"factor": "", "raw": "share", "effect": "share", "effect_ci_lower": "share", "effect_ci_upper": "share",
               "above_zero": "share", "base": "usd", "gain": "usd"},
    )  # fmt: skip


EXHIBITS: dict[str, Callable[[EffectsAcross], Exhibit]] = {
    "line": line, "forest": forest, "money": money, "table": table,
}  # fmt: skip
