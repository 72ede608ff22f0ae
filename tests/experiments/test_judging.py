"""From moments to a verdict: planted effects, worn-off ones, uneven ones, and tests that tell nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis_lib.calibration.crowds import deal
from analysis_lib.calibration.redealing import evidence_of
from analysis_lib.errors import UnknownName
from analysis_lib.experiments.arm_views import late_decides, sides, views
from analysis_lib.experiments.belief import Prior
from analysis_lib.experiments.judging import judge

PRIOR = Prior(0.0, 0.03, 0)


@pytest.fixture(scope="module")
def verdict(crowd, plan, registry):
    """``verdict(effect, n=, plan_changes…)``: the readout of a crowd whose variants are dealt once."""

    def make(effect=0.0, n=8_000, *, deal_seed=2, days=28, level=0.95, ramped=False, rate=0.06, **changes):
        held = plan(**changes)
        users = crowd(n, effect, days=days, phases=ramped, rate=rate)
        dealt = deal(users, held, np.random.default_rng(deal_seed))
        return judge(evidence_of(users, held, dealt, registry), level=level, prior=PRIOR, is_planned=True)

    return make


def test_a_good_arm_is_shipped(verdict):
    one = verdict(0.15)
    assert one.decision.action == "Ship"
    assert "Orders per active user with treatment is +" in one.decision.reason
    assert one.effects["orders_per_user", "treatment"].rel_effect.ci_lower > 0
    assert "Ship." in one.text and "The rule:" in one.sentence("decision")


def test_a_bad_arm_is_rolled_back(verdict):
    one = verdict(-0.15)
    assert one.decision.action == "Roll back"
    assert "got worse with treatment" in one.decision.reason
    # It could have been stopped on the way.
    assert one.looks.first("harmed") is not None


def test_too_small_to_matter_is_held_and_too_little_known_is_said(verdict):
    held = verdict(0.0, n=60_000, smallest=0.1)
    assert held.decision.action == "Hold" and "No arm changes orders per active user" in held.decision.reason
    unknown = verdict(0.0, n=1_000, deal_seed=3)
    assert unknown.decision.action == "Cannot tell"
    assert "more days" in unknown.decision.reason or "More than a year" in unknown.decision.reason


def test_what_wears_off_is_not_shipped(verdict):
    one = verdict(lambda _, since: np.where(since < 7, 0.6, 0.0), n=20_000)
    assert one.wearing["treatment"].wears_off
    assert one.decision.action == "Hold" and "wears off" in one.decision.reason
    assert one.effects["orders_per_user", "treatment"].rel_effect.ci_lower > 0, "over all days it looks good"


def test_what_lasts_is_not_said_to_wear_off(verdict):
    one = verdict(0.2, n=20_000)
    assert not one.wearing["treatment"].changes
    assert "Nothing shows that the effect changes with time" in one.sentence("wearing")


def test_late_days_decide_where_the_plan_says_so(verdict):
    one = verdict(0.2, n=20_000, late_days_decide=True)
    assert late_decides(one, "treatment") and one.decision.action == "Ship"
    assert views(one)[0].low == one.wearing["treatment"].late.ci_lower


def test_good_here_and_bad_there_is_held_and_the_markets_are_named(verdict):
    one = verdict(lambda country, _: np.where(country == "GB", -0.3, 0.4), n=20_000)
    assert one.decision.action == "Hold"
    assert "better in ID and worse in GB" in one.decision.reason
    assert one.decision.next_step == "Give treatment to ID only."
    (segments,) = one.segments
    assert segments.differ and sides(one, segments) == (["ID"], ["GB"])
    # Each is drawn to the common effect, and none beyond it.
    drawn = segments.frame.set_index("segment")
    assert (drawn["shrunken"].abs() <= drawn["rel_effect"].abs()).all()


def test_markets_that_differ_and_are_all_better_are_shipped(verdict):
    one = verdict(lambda country, _: np.where(country == "GB", 0.25, 0.9), n=40_000)
    assert one.segments[0].differ and one.decision.action == "Ship"


def test_markets_that_do_not_differ_are_not_shown(verdict):
    one = verdict(0.1, n=20_000)
    assert not one.segments[0].differ
    shown = one.exhibit("segments")
    assert shown.note and "nothing shows that they differ" in shown.note


def test_a_lost_part_of_an_arm_gets_no_verdict(crowd, plan, registry):
    users, held = crowd(20_000, 0.3), plan()
    rng = np.random.default_rng(0)
    dealt = deal(users, held, rng)
    kept = ~((dealt == "treatment") & (rng.random(len(dealt)) < 0.1))
    one = judge(evidence_of(users.of(kept), held, dealt[kept], registry), level=0.95, prior=PRIOR, is_planned=True)
    assert not one.health.passed and one.decision.action == "Cannot tell"
    assert "not in the planned shares" in one.decision.reason
    assert one.decision.money_per_month is None


def test_a_ramp_passes_and_its_effect_is_the_planted_one(verdict):
    phases = {"5%": {"control": 0.95, "treatment": 0.05}, "50%": {"control": 0.5, "treatment": 0.5}}
    one = verdict(0.3, n=40_000, ramped=True, phases=phases)
    assert one.health.passed
    assert one.effects["orders_per_user", "treatment"].rel_effect.ci_lower > 0
    assert one.effects["orders_per_user", "treatment"].rel_effect.value == pytest.approx(0.3, abs=0.12)


def test_a_guardrail_that_is_not_known_holds_back_and_one_that_suffers_rolls_back(crowd, plan, registry):
    users, dealt = crowd(8_000, 0.2), None
    for margin, factor, action in ((0.5, 1.0, "Ship"), (0.01, 0.85, "Hold"), (0.5, 0.4, "Roll back")):
        held = plan(guardrails={"gmv_per_user": margin})
        dealt = deal(users, held, np.random.default_rng(2))
        hurt = users.done["treatment"] | {"gmv": users.done["treatment"]["gmv"] * factor}
        crowd_now = replace(users, done={**users.done, "treatment": hurt})
        one = judge(evidence_of(crowd_now, held, dealt, registry), level=0.95, prior=PRIOR, is_planned=True)
        assert one.decision.action == action, (margin, factor, one.decision.reason)


def test_with_two_arms_the_better_one_is_shipped(crowd, plan, registry):
    users = crowd(12_000, 0.1)
    more = crowd(12_000, 0.4)
    users = replace(users, done={**users.done, "second": more.done["treatment"]})
    held = plan(arms={"control": 0.34, "treatment": 0.33, "second": 0.33})
    one = judge(
        evidence_of(users, held, deal(users, held, np.random.default_rng(0)), registry),
        level=0.95, prior=PRIOR, is_planned=True,
    )  # fmt: skip
    assert one.decision.action == "Ship" and "with second is" in one.decision.reason
    # Holm over arms: each corrected p-value is at least the plain one.
    for key, effect in one.effects.items():
        assert one.pvalues[key] >= effect.pvalue
    assert one.beliefs["second"].chance_best > 0.95
    assert sum(belief.chance_best for belief in one.beliefs.values()) <= 1 + 1e-9


def test_an_experiment_that_runs_keeps_running_unless_harm_is_proven(crowd, plan, registry):
    held = plan(days=56)
    for effect, action in ((0.0, "Keep running"), (0.15, "Keep running"), (-0.5, "Roll back")):
        users = crowd(8_000, effect)
        found = evidence_of(users, held, deal(users, held, np.random.default_rng(2)), registry)
        running = replace(found, trial=replace(found.trial, ends_at=None))
        one = judge(running, level=0.95, prior=PRIOR, is_planned=True)
        assert one.days_left == 28
        assert one.decision.action == action, one.decision.reason
    early = replace(found, trial=replace(found.trial, ends_at=None), plan=plan(days=56, looks="confidence_sequence"))
    assert judge(early, level=0.95, prior=PRIOR, is_planned=True).decision.action == "Roll back"


def test_early_success_counts_where_the_plan_allows_it(crowd, plan, registry):
    users = crowd(20_000, 0.5)
    for looks, action in (("hybrid", "Keep running"), ("confidence_sequence", "Ship"), ("group_sequential", "Ship")):
        held = plan(days=56, looks=looks)
        found = evidence_of(users, held, deal(users, held, np.random.default_rng(2)), registry)
        one = judge(replace(found, trial=replace(found.trial, ends_at=None)), level=0.95, prior=PRIOR, is_planned=True)
        assert one.decision.action == action, (looks, one.decision.reason)


def test_a_test_that_was_cut_short_is_judged_by_its_looks(crowd, plan, registry):
    held = plan(days=56)
    users = crowd(8_000, 0.12)
    found = evidence_of(users, held, deal(users, held, np.random.default_rng(2)), registry)
    one = judge(
        replace(found, trial=replace(found.trial, ends_at=found.trial.starts_at)), level=0.95, prior=PRIOR,
        is_planned=True,
    )  # fmt: skip
    assert one.is_cut_short and one.decision.action == "Cannot tell"
    assert "of 56 planned days" in one.decision.reason


def test_nobody_in_an_arm_tells_nothing(crowd, plan, registry):
    users, held = crowd(200), plan()
    dealt = np.full(200, "control", dtype=object)
    one = judge(evidence_of(users, held, dealt, registry), level=0.95, prior=PRIOR, is_planned=True)
    assert one.decision.action == "Cannot tell" and "Nobody was exposed to treatment" in one.decision.reason


def test_every_sentence_and_exhibit_can_be_shown_whatever_was_found(verdict):
    from analysis_lib.experiments.readout_exhibits import EXHIBITS
    from analysis_lib.experiments.readout_text import SENTENCES
    from analysis_lib.reporting import show

    for one in (verdict(0.2), verdict(0.0, n=100), verdict(-0.2, days=9)):
        for name in SENTENCES:
            assert one.sentence(name).strip() and "nan" not in one.sentence(name).lower().split()
        for name in EXHIBITS:
            assert show(one.exhibit(name)).data


def test_unknown_names_are_answered_with_known_ones(verdict):
    one = verdict(0.1)
    for ask in (one.sentence, one.exhibit):
        with pytest.raises(UnknownName, match="Did you mean 'effect"):
            ask("effcts")
    with pytest.raises(UnknownName, match="orders_per_user of treatment"):
        one.effect("orders_per_user", "tretment")


def test_the_frame_has_the_columns_that_others_rely_on(verdict):
    frame = verdict(0.1).to_frame()
    wanted = [
        "metric", "variant", "segment", "effect", "effect_ci_lower", "effect_ci_upper", "rel_effect",
        "rel_effect_ci_lower", "rel_effect_ci_upper", "pvalue", "n_control", "n_treatment",
    ]  # fmt: skip
    assert list(frame.columns[: len(wanted)]) == wanted
    assert set(frame["segment"]) == {"all", "country=GB", "country=ID"}
    assert len(verdict(0.1).to_frame(segments=False)) == 1
