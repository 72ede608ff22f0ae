"""A design in words."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from analysis_lib.experiments.design_checks import noticed_share
from analysis_lib.experiments.design_power import inflation
from analysis_lib.metrics.explanation_text import inside
from analysis_lib.results import Answer, format_count, format_percent, format_range, format_value

if TYPE_CHECKING:
    from analysis_lib.experiments.design_checks import Guard
    from analysis_lib.experiments.design_result import Design


def whole(one: Design) -> str:
    """What is found, guardrails, and verdict."""
    return " ".join((effect(one), guardrails(one), f"{one.decision.text} {one.decision.next_step}"))


def effect(one: Design) -> str:
    """How long it takes to find the wanted effect, or which effects are found in the days asked for."""
    name, chance = inside(one.metric.title), format_percent(one.asked.power, 0)
    days, found = format_count(one.planned_days, "days"), format_percent(one.mde)
    if one.asked.days is not None:
        return f"In {days} a test finds changes of {name} from {found} on, with a chance of {chance}."
    wanted = format_percent(one.asked.wanted)
    if one.days_needed is None:
        return (
            f"A change of {name} by {wanted} takes more than {days}, the most that is looked at: by then"
            f" changes from {found} on are found, with a chance of {chance}."
        )
    return f"A test of {days} finds a change of {name} by {wanted}, with a chance of {chance}."


def curve(one: Design) -> str:
    """How the smallest effect shrinks with the days."""
    frame = one.curve
    first, last = frame.iloc[0], frame.iloc[-1]
    best = "mde_cuped" if one.history.is_adjusted else "mde"
    return (
        f"After {first['days']:.0f} days changes of {inside(one.metric.title)} from {format_percent(first[best])} on"
        f" are found, after {last['days']:.0f} days from {format_percent(last[best])} on."
    )


def adjustment(one: Design) -> str:
    """What the adjustment for the days beforehand is worth."""
    if one.switchback is not None:
        return "Arms are compared within markets and periods, so that what all markets share does not count."
    if not one.history.is_adjusted:
        return f"Nothing is adjusted for the days beforehand: {one.history.note}."
    plain = one.mde_in(one.planned_days, adjusted=False)
    saved = 1 - (one.mde / plain) ** 2
    return (
        f"Adjusting for the {one.history.pre_days} days before a test saves {format_percent(saved, 0)} of the"
        f" {one.asked.unit}s: without it changes from {format_percent(plain)} on would be found"
        f" in {one.planned_days} days, with it from {format_percent(one.mde)} on."
    )


def season(one: Design) -> str:
    """How far the answer depends on the days that were measured."""
    if one.switchback is not None:
        found = one.mde_estimate
        reach = format_range(found.ci_lower, found.ci_upper, "share")
        return f"The spread itself is estimated: the smallest effect lies in {reach}, 95 times of 100."
    if not one.history.earlier:
        return "The history is too short to see how the answer depends on the season."
    found, n = one.mde_estimate, len(one.history.earlier) + 1
    return (
        f"Over the last {n} windows of {one.planned_days} days the smallest effect ran from"
        f" {format_range(found.ci_lower, found.ci_upper, 'share')}: a test in other weeks can find more, or less."
    )


def weeks(one: Design) -> str:
    """Why a test lasts whole weeks."""
    frame = one.weekdays.dropna()
    if frame.empty:
        return "Days are rounded up to whole weeks, so that every weekday counts the same."
    high, low = (frame.loc[frame["rel_difference"].agg(f"idx{end}")] for end in ("max", "min"))
    return (
        f"{one.metric.title} is highest on {high['weekday']}s ({_change(high['rel_difference'])} against the mean of"
        f" the weekdays) and lowest on {low['weekday']}s ({_change(low['rel_difference'])}): days are rounded up to"
        " whole weeks, so that every weekday counts the same."
    )


def _change(share: float) -> str:
    return f"{'+' if share > 0 else ''}{format_percent(share)}"


def delay(one: Design) -> str:
    """When it can be read."""
    waits = {one.metric.title: one.metric.maturity_days} | {
        guard.metric.title: guard.metric.maturity_days for guard in one.guards
    }
    late = ", ".join(f"{name} after {days} days" for name, days in waits.items() if days)
    begins = f"From {day(one.start)} to {day(one.end)}"
    if not late:
        return f"{begins}; it can be read on the day after, {day(one.read_on)}: all values are final at once."
    return f"{begins}. Values become final later ({late}): all of it can be read on {day(one.read_on)}."


def looks(one: Design) -> str:
    """What looking early costs."""
    asked, n = one.asked, max(1, -(-one.planned_days // 7))
    cost = inflation(asked.alpha, asked.variants, asked.sequential, n, asked.power) - 1
    more = f"costs {format_percent(cost, 0 if cost >= 0.1 else 1)} more units"
    return {
        "fixed": "It is read once, at the end.",
        "hybrid": "It may be stopped early for harm only, which costs no units.",
        "group_sequential": f"It may be stopped at each of {n} weekly looks, which {more}.",
        "confidence_sequence": f"It may be stopped at any time, which {more}.",
    }[asked.sequential]


def variants(one: Design) -> str:
    """What several treatments cost, and whether the split can be reached."""
    asked = one.asked
    shares = ", ".join(f"{name} {format_percent(share, 0)}" for name, share in asked.arms.items())
    said = f"{format_count(one.n_units)} {counted_units(one)} come in {one.planned_days} days: {shares}."
    if asked.variants > 1:
        each = format_percent(asked.alpha / asked.variants, 2)
        said += (
            f" Each of {asked.variants} treatments is planned with an error of {each}, so that all together err in"
            f" {format_percent(asked.alpha, 0)}."
        )
    if one.switchback is not None:
        return said
    off = format_value(noticed_share(one.n_units, min(asked.shares), asked.power), "pp")
    return f"{said} If the share of an arm were off by {off} or more, the readout would tell."


def guardrails(one: Design) -> str:
    """Which margins can be shown."""
    if not one.guards:
        return "There are no guardrails."
    return f"Guardrails after {one.planned_days} days: {'; '.join(_guarded(guard) for guard in one.guards)}."


def _guarded(guard: Guard) -> str:
    said = f"{inside(guard.metric.title)} may get worse by {format_percent(guard.margin)}, and that can"
    if guard.can_be_shown:
        return f"{said} be shown (from {format_percent(guard.smallest)} on)"
    needed = f"{guard.days_needed} days would do" if guard.days_needed else "no length that was measured would do"
    return f"{said}not be shown: only margins from {format_percent(guard.smallest)} on can; {needed}"


def overlaps(one: Design) -> str:
    """Which other tests run on the same units."""
    unit = one.asked.unit
    if one.overlaps is None:
        return "The source lists no tests: whether another one runs cannot be told."
    if not one.overlaps:
        return f"No other test of {unit}s is known to run from {day(one.start)} to {day(one.end)}."
    told = ", ".join(
        f"{trial.name} ({trial.experiment_id}, {_until(trial.ends_at)})" for trial in one.overlaps
    )  # fmt: skip
    return (
        f"Other tests of {unit}s run on the planned days: {told}. In which markets is not known: any of them may"
        f" share {unit}s with this one."
    )


def _until(ends: date | None) -> str:
    return "without an end" if ends is None else f"until {day(ends)}"


def clustering(one: Design) -> str:
    """How far rows of one unit are alike."""
    found, unit = one.clustering, one.asked.unit
    if found is None:
        return "What is counted are whole units: rows of one unit are never taken for independent ones."
    return (
        f"Rows of one {unit} are alike: the variance is {found.effect:,.1f} times what it would be if {found.finer}"
        " were independent of each other, and so many times more of them are needed."
    )


def switchback(one: Design) -> str:
    """How markets are switched, and what is assumed."""
    found = one.switchback
    if found is None:
        return f"Each {one.asked.unit} stays in one arm; markets are not switched."
    out = f" {', '.join(found.left_out)} lack values on some days and are left out." if found.left_out else ""
    return (
        f"{len(found.markets)} markets are switched every {found.chosen.days} days, by chance anew for each market and"
        f" period. What is left of a period's value after taking out market and period goes with that of the next by"
        f" {found.chosen.autocorrelation:.2f}. Assumed: the arm before is felt for no more than"
        f" {found.carry_over:g} days, which are not counted; effects are the same share in every market; a market"
        f" counts as much as any other.{out}"
    )


def segments(one: Design) -> str:
    """What single segments can find."""
    frame = one.segments
    if frame.empty:
        return "No segments were asked for."
    best = "mde_cuped" if one.history.is_adjusted else "mde"
    able = frame[frame[best] <= one.asked.wanted]
    return (
        f"By itself, {len(able)} of {len(frame)} segments by {one.asked.by} would find a change of"
        f" {format_percent(one.asked.wanted)} in {one.planned_days} days; the largest, {frame['segment'].iloc[0]},"
        f" finds {format_percent(frame[best].iloc[0])}."
    )


def basis(one: Design) -> str:
    """Who was counted, over which days."""
    last = one.history.last
    if one.switchback is not None:
        return f"Counted are markets by day, to {day(last)}."
    begin = last - timedelta(days=one.history.days[-1] - 1)
    return (
        f"Counted are {one.asked.unit}s that were active in the window, each from the window's first day on, in windows"
        f" that end on {day(last)}, the longest from {day(begin)}. In a test the same {one.asked.unit}s are counted"
        " only if they meet what is tested: where few do, give their share as population."
    )


def plan(one: Design) -> str:
    """What the plan would hold."""
    if one.asked.days is None and one.days_needed is None:
        return "There is no plan to write: the wanted effect cannot be found."
    held = one.plan("new")
    return (
        f"The plan: {held.days} days, {format_percent(held.smallest)} as the smallest effect worth shipping for, a"
        f" two-sided error of {format_percent(held.alpha, 0)}, {format_count(one.n_units)} {counted_units(one)}."
    )


def decision(one: Design) -> str:
    """The verdict, and the rule behind it."""
    made = one.decision
    return f"{made.text} {made.next_step} The rule: {made.rule}"


def answer(one: Design, source: str, grade: str) -> Answer:
    """The first screen of the page."""
    begin = one.history.last - timedelta(days=one.history.days[-1] - 1)
    several = bool(one.history.earlier)
    reach = "range over windows of the history" if several else "one window of the history"
    reach = "95 % interval" if one.switchback is not None else reach
    return Answer(
        title=f"How long must a test of {inside(one.metric.title)} run?",
        headline=effect(one),
        number=one.mde_estimate,
        number_of=f"smallest change that is found in {one.planned_days} days; {reach}",
        decision=one.decision,
        source=source,
        window=f"{day(begin)} to {day(one.history.last)}",
        as_of="",
        counted=basis(one),
        grade=grade,
    )


def counted_units(one: Design) -> str:
    """What is counted, in words."""
    return "periods of markets" if one.switchback is not None else f"{one.asked.unit}s"


def day(when: date) -> str:
    """A day in words."""
    return f"{when:%-d %b %Y}"


SENTENCES = {
    "effect": effect, "curve": curve, "adjustment": adjustment, "season": season, "weeks": weeks, "delay": delay,
    "looks": looks, "variants": variants, "guardrails": guardrails, "overlaps": overlaps, "clustering": clustering,
    "switchback": switchback, "segments": segments, "basis": basis, "plan": plan, "decision": decision,
}  # fmt: skip
