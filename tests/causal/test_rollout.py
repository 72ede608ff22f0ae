"""Effects of what goes live unit by unit: planted effects, a peer, and panels that are refused with the reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis_lib.causal import rollout, staggered
from analysis_lib.causal.rollout_gaps import gaps
from analysis_lib.causal.rollout_noise import Noise, likely_noise
from analysis_lib.causal.rollout_panel import rollout_panel
from analysis_lib.causal.rollout_spread import mixed, spread
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData
from analysis_lib.markets.rollout_panels import Rolled, rolled_markets

NAMES = {"outcome": "outcome", "unit": "market", "time": "week", "first_treated": "first_live"}
ALL = NAMES | {"first_affected": "first_affected", "noise": "noise"}

SMALL = Rolled(waves=(30, 30, 36, 36, 42, 42, 999, 999), weeks=54, effect=0.1, differs=0.03, grows=4)


def drawn(rolled: Rolled = SMALL, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    return rolled_markets(rolled, np.random.default_rng(seed))


def read(frame: pd.DataFrame, **changes):
    return rollout(frame, **{**ALL, "settled": 4, **changes})


def test_planted_effects_are_in_their_intervals():
    inside, errors = [], []
    # A short version of the grade: one draw takes seconds.
    for seed in range(12):
        frame, effects = drawn(seed=seed)
        found = read(frame)
        known = found.units["value"].notna().to_numpy()
        assert list(found.units["n_periods"] > 0) == list(known)
        truth = effects[known].mean()
        inside.append(found.estimate.ci_lower <= truth <= found.estimate.ci_upper)
        errors.append(found.estimate.value - truth)
    assert np.mean(inside) >= 0.88
    assert abs(np.mean(errors)) < 0.012


def test_without_an_effect_nothing_is_found():
    alarms = [
        read(drawn(replace(SMALL, effect=0.0, differs=0.0), seed)[0]).estimate.excludes_zero for seed in range(15)
    ]
    assert np.mean(alarms) <= 0.12


def test_an_effect_grows_and_waiting_is_told_apart():
    frame, _ = drawn(replace(SMALL, announced=2, waiting=-0.2, differs=0.0, passing=0.01, lasting=0.005))
    found = read(frame)
    assert found.waiting.value == pytest.approx(-0.2, abs=0.02)
    events = found.events.set_index("event_time")["value"]
    assert events[0] < events[2] < events[4] + 0.01
    assert events[[-3, -2, -1]].abs().max() < 0.03, "weeks of waiting are not among those before"
    assert found.lead_pvalue > 0.01


def test_without_lasting_noise_it_is_the_imputation_of_a_peer():
    """diff-diff's ImputationDiD on a panel large enough for it: the even average of all gaps."""
    rolled = Rolled(waves=(20,) * 6 + (26,) * 6 + (999,) * 8, weeks=34, effect=0.1, lasting=0.0)
    frame, _ = drawn(rolled)
    panel = rollout_panel(frame.assign(even=1.0), **NAMES, noise="even")
    found = gaps(panel, [(1.0, Noise(1.0, 0.0, 0.0))], panel.since >= 0)
    peer = staggered(frame.fillna({"first_live": 0}), **NAMES, method="imputation")
    assert found.values.mean() == pytest.approx(peer.estimate.value, abs=1e-9)


def test_gaps_of_seen_noise_have_the_spread_they_claim():
    """Gaps over their own errors, where there is no effect: of variance 1 if the noise is as assumed."""
    rolled = replace(SMALL, effect=0.0, differs=0.0, passing=0.03, lasting=0.03)
    scores = []
    for seed in range(30):
        frame, _ = drawn(rolled, seed)
        panel = rollout_panel(frame, **ALL)
        found = gaps(panel, [(1.0, Noise(0.03**2, 0.03**2, 0.9))], panel.since >= 0)
        even = np.full((1, len(found.values)), 1 / len(found.values))
        value, covariance = found.averages(even)
        scores.append(value[0] / np.sqrt(covariance[0, 0]))
    assert 0.7 < np.std(scores) < 1.35


def test_the_noise_of_the_simulator_is_found_again():
    frame, _ = drawn(Rolled(waves=(999,) * 10 + (100, 101), weeks=104, passing=0.03, lasting=0.03))
    weight, likeliest = max(likely_noise(rollout_panel(frame, **ALL)), key=lambda one: one[0])
    assert weight > 0.2
    assert likeliest.passing == pytest.approx(0.03**2, rel=0.35)
    assert 0.012 < np.sqrt(likeliest.lasting) < 0.07


def test_estimates_are_drawn_towards_the_mean_and_the_unseen_get_it():
    values, errors = np.array([0.0, 0.1, 0.2, 0.1]), 0.05**2 * np.eye(4)
    found = spread(values, errors, np.ones((5, 1)), np.arange(4))
    drawn_to = found.weights @ found.means
    assert values[0] < drawn_to[0] < 0.1 < drawn_to[2] < values[2]
    assert drawn_to[4] == pytest.approx(0.1)
    own, unseen = (found.sum(np.eye(5)[place], 0.95) for place in (1, 4))
    assert unseen[3] - unseen[2] > own[3] - own[2], "a unit without data is known less well"
    assert 0.7 < found.chance_above(4) < found.chance_above(2) < 1


def test_a_moderator_says_where_the_effect_is_larger():
    frame, effects = drawn(replace(SMALL, differs=0.05, passing=0.01, lasting=0.005), seed=4)
    by_market = dict(zip(sorted(frame["market"].unique()), effects, strict=True))
    told = frame.assign(cards=frame["market"].map(by_market))
    found, plain = read(told, moderator="cards"), read(told)
    assert found.slope.ci_lower > 0
    assert found.slope.value == pytest.approx(np.std(effects), rel=0.4)
    unseen = found.units[found.units["value"].isna()]
    truth = unseen["unit"].map(by_market)
    assert (unseen["shrunk"] - truth).abs().max() < (plain.units.loc[unseen.index, "shrunk"] - truth).abs().max()


def test_a_mixture_of_one_is_a_normal():
    mean, error, low, high = mixed(np.ones(1), np.array([2.0]), np.array([4.0]), 0.95)
    assert (mean, error) == (2.0, 2.0)
    assert (low, high) == pytest.approx((2 - 1.959964 * 2, 2 + 1.959964 * 2), abs=1e-4)
    assert mixed(np.ones(1), np.array([2.0]), np.zeros(1), 0.95) == (2.0, 0.0, 2.0, 2.0)


def test_when_all_are_live_the_last_weeks_are_dropped():
    frame, _ = drawn(replace(SMALL, waves=(24, 24, 30, 30, 36, 36, 42, 42)))
    found = read(frame)
    assert list(found.panel.dropped) == list(range(42, 54))
    assert found.units["value"].notna().sum() == 6
    assert found.events["event_time"].max() == 41 - 24


def test_missing_weeks_are_missing_and_nothing_else_changes_much():
    frame, _ = drawn(replace(SMALL, passing=0.01))
    holes = frame.assign(outcome=frame["outcome"].mask((frame["week"] % 9 == 3) & (frame["market"] == "M01")))
    whole, found = read(frame), read(holes)
    assert found.estimate.value == pytest.approx(whole.estimate.value, abs=0.02)
    gone = frame[~((frame["market"] == "M01") & frame["week"].between(10, 14))]
    assert read(gone).estimate.value == pytest.approx(whole.estimate.value, abs=0.02)


def test_neither_scale_nor_order_of_rows_matters_and_the_frame_is_left_alone():
    frame, _ = drawn()
    before = frame.copy()
    one, shuffled = read(frame), read(frame.sample(frac=1, random_state=1))
    tenfold = read(frame.assign(outcome=frame["outcome"] * 10 + 3))
    assert one.estimate.value == pytest.approx(shuffled.estimate.value, abs=1e-9)
    assert tenfold.estimate.value == pytest.approx(10 * one.estimate.value, rel=1e-3)
    pd.testing.assert_frame_equal(frame, before)


def test_units_treated_from_the_first_period_on_are_left_out():
    frame, _ = drawn()
    early = frame.assign(
        first_live=frame["first_live"].mask(frame["market"] == "M00", 0), first_affected=lambda f: f["first_live"]
    )
    assert read(early).left_out == ("M00",)


#: What is done to a good panel, and what the message must say.
REFUSED = [
    (lambda f: f.assign(first_live=np.nan, first_affected=np.nan), "0 markets of 0 waves"),
    (lambda f: f.assign(first_live=0.0, first_affected=0.0), "nobody to compare with"),
    (lambda f: f.assign(first_live=30.0, first_affected=30.0), "nobody|0 markets of 0 waves|8 markets of 1|fewer than"),
    (lambda f: f.assign(outcome=0.0), "never changes"),
    (lambda f: f[f["market"] <= "M03"], "4 markets; 5 are needed"),
    (lambda f: f[f["week"].between(34, 50)], "2 markets of 1 waves|too few weeks"),
    (lambda f: f.assign(
        first_live=f["first_live"].where(f["first_live"] == 30), first_affected=lambda g: g["first_live"]
    ), "2 markets of 1 waves"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_too_little_is_refused_with_the_reason(change, message):
    with pytest.raises(NotEnoughData, match=message):
        read(change(drawn()[0]))


WRONG = [
    (lambda f: pd.concat([f, f.iloc[:1]]), InvalidValue, "two rows for"),
    (lambda f: f.assign(first_live=f["first_live"].where(f["week"] > 3, 12)), InvalidValue, "a unit starts once"),
    (lambda f: f.assign(outcome=f["outcome"].where(f["week"] > 3, np.inf)), InvalidValue, "is infinite"),
    (lambda f: f.assign(first_affected=f["first_live"] + 2), InvalidValue, "lies after"),
    (lambda f: f.assign(noise=0.0), InvalidValue, "must be above 0"),
    (lambda f: f.drop(columns="week"), ContractError, "no column 'week'"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "error", "message"), WRONG)
def test_wrong_panels_are_refused_with_their_place(change, error, message):
    with pytest.raises(error, match=message):
        read(change(drawn()[0]))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"settled": -1}, "settled"), ({"level": 1.0}, "level"), ({"moderator": "luck"}, "luck"),
     ({"moderator": "same"}, "same everywhere"), ({"moderator": "hole"}, "is missing")],
)  # fmt: skip
def test_wrong_options_are_refused(options, message):
    frame = drawn()[0].assign(same=1.0, hole=np.nan)
    with pytest.raises(InvalidValue, match=message):
        read(frame, **options)


def test_an_effect_larger_than_the_outcome_is_told_as_it_is():
    """Logarithms fall by three: a twentieth is left."""
    frame, _ = drawn(replace(SMALL, effect=-3.0, differs=0.1))
    found = read(frame)
    assert found.estimate.ci_upper < -2.5
    assert found.units["shrunk"].notna().all()
