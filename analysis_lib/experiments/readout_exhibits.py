"""The figures and tables of a readout."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from analysis_lib.drawings import draw_forest
from analysis_lib.experiments import readout_drawings as drawings
from analysis_lib.experiments import readout_text
from analysis_lib.experiments.arm_views import sign_of, signed, title
from analysis_lib.experiments.effects import Effect, format_pvalue
from analysis_lib.experiments.wearing import by_day
from analysis_lib.results import Exhibit, format_percent, nothing_to_show

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.experiments.evidence import Evidence
    from analysis_lib.experiments.readout import Readout

#: Units of the columns of effects, relative ones.
RELATIVE = dict.fromkeys(("effect", "ci_lower", "ci_upper"), "share")


def row_of(one: Readout, key: tuple[str, str]) -> dict[str, Any]:
    """A row of ``Readout.to_frame`` for the whole."""
    found = _columns(*key, "all", one.effects[key])
    return found | {"pvalue_adjusted": one.pvalues[key], "role": one.role(key[0])}


def segment_row(evidence: Evidence, metric: str, variant: str, segment: str, effect: Effect) -> dict[str, Any]:
    """A row of ``Readout.to_frame`` for a segment."""
    roles = dict.fromkeys(evidence.plan.success, "success") | dict.fromkeys(evidence.plan.guardrails, "guardrail")
    return _columns(metric, variant, segment, effect) | {
        "pvalue_adjusted": float("nan"), "role": roles.get(metric, "explored"),
    }  # fmt: skip


def _columns(metric: str, variant: str, segment: str, effect: Effect) -> dict[str, Any]:
    whole, share = effect.effect, effect.rel_effect
    return {
        "metric": metric, "variant": variant, "segment": segment, "effect": whole.value,
        "effect_ci_lower": whole.ci_lower, "effect_ci_upper": whole.ci_upper, "rel_effect": share.value,
        "rel_effect_ci_lower": share.ci_lower, "rel_effect_ci_upper": share.ci_upper, "pvalue": effect.pvalue,
        "n_control": effect.n_control, "n_treatment": effect.n_treatment, "control": effect.control,
        "treatment": effect.treatment,
    }  # fmt: skip


def effects(one: Readout) -> Exhibit:
    """Relative effects on every metric, with guardrails' margins."""
    rows = _rows(one)
    if rows.empty:
        return nothing_to_show("Effects", "no metric has a relative effect")
    return Exhibit(
        title=readout_text.effect(one).rstrip("."),
        subtitle=_subtitle(one, "Change against control") + ("; orange: margins" if one.plan.guardrails else ""),
        frame=rows[["row", "effect", "ci_lower", "ci_upper"]],
        units=RELATIVE,
        draw=partial(draw_forest, frame=rows),
        height=0.14 + 0.1 * len(rows),
    )


def _rows(one: Readout) -> pd.DataFrame:
    import pandas as pd

    rows, several = [], len(one.plan.treatments) > 1
    for (metric, variant), effect in one.effects.items():
        share = effect.rel_effect
        if not share.se > 0:
            continue
        sign, margin = sign_of(one, metric), one.plan.guardrails.get(metric)
        rows.append(
            {
                "row": f"{title(one, metric)}{f', {variant}' if several else ''}", "effect": share.value,
                "ci_lower": share.ci_lower, "ci_upper": share.ci_upper, "role": one.role(metric),
                "margin": float("nan") if margin is None else -sign * margin,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def table(one: Readout) -> Exhibit:
    """Every metric in both arms, with the effect in its unit and as a share."""
    import pandas as pd

    rows = []
    for (metric, variant), effect in one.effects.items():
        value = partial(readout_text.value_in, one, metric)
        rows.append(
            {
                "row": title(one, metric), "role": one.role(metric), "arm": variant, "control": value(effect.control),
                "with the arm": value(effect.treatment), "difference": signed(effect.effect),
                "change": signed(effect.rel_effect), "p": format_pvalue(one.pvalues[metric, variant]),
            }
        )  # fmt: skip
    return Exhibit("Every metric that was measured", _subtitle(one, "Change against control"), pd.DataFrame(rows))


def beside(one: Readout) -> Exhibit:
    """The same effects measured in other ways."""
    import pandas as pd

    ways = {
        "as decided": one.effects, "not adjusted": one.plain, "largest 1 % capped": one.capped,
        "same markets in both arms": one.stratified,
    }  # fmt: skip
    rows = [
        {"row": f"{title(one, metric)}, {variant}", "way": way} | _share(found[metric, variant])
        for metric, variant in one.effects
        for way, found in ways.items()
        if (metric, variant) in found and (metric in one.plan.metrics or metric == one.evidence.money)
    ]
    return Exhibit("The same effects, measured in other ways", _subtitle(one, "Change against control"),
                   pd.DataFrame(rows), RELATIVE)  # fmt: skip


def _share(effect: Effect) -> dict[str, float]:
    share = effect.rel_effect
    return {"effect": share.value, "ci_lower": share.ci_lower, "ci_upper": share.ci_upper}


def health(one: Readout) -> Exhibit:
    """Every check of the test's health."""
    frame = one.health.to_frame()
    frame["passed"] = frame["passed"].map({True: "passed", False: "failed"})
    n_failed = len(one.health.failed)
    said = f"{n_failed} of {len(frame)} checks failed" if n_failed else f"All {len(frame)} checks are passed"
    frame = frame.rename(columns={"check": "row", "passed": "result", "says": "what was found"})
    return Exhibit(said, "Checks before any effect is looked at", frame)


def shares(one: Readout) -> Exhibit:
    """Share of units in the treatments by day of first exposure, against the plan."""
    frame = drawings.daily_shares(one)
    if len(frame) < 2:
        return nothing_to_show("Shares by day", "units were exposed on one day only")
    verdict = "hold" if next(c.passed for c in one.health.checks if c.name == "sample ratio") else "do not hold"
    return Exhibit(
        title=f"The planned shares {verdict}",
        subtitle="Share of newly exposed units in a treatment, by day; band: where it should lie 99.9 days of 100",
        frame=frame,
        units=dict.fromkeys(("share", "planned", "band_lower", "band_upper"), "share"),
        draw=partial(drawings.draw_shares, frame=frame),
        height=0.42,
    )


def looks(one: Readout) -> Exhibit:
    """The effect as it stood at every look, with the interval that may be looked at and the one that may not."""
    variant = readout_text.best(one)
    frame = one.looks.frame
    own = frame[(frame["metric"] == one.primary) & (frame["variant"] == variant)] if len(frame) else frame
    if len(own) < 2:
        return nothing_to_show("Looks", "the test was looked at once")
    bands = drawings.bands(own)
    return Exhibit(
        title=readout_text.looks(one).rstrip("."),
        subtitle=f"{title(one, one.primary)} with {variant}, change against control, as it stood on each day",
        frame=bands,
        units={name: "share" for name in bands if name not in ("day", "n_units")},
        draw=partial(drawings.draw_looks, frame=bands),
        height=0.5,
    )


def wearing(one: Readout) -> Exhibit:
    """The effect by day since the exposure."""
    variant = readout_text.best(one)
    if one.evidence.by_day is None or variant not in one.wearing:
        return nothing_to_show("Effect by day", "the test is too short")
    frame = by_day(one.evidence.by_day, metric=one.primary, variant=variant, control=one.plan.control, level=one.level)
    found = one.wearing[variant]
    return Exhibit(
        title=found.text.rstrip("."),
        subtitle=f"{title(one, one.primary)} with {variant}, change against control, by day since the first exposure",
        frame=frame,
        units=dict.fromkeys(("rel_effect", "rel_effect_ci_lower", "rel_effect_ci_upper"), "share"),
        draw=partial(drawings.draw_days, frame=frame, found=found),
        height=0.45,
    )


def segments(one: Readout) -> Exhibit:
    """Effects by segment, where they differ at all."""
    variant = readout_text.best(one)
    shown = next((s for s in one.segments if s.variant == variant and s.differ), None)
    if shown is None:
        tested = [s for s in one.segments if s.variant == variant]
        named = ", ".join(f"{s.dimension} p {s.pvalue:.2f}" for s in tested) or "no segments are large enough"
        return nothing_to_show("Effects by segment", f"nothing shows that they differ ({named})")
    frame = shown.frame.rename(columns={"segment": "row", "shrunken": "effect", "shrunken_ci_lower": "ci_lower",
                                        "shrunken_ci_upper": "ci_upper"})  # fmt: skip
    frame = frame.iloc[::-1].reset_index(drop=True)
    drawn = frame.assign(role="success", margin=float("nan"))
    return Exhibit(
        title=shown.text.rstrip("."),
        subtitle=f"{title(one, one.primary)} with {variant}, each drawn to the common effect; dots: each by itself",
        frame=frame[["row", "effect", "ci_lower", "ci_upper", "rel_effect", "n_control", "n_treatment"]],
        units=RELATIVE | {"rel_effect": "share", "n_control": "", "n_treatment": ""},
        draw=partial(draw_forest, frame=drawn),
        height=0.14 + 0.1 * len(frame),
    )


def worth(one: Readout) -> Exhibit:
    """Money per month by market."""
    import pandas as pd

    variant = readout_text.best(one)
    if variant not in one.worth:
        return nothing_to_show("Money per month", "the source has no money per unit of this kind")
    found = one.worth[variant]
    names = {
        "money_per_month": "effect",
        "money_per_month_ci_lower": "ci_lower",
        "money_per_month_ci_upper": "ci_upper",
    }
    frame = found.frame.drop(columns="effect").rename(columns={"country": "row", **names})[
        ["row", "n_units", *names.values(), "share_of_sales"]
    ]
    month = found.per_month
    total = [
        ("total", int(frame["n_units"].sum()), month.value, month.ci_lower, month.ci_upper, found.share_of_sales.value)
    ]
    frame = pd.concat([pd.DataFrame(total, columns=frame.columns), frame], ignore_index=True)
    units = {"n_units": "", "effect": "usd", "ci_lower": "usd", "ci_upper": "usd", "share_of_sales": "share"}
    return Exhibit(readout_text.worth(one).rstrip("."), f"If everybody who meets it had {variant}", frame, units)


def beliefs(one: Readout) -> Exhibit:
    """What to believe of each arm, given past tests."""
    import pandas as pd

    if not one.beliefs:
        return nothing_to_show("Beliefs", "there is no relative effect")
    rows = [
        {"row": arm, "what is left": signed(b.effect), "chance_better": b.chance_better, "chance_best": b.chance_best,
         "expected_loss": b.expected_loss}
        for arm, b in one.beliefs.items()
    ]  # fmt: skip
    units = dict.fromkeys(("chance_better", "chance_best", "expected_loss"), "share")
    return Exhibit(readout_text.belief(one).rstrip("."), f"{title(one, one.primary)}, in the direction that is better",
                   pd.DataFrame(rows), units)  # fmt: skip


def plan(one: Readout) -> Exhibit:
    """What decides."""
    import pandas as pd

    held = one.plan
    rows = [("decides", ", ".join(title(one, name) for name in held.success)),
            ("smallest effect worth shipping for", format_percent(held.smallest)),
            *((f"guardrail: {title(one, name)}", f"may get worse by {format_percent(m)}")
              for name, m in held.guardrails.items()),
            ("arms", ", ".join(f"{name} {format_percent(share, 0)}" for name, share in held.arms.items())),
            ("days", str(held.days)), ("looks", f"{held.looks.replace('_', ' ')}, every {held.look_days} days"),
            ("error of all arms and success metrics together", format_percent(held.alpha))]  # fmt: skip
    return Exhibit("What was decided before the start" if one.is_planned else "What is taken, as no plan was written",
                   "", pd.DataFrame(rows, columns=["row", "what"]))  # fmt: skip


def _subtitle(one: Readout, what: str) -> str:
    days = f"{readout_text.period(one.evidence.start)} to {readout_text.period(one.evidence.end)}"
    return f"{what}, {days}; {format_percent(one.level, 0)} intervals"


EXHIBITS = {
    "effects": effects, "table": table, "beside": beside, "health": health, "shares": shares, "looks": looks,
    "wearing": wearing, "segments": segments, "worth": worth, "beliefs": beliefs, "plan": plan,
}  # fmt: skip
