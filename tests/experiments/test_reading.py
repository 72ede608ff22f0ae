"""``experiments.read`` on the simulated marketplace, and what it refuses."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis_lib import experiments, metrics, warehouse
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, ShopbookError, UnknownName
from analysis_lib.experiments.exposures import exposures_of
from analysis_lib.experiments.health import examine
from analysis_lib.experiments.plan import load_plan
from analysis_lib.experiments.trial import all_trials, find_trial


@pytest.fixture(scope="module")
def offers(world):
    return experiments.read(world, "full_screen_offers")


def test_the_harmful_test_is_rolled_back_with_what_it_costs(offers):
    assert offers.decision.action == "Roll back"
    assert offers.is_planned and offers.plan == load_plan("full_screen_offers")
    # Rolling back brings what the arm took.
    assert offers.decision.money_per_month.value > 0 > offers.worth["treatment"].per_month.value
    assert offers.worth["treatment"].share_of_sales.value < 0


def test_effects_are_those_of_the_moments_that_metrics_give(world, offers):
    got = metrics.moments(world, "orders_per_user", by="variant", experiment="full_screen_offers")
    n, mean, _ = got.arrays("orders_per_user")
    cells = got.cells()["variant"].tolist()
    control, treatment = (mean[cells.index(arm), 0] for arm in ("control", "treatment"))
    plain = offers.plain["orders_per_user", "treatment"]
    assert plain.effect.value == pytest.approx(treatment - control, rel=1e-8)
    assert plain.n_control == n[cells.index("control")]


def test_worth_adds_up_over_markets(offers):
    found = offers.worth["treatment"]
    assert found.frame["money_per_month"].sum() == pytest.approx(found.per_month.value, rel=1e-9)
    per_user, days = found.frame["effect"] * found.frame["n_units"], offers.evidence.days
    assert found.frame["money_per_month"].tolist() == pytest.approx((per_user * 30 / days).tolist(), rel=1e-9)


def test_the_broken_split_is_found_and_the_ramp_is_not(world):
    for name, passed in (("video_autoplay", False), ("faster_search", True), ("aa_home", True)):
        trial = find_trial(world, name)
        assert examine(exposures_of(world, trial), trial, {}).passed is passed, name


def test_a_ramp_is_read_phase_by_phase(world):
    one = experiments.read(world, "faster_search", by=())
    assert one.effects["orders_per_user", "treatment"].rel_effect.value > 0
    naive = metrics.moments(world, "orders_per_user", by="variant", experiment="faster_search").to_frame()
    value = naive.set_index("variant")["value"]
    assert value["treatment"] < value["control"], "put together as they came, the arms are turned round"


def test_read_as_it_stood_it_keeps_running(world):
    one = experiments.read(world, "new_icons", as_of="2026-02-27T12:00")
    assert one.days_left > 0 and one.decision.action == "Keep running"
    assert one.evidence.end.isoformat() <= "2026-02-27"
    assert one.health.n_units["control"] < experiments.read(world, "new_icons").health.n_units["control"]


def test_before_anybody_was_exposed_there_is_nothing_to_read(world):
    with pytest.raises(NotEnoughData, match="exposed"):
        experiments.read(world, "new_icons", as_of="2026-02-10")


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"metrics": "gmv_per_usr"}, UnknownName, "gmv_per_user"),
        ({"by": "contry"}, UnknownName, "country"),
        ({"control": "old"}, UnknownName, "control"),
        ({"level": 0.9}, InvalidValue, "the plan of 'new_icons' says 0.95"),
        ({"level": 1.5}, InvalidValue, "below 1"),
        ({"as_of": "soon"}, InvalidValue, "soon"),
        ({"metrics": "gmv_per_creator"}, InvalidValue, "user"),
        ({"currency": "pounds"}, ShopbookError, "usd"),
        ({"covariates": "orders_per_usr"}, UnknownName, "orders_per_user"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(world, options, error, says):
    with pytest.raises(error, match=says):
        experiments.read(world, "new_icons", **options)


def test_an_unknown_experiment_is_answered_with_the_nearest(world):
    with pytest.raises(UnknownName, match="new_icons"):
        experiments.read(world, "new_icon")


def test_a_plan_of_another_test_is_refused(world):
    with pytest.raises(InvalidValue, match="'new_icons' is read"):
        experiments.read(world, "new_icons", plan=load_plan("aa_home"))


def test_without_a_plan_the_page_says_so(world, tmp_path):
    trial = find_trial(world, "new_icons")
    from analysis_lib.experiments.plan import assumed_plan

    late = assumed_plan(trial, metrics.load_metrics(world.project)).model_copy(update={"written_on": "2026-03-01"})
    path = tmp_path / "late.yml"
    path.write_text(late.to_yaml(), encoding="utf-8")
    one = experiments.read(world, "new_icons", plan=path, by=())
    assert not one.is_planned
    assert "No plan was written before the start" in one.sentence("plan")


def experiment_rows(**changes):
    row = {
        "experiment_id": "x", "name": "X", "unit": "user", "variant": "control", "planned_share": 0.5,
        "starts_at": "2024-03-01", "ends_at": "2024-03-20",
    }  # fmt: skip
    return [row | changes, row | {"variant": "treatment"} | changes]


def test_one_arm_or_no_control_cannot_be_read(small_warehouse):
    rows = pd.DataFrame(experiment_rows())
    with warehouse.connect(small_warehouse(experiments=rows.iloc[:1])) as wh:
        with pytest.raises(InvalidValue, match="one arm only"):
            find_trial(wh, "x")
        assert all_trials(wh) == []
    with warehouse.connect(small_warehouse(experiments=rows.replace("control", "old"))) as wh:
        with pytest.raises(InvalidValue, match="name the one to compare with, as control='old'"):
            find_trial(wh, "x")
        assert find_trial(wh, "x", control="treatment").treatments == ["old"]
    # One that cannot be read does not keep the others from being read.
    both = pd.concat([rows.replace("control", "old"), rows.assign(experiment_id="y")])
    with warehouse.connect(small_warehouse(experiments=both)) as wh:
        assert [trial.experiment_id for trial in all_trials(wh)] == ["y"]
    with warehouse.connect(small_warehouse()) as wh, pytest.raises((ContractError, ShopbookError)):
        find_trial(wh, "x")


def test_units_that_are_wrong_fail_the_health(world):
    trial = find_trial(world, "aa_home")
    exposures = exposures_of(world, trial)
    for flag in ("is_in_two_variants", "is_before_start", "is_after_end", "is_unknown_variant"):
        hurt = type(exposures)(exposures.counts, exposures.flagged | {flag: exposures.flagged["seen"] // 20},
                               exposures.planned)  # fmt: skip
        found = examine(hurt, trial, {})
        assert not found.passed and "5.0 % of units" in found.text


def test_days_without_exposures_are_found(world):
    trial = find_trial(world, "aa_home")
    exposures = exposures_of(world, trial)
    kept = exposures.counts[exposures.counts["exposed_day"] != pd.Timestamp("2026-01-20")]
    found = examine(type(exposures)(kept, exposures.flagged, exposures.planned), trial, {})
    assert not found.passed and "20 Jan 2026" in found.text


def test_creators_are_read_as_creators(world):
    one = experiments.read(world, "live_banner")
    assert one.trial.unit == "creator" and one.health.n_units["control"] < 1_000
    assert one.worth["treatment"].frame["country"].tolist() == ["all markets"]
