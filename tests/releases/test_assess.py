"""Versions of the world, whose effects are known."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from analysis_lib import releases
from analysis_lib.errors import InvalidValue, NotEnoughData, UnknownName
from analysis_lib.releases.adoption import days_until, more_than_offered
from analysis_lib.releases.assessment_exhibits import EXHIBITS
from analysis_lib.releases.assessment_text import SENTENCES
from analysis_lib.releases.estimating import METRICS

#: As ``world.truth`` gives them for the book's world, all systems together: crashes, start times (ms), orders a visit.
TRUTHS = {
    ("android", "32.0"): (0.0, 0.0, 0.0, 0.00382),
    ("android", "33.0"): (-0.008624, 0.0, 0.0, -0.00579),
    ("android", "34.0"): (0.008139, 0.0, 0.0, 0.006866),
    ("ios", "33.0"): (0.0, 493.0, 1039.0, -0.005479),
    ("ios", "34.0"): (0.0, -759.0, -1586.0, 0.005365),
}


@pytest.fixture(scope="module")
def assessed(world):
    known = {}

    def find(platform, version, **options):
        key = (platform, version, str(options))
        if key not in known:
            known[key] = releases.assess(world, platform, version, **options)
        return known[key]

    return find


@pytest.mark.parametrize("key", TRUTHS, ids=" ".join)
def test_every_planted_effect_is_within_its_error(assessed, key):
    found = assessed(*key)
    for name, truth in zip(METRICS, TRUTHS[key], strict=True):
        estimate = found.effect(name)
        assert abs(estimate.value - truth) < 3.5 * estimate.se, name


def test_crashes_on_old_systems_are_found_there_and_nowhere_else(assessed):
    found = assessed("android", "33.0")
    assert found.decision.action == "Roll back"
    assert found.decision.next_step == "Offer 32.0 again on android 9 and android 10, today."
    bad = found.last[found.last["state"].isin(["harmed", "worse"])]
    assert set(bad["system"]) <= {"all", "android 9", "android 10"}
    own = found.effect("crash_free_rate", "android 9")
    assert abs(own.value + 0.044259) < 3.5 * own.se


def test_a_slow_start_is_found_within_a_week_and_everywhere(assessed):
    found = assessed("ios", "33.0")
    assert found.decision.action == "Roll back"
    assert "confined" not in found.decision.reason
    first = found.looks[found.looks["is_alarm"]]["day"].min()
    assert (first - found.release.first).days < 7


def test_versions_without_harm_are_not_taken_back(assessed):
    for key in (("android", "32.0"), ("android", "34.0"), ("ios", "34.0")):
        found = assessed(*key)
        assert found.decision.action in ("Ship", "Cannot tell")
        assert not found.looks["is_alarm"].any()


def test_on_the_third_day_nothing_is_known_yet(assessed):
    found = assessed("android", "33.0", as_of="2026-03-13 12:00")
    assert not found.is_over
    assert found.until == date(2026, 3, 12)
    assert found.decision.action == "Keep running"
    assert "24 days" in found.decision.text
    for name in EXHIBITS:
        assert found.exhibit(name).title
    for name in SENTENCES:
        assert found.sentence(name)


def test_what_was_known_on_a_day_does_not_change_later(assessed):
    """Alarms of the slow start as read on its sixth day are those of the whole."""
    early, whole = assessed("ios", "33.0", as_of="2026-03-30 12:00"), assessed("ios", "33.0")
    day = early.looks["day"].max()
    own = whole.looks[whole.looks["day"] <= day]
    alarms = [
        set(map(tuple, one.loc[one["is_alarm"], ["system", "metric", "day"]].to_numpy())) for one in (early.looks, own)
    ]
    assert {key for key in alarms[0] if key[0] == "all"} == {key for key in alarms[1] if key[0] == "all"}


def test_tolerances_decide(assessed):
    found = assessed("ios", "33.0", tolerances={"start_ms_p50": 0.8, "start_ms_p95": 0.9}, placebo=False)
    assert found.decision.action == "Hold"
    assert found.placebo is None
    assert "could not be done" in found.sentence("placebo")


def test_tables_and_figures_are_all_there(assessed, tmp_path):
    import matplotlib.pyplot as plt

    found = assessed("android", "33.0")
    frame = found.to_frame()
    assert len(frame) == 4 * (1 + len(found.systems))
    assert frame["system"].iloc[0] == "all"
    assert found.systems[:2] == ["android 9", "android 10"]
    for name in EXHIBITS:
        exhibit = found.exhibit(name)
        assert len(exhibit.frame), name
        if exhibit.draw:
            figure, axes = plt.subplots()
            exhibit.draw(axes)
            figure.savefig(tmp_path / f"{name}.png")
            plt.close(figure)
    axes = found.plot()
    assert axes.get_title()
    plt.close(axes.figure)
    assert "Roll back" in found.text


def test_stages_add_up_to_the_whole(assessed):
    found = assessed("android", "33.0")
    frame = found.exhibit("stages").frame
    whole = found.effect("crash_free_rate", relative=True).value
    assert frame["weight"].sum() == pytest.approx(1.0)
    assert float((frame["like with like"] * frame["weight"]).sum()) == pytest.approx(whole, rel=1e-9)


def test_weights_make_the_visits_alike(assessed):
    frame = assessed("android", "33.0").comparison.balance
    before = (frame["new"] - frame["before"]).abs().max()
    after = (frame["new"] - frame["before_weighted"]).abs().max()
    assert before > 0.1
    assert after < 0.02


def test_active_users_take_it_up_first(assessed):
    frame = assessed("android", "33.0").adopters.set_index(["what", "class"])["ratio"]
    assert frame["activity", "many"] > 1.1 > 0.95 > frame["activity", "none"]


def test_its_share_never_passes_what_was_offered(assessed):
    found = assessed("android", "33.0")
    assert more_than_offered(found.adoption).empty
    assert days_until(found.adoption, 0.5) == 14
    assert days_until(found.adoption, 0.999) is None
    forged = found.adoption.assign(share=np.minimum(1.0, found.adoption["share"] + 0.4))
    assert len(more_than_offered(forged)) > 3


def test_campaigns_and_experiments_of_the_same_days_are_named(assessed):
    found = assessed("android", "33.0").beside
    assert list(found.campaigns["name"]) == ["Ramadan coupons 2026"]
    assert {"aa_home", "full_screen_offers"} <= set(found.experiments["name"])
    assert found.experiments["pvalue"].min() > 0.001
    assert 0.9 < found.share_left <= 1.0
    assert set(found.without_campaigns) == {"crash_free_rate", "conversion"}


def test_money_is_conversion_times_visits(assessed):
    found = assessed("android", "33.0")
    month = found.worth.per_month
    share = found.effect("conversion")
    assert month.value / share.value == pytest.approx(month.se / share.se)
    assert found.decision.money_per_month.value == pytest.approx(-month.value)


def test_an_answer_carries_question_number_and_grade(assessed, world):
    answer = assessed("android", "33.0").answer(world, grade="graded")
    assert answer.title.startswith("Android 33.0")
    assert answer.number.value < 0
    assert answer.grade == "graded"
    assert "does harm on android 9 and android 10" in answer.headline


def test_bad_requests_are_refused(world, assessed):
    with pytest.raises(InvalidValue, match="level"):
        releases.assess(world, "android", "33.0", level=0.3)
    with pytest.raises(NotEnoughData, match="no visit by"):
        releases.assess(world, "android", "33.0", as_of="2026-01-01")
    found = assessed("android", "33.0")
    for call in (lambda: found.effect("orders"), lambda: found.effect("conversion", "android 99"),
                 lambda: found.sentence("x"), lambda: found.exhibit("x")):  # fmt: skip
        with pytest.raises(UnknownName):
            call()


def test_the_frame_is_a_frame_of_numbers(assessed):
    frame = assessed("android", "33.0").to_frame()
    assert not frame[["value", "se", "ci_lower", "ci_upper"]].isna().any().any()
    assert isinstance(frame, pd.DataFrame)
