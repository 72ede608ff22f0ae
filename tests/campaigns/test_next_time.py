"""Changes for the next run: where their money comes from, in which order they stand, how they would be tested."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from analysis_lib import campaigns
from analysis_lib.campaigns.next_time import Change, NextTime, next_time
from analysis_lib.results import Estimate


@pytest.fixture(scope="module")
def review(world):
    return campaigns.review(world, "ramadan_2026", country="ID", weeks_before=12)


def levers(found: NextTime) -> dict[str, Change]:
    return {change.what: change for change in found.changes}


def test_coupons_for_those_who_buy_anyway_are_worth_the_floor(review):
    change = levers(next_time(review))["No coupons for those who buy anyway"]
    assert change.worth.value == pytest.approx(review.cost.always_share.value * review.cost.total)
    assert change.is_sure and next_time(review).changes[0] is not None
    assert next_time(review).changes[0].what == change.what


def test_a_cut_is_bounded_by_sales_that_follow_and_sales_that_do_not(review):
    change = levers(next_time(review))["Lower the face value by 25 %"]
    assert change.worth.ci_upper == pytest.approx(0.25 * review.cost.total)
    assert change.worth.ci_lower == pytest.approx(-0.25 * review.contribution.ci_upper)
    row = next_time(review).to_frame().set_index("lever").loc["face_value"]
    assert pd.isna(row["value"])  # bounds have no number between them


def test_a_campaign_that_paid_keeps_its_face_value(review):
    paid = replace(review, contribution=Estimate(9e6, 1e6, 7e6, 11e6, 0.95, "idr", 10, "test"))
    assert not any(change.lever == "face_value" for change in next_time(paid).changes)


def test_a_budget_that_ran_out_of_a_campaign_that_paid_is_raised(review):
    pace = SimpleNamespace(ran_out=True, n_days=14, lasted=4)
    paid = replace(review, pace=pace, contribution=Estimate(8e6, 1e6, 6e6, 10e6, 0.95, "idr", 10, "test"))
    change = levers(next_time(paid))["Set aside money for all days"]
    assert change.worth.value == pytest.approx(8e6 * 10 / 4)
    lost = replace(paid, contribution=Estimate(-8e6, 1e6, -10e6, -6e6, 0.95, "idr", 10, "test"))
    assert "Set aside money for all days" not in levers(next_time(lost))


def test_the_test_is_as_large_as_its_power_needs(review):
    change = levers(next_time(review))["No coupons for those who buy anyway"]
    each = change.worth.value / review.effect.n_targeted
    sd = review.effect.residual_sd * review.setting.kept
    se = sd * (4 / change.n_tested) ** 0.5
    assert each / se == pytest.approx(2.80)
    assert "runs pooled" in next_time(review).how_tested(change)


def test_sure_changes_come_first_and_a_plan_is_one_command_away(review):
    found = next_time(review)
    sure = [change.is_sure for change in found.changes]
    assert sure == sorted(sure, reverse=True)
    assert "shopbook run campaign_plan -p source=world -p country=ID" in found.text


def test_without_a_verdict_nothing_is_advised(world):
    refused = campaigns.review(world, "mexico_july_2026", country="MX")
    assert next_time(refused) is None and "not enough data" in refused.sentence("next_time")
    assert refused.exhibit("next_time").note


def test_a_league_asks_for_no_details(world):
    brief = campaigns.review(world, "ramadan_2026", country="ID", details=False)
    assert brief.pace is brief.segments is brief.parts is brief.newcomers is None
    assert brief.decision.action


def test_without_its_second_opinion_a_whole_market_gets_no_verdict(world):
    """The market's own past may contradict the others: until it is asked nothing is decided, and money is the same."""
    whole = campaigns.review(world, "thailand_may_2026", country="TH")
    brief = campaigns.review(world, "thailand_may_2026", country="TH", details=False)
    assert whole.effect.second is not None and brief.effect.second is None
    assert "own past was not asked" in brief.decision.rule and whole.decision.rule != brief.decision.rule
    assert brief.decision.action == "Cannot tell"
    # The engine adds up in any order, so the last digits of two reviews may differ.
    assert brief.return_on_cost.value == pytest.approx(whole.return_on_cost.value, rel=1e-9)
