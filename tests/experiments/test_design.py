"""Designs from the history of the simulated marketplace."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis_lib import experiments, metrics, warehouse
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, UnknownName
from analysis_lib.experiments import design_checks, design_history
from analysis_lib.experiments.arms import ArmMoments
from analysis_lib.experiments.arms import arms_of as arms_read
from analysis_lib.experiments.design_asking import arms_of, margins_of
from analysis_lib.experiments.design_checks import running_beside
from analysis_lib.experiments.design_exhibits import EXHIBITS
from analysis_lib.experiments.design_history import adjusted_variance
from analysis_lib.experiments.design_power import critical, detectable
from analysis_lib.experiments.design_text import SENTENCES
from analysis_lib.experiments.effects import effect_of
from analysis_lib.experiments.plan import hold_to, load_plan, plan_of
from analysis_lib.experiments.readout_drawings import apart
from analysis_lib.experiments.trial import find_trial
from analysis_lib.metrics import load_metrics
from analysis_lib.results.decision import ACTIONS

Z = critical(0.05, 1, "fixed", 1)


@pytest.fixture(scope="module")
def wh():
    """The simulated marketplace."""
    with warehouse.connect("world") as opened:
        yield opened


def remembered(function):
    """A question about data that do not change, asked once."""
    answers: dict = {}

    def ask(*args, **options):
        key = (args[1:], repr(sorted(options.items(), key=str)))
        if key not in answers:
            answers[key] = function(*args, **options)
        return answers[key]

    return ask


@pytest.fixture(scope="module")
def design(wh):
    """Designs, each made once, from windows that are measured once."""
    make = remembered(lambda _, metric="orders_per_user", **options: experiments.design(wh, metric, **options))
    moments, query = remembered(metrics.moments), remembered(metrics.query)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design_history, "moments", lambda wh, names, **o: moments(wh, tuple(names), **o))
        patch.setattr(design_checks, "moments", lambda wh, names, **o: moments(wh, tuple(names), **o))
        patch.setattr(design_checks, "query", query)
        # Fewer windows than a page has: each is a question to the engine.
        patch.setattr(design_history, "LENGTHS", (7, 14, 28, 56))
        patch.setattr(design_history, "EARLIER", 1)
        yield lambda *args, **options: make(wh, *args, **options)


def instead(found, **options):
    """The same history, asked otherwise."""
    return replace(found, asked=replace(found.asked, **options))


FULL = {"mde": 0.045, "guardrails": {"crash_free_rate": 0.01, "refund_rate": 0.05}, "by": "country"}


@pytest.fixture(scope="module")
def full(design):
    """One with everything."""
    return design(**FULL)


# From the data to the curve.


@pytest.mark.parametrize(
    ("metric", "unit"),
    [("orders_per_user", "user"), ("gmv_per_creator", "creator"), ("checkout_rate", "user")],
)
def test_a_point_is_the_formula_on_what_metrics_measure(wh, design, metric, unit):
    found = design(metric, unit=unit, horizon=14)
    start = found.history.last - timedelta(days=13)
    measured = metrics.moments(wh, metric, unit=unit, covariates="own", pre_days=28, start=start,
                               end=found.history.last)  # fmt: skip
    n, mean, cov = measured.arrays(metric)
    arm = ArmMoments(n[0], mean[0], cov[0], len(measured.columns[metric]) > 1, True)
    row = found.curve.set_index("days").loc[14]
    assert row["n_units"] == n[0]
    assert row["mde"] == pytest.approx(detectable(arm.variance / arm.value**2, n[0], [0.5, 0.5], Z, 0.8))
    assert row["mde_cuped"] == pytest.approx(
        detectable(adjusted_variance(arm) / arm.value**2, n[0], [0.5, 0.5], Z, 0.8)
    )


def test_a_share_of_users_has_the_variance_of_a_share(design):
    point = design("buyer_share", horizon=14).history.points[0]
    n = point.n_units / (point.n_units - 1)
    assert point.var_rel == pytest.approx((1 - point.value) / point.value * n, rel=1e-9)


def test_a_quantile_is_planned_by_its_standard_error(wh, design):
    found = design("start_ms_p95", horizon=14)
    row = metrics.moments(wh, "start_ms_p95", start=found.history.last - timedelta(days=6),
                          end=found.history.last).to_frame().iloc[0]  # fmt: skip
    # Each of two arms holds half of the units.
    expected = (Z + 0.8416212) * 2 * row["se"] / row["value"]
    assert found.curve["mde"].iloc[0] == pytest.approx(expected, rel=1e-6)
    assert found.curve["mde_cuped"].isna().all()
    assert "a quantile has no value of a unit beforehand" in found.sentence("adjustment")


def test_longer_tests_count_more_units_and_find_smaller_effects(design):
    curve = design().curve
    assert curve["n_units"].is_monotonic_increasing
    assert curve["mde"].is_monotonic_decreasing
    assert (curve["mde_cuped"] <= curve["mde"]).all()


def test_a_test_that_ran_had_the_units_and_the_spread_that_its_design_foresaw(wh, design):
    """Everybody who was active met the A/A test on the home page: nothing of it was known to the design."""
    measured = metrics.moments(wh, "orders_per_user", experiment="aa_home", by="variant", covariates="own")
    arms = [arm for _, arm in sorted(arms_read(measured, "orders_per_user").items())]
    ran, plain = (effect_of(*those, level=0.95, unit="") for those in (arms, [arm.plain() for arm in arms]))
    found = design(days=21, start="2026-01-12")
    assert found.history.last == date(2026, 1, 11)
    assert found.n_units == pytest.approx(ran.n_control + ran.n_treatment, rel=0.05)
    for adjusted, effect in ((True, ran), (False, plain)):
        planned = found.mde_in(21, adjusted=adjusted) / (Z + 0.8416212)
        assert planned == pytest.approx(effect.rel_effect.se, rel=0.08)


def test_days_needed_are_the_first_whole_weeks_that_are_enough(full):
    needed = full.days_needed
    assert needed % 7 == 0
    assert full.mde <= full.asked.wanted < full.mde_in(needed - 7)


def test_asking_for_the_effect_that_some_days_find_gives_these_days(design):
    assert design(mde=design(days=28).mde).days_needed == 28


def test_the_effect_of_the_days_asked_for_is_measured_and_not_read_off(design):
    found = design(days=35)
    assert 35 in found.history.days
    assert found.mde == pytest.approx(design(days=42).mde_in(35), rel=0.02)


def test_the_planned_power_is_met_at_the_smallest_effect(design):
    found = design(days=28)
    assert found.power_for(found.mde) == pytest.approx(0.8)
    assert found.power_for(found.mde / 2) < 0.4


def test_an_effect_that_no_length_finds_is_not_made_up(design):
    found = design(mde=0.01)
    assert found.days_needed is None
    assert "takes more than 56 days" in found.text
    assert found.decision.action == "Change"
    assert found.units_needed / found.n_units == pytest.approx((found.mde / 0.01) ** 2)
    with pytest.raises(InvalidValue, match=r"no plan: .* takes more than 56 days"):
        found.plan("new")


def test_without_a_wish_the_metrics_file_says_what_is_worth_looking_for(design, wh):
    assert design().asked.wanted == load_metrics(wh.project).get("orders_per_user").min_detectable_rel


def test_windows_end_on_the_last_final_day(design):
    found = design("refund_rate", days=28, guardrails={"orders_per_user": 0.05})
    assert found.history.last == date(2026, 10, 31) - timedelta(days=45)
    assert found.read_on == found.start + timedelta(days=28 + 45)
    assert (found.curve["days_to_read"] - found.curve["days"] == 45).all()
    assert "Lost share of GMV after 45 days" in found.sentence("delay")


def test_earlier_windows_do_not_share_days(design):
    history = design(days=28).history
    assert [point.end for point in history.earlier] == [
        history.last - timedelta(days=28 * (k + 1)) for k in range(len(history.earlier))
    ]


def test_the_range_of_the_card_holds_every_window(design):
    found = design(days=28)
    estimate = found.mde_estimate
    assert estimate.ci_lower <= estimate.value <= estimate.ci_upper
    seen = [found.mde, *(found._mde_of(point) for point in found.history.earlier)]
    assert (estimate.ci_lower, estimate.ci_upper) == (min(seen), max(seen))
    assert estimate.level == (len(seen) - 1) / (len(seen) + 1)


# Traffic, arms, looks.


def test_a_part_of_the_traffic_finds_less(design):
    half = instead(design(days=28), population=0.25)
    assert half.n_units == pytest.approx(design(days=28).n_units / 4)
    assert half.mde == pytest.approx(2 * design(days=28).mde)


def test_a_number_of_units_is_the_most_that_take_part(design):
    found = instead(design(days=28), population=10_000)
    assert found.n_units == 10_000
    assert found.curve["n_units"].max() == 10_000


def test_an_uneven_split_finds_less(design):
    base, uneven = design(days=28), instead(design(days=28), arms={"control": 0.9, "new": 0.1})
    assert uneven.mde == pytest.approx(base.mde * np.sqrt((1 / 0.9 + 1 / 0.1) / 4))


def test_two_treatments_share_the_error_and_the_units(design):
    found = instead(design(days=28), arms=arms_of(2, None))
    factor = (critical(0.05, 2, "fixed", 1) + 0.8416212) / (Z + 0.8416212)
    assert found.mde == pytest.approx(design(days=28).mde * factor * np.sqrt(6 / 4), rel=1e-6)
    assert "Each of 2 treatments is planned with an error of 2.50 %" in found.sentence("variants")


@pytest.mark.parametrize("sequential", ["group_sequential", "confidence_sequence"])
def test_stopping_for_success_costs_units(design, sequential):
    found = instead(design(days=28), sequential=sequential)
    reach = critical(0.05, 1, sequential, 4)
    assert found.mde == pytest.approx(design(days=28).mde * (reach + 0.8416212) / (Z + 0.8416212), rel=1e-6)
    assert "more units" in found.sentence("looks")


@pytest.mark.parametrize("sequential", ["fixed", "hybrid"])
def test_stopping_for_harm_only_costs_nothing(design, sequential):
    found = instead(design(days=28), sequential=sequential)
    assert found.mde == pytest.approx(design(days=28).mde, rel=1e-12)


def test_without_days_beforehand_nothing_is_adjusted(design):
    found = design(days=28, cuped_days=0)
    assert found.mde == pytest.approx(design(days=28).mde_in(28, adjusted=False))
    assert found.plan("x").covariate_days == 0
    assert "no days beforehand were asked for" in found.sentence("adjustment")


def test_a_visit_has_no_days_beforehand(design):
    assert design("checkout_rate", unit="session", days=7, horizon=7).history.pre_days == 0


# Beside the curve.


def test_a_segment_is_planned_like_a_market_of_its_own(design, full):
    row = full.segments.set_index("segment").loc["TH"]
    own = design(days=full.planned_days, where={"country": "TH"}, horizon=full.planned_days)
    assert row["n_units"] == own.n_units
    assert row["mde"] == pytest.approx(own.mde_in(full.planned_days, adjusted=False))
    assert row["mde_cuped"] == pytest.approx(own.mde)


def test_a_segment_takes_part_as_the_whole_does(full):
    whole, part = (instead(full, population=p).segments for p in (None, 0.5))
    assert part["n_units"].to_numpy() == pytest.approx(whole["n_units"].to_numpy() / 2)


def test_segments_are_sorted_by_size(full):
    assert full.segments["n_units"].is_monotonic_decreasing


def test_margins_that_can_be_shown(full, design):
    """A margin is an effect to be found at the level of a readout's intervals."""
    rows = full.guardrails.set_index("metric")
    own = design("crash_free_rate", days=full.planned_days)
    assert rows.loc["crash_free_rate", "smallest_margin"] == pytest.approx(own.mde)
    assert rows["can_be_shown"].to_dict() == {"crash_free_rate": True, "refund_rate": False}
    assert full.decision.action == "Change"
    assert "Lost share of GMV" not in full.decision.next_step and "lost share of GMV" in full.decision.reason


def test_arms_do_not_share_the_error_of_a_guardrail(design):
    """``read`` holds each arm's interval against the margin by itself."""
    found = design(days=28, variants=2, split=[0.5, 0.25, 0.25], guardrails={"crash_free_rate": 0.01})
    own = design("crash_free_rate", days=28, split=[2 / 3, 1 / 3], population=0.75)
    assert found.guards[0].smallest == pytest.approx(own.mde)


def test_a_guardrail_says_how_many_days_would_do(design):
    found = design(days=14, guardrails={"gmv_per_user": 0.08})
    guard = found.guards[0]
    assert not guard.can_be_shown and guard.days_needed == 28
    assert "28 days would do" in found.sentence("guardrails")
    assert found.decision.action == "Change"


def test_a_margin_that_was_not_given_is_that_of_a_test_without_a_plan(design, wh):
    margin = 2 * load_metrics(wh.project).get("refund_rate").min_detectable_rel
    assert margins_of(load_metrics(wh.project), ["refund_rate"]) == {"refund_rate": margin}


@pytest.mark.parametrize(
    ("unit", "start", "names"),
    [
        ("user", "2026-10-01", ["coupon_reminder"]), ("creator", "2026-10-01", ["live_banner"]),
        ("user", "2026-11-01", []), ("user", "2026-05-05", ["one_page_checkout", "video_autoplay"]),
        ("user", "2026-04-01", ["reviews_first", "one_page_checkout"]), ("market", "2026-04-01", []),
    ],
    ids=lambda value: str(value),
)  # fmt: skip
def test_tests_that_run_on_the_planned_days_are_named(wh, full, unit, start, names):
    found = running_beside(wh, SimpleNamespace(unit=unit), date.fromisoformat(start), 14)
    assert [trial.experiment_id for trial in found] == names
    said = replace(full, overlaps=found).sentence("overlaps")
    assert all(name in said for name in names) and ("No other test" in said) == (not names)


def test_a_design_that_would_run_beside_another_is_held(wh, design):
    free = design(mde=0.1)
    assert free.decision.action == "Run"
    assert "start on 1 Nov 2026" in free.decision.next_step
    beside = replace(free, overlaps=running_beside(wh, free.asked, date(2026, 10, 1), 14))
    assert beside.decision.action == "Hold"
    assert "coupon_reminder" in beside.decision.reason


def test_a_source_without_tests_cannot_tell():
    def table(_):
        raise ContractError("no experiments")

    asked = SimpleNamespace(unit="user")
    assert running_beside(SimpleNamespace(table=table), asked, date(2026, 1, 1), 7) is None


def test_weekdays_are_compared_over_whole_weeks(wh, full):
    frame = full.weekdays
    assert frame["weekday"].tolist()[0] == "Monday" and len(frame) == 7
    assert frame["rel_difference"].mean() == pytest.approx(0, abs=1e-12)
    days = metrics.query(wh, "orders_per_user", grain="day", start="2026-09-06", end="2026-10-31").to_frame()
    mondays = days[days["period_start"].astype("datetime64[ns]").dt.day_name() == "Monday"]
    assert frame["value"].iloc[0] == pytest.approx(mondays["orders_per_user"].mean())


@pytest.mark.parametrize(
    ("metric", "unit", "finer"),
    [("checkout_rate", "user", "sessions"), ("creator_conversion", "creator", "sessions"),
     ("delivered_within_7_days", "merchant", "single rows")],
)  # fmt: skip
def test_rows_of_a_unit_are_alike(design, metric, unit, finer):
    found = design(metric, unit=unit, horizon=14)
    assert found.clustering.finer == finer
    assert found.clustering.effect > 1
    assert f"if {finer} were" in found.sentence("clustering")


def test_the_design_effect_is_the_ratio_of_the_squared_standard_errors(wh, design):
    found = design("checkout_rate", horizon=14)
    shared = {"start": found.history.last - timedelta(days=13), "end": found.history.last}
    own, finer = (
        metrics.moments(wh, "checkout_rate", unit=u, **shared).to_frame().iloc[0] for u in ("user", "session")
    )
    assert own["value"] == pytest.approx(finer["value"])
    assert found.clustering.effect == pytest.approx((own["se"] / finer["se"]) ** 2)


# The plan.


def test_the_plan_holds_what_was_designed(full):
    plan = full.plan("new_basket", title="New basket", written_on=date(2026, 10, 30))
    assert (plan.days, plan.smallest, plan.units) == (full.days_needed, 0.045, int(full.n_units))
    assert (plan.success, plan.guardrails) == (["orders_per_user"], full.asked.guardrails)
    assert (plan.looks, plan.alpha, plan.power, plan.covariate_days) == ("hybrid", 0.05, 0.8, 28)
    assert plan.segments == ["country"]


@pytest.mark.parametrize("options", [{"days": 28}, {"days": 28, "variants": 3, "sequential": "group_sequential"}])
def test_the_plan_is_read_again_as_it_was_written(design, options):
    import yaml

    plan = design(**options).plan("new_basket")
    assert plan_of(yaml.safe_load(plan.to_yaml()), "new_basket") == plan


def test_the_plan_is_saved_where_the_readout_looks_for_it(design, tmp_path):
    plan = design(days=28).plan("new_basket")
    project = SimpleNamespace(data=tmp_path)
    plan.save(project=project)
    assert load_plan("new_basket", project=project) == plan


@pytest.fixture(scope="module")
def before_aa(design):
    """The A/A test, designed before it began."""
    return design(days=21, start="2026-01-12")


def test_the_readout_finds_nothing_against_the_plan(wh, before_aa):
    hold_to(before_aa.plan("aa_home"), find_trial(wh, "aa_home"), load_metrics(wh.project))


def test_a_plan_of_other_shares_contradicts_the_data(wh, before_aa):
    plan = instead(before_aa, arms={"control": 0.9, "treatment": 0.1}).plan("aa_home")
    with pytest.raises(InvalidValue, match="it plans 90"):
        hold_to(plan, find_trial(wh, "aa_home"), load_metrics(wh.project))


def test_arms_may_be_named_as_the_source_names_them(design):
    plan = design(days=28).plan("x", arms={"old": 0.5, "new": 0.5})
    assert plan.control == "old"
    with pytest.raises(InvalidValue, match="the shares"):
        design(days=28).plan("x", arms={"old": 0.6, "new": 0.4})


# The page.


@pytest.mark.parametrize("name", SENTENCES)
def test_every_sentence_is_one(full, name):
    said = full.sentence(name)
    assert said[0] == said[0].upper() and said.endswith(".")
    assert "nan" not in said.split() and "None" not in said


@pytest.mark.parametrize("name", EXHIBITS)
def test_every_exhibit_has_a_finding(full, name):
    shown = full.exhibit(name)
    assert shown.title
    assert shown.note or len(shown.frame)
    assert set(shown.units) <= set(shown.frame.columns)


@pytest.mark.parametrize("kind", [{"mde": 0.045}, {"days": 7}, {"days": 56}, {"mde": 0.02}, {"cuped_days": 0}])
def test_labels_of_the_curve_do_not_overlap(design, kind):
    axes = Figure(figsize=(6.6, 3.7), layout="constrained").add_subplot()
    design(**kind).exhibit("curve").draw(axes)
    axes.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) >= 2
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


def test_labels_are_moved_apart():
    placed = [place for place, *_ in apart([(0.1, "a", ""), (0.1, "b", ""), (0.11, "c", "")], 0.075)]
    assert np.diff(placed) == pytest.approx(0.075)


def test_plot_draws_on_the_axes_it_is_given(full):
    axes = Figure().add_subplot()
    assert full.plot(axes) is axes and axes.get_title()


def test_the_answer_carries_number_verdict_and_counted(full, wh):
    answer = full.answer(wh, grade="fine")
    assert answer.number.value == full.mde and answer.grade == "fine"
    assert answer.decision.action in ACTIONS
    assert answer.title.endswith("?") and "users that were active" in answer.counted


def test_to_frame_is_the_curve(full):
    assert full.to_frame().equals(full.curve)


@pytest.mark.parametrize("kind", ["sentence", "exhibit"])
def test_an_unknown_name_is_answered_with_the_nearest(full, kind):
    with pytest.raises(UnknownName, match="Did you mean 'guardrails'"):
        getattr(full, kind)("guardrail")


# Refusals.


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"metric": "order_per_user"}, UnknownName, "Did you mean 'orders_per_user'"),
        ({"unit": "usr"}, UnknownName, "Did you mean 'user'"),
        ({"unit": "creator"}, InvalidValue, "cannot be measured by creator"),
        ({"metric": "gmv_per_creator"}, InvalidValue, "cannot be measured by user"),
        ({"mde": 0}, InvalidValue, "mde=0"),
        ({"mde": -0.02}, InvalidValue, "mde=-0.02"),
        ({"mde": 2}, InvalidValue, "mde=2"),
        ({"mde": 0.05, "days": 14}, InvalidValue, "not both"),
        ({"days": 6}, InvalidValue, "days=6"),
        ({"days": 14.5}, InvalidValue, "days=14.5"),
        ({"days": 28, "horizon": 14}, InvalidValue, "beyond the horizon of 14"),
        ({"days": 2000}, NotEnoughData, "731 final days .* 2000 days and 28 days beforehand"),
        ({"start": "2024-12-01"}, NotEnoughData, "31 final days .* fewer cuped_days"),
        ({"cuped_days": 800}, NotEnoughData, "fewer cuped_days"),
        ({"cuped_days": -1}, InvalidValue, "cuped_days=-1"),
        ({"alpha": 0.6}, InvalidValue, "alpha=0.6"),
        ({"power": 1}, InvalidValue, "power=1"),
        ({"variants": 0}, InvalidValue, "variants=0"),
        ({"split": [0.5, 0.4]}, InvalidValue, "0.5 \\+ 0.4 = 0.9"),
        ({"split": [0.5, 0.3, 0.2]}, InvalidValue, "need 2"),
        ({"split": {"a": 0.5, "b": 0.5}}, InvalidValue, "must be called 'control'"),
        ({"split": [1.2, -0.2]}, InvalidValue, "positive shares"),
        ({"population": 0}, InvalidValue, "population=0"),
        ({"sequential": "daily"}, UnknownName, "'daily'"),
        ({"guardrails": ["cod_share"]}, InvalidValue, "neither more nor less"),
        ({"guardrails": ["refundrate"]}, UnknownName, "refund_rate"),
        ({"guardrails": {"refund_rate": 1.5}}, InvalidValue, "margin of refund_rate=1.5"),
        ({"guardrails": ["orders_per_user"]}, InvalidValue, "cannot decide and be a guardrail"),
        ({"guardrails": ["gmv_per_creator"]}, InvalidValue, "'gmv_per_creator' cannot be measured by user"),
        ({"by": ["country", "platform"]}, InvalidValue, "one dimension at a time"),
        ({"by": "contry"}, InvalidValue, "contry"),
        ({"start": "soon"}, InvalidValue, "start='soon'"),
        ({"period": 2}, InvalidValue, "period is for markets"),
        ({"where": {"country": "XX"}}, UnknownName, "XX"),
        ({"currency": "local"}, InvalidValue, "local money"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_refused(wh, options, error, words):
    options = dict(options)
    with pytest.raises(error, match=words):
        experiments.design(wh, options.pop("metric", "orders_per_user"), **options)


def test_too_few_units_are_refused(wh):
    with pytest.raises(NotEnoughData, match=r"\d+ creators came in the 7 days"):
        experiments.design(wh, "gmv_per_creator", unit="creator", where={"country": "SG", "surface": "live"})


def test_a_tiny_arm_is_refused_by_the_verdict(design):
    found = design(mde=0.99, population=50)
    assert found.decision.action == "Change"


@pytest.mark.parametrize("arms", [1, 2, 5])
def test_equal_shares_add_up(arms):
    assert sum(arms_of(arms, None).values()) == pytest.approx(1)
