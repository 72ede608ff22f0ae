"""Plans: what they must hold, and what they are held against."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from analysis_lib import config
from analysis_lib.errors import InvalidValue, UnknownName
from analysis_lib.experiments.plan import assumed_plan, hold_to, load_plan, plan_of, read_plan
from analysis_lib.experiments.trial import Trial

TRIAL = Trial("x", "X", "", "user", {"control": 0.5, "treatment": 0.5}, "control", "orders_per_user",
              ("refund_rate",), datetime(2026, 1, 5), datetime(2026, 2, 2))  # fmt: skip


def test_a_plan_survives_its_file(plan, tmp_path):
    project = config.Project(tmp_path)
    (tmp_path / "data").mkdir()
    one = plan(guardrails={"refund_rate": 0.2}, looks="fixed", phases={"5%": {"control": 0.95, "treatment": 0.05}})
    path = one.save(project=project)
    assert load_plan("x", project=project) == one == read_plan(path)
    assert one.save(project=project) == path
    with pytest.raises(InvalidValue, match="another plan"):
        plan(smallest=0.1).save(project=project)
    assert load_plan("y", project=project) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"smallest": 0}, "smallest"),
        ({"arms": {"control": 1.0}}, "arms"),
        ({"arms": {"control": 0.5, "treatment": 0.6}}, "add up to 1"),
        ({"control": "old"}, "'old' is not among the arms"),
        ({"guardrails": {"refund_rate": 2}}, "between 0 and 1"),
        ({"guardrails": {"orders_per_user": 0.1}}, "at once"),
        ({"succes": ["gmv"]}, "succes"),
        ({"looks": "daily"}, "looks"),
        ({"success": []}, "success"),
        ({"phases": {"5%": {"control": 0.9, "treatment": 0.05}}}, "phase 5%"),
    ],
)
def test_what_is_no_plan_is_named(plan, changes, says):
    held = plan().model_dump() | changes
    with pytest.raises(InvalidValue, match=says):
        plan_of(held, "x.yml")


@pytest.mark.parametrize("text", ["[1, 2]", "x: [", "just words"])
def test_a_file_that_is_no_plan_is_refused(tmp_path, text):
    path = tmp_path / "x.yml"
    path.write_text(text)
    with pytest.raises(InvalidValue, match=r"x\.yml"):
        read_plan(path)
    with pytest.raises(InvalidValue, match="cannot be read"):
        read_plan(tmp_path / "none.yml")


def test_a_plan_that_fits_is_held_to(plan, registry):
    hold_to(plan(), TRIAL, registry)


@pytest.mark.parametrize(
    ("trial", "changes", "says"),
    [
        ({"experiment_id": "y"}, {}, "'y' is read"),
        ({"unit": "creator"}, {}, "randomises by user, the data by creator"),
        ({"arms": {"control": 0.5, "b": 0.5}}, {}, "its arms are control, treatment, those of the data control, b"),
        ({"arms": {"control": 0.8, "treatment": 0.2}}, {}, "plans 50% of units for control, the data 80%"),
        ({"primary": "gmv_per_user"}, {}, "decides by orders_per_user, the data by gmv_per_user"),
    ],
)
def test_every_contradiction_is_named(plan, registry, trial, changes, says):
    with pytest.raises(InvalidValue, match="contradicts the data") as caught:
        hold_to(plan(**changes), replace(TRIAL, **trial), registry)
    assert says in str(caught.value)


def test_a_plan_with_an_unknown_metric_is_refused(plan, registry):
    with pytest.raises(UnknownName, match="orders_per_user"):
        hold_to(plan(success=["orders_per_usr"]), TRIAL, registry)


def test_without_a_plan_the_metrics_file_says_what_is_small(registry):
    assumed = assumed_plan(TRIAL, registry)
    assert assumed.success == ["orders_per_user"]
    assert assumed.smallest == registry.get("orders_per_user").min_detectable_rel
    assert assumed.guardrails == {"refund_rate": 2 * registry.get("refund_rate").min_detectable_rel}
    with pytest.raises(InvalidValue, match="names no metric that decides"):
        assumed_plan(replace(TRIAL, primary=""), registry)


def test_every_plan_of_the_book_is_a_plan():
    paths = sorted((config.project().data / "plans").glob("*.yml"))
    assert len(paths) >= 12
    for path in paths:
        assert read_plan(path).experiment == path.stem
