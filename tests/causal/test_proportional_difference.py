"""Growth of the untreated stands for that of the treated: a second library, planted truth, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_lib.causal import proportional_difference
from analysis_lib.errors import NotEnoughData


def drawn(seed: int, *, effect: float = 0.0, n: int = 3000, growth: float = 1.3) -> pd.DataFrame:
    """Units that come often or seldom by nature; the frequent are likelier to be treated."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.normal(0.0, 1.0, n))
    treated = (rng.random(n) < rate / (1 + rate)).astype(float)
    before = rng.poisson(3 * rate).astype(float)
    after = rng.poisson(rate * growth * np.where(treated == 1, 1 + effect, 1.0)).astype(float)
    return pd.DataFrame({"treated": treated, "before": before, "after": after})


def told(frame: pd.DataFrame, **options):
    found = proportional_difference(
        frame, outcomes={"after": "before"}, treated="treated", total="total", level=0.95, unit="", **options
    )
    return found.effects["after"]


def test_it_is_poisson_regression_with_effects_of_unit_and_period():
    import pyfixest

    frame = drawn(1, effect=0.2)
    long = pd.concat(
        [
            pd.DataFrame({"unit": frame.index, "late": late, "y": frame[column], "d": late * frame["treated"]})
            for late, column in ((0, "before"), (1, "after"))
        ]
    )
    fit = pyfixest.fepois("y ~ d | unit + late", long, vcov={"CRV1": "unit"})
    factor, se = float(np.exp(fit.coef()["d"])), float(fit.se()["d"])
    mine, sold = told(frame), frame.loc[frame["treated"] == 1, "after"].mean()
    assert mine.value == pytest.approx(sold * (1 - 1 / factor), rel=1e-5)
    # The error of the logarithm, in units of what would have been.
    assert mine.se == pytest.approx(sold / factor * se, rel=5e-3)


def test_a_past_made_alike_is_wrong_where_growth_is_right():
    """Where units are treated for a lasting trait, those with the same past fall back to their habit."""
    frame = drawn(2, n=40_000)
    assert abs(told(frame).value) < 3 * told(frame).se
    same = frame[frame["before"] == 6].groupby("treated")["after"].mean()
    assert same[1.0] - same[0.0] > 0.15


def test_intervals_cover():
    inside = 0
    for seed in range(200):
        frame = drawn(seed, effect=0.15, n=800)
        one = told(frame)
        sold = frame.loc[frame["treated"] == 1, "after"].mean()
        inside += one.ci_lower <= sold * (1 - 1 / 1.15) <= one.ci_upper
    # Within four Monte Carlo errors of 95 %.
    assert inside >= 177


def test_parts_add_up_with_their_errors():
    rng = np.random.default_rng(3)
    frame = drawn(3)
    frame = frame.assign(other=rng.poisson(1.0, len(frame)), other_before=rng.poisson(2.0, len(frame)))
    both = {"after": "before", "other": "other_before"}
    found = proportional_difference(frame, outcomes=both, treated="treated", total="total", level=0.95, unit="")
    parts, total = [found.effects[name] for name in both], found.effects["total"]
    assert total.value == pytest.approx(sum(part.value for part in parts))
    assert total.se == pytest.approx(np.hypot(*(part.se for part in parts)), rel=0.1)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6))
def test_units_of_time_and_money_do_not_matter(days, money):
    frame = drawn(4)
    other = frame.assign(before=frame["before"] / days * money, after=frame["after"] * money)
    one, two = told(frame), told(other)
    assert two.value == pytest.approx(one.value * money, rel=1e-6, abs=1e-9 * money)
    assert two.se == pytest.approx(one.se * money, rel=1e-6)


def test_few_untreated_with_anything_are_refused():
    frame = drawn(5)
    idle = frame.assign(after=frame["after"] * frame["treated"])
    with pytest.raises(NotEnoughData, match="in the window"):
        told(idle)
    with pytest.raises(NotEnoughData, match="before it"):
        told(frame.assign(before=frame["before"] * frame["treated"]))


def test_an_outcome_that_the_untreated_never_had_is_refused():
    frame = drawn(6).assign(new=1.0, new_before=0.0)
    both = {"after": "before", "new": "new_before"}
    with pytest.raises(NotEnoughData, match="nothing before"):
        proportional_difference(frame, outcomes=both, treated="treated", total="total", level=0.95, unit="")
