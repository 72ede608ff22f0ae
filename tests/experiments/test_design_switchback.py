"""Markets that are switched: spread by length of a period, and simulated tests of the planned size."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import t

from analysis_lib import experiments, warehouse
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.experiments.design_power import critical, detectable
from analysis_lib.experiments.design_switchback import period_of, point_variance


def asked(**options):
    """What the arithmetic needs to know of a question."""
    return SimpleNamespace(**({"alpha": 0.05, "variants": 1, "power": 0.8, "carry_over": 0.0} | options))


def markets(rng, n_markets: int, n_days: int, *, memory: float = 0.5, sd: float = 0.1) -> np.ndarray:
    """Values with a size per market, a day shared by all, and a market's own days that follow each other."""
    own = np.zeros((n_markets, n_days))
    shocks = rng.normal(size=(n_markets, n_days + 50))
    state = np.zeros(n_markets)
    for day in range(-50, n_days):
        state = memory * state + np.sqrt(1 - memory**2) * shocks[:, day + 50]
        if day >= 0:
            own[:, day] = state
    shared = rng.normal(scale=0.3, size=n_days)
    return np.exp(rng.normal(size=(n_markets, 1))) * (1 + sd * own + 0.2 * shared)


def test_a_spread_worked_out_by_hand():
    """Two markets, three days: after market and day, what is left is half of the difference of the two."""
    series = np.array([[1.0, 1.0, 1.0], [2.0, 1.5, 2.5]])
    found = period_of(series, 1)
    # Relative to its mean the second market is 1, 0.75, 1.25.
    assert found.variance == pytest.approx((0.25**2 * 2) / (2 * 2))
    assert found.variance_adjusted == pytest.approx((4 * 0.125**2) / (1 * 2))
    assert found.n_periods == 3


def test_what_markets_share_is_taken_out():
    shared = 1 + 0.4 * np.sin(np.arange(28))
    noise = np.random.default_rng(1).normal(scale=0.01, size=(8, 28))
    found = period_of(5 * (shared + noise), 1)
    assert found.variance > 50 * found.variance_adjusted
    assert found.variance_adjusted == pytest.approx(0.01**2, rel=0.3)


def test_the_size_of_a_market_does_not_count():
    series = markets(np.random.default_rng(2), 6, 56)
    scaled = series * np.array([1, 10, 100, 2, 5, 7])[:, None]
    assert period_of(scaled, 2).variance_adjusted == pytest.approx(period_of(series, 2).variance_adjusted)


def test_days_that_follow_each_other_do_not_average_out():
    rng = np.random.default_rng(3)
    free, bound = markets(rng, 40, 280, memory=0.0), markets(rng, 40, 280, memory=0.9)
    shrinks = [period_of(one, 7).variance_adjusted / period_of(one, 1).variance_adjusted for one in (free, bound)]
    assert shrinks[0] == pytest.approx(1 / 7, rel=0.15)
    assert shrinks[1] > 0.5
    assert period_of(bound, 1).autocorrelation > 0.7 > 0.1 > abs(period_of(free, 1).autocorrelation)


def test_only_whole_periods_count_and_they_end_with_the_data():
    series = markets(np.random.default_rng(4), 5, 30)
    assert period_of(series, 7).n_periods == 4
    whole = series[:, 2:] / series.mean(axis=1, keepdims=True)
    assert period_of(series, 7).variance == pytest.approx(
        whole.reshape(5, 4, 7).mean(axis=2).var(axis=1, ddof=1).mean()
    )


@pytest.mark.parametrize("carry_over", [0.0, 0.25, 0.5])
def test_what_is_lost_after_a_switch_makes_it_dearer(carry_over):
    period = period_of(markets(np.random.default_rng(5), 6, 56), 1)
    base = point_variance(period, 6, 28, asked())
    assert point_variance(period, 6, 28, asked(carry_over=carry_over)) == pytest.approx(base / (1 - carry_over))


@pytest.mark.parametrize("days", [1, 2], ids=["daily", "every other day"])
def test_a_switchback_of_the_planned_size_has_the_planned_power(days):
    """Arms drawn anew per market and period, compared within both by least squares and Student's t."""
    rng, m, n, runs = np.random.default_rng(6), 10, 14, 1500
    long = markets(rng, 400, 112)
    period = replace(period_of(long, days))
    effect = detectable(point_variance(period, m, n, asked()), m * n, [0.5, 0.5], critical(0.05, 1, "fixed", 1), 0.8)
    free, hits = (m - 1) * (n - 1) - 1, 0
    for _ in range(runs):
        series = markets(rng, m, n * days)
        y = (series / series.mean(axis=1, keepdims=True)).reshape(m, n, days).mean(axis=2)
        arm = (rng.random((m, n)) < 0.5).astype(float)
        y = y + effect * arm
        y, arm = (one - one.mean(1, keepdims=True) - one.mean(0) + one.mean() for one in (y, arm))
        size = (arm**2).sum()
        slope = (arm * y).sum() / size
        se = np.sqrt(((y - slope * arm) ** 2).sum() / free / size)
        hits += slope / se > t.isf(0.025, free)
    assert hits / runs == pytest.approx(0.8, abs=0.05)


@pytest.fixture(scope="module")
def wh():
    """The simulated marketplace."""
    with warehouse.connect("world") as opened:
        yield opened


@pytest.fixture(scope="module")
def found(wh):
    """Orders per user by markets that are switched."""
    return experiments.design(wh, "orders_per_user", unit="market", mde=0.06, guardrails={"visit_conversion": 0.2})


def test_markets_by_periods_are_counted(found):
    m, period = len(found.switchback.markets), found.switchback.chosen.days
    assert found.curve["n_units"].tolist() == [m * (days // period) for days in found.curve["days"]]
    assert found.curve["mde_cuped"].is_monotonic_decreasing


def test_the_chosen_period_finds_the_smallest_effect(found):
    m = len(found.switchback.markets)
    each = {one.days: point_variance(one, m, 56 // one.days, found.asked) / (56 // one.days)
            for one in found.switchback.periods}  # fmt: skip
    assert found.switchback.chosen.days == min(each, key=each.get)
    assert found.mde_in(56) == pytest.approx(
        detectable(min(each.values()), m, [0.5, 0.5], critical(0.05, 1, "fixed", 1), 0.8)
    )


def test_guardrails_are_switched_in_the_same_periods(found):
    assert found.guards[0].n_units == found.n_units


@pytest.mark.parametrize("word", ["switchback", "adjustment", "season", "variants", "basis", "plan"])
def test_sentences_speak_of_markets(found, word):
    assert "market" in found.sentence(word) or "spread" in found.sentence(word)


def test_the_table_of_periods_has_a_row_for_each(found):
    assert len(found.exhibit("periods").frame) == len(found.switchback.periods)


def test_what_is_assumed_is_said(found):
    said = found.sentence("switchback")
    assert "Assumed: the arm before is felt for no more than 0.25 days" in said
    assert f"every {found.switchback.chosen.days} days" in said


def test_a_longer_carry_over_finds_less(wh, found):
    period = found.switchback.chosen.days
    other = experiments.design(wh, "orders_per_user", unit="market", days=28, period=period, carry_over=period / 2)
    assert other.mde == pytest.approx(found.mde_in(28) * np.sqrt((1 - 0.25 / period) / 0.5), rel=1e-9)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"population": 0.5}, InvalidValue, "switched as a whole"),
        ({"by": "country"}, InvalidValue, "switched as a whole"),
        ({"period": 1, "carry_over": 1.0}, InvalidValue, "carry_over=1.0"),
        ({"carry_over": -1}, InvalidValue, "carry_over=-1"),
        ({"period": 0}, InvalidValue, "period=0"),
        ({"period": 14, "days": 14}, NotEnoughData, "28 days at least"),
        ({"where": {"country": "ID"}}, NotEnoughData, "1 markets have a value"),
    ],
    ids=["population", "by", "carry_over", "negative", "period", "days", "one market"],
)
def test_what_does_not_fit_markets_is_refused(wh, options, error, words):
    with pytest.raises(error, match=words):
        experiments.design(wh, "orders_per_user", unit="market", **options)
