"""Effects, money, proposals and verdicts of a launch made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from analysis_lib.errors import InvalidValue, NotEnoughData, UnknownName
from analysis_lib.launches import verdict
from analysis_lib.launches.effect import launch_effect
from analysis_lib.launches.launch import find_launch
from analysis_lib.launches.proposal import propose
from analysis_lib.launches.result import LaunchReview
from analysis_lib.launches.worth import MONTH, SALES_DAYS, worth_of
from analysis_lib.metrics import load_metrics

END = date(2026, 1, 4)
SALES = pd.Series(dict(zip(["AA", "BB", "CC", "DD", "EE", "FF", "GG", "HH"], 1000.0 * np.arange(1, 9), strict=True)))


@pytest.fixture
def made(launch, days, handed, setting):
    """``made(effect=, **setting)``: a review of days made by hand."""

    def make(effect: float = 0.1, size: float = 300.0, seed: int = 1, **changes) -> LaunchReview:
        wh, one = launch
        handed(days(seed=seed, effect=effect, size=size))
        chosen = setting(**changes)
        found = launch_effect(wh, one, chosen.metric, chosen, as_of=None)
        worth = worth_of(found, one, SALES, level=chosen.level)
        return LaunchReview(one, chosen, found, "", {}, worth, propose(found, worth, one, chosen))

    return make


def test_the_planted_effect_is_in_the_interval(made):
    found = made(0.1)
    assert found.estimate.ci_lower < 0.1 < found.estimate.ci_upper
    assert found.estimate.ci_upper - found.estimate.ci_lower < 0.06
    assert found.effect.told == ["AA", "BB", "CC", "DD", "EE"]
    assert found.table["rel_shrunk"].iloc[:5].to_numpy() == pytest.approx(0.1, abs=0.03)


def test_money_is_the_change_times_the_sales(made):
    found = made(0.1)
    rows = found.worth.markets.set_index("country")
    month = SALES * MONTH / SALES_DAYS
    effect = found.effect.markets.set_index("country")["shrunk"]
    assert rows.loc["HH", "value"] == pytest.approx(month["HH"] * effect["HH"])
    assert rows.loc["AA", "value"] == pytest.approx(month["AA"] * (1 - 1 / (1 + effect["AA"])))
    live = found.worth.live
    assert live.value == pytest.approx(rows.loc[list(found.launch.live), "value"].sum())
    assert live.ci_lower < sum(month[name] * (1 - 1 / 1.1) for name in found.launch.live) < live.ci_upper
    assert found.worth.total([]) is None


def test_markets_left_are_ranked_by_money_and_one_is_kept_back(made):
    found = made(0.1).proposal
    assert list(found.markets["country"]) == ["HH", "GG", "FF"]
    assert found.proposed == ["HH", "GG"]
    assert (found.kept_back, found.kept_until) == ("FF", date(2026, 3, 15))
    width = found.markets["rel_effect_ci_upper"] - found.markets["rel_effect_ci_lower"]
    assert (width > 0.03).all(), "nothing is known of such a market itself"


def test_a_good_launch_ships(made):
    found = made(0.1).decision
    assert found.action == "Ship"
    assert "HH and GG" in found.next_step and "Keep FF back" in found.next_step
    assert found.money_per_month.value > 0


def test_a_bad_launch_is_rolled_back(made):
    found = made(-0.1).decision
    assert found.action == "Roll back"
    assert found.money_per_month.value > 0, "what taking it back is worth"


def test_what_is_not_known_is_not_told(made):
    found = made(0.0, size=30.0).decision
    assert (found.action, found.money_per_month) == ("Cannot tell", None)


def test_a_metric_that_got_worse_beside_it_changes_the_verdict(made, setting):
    good, worse = made(0.1), made(0.3)
    down = load_metrics().get("return_rate")
    beside = {"return_rate": replace(worse.effect, metric=down), "cod_share": "too few weeks"}
    assert verdict.got_worse(replace(good, beside=beside)) == ["return_rate"]
    assert replace(good, beside=beside).decision.action == "Change"
    open_one = replace(made(0.0, size=30.0), beside=beside)
    assert open_one.decision.action == "Roll back"
    assert "cod share cannot be told (too few weeks)" in replace(good, beside=beside).sentence("beside")


def test_where_it_is_better_down_a_fall_is_good(made):
    fell = made(-0.1)
    down = replace(fell, setting=replace(fell.setting, metric=load_metrics().get("return_rate")), worth=None)
    proposed = propose(down.effect, None, down.launch, down.setting)
    assert replace(down, proposal=proposed).decision.action == "Ship"
    assert (proposed.markets["chance"] > 0.9).all()


def test_markets_apart_beforehand_speak_against_it(made):
    found = made(0.1)
    apart = replace(found, effect=replace(found.effect, found=replace(found.effect.found, lead_pvalue=0.001)))
    assert apart.decision.action == "Cannot tell"
    assert "already moved apart" in apart.sentence("checks")


def test_live_everywhere_it_is_left_alone(made):
    found = replace(made(0.1), proposal=None)
    assert found.decision.action == "Leave alone"
    assert found.exhibit("proposal").note


def test_a_refusal_is_a_result(made, setting):
    found = made(0.1)
    refused = LaunchReview(found.launch, setting(), None, "in 2 markets of 1 wave it has been live", {}, None, None)
    assert refused.decision.action == "Cannot tell"
    assert refused.table.empty and refused.estimate is None
    for name in refused.EXHIBITS:
        shown = refused.exhibit(name)
        assert shown.note or name == "calendar"
    for name in refused.SENTENCES:
        assert refused.sentence(name)
    with pytest.raises(NotEnoughData, match="2 markets of 1 wave"):
        refused.plot()


def test_too_few_waves_and_nobody_left_are_refused(opened, plan, days, handed, setting):
    handed(days())
    wh = opened(plan(live_on="2025-07-07"))
    with pytest.raises(NotEnoughData, match="of 1 waves"):
        launch_effect(wh, find_launch(wh, "gift_notes", until=END), setting().metric, setting(), as_of=None)
    everywhere = pd.DataFrame({"launch_id": "g", "country": SALES.index, "live_on": date(2025, 7, 7)})
    wh = opened(everywhere)
    with pytest.raises(NotEnoughData, match="0 markets of 0 waves"):
        launch_effect(wh, find_launch(wh, "g", until=END), setting().metric, setting(), as_of=None)


def test_an_unknown_factor_is_answered_with_the_nearest(opened, plan, days, handed, setting):
    handed(days())
    factors = pd.DataFrame({"country": SALES.index, "month": date(2025, 1, 1), "card_share": np.linspace(0.1, 0.9, 8)})
    wh = opened(plan(), country_factors=factors)
    found = find_launch(wh, "gift_notes", until=END)
    chosen = setting(depends_on="card_shares")
    with pytest.raises(UnknownName, match="card_share"):
        launch_effect(wh, found, chosen.metric, chosen, as_of=None)
    chosen = setting(depends_on="card_share")
    assert launch_effect(wh, found, chosen.metric, chosen, as_of=None).found.slope is not None


@pytest.mark.parametrize(
    "wrong", [{"level": 1.0}, {"sure": 0.2}, {"weeks_before": 3}, {"learning_weeks": -1}, {"weeks_before": 20.5}]
)
def test_settings_that_make_no_sense_are_refused(setting, wrong):
    with pytest.raises(InvalidValue, match=next(iter(wrong))):
        setting(**wrong)


def test_an_unknown_way_with_campaign_days_is_named(setting):
    with pytest.raises(UnknownName, match="leave_out"):
        setting(campaign_days="leave_outs")


HOSTILE = "<script>alert(1)</script> $x$ {{7*7}}"


def test_hostile_names_are_shown_and_never_interpreted(made):
    found = made(0.1)
    named = replace(found, launch=replace(found.launch, name=HOSTILE))
    assert HOSTILE in named.sentence("headline")
    from analysis_lib.reporting.figures import figure_html

    html = figure_html(named.exhibit("growth"))
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html


def test_every_exhibit_is_drawn_and_every_sentence_said(made):
    import matplotlib.pyplot as plt

    found = made(0.1)
    for name in found.EXHIBITS:
        shown = found.exhibit(name)
        assert shown.title
        if shown.draw is not None:
            _, axes = plt.subplots()
            shown.draw(axes)
            plt.close("all")
    assert all(found.sentence(name).strip().endswith((".", ")", "")) for name in found.SENTENCES)
    assert found.plot().get_title() == found.exhibit("growth").title
    plt.close("all")
