"""Rows that add up, named after their sign."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.campaigns.ledger import NET, ROWS, ledger
from analysis_lib.results import Estimate

MONEY = st.floats(-1e9, 1e9)


def made(value: float, reach: float = 1.0) -> Estimate:
    return Estimate(value, reach / 2, value - reach, value + reach, 0.95, "usd", 100, "m")


def entries(promoted: float, other: float, after: float) -> dict[str, Estimate]:
    parts = {"promoted_during": made(promoted), "other_during": made(other), "after": made(after)}
    return {**parts, "total": made(promoted + other + after, 3.0)}


@given(MONEY, MONEY, MONEY)
def test_rows_add_up_to_the_last(promoted, other, after):
    frame = ledger(entries(promoted, other, after))
    assert frame["value"].iloc[:-1].sum() == pytest.approx(frame["value"].iloc[-1], rel=1e-6, abs=1e-3)
    assert (frame["ci_lower"] <= frame["value"]).all()
    assert (frame["value"] <= frame["ci_upper"]).all()
    named = [ROWS[part][value < 0] for part, value in zip(frame["part"][:-1], frame["value"][:-1], strict=True)]
    assert list(zip(frame["row"][:-1], frame["meaning"][:-1], strict=True)) == named
    assert frame["row"].iloc[-1] == NET and len(frame) == 4


@given(MONEY, MONEY, MONEY, st.floats(1e-3, 1.0), st.sampled_from([-1, 1]))
def test_rows_that_do_not_add_up_are_refused(promoted, other, after, share, sign):
    given_ = entries(promoted, other, after)
    missing = sign * share * max(1.0, abs(promoted) + abs(other) + abs(after))
    with pytest.raises(ValueError, match="not to the total"):
        ledger({**given_, "total": given_["total"].shifted(missing)})


@pytest.mark.parametrize(
    ("other", "after", "names"),
    [
        (1.0, 1.0, ["halo_gmv", "carried_over_gmv"]),
        (-1.0, 1.0, ["cannibalised_gmv", "carried_over_gmv"]),
        (1.0, -1.0, ["halo_gmv", "pulled_forward_gmv"]),
        (0.0, 0.0, ["halo_gmv", "carried_over_gmv"]),
    ],
)
def test_rows_are_named_after_their_sign(other, after, names):
    assert ledger(entries(5.0, other, after))["row"].tolist() == ["incremental_gmv", *names, "net_incremental_gmv"]
