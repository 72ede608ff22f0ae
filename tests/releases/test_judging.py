"""Alarms: few when nothing is wrong, whenever one looks, and tight enough to be of use."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from analysis_lib.errors import InvalidValue, UnknownName
from analysis_lib.releases.judging import TOLERANCES, better, by_alarm, judged, states, tolerated
from analysis_lib.releases.visits import ALL

FIRST = date(2026, 3, 2)


def looks_of(values, ses, *, metric="start_ms_p50", old=1500.0, system=ALL, n=4000.0, **more) -> pd.DataFrame:
    rows = [
        {"system": system, "metric": metric, "day": FIRST + timedelta(days=place), "value": value, "se": se,
         "new": old + value, "old": old, "raw_new": old + value, "n_new": n, "n_old": n, "spread": 1.0, **more}
        for place, (value, se) in enumerate(zip(values, ses, strict=True))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def judge(frame, **options):
    return judged(frame, tolerated(None), level=0.95, **{"is_over": True, **options})


def test_daily_looks_at_nothing_hardly_ever_alarm():
    """600 walks of 28 looks: of one metric, half of 2.5 % of the error is its own."""
    rng, alarms = np.random.default_rng(1), 0
    for _ in range(600):
        steps = np.cumsum(rng.normal(size=28))
        known = np.arange(1, 29)
        frame = looks_of(60.0 * steps / known, 60.0 / np.sqrt(known))
        alarms += bool(judge(frame)["is_alarm"].iloc[-1])
    assert alarms / 600 < 0.025


def test_large_harm_is_seen_early_and_stays():
    known = np.arange(1, 29)
    found = judge(looks_of(np.full(28, 500.0), 200.0 / np.sqrt(known)))
    first = int(np.flatnonzero(found["is_alarm"])[0])
    assert 1 <= first <= 5
    assert found["is_alarm"].iloc[first:].all()


def test_more_metrics_and_systems_need_more_proof():
    one = judge(looks_of([100.0], [40.0]))["bound"].iloc[0]
    more = pd.concat([looks_of([100.0], [40.0]), looks_of([-0.001], [0.001], metric="crash_free_rate", old=0.99)])
    assert judge(more)["bound"].iloc[0] > one
    systems = pd.concat([looks_of([100.0], [40.0], system=name) for name in (ALL, "p", "q", "r")])
    found = judge(systems).set_index("system")["bound"]
    assert found["p"] > found[ALL]


def test_intervals_are_ordinary_once_it_is_over_and_wider_before():
    frame = looks_of([10.0], [20.0])
    over, running = (judge(frame, is_over=is_over).iloc[0] for is_over in (True, False))
    assert over["ci_upper"] - over["ci_lower"] == pytest.approx(2 * 1.959964 * 20, rel=1e-5)
    assert running["ci_upper"] > over["ci_upper"]
    assert over["rel_value"] == pytest.approx(10 / 1500)


def test_the_score_of_crashes_is_the_deviance_of_a_poisson_model():
    """statsmodels' drop in deviance, for the same counts and visits."""
    seen, visits = np.array([14.0, 9.0]), np.array([900.0, 2400.0])
    frame = looks_of([0.0], [0.002], metric="crash_free_rate", old=1 - seen[1] / visits[1])
    frame = frame.assign(raw_new=1 - seen[0] / visits[0], n_new=visits[0], n_old=visits[1])
    options = {"family": sm.families.Poisson(), "offset": np.log(visits)}
    with_it = sm.GLM(seen, np.array([[1, 1], [1, 0]]), **options).fit()
    without = sm.GLM(seen, np.ones((2, 1)), **options).fit()
    assert judge(frame)["z_harm"].iloc[0] == pytest.approx(np.sqrt(without.deviance - with_it.deviance), rel=1e-7)
    heaped = judge(frame.assign(spread=4.0))["z_harm"].iloc[0]
    assert heaped == pytest.approx(judge(frame)["z_harm"].iloc[0] / 2)


def test_fewer_crashes_are_no_harm():
    frame = looks_of([0.005], [0.002], metric="crash_free_rate", old=0.99)
    assert judge(frame)["z_harm"].iloc[0] < 0


@pytest.mark.parametrize(
    ("value", "se", "alarm", "state"),
    [(400.0, 10.0, True, "harmed"), (100.0, 10.0, True, "worse"), (0.0, 20.0, False, "safe"),
     (-200.0, 20.0, False, "better"), (50.0, 100.0, False, "open")],
)  # fmt: skip
def test_states(value, se, alarm, state):
    found = judge(looks_of([value] * 3, [se] * 3))
    last = found.tail(1)
    assert bool(last["is_alarm"].iloc[0]) is alarm
    assert states(last).tolist() == [state]


def test_too_few_visits_give_no_verdict_and_no_alarm():
    found = judge(looks_of([900.0], [10.0], n=12.0))
    assert states(found).tolist() == ["thin"]
    assert not found["is_alarm"].any()


def test_no_spread_is_no_proof():
    found = judge(looks_of([900.0], [0.0]))
    assert states(found).tolist() == ["thin"]


def test_the_earliest_alarm_comes_first():
    late = looks_of([0.0, 900.0], [10.0, 10.0], metric="start_ms_p95", old=3000.0)
    early = looks_of([900.0, 900.0], [10.0, 10.0])
    found = judge(pd.concat([late, early]))
    rows = by_alarm(found.groupby(["system", "metric"]).tail(1), found)
    assert rows["metric"].tolist() == ["start_ms_p50", "start_ms_p95"]
    assert rows["day"].iloc[0] == FIRST


def test_tolerances_must_be_of_known_metrics_and_on_the_bad_side():
    assert tolerated({"start_ms_p50": 0.3})["start_ms_p50"] == 0.3
    assert tolerated(None) == TOLERANCES
    with pytest.raises(UnknownName, match="crash_free_rate"):
        tolerated({"crash_free": -0.1})
    for name, wrong in (("conversion", 0.02), ("start_ms_p50", -0.1), ("conversion", float("nan"))):
        with pytest.raises(InvalidValue, match="worse"):
            tolerated({name: wrong})


def test_more_is_better_of_rates_and_worse_of_times():
    assert [better(name) for name in TOLERANCES] == [1, -1, -1, 1]
