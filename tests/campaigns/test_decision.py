"""Each verdict by its printed rule."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.campaigns.decision import RULES, decide, refuse, what_would_tell
from analysis_lib.results import Estimate


def made(lower: float, upper: float) -> Estimate:
    return Estimate((lower + upper) / 2, (upper - lower) / 4, lower, upper, 0.95, "usd", 100, "m")


def verdict(contribution: tuple[float, float], net: tuple[float, float]):
    return decide(made(*contribution), made(*net), 15, "Measure it.")


@pytest.mark.parametrize(
    ("contribution", "net", "action"),
    [
        ((1, 9), (10, 90), "Repeat"),
        ((1e-9, 9), (-10, 90), "Repeat"),
        ((-9, -1), (10, 90), "Change"),
        ((-9, -1), (1e-9, 90), "Change"),
        ((-9, -1), (-10, 90), "Stop"),
        ((-9, -1), (0, 90), "Stop"),
        ((-9, -1), (-90, -10), "Stop"),
        ((-9, -1e-9), (-90, -10), "Stop"),
        ((-9, 9), (10, 90), "Cannot tell"),
        ((0, 9), (10, 90), "Cannot tell"),
        ((-9, 0), (-90, -10), "Cannot tell"),
        ((float("nan"), float("nan")), (10, 90), "Cannot tell"),
    ],
)
def test_each_action_by_its_rule(contribution, net, action):
    decision = verdict(contribution, net)
    assert decision.action == action
    assert decision.rule == f"{action}: {RULES[action]}."


def test_the_four_rules_are_the_four_actions():
    assert set(RULES) == {"Repeat", "Change", "Stop", "Cannot tell"}


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.integers(1, 365))
def test_money_is_the_contribution_per_thirty_days(lower, width, n_days):
    contribution = made(lower, lower + width)
    decision = decide(contribution, made(-1, 1), n_days, "Measure it.")
    # Stopping saves what going on would have cost.
    worth = contribution.scaled(-1.0) if decision.action == "Stop" else contribution
    assert decision.money_per_month.value == pytest.approx(worth.value * 30 / n_days)
    assert decision.money_per_month.ci_lower == pytest.approx(worth.ci_lower * 30 / n_days)
    assert (decision.next_step == "Measure it.") == (decision.action == "Cannot tell")


def test_the_reason_holds_the_interval():
    assert "from −$9 to $9" in verdict((-9, 9), (0, 1)).reason
    assert "$5.00 (1.00 to 9.00)" in verdict((1, 9), (0, 1)).reason


def test_a_refusal_says_what_is_missing():
    decision = refuse("no coupons")
    assert (decision.action, decision.reason) == ("Cannot tell", "Not enough data: no coupons.")
    assert decision.money_per_month is None


def numbers(text: str) -> list[float]:
    return [float(one.replace(",", "")) for one in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def test_a_holdout_that_is_large_enough_is_asked_for():
    """Two arms of n: 2 × (2.8 × 10 / 5)² = 62.72."""
    text = what_would_tell(10.0, 5.0, 1000, "usd", "users")
    assert text.startswith("Hold out about 63 users at random next time")
    assert "an effect of $5.00 each" in text


def test_a_group_that_is_too_small_is_told_what_it_could_see():
    """Halves of 500 show 2.8 × 100 × √(2 / 500) = 17.71; 5 would take 4 × (2.8 × 100 / 5)² = 12,544."""
    text = what_would_tell(100.0, 5.0, 1000, "usd", "users")
    assert "effects from $18 each" in text
    assert "which would take about 13,000 users" in text


def test_the_size_has_the_power_it_claims():
    """80 % power at the 5 % level, by simulation of the suggested holdout."""
    import numpy as np

    rng = np.random.default_rng(1)
    n = int(numbers(what_would_tell(10.0, 5.0, 1000, "usd", "users"))[0])
    gaps = rng.normal(5.0, 10.0, (4000, n)).mean(axis=1) - rng.normal(0, 10.0, (4000, n)).mean(axis=1)
    power = np.mean(gaps > 1.96 * 10 * np.sqrt(2 / n))
    # Three Monte-Carlo errors of 4,000 draws.
    assert power == pytest.approx(0.8, abs=3 * np.sqrt(0.8 * 0.2 / 4000) + 0.005)
