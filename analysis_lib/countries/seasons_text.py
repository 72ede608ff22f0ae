"""What a festival's lift says, built from its numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries.season_markets import REACH, REACH_PAYDAY
from analysis_lib.countries.season_windows import NOT_KEPT
from analysis_lib.results import Answer, Decision, Estimate, format_count, format_percent, format_value, listed

if TYPE_CHECKING:
    from analysis_lib.countries.season_years import YearOnYear
    from analysis_lib.countries.seasons_result import FestivalLift

#: A rise that is not worth preparing for.
SMALL = 0.05

RULE = (
    "Run: in at least one market the days lie above usual days beyond doubt, each market drawn to the mean of all."
    f" Leave alone: the mean of markets lies below a rise of {format_percent(SMALL, 0)} beyond doubt. Cannot tell:"
    " anything else. Start: the earliest week (or day, about a payday) from which on each lies above usual beyond"
    " doubt, all markets and weeks taken together."
)


def metric_name(one: FestivalLift) -> str:
    """The metric's title as it stands within a sentence."""
    title = one.metric.title
    return title if title[:2].isupper() else f"{title[0].lower()}{title[1:]}"


def over(one: FestivalLift) -> str:
    """The days, in words."""
    return "On paydays" if one.is_payday else f"Over {one.title}"


def headline(one: FestivalLift) -> str:
    """The mean of markets, and the ends of the ranking."""
    mean, ranked = one.mean("festival"), one.ranked
    said = f"{over(one)}, {metric_name(one)} lies {moved(mean)} usual days"
    if len(ranked) == 1:
        return f"{said} in {one.markets[ranked[0][0]]}."
    (top, most), (low, least) = ranked[0], ranked[-1]
    return (
        f"{said} on the mean of {format_count(len(ranked))} markets: most in {one.markets[top]} ({most.short}), least"
        f" in {one.markets[low]} ({least.short})."
    )


def moved(found: Estimate) -> str:
    """A lift as "8 % (3 to 13) above", signs as they fall."""
    if found.value < 0:
        return f"{found.scaled(-1.0).short} below"
    return f"{found.short} above"


def sure(one: FestivalLift) -> list[str]:
    """Markets above usual beyond doubt, the highest first."""
    return [code for code, found in one.ranked if found.ci_lower > 0]


def decide(one: FestivalLift) -> Decision:
    """Where it is worth preparing for."""
    mean, above = one.mean("festival"), sure(one)
    if above:
        names = listed(one.markets[code] for code in above)
        verb = "lies" if len(above) == 1 else "lie"
        return Decision(
            "Run", RULE, f"{names} {verb} above usual beyond doubt.{brought(one)} {starts(one)}", None, "Country leads",
            "Plan stock and offers by the dates in the table, and hold out some users to learn more.",
        )  # fmt: skip
    if mean.ci_upper < SMALL:
        reason = (
            f"The mean of markets lies {moved(mean)} usual days: a rise of {format_percent(SMALL, 0)} is ruled out."
        )
        return Decision("Leave alone", RULE, reason, None, "Country leads", "Plan as for usual weeks.")
    own = one.own("festival").values()
    alone = 1 / np.sqrt(sum(1 / max(it.se, 1e-6) ** 2 for it in own))
    needed = max(2, int(np.ceil((2 * alone / SMALL) ** 2)))
    reason = (
        f"No market lies above usual beyond doubt; the mean lies {moved(mean)}. About {format_count(needed)} times as"
        f" many days as now would tell a rise of {format_percent(SMALL, 0)}."
    )
    return Decision("Cannot tell", RULE, reason, None, "Country leads", "Ask again when the next one is over.")


def brought(one: FestivalLift) -> str:
    """Money beyond usual days, all markets together; nothing where the metric is none or does not add up."""
    if one.metric.unit != "usd" or not one.metric.adds_up_over("time"):
        return ""
    rows = [by_phase["festival"][0].extra for by_phase in one.phases.values()]
    value, se = sum(row.value for row in rows), float(np.sqrt(sum(row.se**2 for row in rows)))
    total = Estimate.normal(value, se, level=one.level, unit="usd", n=len(rows), method="sum of markets")
    first, last = one.span
    years = (last - first).days / 365.25
    return f" All markets together sold {total.short} more than on usual days, over {years:.0f} years of data."


def starts(one: FestivalLift) -> str:
    """From when on, market by market."""
    found = {code: step for code, step in one.starts.items() if step is not None}
    unit = "day" if one.is_payday else "week"
    if not found:
        return f"In no market does the {unit} before lie above usual beyond doubt: nothing asks for an earlier start."
    by_step: dict[str, list[str]] = {}
    for code, step in found.items():
        by_step.setdefault(step, []).append(one.markets[code])
    said = [
        f"{format_count(int(step[1:]))} {unit}{'s' if step != '−1' else ''} before in {listed(names)}"
        for step, names in by_step.items()
    ]
    return f"Sales rise {'; '.join(said)}. Elsewhere nothing asks for an earlier start."


def dates(one: FestivalLift) -> str:
    """How far dates lie apart, who does not keep it, and what is cut off."""
    if one.is_payday:
        n = sum(len(season.calendar.occasions) for season in one.seasons.values())
        said = f"{format_count(n)} paydays of {format_count(len(one.seasons))} markets, each on its market's own days."
    else:
        said = _apart(one)
    absent = [one.markets[code] for code, why in one.left_out.items() if why == NOT_KEPT]
    if absent:
        said += f" Not kept in {listed(absent)}."
    other = [f"{one.markets[code]}: {why}" for code, why in one.left_out.items() if why != NOT_KEPT]
    if other:
        said += f" Not told: {'; '.join(other)}."
    if one.cut:
        years = sorted({item.year for item in one.cut})
        said += f" Of {listed(str(year) for year in years)} part lies outside the data: left out."
    return said


def _apart(one: FestivalLift) -> str:
    by_year: dict[int, list] = {}
    for season in one.seasons.values():
        for item in season.calendar.occasions:
            by_year.setdefault(item.year, []).append(item.first)
    said = []
    for year, firsts in sorted(by_year.items()):
        apart = (max(firsts) - min(firsts)).days
        when = f"{min(firsts):%-d %b}"
        far = f"{format_count(apart)} day{'' if apart == 1 else 's'} apart at most"
        said.append(f"{year} on {when}" if not apart else f"{year} from {when} on, {far}")
    same = len(by_year) > 1 and len({f"{min(firsts):%m%d}" for firsts in by_year.values()}) == 1
    note = "the same date every year" if same else "another date every year"
    begins = f"It began in {'; in '.join(said)}"
    return f"{begins} ({note})." if len(by_year) > 1 else f"{begins}."


def shift(one: FestivalLift) -> str:
    """What the days beside it lost or gained."""
    before, after = one.mean("before"), one.mean("after")
    if before is None or after is None:
        return "The days beside it have too many campaigns and other festivals to be told."
    unit = "three days" if one.is_payday else "weeks"
    said = f"In the {unit} before, {metric_name(one)} lies {moved(before)} usual, in the {unit} after {moved(after)}."
    lost = [name for name, found in (("before", before), ("after", after)) if found.ci_upper < 0]
    if lost:
        return f"{said} So part of what was gained was taken from the days {listed(lost)}."
    return f"{said} That anything was taken from the days beside it cannot be told from chance."


def surest(one: FestivalLift) -> YearOnYear:
    """The market whose two comparisons differ most for how far chance alone takes them apart."""
    return max(one.years.values(), key=lambda row: abs(row.gap.value) / max(row.gap.se, 1e-9))


def years(one: FestivalLift) -> str:
    """This year against last, by festival and by date."""
    if not one.years:
        return "No market has it in two years of the data: this year cannot be compared with the last."
    if all(row.n_shared == row.n_days for row in one.years.values()):
        return "The same weekdays a year before were the same days of it: by date and by festival are one comparison."
    worst = surest(one)
    said = (
        f"By date, the same weeks a year before, growth is misjudged most surely in {one.markets[worst.country]}:"
        f" {format_percent(worst.naive.value, 0)} by date against {format_percent(worst.aligned.value, 0)} by festival,"
        f" {worst.gap.short} apart"
    )
    if one.metric.unit == "usd" and one.metric.adds_up_over("time"):
        total = sum(abs(row.misstated.value) for row in one.years.values())
        said += (
            f"; its base of last year is off by {worst.misstated.short}, and those of all markets by"
            f" {format_value(total, 'usd', spread=total / 5)}, added up whichever way they are off"
        )
    clear = sum(row.gap.excludes_zero for row in one.years.values())
    many = f"{format_count(clear)} of {format_count(len(one.years))} markets"
    return f"{said}. In {many} the two differ by more than single days' chance."


def usual(one: FestivalLift) -> str:
    """How a usual day was made."""
    reach = REACH_PAYDAY // 7 if one.is_payday else REACH // 7
    paydays = "" if one.is_payday else " and paydays"
    kept = "" if next(iter(one.seasons.values())).with_campaigns else " a campaign of the market or"
    return (
        f"A usual day has no festival with its run-up, no campaign and no public holiday; those within {reach} weeks"
        f" make the level, with a straight trend, and weekdays{paydays} are allowed for. Days with{kept} another"
        " festival are not counted."
    )


def placebo(one: FestivalLift) -> str:
    """What windows without a festival showed."""
    found = []
    for season in one.seasons.values():
        length = max(item.n_days for item in season.calendar.occasions)
        runs = season.placebos(length)
        found.append((len(runs.values), runs.share_rejected))
    n = sum(count for count, _ in found)
    share = sum(count * share for count, share in found) / n
    return (
        f"Of {format_count(n)} windows of as many days without it, the plain {format_percent(one.level, 0)} interval"
        f" leaves out zero in {format_percent(share, 0)}; it should in {format_percent(1 - one.level, 0)}. So intervals"
        " here are widened by what such windows of the market's own past show."
    )


def limits(one: FestivalLift) -> str:
    """What this cannot tell."""
    if one.is_payday:
        return (
            "Paydays are those of the calendar's rules; many are paid on other days, which makes the rise look smaller."
            " Markets share weeks, so their errors may go together, and the mean be less sure than said."
        )
    return (
        "A festival comes once a year: two years are two draws, and what else fell on those weeks is in them. A"
        " level that bends within eight weeks, as after a high December, is taken for a straight one. A campaign's"
        " echo after its last day stays in what is counted. Markets share weeks, so their errors may go together, and"
        " the mean be less sure than said."
    )


def counted(one: FestivalLift) -> str:
    """Small print."""
    money = " Money at constant exchange rates." if one.metric.currency == "converted" else ""
    return f"Counted: {one.metric.title} by market-local day. {one.metric.meaning.rstrip('.')}.{money}"


def answer(one: FestivalLift) -> Answer:
    """The first screen."""
    first, last = one.span
    number = one.mean("festival")
    what = "markets' mean" if len(one.seasons) > 1 else "the market's"
    title = f"How {'does' if len(one.names) == 1 else 'do'} {one.title} go in each market?"
    if one.is_payday:
        title = "How do paydays go in each market?"
    return Answer(
        title=title, headline=headline(one), number=number,
        number_of=f"{what} rise over usual days, {format_percent(one.level, 0)} interval", decision=decide(one),
        source=one.source, window=f"{first:%-d %b %Y} to {last:%-d %b %Y}", as_of=str(last), counted=counted(one),
        grade=placebo(one),
    )  # fmt: skip


def decision(one: FestivalLift) -> str:
    """The verdict, the rule and the next step."""
    found = decide(one)
    return f"{found.text} Rule: {found.rule} Next step ({found.owner}): {found.next_step}"


def start_on(one: FestivalLift, code: str):
    """The day from which to be ready for the next one; None where no next one is known."""
    item, step = one.upcoming[code], one.starts[code]
    if item is None:
        return None
    days = 0 if step is None else int(step[1:]) * (1 if one.is_payday else 7)
    return item.first - timedelta(days=days)


SENTENCES: dict[str, Callable[[FestivalLift], str]] = {
    "headline": headline, "dates": dates, "shift": shift, "years": years, "usual": usual, "placebo": placebo,
    "limits": limits, "counted": counted, "starts": starts, "decision": decision,
}  # fmt: skip
