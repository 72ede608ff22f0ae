"""The plan of a campaign as a file, and the review that holds itself to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from analysis_lib import campaigns, config
from analysis_lib.campaigns.plan_written import WrittenPlan, _differences, load_campaign_plan, plan_path
from analysis_lib.campaigns.windows import find_campaign
from analysis_lib.errors import InvalidValue, UnknownName

CAMPAIGN, NAME = "brazil_august_2026", "brazil_august_2026_br"


@pytest.fixture(scope="module")
def shipped() -> WrittenPlan:
    return load_campaign_plan(NAME)


@pytest.fixture(scope="module")
def planned(world):
    return campaigns.review(world, CAMPAIGN, country="BR", plan=NAME)


@pytest.fixture
def project(tmp_path):
    return config.Project(tmp_path)


# ------------------------------------------------------------------------------------------------------------ the file


def test_a_design_is_written_and_read_again(world, project):
    one = campaigns.plan(world, "BR", starts_on="2026-08-17", budget_usd=260.0, campaign_id=CAMPAIGN, lots=20)
    written = one.plan(CAMPAIGN, written_on=date(2026, 8, 10), owner="Ana")
    path = written.save(project=project)
    assert path.name == f"{NAME}.yml" and load_campaign_plan(NAME, project=project) == written
    assert written.save(project=project) == path, "the same once more changes nothing"
    with pytest.raises(InvalidValue, match="a plan is not changed"):
        written.model_copy(update={"margin": 0.3}).save(project=project)
    pays = 260 / (0.25 - one.money.creators)
    assert written.pays_usd == pytest.approx(pays, abs=0.01) and written.ends_on == date(2026, 8, 30)
    assert written.sees_usd == pytest.approx(one.smallest() * one.reached(0.1), abs=0.01)
    assert one.plan(CAMPAIGN, share=0.5).holdout_share == 0.5
    with pytest.raises(InvalidValue, match=r"share of 0\.33"):
        one.plan(CAMPAIGN, share=0.33)
    free = replace(one, money=replace(one.money, cost_usd=None))
    with pytest.raises(InvalidValue, match="nothing says what it costs"):
        free.plan(CAMPAIGN)
    assert "nothing says" in free.exhibit("plan").note


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ("- a\n- b\n", "must hold names with values"),
        ("campaign: [", "not valid YAML"),
        ("campaign: x\n", "starts_on"),
        ("{line}margn: 0.2\n", "did you mean 'margin'"),
        ("{line}margin: 2\n", "margin"),
        ("{line}margin: .nan\n", "margin"),
        ("{line}metric: gvm\n", "metric"),
        ("{line}way: markets\n", "other markets none"),
        ("{line}days: 0\n", "days"),
        ("{line}written_on: someday\n", "written_on"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_with_the_place(project, shipped, held, said):
    path = plan_path("x_br", project)
    path.parent.mkdir(parents=True)
    key = held.partition("}")[2].partition(":")[0]
    lines = [line for line in shipped.to_yaml().splitlines(keepends=True) if not key or not line.startswith(f"{key}:")]
    path.write_text(held.replace("{line}", "".join(lines)), encoding="utf-8")
    with pytest.raises(InvalidValue, match=said):
        load_campaign_plan("x_br", project=project)


@pytest.mark.parametrize("name", ["", "../world", "a/b", "a\\b", ".hidden"])
def test_a_name_stays_in_its_folder(name):
    with pytest.raises(InvalidValue, match="the name of a file"):
        load_campaign_plan(name)


def test_an_unknown_plan_names_the_nearest():
    with pytest.raises(UnknownName, match=NAME):
        load_campaign_plan("brazil_agust_2026_br")


# ---------------------------------------------------------------------------------------------------------- the review


def test_without_a_plan_nothing_changes(world, planned):
    plain = campaigns.review(world, CAMPAIGN, country="BR")
    assert plain.planned is None and plain.sentence("planned").startswith("No plan")
    assert plain.text == planned.text
    pd.testing.assert_frame_equal(plain.ledger, planned.ledger)  # sums in another order end in other digits


def test_the_plan_sets_weeks_metric_and_margin(world, shipped, planned):
    other = campaigns.review(world, CAMPAIGN, plan=NAME, weeks_after=1, metric="paid", margin=0.9, level=0.5)
    assert other.planned == shipped
    assert (other.windows.weeks_after, other.setting.metric if hasattr(other.setting, "metric") else "gmv") == (
        4,
        "gmv",
    )
    assert (other.setting.measure, other.setting.margin, other.setting.level) == ("gmv", 0.25, 0.95)
    pd.testing.assert_frame_equal(other.ledger, planned.ledger)


def test_it_says_whether_the_effect_worth_the_money_was_reached(planned, shipped):
    assert "R$14 k worth the money" in planned.sentence("planned") and "10 August 2026" in planned.sentence("planned")
    net = planned.net_incremental_gmv
    assert net.ci_lower < shipped.pays_usd / shipped.usd_per_unit < net.ci_upper
    assert "cannot be told" in planned.sentence("planned")
    far = shipped.model_copy(update={"pays_usd": 1.01 * net.ci_upper * shipped.usd_per_unit})
    assert "did not come" in replace(planned, planned=far).sentence("planned")
    late = replace(planned, planned=shipped.model_copy(update={"written_on": date(2026, 9, 1)}))
    assert "on no day that is known before it began" in late.sentence("planned")
    refused = replace(planned, effect=None, missing=("no orders",))
    assert "no orders" in refused.sentence("planned")


def test_effects_above_what_pays_came(planned, shipped):
    effect = planned.effect
    high = {name: one.shifted(1000.0) for name, one in effect.effects.items()}
    assert "They came" in replace(planned, effect=replace(effect, effects=high)).sentence("planned")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"campaign": "another"}, "it plans 'another'"),
        ({"country": "ID"}, "it plans ID, and it ran in BR"),
        ({"days": 7}, "2026-08-17 to 2026-08-23"),
        ({"starts_on": date(2026, 8, 18)}, "2026-08-18"),
        ({"holdout_share": 0.2}, "it leaves 20.0 % out by lot, and 10.0 % were"),
        ({"way": "markets", "holdout_share": 0.0}, "targeting 'all', and it was 'holdout'"),
    ],
)
def test_every_difference_is_named(world, shipped, change, said):
    campaign = find_campaign(world, CAMPAIGN, "BR")
    assert list(_differences(shipped, campaign)) == []
    (told,) = _differences(shipped.model_copy(update=change), campaign)
    assert said in told


def test_the_plan_of_another_campaign_is_refused(world):
    with pytest.raises(InvalidValue, match="'brazil_welcome_2025' is reviewed; it plans 2026-08-17"):
        campaigns.review(world, "brazil_welcome_2025", country="BR", plan=NAME)
    with pytest.raises(UnknownName, match="country"):
        campaigns.review(world, CAMPAIGN, country="XX", plan=NAME)
