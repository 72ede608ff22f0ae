"""Staggered starts: second library, planted effects, covering, refusals (published: tests/reference)."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from diff_diff import CallawaySantAnna
from scipy.stats import chi2
from scipy.stats import t as student

from analysis_lib.causal import difference_in_differences, staggered
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, UnknownName

COLUMNS = {"outcome": "y", "unit": "id", "time": "week", "first_treated": "first"}
METHODS = ("callaway_santanna", "sun_abraham", "imputation")

#: The planted effect after 0, 1, 2, … periods; later groups have half of it.
GROWING = np.array([1.0, 1.5, 2.0, 2.5, 3.0, 3.5])


def panel(seed: int, n_units: int = 120, starts=(4, 6, 0), n_periods: int = 8, drift: float = 0.0) -> pd.DataFrame:
    """Units in even turns to ``starts`` (0: never); effects grow with time and are halved in later groups."""
    rng = np.random.default_rng(seed)
    first = np.resize(starts, n_units)
    week = np.arange(n_periods)
    since = week[None, :] - np.where(first == 0, n_periods, first)[:, None]
    share = np.where(first == min(start for start in starts if start), 1.0, 0.5)
    effect = np.where(since >= 0, GROWING[np.clip(since, 0, 5)], 0.0) * share[:, None]
    y = rng.normal(0, 2, n_units)[:, None] + np.sin(week)[None, :] + rng.normal(0, 0.5, (n_units, n_periods))
    y = y + effect + drift * week * (first > 0)[:, None]
    return pd.DataFrame(
        {
            "id": np.repeat([f"u{place:05d}" for place in range(n_units)], n_periods),
            "week": np.tile(week, n_units),
            "first": np.repeat(first, n_periods),
            "town": np.repeat(np.arange(n_units) // 3, n_periods),
            "y": y.ravel(),
            "planted": effect.ravel(),
        }
    )


def library(frame, **options):
    return CallawaySantAnna(estimation_method="reg", **options).fit(
        frame.assign(number=pd.factorize(frame["id"])[0]), outcome="y", unit="number", time="week", first_treat="first"
    )


@pytest.mark.parametrize(
    ("control", "name", "cluster"),
    [("never", "never_treated", None), ("not_yet", "not_yet_treated", None), ("never", "never_treated", "town")],
)
def test_averages_equal_the_librarys_where_it_has_them(control, name, cluster):
    """The averages over groups and unit-periods are our own sums of influence functions."""
    frame = panel(1)
    found = staggered(frame, control=control, cluster=cluster, **COLUMNS)
    other = library(frame, control_group=name, cluster=cluster)
    assert found.estimate.value == pytest.approx(other.att, abs=1e-12)
    assert found.estimate.se == pytest.approx(other.se, abs=1e-12)
    groups = other.aggregate("group")
    assert found.groups["group"].tolist() == [4, 6]
    assert found.groups["value"].to_numpy() == pytest.approx(groups.att, abs=1e-12)
    assert found.groups["se"].to_numpy() == pytest.approx(groups.se, abs=1e-12)


def test_event_times_are_differences_of_means():
    frame = panel(2)
    found = staggered(frame, **COLUMNS).events.set_index("event_time")["value"]
    means = frame.groupby(["first", "week"])["y"].mean().unstack()
    for event in (0, 1):
        effects = [means.loc[g, g + event] - means.loc[g, g - 1] for g in (4, 6)]
        controls = [means.loc[0, g + event] - means.loc[0, g - 1] for g in (4, 6)]
        assert found[event] == pytest.approx(np.mean(effects) - np.mean(controls), abs=1e-12)


def test_imputation_equals_unit_and_time_effects_of_the_untreated():
    frame = panel(3, n_units=45)
    free = (frame["first"] == 0) | (frame["week"] < frame["first"])
    dummies = pd.get_dummies(frame[["id", "week"]].astype(str)).to_numpy(float)
    fitted = dummies @ np.linalg.lstsq(dummies[free], frame["y"][free], rcond=None)[0]
    assert staggered(frame, method="imputation", **COLUMNS).estimate.value == pytest.approx(
        (frame["y"] - fitted)[~free].mean(), abs=1e-8
    )


def test_sun_and_abraham_equal_callaway_and_santanna_after_the_start():
    frame = panel(4)
    one, other = (staggered(frame, method=m, **COLUMNS).events.query("event_time >= 0") for m in METHODS[:2])
    assert one["value"].to_numpy() == pytest.approx(other["value"].to_numpy(), abs=1e-8)
    assert one["se"].to_numpy() == pytest.approx(other["se"].to_numpy(), rel=0.1)


def test_one_start_is_difference_in_differences():
    frame = panel(5, starts=(4, 0))
    treated = ((frame["first"] == 4) & (frame["week"] >= 4)).astype(int)
    plain = difference_in_differences(
        frame.assign(treated=treated), outcome="y", unit="id", time="week", treated="treated"
    )
    assert staggered(frame, method="imputation", **COLUMNS).estimate.value == pytest.approx(
        plain.estimate.value, abs=1e-8
    )


@pytest.mark.parametrize("method", METHODS)
def test_planted_effects_are_recovered_and_covered(method):
    values, covered = [], 0
    for seed in range(20, 30):
        frame = panel(seed, n_units=60)
        truth = frame["planted"][frame["planted"] != 0].mean()
        found = staggered(frame, method=method, **COLUMNS).estimate
        values.append(found.value)
        covered += found.ci_lower < truth < found.ci_upper
    assert np.mean(values) == pytest.approx(truth, abs=4 * np.std(values) / np.sqrt(10))
    assert covered >= 7  # of 10 at 95 %: fewer happen once in 1,000 suites


@pytest.mark.parametrize("method", METHODS)
def test_a_drift_before_the_start_is_found_and_its_absence_too(method):
    assert staggered(panel(6, drift=0.5), method=method, **COLUMNS).pretrend_pvalue < 0.001
    assert staggered(panel(6), method=method, **COLUMNS).pretrend_pvalue > 0.01


def test_the_pretrend_test_is_a_wald_test():
    frame = panel(7, starts=(3, 0), n_periods=5)
    found = staggered(frame, method="callaway_santanna", **COLUMNS)
    surface = library(frame).aggregate("event_study")
    early = np.asarray(surface.event_time) < 0
    block = np.asarray(surface.vcov)[np.ix_(early, early)]
    statistic = surface.att[early] @ np.linalg.solve(block, surface.att[early])
    assert found.pretrend_pvalue == pytest.approx(chi2.sf(statistic, early.sum()))


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_intervals_know_how_many_clusters_stand_behind_them(level):
    frame = panel(8, starts=(4, 6, 0, 0, 0, 0))
    found = staggered(frame, level=level, **COLUMNS)

    def reach(n, groups):
        return student.ppf(0.5 + level / 2, n - groups) * np.sqrt(n / (n - groups))

    events = found.events.set_index("event_time")
    wide = (events["ci_upper"] - events["value"]) / events["se"]
    assert (wide[0], wide[3], wide[-5]) == pytest.approx((reach(40, 2), reach(20, 1), reach(20, 1)))
    groups = (found.groups["ci_upper"] - found.groups["value"]) / found.groups["se"]
    assert groups.to_numpy() == pytest.approx(reach(20, 1))
    assert found.estimate.ci_upper - found.estimate.value == pytest.approx(reach(40, 2) * found.estimate.se)


def test_one_unit_in_a_group_has_no_interval_of_its_own():
    frame = panel(8)
    alone = frame["first"].where((frame["first"] != 6) | (frame["id"] == "u00001"), 0)
    rows = staggered(frame.assign(first=alone), **COLUMNS).groups.set_index("group")
    assert np.isinf(rows.loc[6, "ci_upper"])
    assert np.isfinite(rows.loc[4, "ci_upper"])


@pytest.mark.parametrize("method", METHODS[::2])
def test_without_never_treated_the_last_group_is_compared_with(method):
    frame = panel(9, starts=(3, 5, 7))
    found = staggered(frame, method=method, control="not_yet", **COLUMNS)
    assert found.groups["group"].tolist() == [3, 5]
    assert found.n_treated == 80
    assert np.isfinite(found.events.to_numpy()).all()
    kept = frame[frame["week"] < 7]
    kept = kept.assign(first=kept["first"].where(kept["first"] < 7, 0))
    same = staggered(kept, method=method, control="not_yet", **COLUMNS)
    assert found.estimate.value == pytest.approx(same.estimate.value)


def test_anticipation_moves_the_base_and_not_the_average():
    frame = panel(10)
    early = frame["y"] + 5.0 * (frame["week"] == frame["first"] - 1)
    truth = frame["planted"][frame["planted"] != 0].mean()
    wrong = staggered(frame.assign(y=early), **COLUMNS).estimate
    right = staggered(frame.assign(y=early), anticipation=1, **COLUMNS).estimate
    assert wrong.ci_upper < truth
    assert right.ci_lower < truth < right.ci_upper


@pytest.mark.parametrize("method", METHODS)
def test_dates_missing_starts_and_any_order(method):
    frame = panel(11)
    week0 = pd.Timestamp("2024-01-01")
    dated = frame.assign(
        week=week0 + pd.to_timedelta(7 * frame["week"], unit="D"),
        first=(week0 + pd.to_timedelta(7 * frame["first"], unit="D")).where(frame["first"] > 0),
    ).sample(frac=1, random_state=0)
    found, plain = (staggered(f, method=method, **COLUMNS) for f in (dated, frame))
    assert found.estimate.value == pytest.approx(plain.estimate.value)
    assert found.events["event_time"].tolist() == plain.events["event_time"].tolist()


@pytest.mark.parametrize("method", METHODS)
def test_an_outcome_always_zero_has_no_effect(method):
    found = staggered(panel(12).assign(y=0.0), method=method, **COLUMNS)
    assert (found.estimate.value, found.estimate.se) == pytest.approx((0, 0))
    assert found.pretrend_pvalue is None
    assert "could not be tested" in found.text


@pytest.mark.parametrize("method", METHODS)
def test_ten_thousand_units_in_two_periods_are_quick(method):
    frame = panel(13, n_units=10_000, starts=(1, 0), n_periods=2)
    began = time.perf_counter()
    found = staggered(frame, method=method, **COLUMNS)
    assert time.perf_counter() - began < 8
    assert found.estimate.value == pytest.approx(1.0, abs=0.05)
    assert found.pretrend_pvalue is None


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'sun_abraham'"):
        staggered(panel(14), method="sun_abrahams", **COLUMNS)
    with pytest.raises(UnknownName, match=r"control 'notyet'.*'not_yet'"):
        staggered(panel(14), control="notyet", **COLUMNS)
    with pytest.raises(UnknownName, match="those that `imputation` can use"):
        staggered(panel(14), method="imputation", control="never", **COLUMNS)
    with pytest.raises(ContractError, match="no column 'first'"):
        staggered(panel(14).drop(columns="first"), **COLUMNS)


def test_starts_that_cannot_be_used_are_refused():
    with pytest.raises(NotEnoughData, match=r"120 of 120 units.*treated from the first period"):
        staggered(panel(15, starts=(4,)).assign(first=-1), **COLUMNS)
    with pytest.raises(NotEnoughData, match="start in the same period"):
        staggered(panel(15, starts=(4,)), control="not_yet", **COLUMNS)
    with pytest.raises(NotEnoughData, match="no unit is never treated"):
        staggered(panel(15, starts=(4, 6)), **COLUMNS)
    frame = panel(15)
    with pytest.raises(InvalidValue, match="'first' changes within unit u00000"):
        staggered(frame.assign(first=frame["first"].where(frame["week"] > 2, 5)), **COLUMNS)
    with pytest.raises(NotEnoughData, match="unit u00002 has no row for period 3"):
        staggered(frame[(frame["id"] != "u00002") | (frame["week"] != 3)], **COLUMNS)


def test_anticipation_that_cannot_be_used_is_refused():
    with pytest.raises(NotEnoughData, match="anticipation of 4 no period before"):
        staggered(panel(16), anticipation=4, **COLUMNS)
    with pytest.raises(InvalidValue, match="anticipation is -1"):
        staggered(panel(16), anticipation=-1, **COLUMNS)
    with pytest.raises(InvalidValue, match="move `first_treated` back"):
        staggered(panel(16), method="imputation", anticipation=1, **COLUMNS)
    with pytest.raises(NotEnoughData, match="needs units that are never treated"):
        staggered(panel(16, starts=(3, 5)), control="not_yet", anticipation=1, **COLUMNS)


@pytest.mark.parametrize("method", METHODS)
def test_too_few_clusters_have_no_interval(method):
    frame = panel(17)
    few = frame["first"].where(frame["id"] < "u00005", 0)
    with pytest.raises(
        NotEnoughData, match=r"treated clusters and .* needs 6 \(one more for each further start\) and 5"
    ):
        staggered(frame.assign(first=few), method=method, **COLUMNS)


def test_text_and_frame():
    found = staggered(panel(18), **COLUMNS)
    assert "over 80 units. The effects before the start are jointly zero with p = " in found.text
    assert found.to_frame().columns.tolist() == ["event_time", "value", "se", "ci_lower", "ci_upper"]
    assert set(found.averages) == {"unit_period", "group", "event_time"}
