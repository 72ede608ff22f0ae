"""Figures and tables of a look at factors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from analysis_lib.countries import factors_drawings, factors_text
from analysis_lib.countries.convergence import MONTHS
from analysis_lib.drawings import draw_rows
from analysis_lib.results import Exhibit, format_percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.countries.factors_result import CountryFactors


#: Groups of dots whose means stand for them in the table.
GROUPS = 60

#: Of many markets, so many at either end are drawn.
ENDS = 10


def effects(one: CountryFactors) -> Exhibit:
    """What goes with one typical movement of each factor; double lasso as a small dot."""
    import pandas as pd

    rows = []
    for factor in one.panel.moving:
        found = one.typical(factor)
        lasso = one.lassos[factor.name].estimate.value * factor.own if factor.name in one.lassos else float("nan")
        rows.append((factor.title, found.value, found.ci_lower, found.ci_upper, lasso))
    frame = pd.DataFrame(rows, columns=["factor", "effect", "effect_ci_lower", "effect_ci_upper", "double_lasso"])
    frame = frame.sort_values("effect", key=abs, ascending=False, ignore_index=True)
    name = one.panel.metric.title.lower()
    clear = int(((frame["effect_ci_lower"] > 0) | (frame["effect_ci_upper"] < 0)).sum())
    many = f"{clear} of {len(frame)} factors go with {name} by themselves"
    return Exhibit(
        title=many if clear else f"No factor stands out for {name}",
        subtitle=(
            f"Relative change of {name} with a typical movement of each factor within a {one.panel.called.one},"
            f" {format_percent(one.level, 0)} intervals; grey: double lasso"
        ),
        frame=frame, units=dict.fromkeys(frame.columns[1:], "share"),
        draw=partial(draw_rows, frame=frame),
        height=0.12 * len(frame) + 0.15,
    )  # fmt: skip


def inclusion(one: CountryFactors) -> Exhibit:
    """How likely each factor belongs."""
    frame = one.average.terms.assign(term=one.average.terms["term"].str.replace("_", " "))
    first = frame.iloc[0]
    return Exhibit(
        title=f"{first['term'].capitalize()} belongs with a probability of {format_percent(first['inclusion'], 0)}",
        subtitle="Probability that a factor belongs, averaged over all models; one half is what is believed beforehand",
        frame=frame, units={"inclusion": "share", "value": "", "se": "", "positive": "share"},
        draw=partial(factors_drawings.draw_inclusion, frame=frame), height=0.1 * len(frame) + 0.15,
    )  # fmt: skip


def alone(one: CountryFactors) -> Exhibit:
    """The surest factor against the metric, all else taken out."""
    if one.slopes is None:
        return Exhibit("The surest factor alone: not shown", note=factors_text.by_market(one))
    name = one.slopes.factor
    left = one.alone(name)
    title = name.replace("_", " ")
    up, called = one.effect(name).value > 0, one.panel.called
    metric = one.panel.metric.title.lower()
    frame, some = left, ""
    if len(left) > factors_drawings.MANY_DOTS:
        frame = _in_groups(left)
        some = f"; the numbers are means of {GROUPS} groups of dots"
    return Exhibit(
        title=(
            f"{called.periods.capitalize()} with more {title} than expected have {'higher' if up else 'lower'} {metric}"
        ),
        subtitle=f"Each dot a {called.one}'s {called.period}; {called.one}, {called.period} and the other factors are"
        f" taken out of both{some}",
        frame=frame.rename(columns={"y": "metric", "x": "factor"}), units={"metric": "", "factor": ""},
        draw=partial(factors_drawings.draw_alone, frame=left, slope=one.effect(name), names=(title, metric)),
        height=0.7,
    )  # fmt: skip


def _in_groups(left: pd.DataFrame) -> pd.DataFrame:
    """Means of equally many dots, from the least of the factor to the most."""
    ranked = left.sort_values("x").reset_index(drop=True)
    group = ranked.index * GROUPS // len(ranked)
    return ranked.groupby(group).agg(n=("x", "size"), y=("y", "mean"), x=("x", "mean"))


def by_market(one: CountryFactors) -> Exhibit:
    """The surest factor market by market."""
    import pandas as pd

    called = one.panel.called
    if one.slopes is None:
        return Exhibit(f"{called.one.capitalize()} by {called.one}: not shown", note=factors_text.by_market(one))
    drawn, (scale, step) = one.slopes.drawn, factors_text.step_of(one, one.slopes.factor)
    title = one.slopes.factor.replace("_", " ")
    frame = pd.DataFrame(
        {"market": one.slopes.markets, "drawn": drawn.value * scale, "drawn_ci_lower": drawn.ci_lower * scale,
         "drawn_ci_upper": drawn.ci_upper * scale, "own": one.slopes.own * scale}
    ).sort_values("drawn", ignore_index=True)  # fmt: skip
    many_rows = len(frame) > 2 * ENDS
    shown = pd.concat([frame.head(ENDS), frame.tail(ENDS)]) if many_rows else frame
    some = f"; the {ENDS} lowest and highest of {len(frame)}" if many_rows else ""
    alike, many = drawn.spread < 0.2 * abs(drawn.mean), one.panel.called.many.capitalize()
    return Exhibit(
        title=f"{many} are alike in it" if alike else f"{many} differ in it, but each alone says little",
        subtitle=f"Change of the metric with {step} of {title}; grey: the {one.panel.called.one} by itself{some}",
        frame=frame, units=dict.fromkeys(frame.columns[1:], "share"),
        draw=partial(draw_rows, frame=shown),
        height=0.1 * len(shown) + 0.12,
    )  # fmt: skip


def pooled(one: CountryFactors) -> Exhibit:
    """Each factor's slopes by market, in few numbers."""
    import pandas as pd

    many = one.panel.called.many
    if not one.pooled:
        return Exhibit("Factor by factor: not shown", note=factors_text.pooled(one))
    rows = []
    for name, slopes in one.pooled.items():
        drawn, (scale, step) = slopes.drawn, factors_text.step_of(one, name)
        numbers = (scale * number for number in (drawn.mean, drawn.spread, drawn.value.min(), drawn.value.max()))
        ends = (slopes.markets[drawn.value.argmin()], slopes.markets[drawn.value.argmax()])
        rows.append((name.replace("_", " "), step, *numbers, *ends, _chance(slopes.apart)))
    columns = ["factor", "with", "mean", "spread", "lowest", "highest", "lowest_in", "highest_in", "chance_alone"]
    return Exhibit(
        title=f"How far {many} differ in what the metric goes with",
        subtitle=f"Slopes of single {many}, each drawn to the mean; spread: standard deviation between {many};"
        " chance alone: p value of all being alike",
        frame=pd.DataFrame(rows, columns=columns),
        units=dict.fromkeys(columns[2:6], "share"),
    )


def _chance(pvalue: float) -> str:
    return "under 0.001" if pvalue < 0.001 else f"{pvalue:.3f}"


def levels(one: CountryFactors) -> Exhibit:
    """Growth against the level at first."""
    found = one.convergence
    frame = found.levels.assign(growth=found.levels["last"] - found.levels["first"])
    fewer, called = found.beta.ci_upper < 0, found.called
    catching = f"{called.many.capitalize()} that were behind catch up"
    return Exhibit(
        title=catching if fewer else "Catching up cannot be told from chance",
        subtitle=f"Growth from the first {MONTHS} {called.periods} to the last, log points, against the level at first",
        frame=frame, units=dict.fromkeys(("first", "last", "growth"), ""),
        draw=partial(factors_drawings.draw_levels, frame=frame), height=0.6,
    )  # fmt: skip


def table(one: CountryFactors) -> Exhibit:
    """All coefficients."""
    frame = one.table.assign(term=one.table["term"].str.replace("_", " "))
    return Exhibit(
        title="Every factor, three ways",
        subtitle="Relative change of the metric per unit (shares: per 100 pp; counts: per log point)",
        frame=frame.drop(columns=["pvalue", "se"]),
        units=dict.fromkeys(("value", "ci_lower", "ci_upper", "inclusion", "lasso", "typical"), "share"),
    )  # fmt: skip


EXHIBITS: dict[str, Callable[[CountryFactors], Exhibit]] = {
    "effects": effects, "inclusion": inclusion, "alone": alone, "by_market": by_market, "levels": levels,
    "table": table, "pooled": pooled,
}  # fmt: skip
