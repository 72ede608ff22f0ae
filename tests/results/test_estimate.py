"""One number with its uncertainty, and the verdict made of it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.results import Answer, Decision, Estimate, Exhibit, Result, nothing_to_show
from analysis_lib.results.decision import ACTIONS

MONEY = st.floats(-1e9, 1e9)


def made(value=10.0, lower=4.0, upper=16.0, **changes) -> Estimate:
    given_ = {"se": 3.0, "level": 0.95, "unit": "usd", "n": 100, "method": "a method", **changes}
    return Estimate(value=value, ci_lower=lower, ci_upper=upper, **given_)


def decided(action: str) -> Decision:
    return Decision(action, "rule", "Reason.", None, "owner", "next")


@given(MONEY, st.floats(0, 1e6), st.floats(0, 1e6), st.floats(-1e3, 1e3))
def test_scaling_keeps_the_order_of_the_bounds(value, below, above, factor):
    scaled = made(value, value - below, value + above).scaled(factor)
    assert scaled.value == value * factor
    assert scaled.se == 3.0 * abs(factor)
    assert scaled.ci_lower <= scaled.value <= scaled.ci_upper


def test_scaling_by_a_negative_number_swaps_the_bounds():
    scaled = made(10.0, 4.0, 18.0).scaled(-2.0, "eur")
    assert (scaled.value, scaled.ci_lower, scaled.ci_upper, scaled.se, scaled.unit) == (-20.0, -36.0, -8.0, 6.0, "eur")


def test_shifting_moves_the_number_and_leaves_its_error_alone():
    shifted = made(10.0, 4.0, 16.0).shifted(-5.0)
    assert (shifted.value, shifted.ci_lower, shifted.ci_upper, shifted.se) == (5.0, -1.0, 11.0, 3.0)


@given(MONEY, st.floats(-100, 100), MONEY)
def test_level_unit_n_and_method_survive(value, factor, constant):
    changed = made(value, value - 1, value + 1).scaled(factor).shifted(constant)
    assert (changed.level, changed.unit, changed.n, changed.method) == (0.95, "usd", 100, "a method")


@pytest.mark.parametrize(
    ("lower", "upper", "excludes"), [(1, 2, True), (-2, -1, True), (-1, 1, False), (0, 1, False), (-1, 0, False)]
)
def test_zero_on_the_edge_is_not_excluded(lower, upper, excludes):
    assert made((lower + upper) / 2, lower, upper).excludes_zero is excludes


def test_text_names_the_level():
    assert made(10.0, 4.0, 16.0, level=0.9).text == "$10 (4 to 16), 90 % interval"


def test_results_are_frozen():
    with pytest.raises(FrozenInstanceError):
        made().value = 3.0


def test_plain_fields_as_a_dictionary():
    assert made().to_dict() == {
        "value": 10.0, "se": 3.0, "ci_lower": 4.0, "ci_upper": 16.0, "level": 0.95, "unit": "usd", "n": 100,
        "method": "a method",
    }  # fmt: skip


def test_markup_in_a_result_is_escaped():
    shown = decided("Repeat")._repr_html_()
    assert shown == "<p>Repeat. Reason.</p>"
    assert "<b>" not in made(method="<b>", unit="<b>x</b>")._repr_html_()


def test_a_base_result_has_no_text():
    with pytest.raises(NotImplementedError):
        _ = Result().text


@pytest.mark.parametrize("action", ACTIONS)
def test_known_actions(action):
    assert decided(action).text == f"{action}. Reason."


@pytest.mark.parametrize("action", ["repeat", "Scale", "", "Cannot tell."])
def test_a_decision_refuses_unknown_actions(action):
    with pytest.raises(ValueError, match="is not one of Repeat, Change, Stop"):
        decided(action)


def test_an_answer_reads_headline_and_verdict():
    answer = Answer("Q?", "It rose.", None, "", decided("Stop"), "world", "May", "", "", "")
    assert answer.text == "It rose. Stop. Reason."


def test_an_exhibit_hands_out_a_copy_of_its_numbers():
    import pandas as pd

    exhibit = Exhibit("Title", "subtitle", pd.DataFrame({"x": [1]}))
    exhibit.to_frame().loc[0, "x"] = 2
    assert exhibit.frame.loc[0, "x"] == 1
    assert exhibit.text == "Title. subtitle"


def test_an_exhibit_without_numbers_says_why():
    exhibit = nothing_to_show("The funnel", "no orders")
    assert (exhibit.text, exhibit.note) == ("The funnel: not shown", "Not enough data: no orders.")
    assert exhibit.frame.empty
    assert exhibit.draw is None
