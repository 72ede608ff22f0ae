"""What a look at rich and poor countries says, built from its numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from analysis_lib.countries.solow_print import DRAWS, PRINTED_SHARE, SAMPLES
from analysis_lib.results import Answer, Decision, Estimate, format_count, format_percent

if TYPE_CHECKING:
    from analysis_lib.countries.solow_result import Solow

#: What capital earns of all income in national accounts, about.
THIRD = 1 / 3

#: Years that growth is told over.
YEARS = 25

RULE = "Leave alone: data of the past century, and nothing in them is anybody's lever here."

NAMES = {
    "Intercept": "constant", "invested": "share invested", "grown": "growth in number, with wear",
    "schooled": "share schooled",
}  # fmt: skip

#: Samples and models in few words, for rows.
SHORT = {"non_oil": "without oil", "intermediate": "well measured", "oecd": "OECD"}
MODEL = {"textbook": "textbook", "schooling": "with schooling"}


def told(one: Solow, model: str) -> float:
    """Share of the differences in log income that a model goes with."""
    return float(one.of(model).usual.facts["r2"])


def _beside_a_third(share: Estimate) -> str:
    if not share.excludes_zero:
        return "which is too wide to tell anything"
    if share.ci_lower > THIRD:
        return "more than the third it does"
    if share.ci_upper < THIRD:
        return "less than the third it does"
    return "in line with the third it does"


def _sample(one: Solow) -> str:
    return f"{format_count(one.of('textbook').usual.n)} {SAMPLES[one.sample]}"


def headline(one: Solow) -> str:
    """How much of the differences, and what it takes."""
    plain, schooled = (one.of(name).shares["invested"] for name in ("textbook", "schooling"))
    first, second = (format_percent(told(one, name), 0) for name in ("textbook", "schooling"))
    return (
        f"Across {_sample(one)}, investing and growth in number go with {first} of the differences in log income; with"
        f" schooling, {second}. Then capital would have to earn {schooled.short} of income,"
        f" {_beside_a_third(schooled)}; without schooling, {plain.short}, {_beside_a_third(plain)}."
    )


def slopes(one: Solow) -> str:
    """The model with schooling in words, robust errors."""
    found = one.of("schooling").robust
    said = [f"{NAMES[name]} {_tenth(found.fit_of(name))}" for name in found.regressors]
    return (
        f"Income that goes with ten per cent more of each, the others alike: {'; '.join(said)}. Errors are robust"
        f" ({found.variance})."
    )


def _tenth(slope: Estimate) -> str:
    """Relative change with ten per cent more."""
    ends = {name: math.expm1(math.log(1.1) * getattr(slope, name)) for name in ("value", "ci_lower", "ci_upper")}
    return replace(slope, unit="share", **ends).short


def print_told(one: Solow) -> str:
    """How far it is what is in print."""
    table = one.table
    digits = (table["value"].round(2) == table["printed"]) & (table["se"].round(2) == table["printed_se"])
    away = (table["value"] - table["printed"]).abs() / table["printed_se"]
    return (
        f"{format_count(int(table['within'].sum()))} of {format_count(len(table))} coefficients in print are what comes"
        f" of some table that rounds to the printed one ({format_count(DRAWS)} drawn);"
        f" {format_count(int(digits.sum()))} are the same to the last digit, error and all, and none lies further off"
        f" than {away.max():.2f} of its printed error. {_share_told(one)}"
    )


def _share_told(one: Solow) -> str:
    share = one.models["non_oil", "textbook"].usual_shares["invested"]
    value, se = PRINTED_SHARE
    return (
        f"Capital's share without schooling and oil is {share.value:.2f} ({share.se:.2f}); in print, {value:.2f}"
        f" ({se:.2f})."
    )


def errors(one: Solow) -> str:
    """Robust errors beside usual ones."""
    table = one.table[one.table["sample"] == one.sample]
    times = table["robust_se"] / table["se"]
    worst = table.loc[times.idxmax()]
    return (
        f"Robust errors are {times.min():.2f} to {times.max():.2f} times the usual ones of print; the most for"
        f" {NAMES[worst['term']]}, {MODEL[worst['model']]}."
    )


def restriction(one: Solow) -> str:
    """Whether the slopes add up to nothing, as the model says."""
    said = []
    for name, words in (("textbook", "without schooling"), ("schooling", "with it")):
        apart = one.of(name).apart
        said.append(f"{apart.short} {words}{', which zero is outside of' if apart.excludes_zero else ''}")
    return f"By the model all slopes add up to nothing: the sum is {' and '.join(said)}."


def without_one(one: Solow) -> str:
    """Whether it hangs on one country."""
    said = []
    for name, words in (("textbook", "without schooling"), ("schooling", "with it")):
        low, high = (format_percent(end, 0) for end in one.of(name).without_one)
        said.append(f"between {low} and {high} {words}")
    return f"Leaving out any one country, capital's share stays {' and '.join(said)}."


def catching_up(one: Solow) -> str:
    """Growth against the level at first, by itself and all else alike."""
    return (
        f"From 1960 to 1985 poor countries {_moved(one.alone)} by themselves: one per cent poorer at first went with"
        f" {_grew(one.alone)}. Beside those that invested, grew in number and schooled alike, they"
        f" {_moved(one.alike)}: {_grew(one.alike)}.{_speed(one.alike)}"
    )


def _moved(slope: Estimate) -> str:
    if not slope.excludes_zero:
        return "neither caught up nor fell back beyond doubt"
    return "caught up" if slope.value < 0 else "fell back"


def _grew(slope: Estimate) -> str:
    """Growth that goes with one per cent less at first, as more or less."""
    less = slope.value > 0
    return f"{slope.scaled(1.0 if less else -1.0, '').short} per cent {'less' if less else 'more'} growth"


def _speed(slope: Estimate) -> str:
    """Share of the gap to the own end that is closed a year."""
    if not -1 < slope.value < 0:
        return ""
    speed = format_percent(-math.log1p(slope.value) / YEARS)
    return f" That closes {speed} of the distance to where a country would settle, a year."


def cannot(one: Solow) -> str:
    """What it is no proof of."""
    return (
        "It is one line through countries, not what happens in a country that invests more. Rich countries can afford"
        " to invest and to school, and what makes a country work well may raise all three: then the slopes are too"
        " large. The share schooled counts young people in secondary school, and not what they learn. Wear and"
        " knowledge are taken to be alike everywhere."
    )


def decide(one: Solow) -> Decision:
    """Nothing to pull here."""
    return Decision(
        "Leave alone", RULE, "It is nobody's lever here.", None, "Data science",
        "Read it beside the paper: it shows whether the regressions of this book can be trusted.",
    )  # fmt: skip


def decision(one: Solow) -> str:
    """The verdict, the rule and the next step."""
    found = decide(one)
    return f"{found.text} Rule: {found.rule} Next step ({found.owner}): {found.next_step}"


def counted(one: Solow) -> str:
    """Small print."""
    rows = "; ".join(f"{format_count(one.models[sample, 'textbook'].usual.n)} {SHORT[sample]}" for sample in SAMPLES)
    return (
        f"Counted: {_sample(one)}, one row each, of 121 in the table ({rows}). Income is output per adult in 1985;"
        " investing and schooling are means of 1960 to 1985; growth in number is of people of working age, plus five"
        " per cent a year for knowledge and wear."
    )


def answer(one: Solow) -> Answer:
    """The first screen."""
    return Answer(
        title="Do saving and schooling tell rich countries from poor ones?", headline=headline(one),
        number=one.of("schooling").shares["invested"],
        number_of="of income is what capital earns, by the model with schooling", decision=decide(one),
        source="Mankiw, Romer and Weil (1992), the table in their appendix", window="1960 to 1985", as_of="1985",
        counted=counted(one), grade="",
    )  # fmt: skip


SENTENCES: dict[str, Callable[[Solow], str]] = {
    "headline": headline, "slopes": slopes, "print": print_told, "errors": errors, "restriction": restriction,
    "without_one": without_one, "catching_up": catching_up, "cannot": cannot, "decision": decision,
    "counted": counted,
}  # fmt: skip
