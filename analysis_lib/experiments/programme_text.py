"""A programme of tests in words, and the rule that judges it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.experiments.readout_text import period
from analysis_lib.results import Answer, Decision, Estimate, format_count, format_percent

if TYPE_CHECKING:
    from analysis_lib.experiments.programme_result import Line, Programme

#: Fewer finished tests than this say nothing about the way tests are run.
FEWEST_TESTS = 5

#: Shares of tests from which on the way they are run has to change, and the win rate that is too low in any case.
MOST_BROKEN, MOST_SILENT, LOWEST_WINS = 0.2, 1 / 3, 0.1

RULE = (
    f"Cannot tell with fewer than {FEWEST_TESTS} tests that are over and can be believed. Change the way tests are run"
    f" if more than {format_percent(MOST_BROKEN, 0)} of those that were read cannot be believed; if more than a third"
    " of the finished ones told nothing, because they were too small for the effects that are worth shipping; or if the"
    f" win rate's whole interval lies below {format_percent(LOWEST_WINS, 0)}. Keep running otherwise."
)

OWNER = "Those who plan the tests"


def whole(one: Programme) -> str:
    """What was run, what it brought, and the verdict."""
    parts = (record, impact, saved, curse, decision)
    return " ".join(part(one) for part in parts)


def record(one: Programme) -> str:
    """How many tests were run, and what became of them."""
    if not one.run:
        return "No test was run."
    read = len(one.run) - len(one.having("not read"))
    said = [f"{len(one.having(name))} {word}" for name, word in _WORDS.items() if one.having(name)]
    fates = ", ".join(said) or "none is over"
    believed = read - len(one.having("not believed"))
    return f"{_tests(len(one.run))} run; {believed} could be believed: {fates}.{_unread(one)}"


_WORDS = {
    "won": "won", "rolled back": "rolled back", "held": "held", "told nothing": "told nothing",
    "still running": "still running",
}  # fmt: skip


def _tests(n: int) -> str:
    return "1 test was" if n == 1 else f"{format_count(n, 'tests')} were"


def _unread(one: Programme) -> str:
    unread = len(one.having("not read"))
    return f" {format_count(unread)} could not be read at all." if unread else ""


def wins(one: Programme) -> str:
    """The win rate."""
    rate = one.win_rate
    if rate is None:
        return "There is no win rate: no test is over and can be believed."
    silent = one.rate("told nothing")
    return (
        f"{len(one.having('won'))} of {format_count(rate.n)} finished {'test' if rate.n == 1 else 'tests'} won:"
        f" {rate.short}. Those that told nothing: {silent.short}."
    )


def impact(one: Programme) -> str:
    """Money per month of what was shipped."""
    n = len(one.counted())
    if not n:
        return "Nothing was shipped of which the money is known."
    what = "what one test shipped" if n == 1 else f"what {format_count(n)} tests shipped"
    return (
        f"With luck taken out, {what} brings {one.impact().short} a month; taken at {'its' if n == 1 else 'their'} word"
        f" it would be {one.impact(plain=True).short}."
    )


def saved(one: Programme) -> str:
    """Money per month that rolling back kept, less what it gave up."""
    found = one.counted("rolled back")
    if not found:
        return "Nothing was rolled back of which the money is known."
    what = "one change" if len(found) == 1 else f"{format_count(len(found))} changes"
    said = (
        f"With luck taken out, rolling back {what} kept {one.saved().short} a month; taken at"
        f" {'its' if len(found) == 1 else 'their'} word, {one.saved(plain=True).short}."
    )
    sold_more = [line.name for line in found if line.money.value > 0]
    if sold_more:
        said += f" Sold more, broke a guardrail, and so counted against it: {', '.join(sold_more)}."
    return said


def curse(one: Programme) -> str:
    """How much of the winners' effects was luck."""
    won = [line for line in one.having("won") if line.effect is not None]
    if not won:
        return "No winner, and so nothing to correct for luck."
    plain = sum(line.effect.value for line in won) / len(won)
    after = sum(one.effects[line.experiment_id].value for line in won) / len(won)
    who = "The winner moved its metric" if len(won) == 1 else "Winners moved their metrics"
    return (
        f"{who} by {format_percent(plain)}{'' if len(won) == 1 else ' on average'}; {format_percent(after)} is left"
        f" when {'it is' if len(won) == 1 else 'each is'} drawn to what the other tests found."
    )


def prior(one: Programme) -> str:
    """What the tests are drawn to, and which of them are unlike the others."""
    known = [one.priors[line.experiment_id] for line in one.finished if line.experiment_id in one.priors]
    if not known:
        return "No test has a relative effect to be held against the others."
    if not any(found.n_past for found in known):
        return known[0].text
    means, spreads = sorted(found.mean for found in known), sorted(found.spread for found in known)
    said = (
        f"Each test is drawn to the others, never to itself: they had effects around {_between(means)}, give or take"
        f" {_between(spreads)}, depending on which is left out."
    )
    far = [f"{line.name} ({line.effect.short})" for line in one.unlike]
    if far:
        said += f" Unlike all others, so that they say little about it: {', '.join(far)}."
    return said


def _between(values: list[float]) -> str:
    low, high = format_percent(values[0]), format_percent(values[-1])
    return low if low == high else f"{low} to {high}"


def basis(one: Programme) -> str:
    """What is added up, and how."""
    return (
        "Counted is every test of the source, read as on its own page. Money is that of 30 days if everybody who meets"
        " a change had it, at the time of its test; months in which more is sold bring more. Tests are taken as"
        " independent of each other: effects add up, and so do their variances. With many winners the interval of the"
        " sum is somewhat too narrow, because all of them are drawn to the same tests."
    )


def notes(one: Programme) -> str:
    """Tests that are not in the sums, and why."""
    said = [f"{line.name}: {line.why.rstrip('.')}." for line in one.having(("not read", "not started", "not believed"))]
    for outcome in ("won", "rolled back"):
        without = [line.name for line in one.having(outcome) if line not in one.counted(outcome)]
        said += [f"Money or a relative effect is not known of {name}, which is in no sum." for name in without]
    return " ".join(said) if said else "Nothing was left out."


def decision(one: Programme) -> str:
    """The verdict, and the rule behind it."""
    made = decide(one)
    return f"{made.text} {made.next_step} The rule: {made.rule}"


def decide(one: Programme) -> Decision:
    """The verdict on the way tests are run."""
    n, broken = len(one.finished), len(one.having("not believed"))
    read = len(one.run) - len(one.having("not read"))
    money = one.impact() if one.counted() else None
    if n < FEWEST_TESTS:
        reason = f"{record(one)} Fewer than {FEWEST_TESTS} finished tests say nothing about the way they are run."
        return Decision("Cannot tell", RULE, reason, money, OWNER, "Look again when more tests are over.")
    if broken > MOST_BROKEN * read:
        reason = f"{broken} of {read} tests cannot be believed."
        step = "Find where units are lost between assignment and exposure before the next test starts."
        return Decision("Change", RULE, reason, money, OWNER, step)
    silent, rate = one.rate("told nothing"), one.win_rate
    if silent.value > MOST_SILENT:
        reason = f"{len(one.having('told nothing'))} of {n} finished tests told nothing, {silent.short}: too small."
        step = "Run fewer tests, each large enough for the smallest effect that is worth shipping."
        return Decision("Change", RULE, reason, money, OWNER, step)
    if rate.ci_upper < LOWEST_WINS:
        reason = f"{len(one.having('won'))} of {n} finished tests won, {rate.short}."
        return Decision("Change", RULE, reason, money, OWNER, "Test larger changes, or others.")
    reason = f"{len(one.having('won'))} of {n} finished tests won, {rate.short}; {_silent(silent, n)}."
    return Decision("Keep running", RULE, reason, money, OWNER, "Plan the next tests as large as these.")


def _silent(silent: Estimate, n: int) -> str:
    count = round(silent.value * n)
    return "none told nothing" if not count else f"{count} told nothing"


def answer(one: Programme, source: str, grade: str) -> Answer:
    """The first screen of the page."""
    starts = [line.starts_on for line in one.run if line.starts_on is not None]
    began = period(min(starts, default=None))
    return Answer(
        title="What did the tests bring?",
        headline=f"{record(one)} {impact(one)}",
        number=one.win_rate,
        number_of=f"of finished tests won, {format_percent(one.level, 0)} interval" if one.win_rate else "",
        decision=decide(one),
        source=source,
        window=f"tests from {began} to {period(one.data_end)}" if starts else "no test",
        as_of=str(one.data_end or ""),
        counted=basis(one),
        grade=grade,
    )


def label(line: Line) -> str:
    """A test in a figure: its name, and the arm where there are several."""
    return f"{line.name}: {line.variant}" if len(line.arms) > 1 else line.name


SENTENCES = {
    "record": record, "wins": wins, "impact": impact, "saved": saved, "curse": curse, "prior": prior, "basis": basis,
    "notes": notes, "decision": decision,
}  # fmt: skip
