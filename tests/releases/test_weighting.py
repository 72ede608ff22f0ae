"""Visits of a day on the version before are made to look like those on the new one."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis_lib.releases.estimating import rate_differences
from analysis_lib.releases.weighting import ALIKE, FEWEST, weighted


def cells(rows: list[tuple]) -> pd.DataFrame:
    """day, is_new, system, activity, n, conversion sum; other classes alike."""
    frame = pd.DataFrame(rows, columns=["day", "is_new", "system", "activity", "n", "conversion"])
    return frame.assign(speed="soon", country="BR", crash_free_rate=frame["n"] * 1.0, gain_crash_free_rate=0.0,
                        gain_conversion=frame["conversion"])  # fmt: skip


def total(frame: pd.DataFrame, is_new: bool) -> float:
    own = frame[frame["is_new"] == is_new]
    return float((own["weight"] * own["n"]).sum())


counts = st.integers(0, 60)


@given(st.lists(st.tuples(counts, counts), min_size=6, max_size=6))
@example([(0, 0), (0, 0), (1, 3), (0, 0), (1, 3), (1, 0)])
@settings(max_examples=100, deadline=None)
def test_margins_are_those_of_the_new_version(numbers):
    rows = [
        (date(2026, 1, 1), is_new, system, activity, n[side], 0.0)
        for n, (system, activity) in zip(numbers, [(s, a) for s in "pq" for a in ("few", "some", "many")], strict=True)
        for side, is_new in enumerate((True, False))
        if n[side]
    ]
    found = weighted(cells(rows)) if rows else pd.DataFrame()
    kept = found[found["weight"] != 0] if len(found) else found
    if kept.empty:
        return
    assert total(found, True) == pytest.approx(-total(found, False))
    weights = kept.assign(w=kept["weight"].abs() * kept["n"])
    # Systems are never mixed, so their margin is met in any case; the others are where the cells allow it.
    own = weights.pivot_table(index="system", columns="is_new", values="w", aggfunc="sum", fill_value=0.0)
    assert own[True].to_numpy() == pytest.approx(own[False].to_numpy(), rel=1e-9)
    assert (kept.loc[kept["is_new"], "weight"] > 0).all()
    assert (kept.loc[~kept["is_new"], "weight"] < 0).all()


def test_a_full_table_is_met_in_every_margin():
    rng = np.random.default_rng(4)
    rows = [
        (date(2026, 1, 1), is_new, system, activity, int(rng.integers(20, 200)), 0.0)
        for is_new in (True, False) for system in "pq" for activity in ("few", "some", "many")
    ]  # fmt: skip
    found = weighted(cells(rows))
    for what in ("system", "activity"):
        shares = found.assign(w=found["weight"].abs() * found["n"]).pivot_table(
            index=what, columns="is_new", values="w", aggfunc="sum"
        )
        assert shares[True].to_numpy() == pytest.approx(shares[False].to_numpy(), rel=1e-6)


def test_a_day_counts_by_the_product_of_both_sides_over_their_sum():
    rows = [(date(2026, 1, 1), True, "p", "few", 30, 0.0), (date(2026, 1, 1), False, "p", "few", 90, 0.0)]
    found = weighted(cells(rows))
    assert total(found, True) == pytest.approx(30 * 90 / 120)


def test_a_system_that_only_one_version_has_is_left_out():
    day = date(2026, 1, 1)
    rows = [(day, True, "p", "few", 50, 0.0), (day, True, "q", "few", 50, 0.0), (day, False, "p", "few", 50, 0.0),
            (day, False, "q", "few", FEWEST - 1, 0.0)]  # fmt: skip
    found = weighted(cells(rows))
    assert set(found.loc[found["weight"] != 0, "system"]) == {"p"}


def test_small_classes_are_put_together_instead_of_being_dropped():
    day = date(2026, 1, 1)
    rows = [(day, True, "p", "few", 50, 0.0), (day, True, "p", "some", 10, 0.0), (day, True, "p", "many", 5, 0.0),
            (day, False, "p", "few", 60, 0.0), (day, False, "p", "some", FEWEST + 3, 0.0)]  # fmt: skip
    found = weighted(cells(rows))
    assert (found.loc[found["is_new"], "weight"] > 0).all()
    assert total(found, True) == pytest.approx(-total(found, False))


def test_stages_with_other_shares_do_not_turn_the_sign():
    """Few are on the version while conversion is high, many when it is low: mixed together it looks worse."""
    high, low = date(2026, 1, 1), date(2026, 1, 8)
    rows = [
        (high, True, "p", "few", 100, 42.0), (high, False, "p", "few", 900, 360.0),
        (low, True, "p", "few", 900, 198.0), (low, False, "p", "few", 100, 20.0),
    ]  # fmt: skip
    frame = cells(rows)
    plain = frame[frame["is_new"]]["conversion"].sum() / 1000 - frame[~frame["is_new"]]["conversion"].sum() / 1000
    assert plain < -0.1
    assert rate_differences(weighted(frame))["conversion"] == pytest.approx(0.02)


def test_every_class_is_a_column_of_the_cells():
    assert set(ALIKE) <= set(cells([(date(2026, 1, 1), True, "p", "few", 1, 0.0)]).columns)
