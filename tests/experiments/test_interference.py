"""Tests in a market in which arms take from each other: the ordinary ones are wrong as theory says, two are not."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_lib import experiments
from analysis_lib.errors import InvalidValue, UnknownName
from analysis_lib.experiments.interference_exhibits import EXHIBITS
from analysis_lib.experiments.interference_text import MIXED, OFFERS, PLAIN, SENTENCES, STEADY, USERS
from analysis_lib.experiments.interfering import WAYS, bias_by_budget, market_of, measured
from analysis_lib.markets.two_sided_market import mean_field, mean_field_effect


@pytest.fixture(scope="module")
def even():
    return experiments.interference(balance=1.0)


@pytest.fixture(scope="module")
def alike():
    return experiments.interference(balance=1.0, spread=0.0, budget_usd=3.0, seed=3)


def test_ordinary_tests_are_wrong_by_a_fifth_and_the_steady_state_by_less_than_a_fifth_of_that(even):
    assert 0.15 < even.off(USERS) < 0.3
    assert 0.15 < even.off(OFFERS) < 0.3
    assert abs(even.off(STEADY)) <= 0.2 * min(even.off(USERS), even.off(OFFERS))


def test_the_plain_two_sided_difference_is_no_cure(even):
    assert even.off(PLAIN) > even.off(USERS)
    assert even.off(MIXED) < even.off(USERS)


def test_with_alike_offers_the_steady_state_is_exact(alike):
    assert alike.off(STEADY) == pytest.approx(0, abs=1e-6)
    found = alike.ways[STEADY]
    assert abs(found.value - alike.truth) < 3.5 * found.se


def test_each_ordinary_test_is_right_at_its_end_of_the_balance(alike):
    curve = alike.curve.set_index("balance")
    assert abs(curve[USERS].iloc[0]) < 0.03 < curve[OFFERS].iloc[0]
    assert abs(curve[OFFERS].iloc[-1]) < 0.03 < curve[USERS].iloc[-1]
    assert np.all(np.diff(curve[USERS]) > 0)
    assert np.all(np.diff(curve[OFFERS]) < 0)


def test_the_simulated_market_is_as_large_as_theory_says(alike):
    assert alike.simulated == pytest.approx(alike.truth, rel=0.05)


def test_every_test_says_on_average_what_theory_says():
    """Twelve runs of each: the mean is where a market of endless size has it."""
    market = market_of(1.0, 1.25, 0.0)
    base = float(mean_field(market, customer_share=0.0, listing_share=0.0).sum())
    truth = mean_field_effect(market) / base
    for name, off in ((USERS, 0.216), (OFFERS, 0.216), (STEADY, 0.0)):
        way = next(way for way in WAYS if way.name == name)
        runs = [measured(way, market, days=100, seed=seed, level=0.95, base=base) for seed in range(12)]
        error = np.sqrt(np.mean([run.se**2 for run in runs]) / len(runs))
        assert abs(np.mean([run.value for run in runs]) - truth * (1 + off)) < 3.5 * error


def test_a_budget_that_never_runs_out_makes_no_difference(alike):
    shared, split = alike.budget["shared"].effect, alike.budget["split"].effect
    assert shared.value == pytest.approx(split.value, rel=0.05)
    assert "Split" not in alike.decision.next_step


def test_a_budget_that_runs_out_misleads_the_test_that_shares_it(even):
    assert even.budget["shared"].effect.ci_lower > even.budget_truth
    split = even.budget["split"].effect
    assert split.ci_lower < even.budget_truth < split.ci_upper
    assert "Split the coupon budget" in even.decision.next_step


def test_the_split_follows_the_truth_at_every_budget():
    frame = bias_by_budget(5)
    assert (frame["split"] - frame["truth"]).abs().max() < 0.004
    assert (frame["shared"] - frame["truth"]).max() > 0.03


@pytest.mark.parametrize(("balance", "says"), [(0.1, "among users"), (1.0, "Randomise users and offers"),
                                               (10.0, "among offers")])  # fmt: skip
def test_the_rule_chooses_by_who_waits_for_whom(balance, says):
    found = experiments.interference(balance=balance, spread=0.0)
    assert says in found.decision.next_step
    assert found.decision.action == "Run"


def test_an_arm_that_stays_empty_is_left_out_not_made_up():
    found = experiments.interference(balance=30.0, spread=0.0)
    assert found.ways[MIXED] is None
    assert MIXED not in set(found.exhibit("ways").frame["row"])


def test_sentences_figures_and_the_answer(even, tmp_path):
    import matplotlib.pyplot as plt

    for name in SENTENCES:
        assert even.sentence(name)
    for name in EXHIBITS:
        exhibit = even.exhibit(name)
        assert len(exhibit.frame)
        if exhibit.draw:
            figure, axes = plt.subplots()
            exhibit.draw(axes)
            figure.savefig(tmp_path / f"{name}.png")
            plt.close(figure)
    plt.close(even.plot().figure)
    answer = even.answer(grade="graded")
    assert answer.grade == "graded"
    assert "one visit per offer and stay" in answer.headline
    assert even.decision.text in even.text
    assert list(even.to_frame()["way"]) == [way.name for way in WAYS]


@pytest.mark.parametrize("wrong", [{"balance": 0}, {"lift": -1}, {"spread": -0.1}, {"budget_usd": 0}, {"level": 1.0}])
def test_numbers_that_make_no_market_are_refused(wrong):
    with pytest.raises(InvalidValue):
        experiments.interference(**wrong)


def test_unknown_names(even):
    for call in (lambda: even.off("x"), lambda: even.sentence("x"), lambda: even.exhibit("x")):
        with pytest.raises(UnknownName):
            call()
