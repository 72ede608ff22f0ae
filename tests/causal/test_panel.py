"""Frames into matrices: the right cells, and clear refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib.causal import panel_of
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData

COLUMNS = {"outcome": "y", "unit": "id", "time": "week"}


def by_flag(frame, **options):
    return panel_of(frame, treated="treated", **COLUMNS, **options)


def by_start(frame, **options):
    return panel_of(frame, first_treated="first", **COLUMNS, **options)


def test_cells_go_to_their_places_whatever_the_order(long_panel):
    frame = long_panel(1, n_units=6, n_periods=5, n_treated=2, start=3)
    shuffled = frame.sample(frac=1, random_state=0).set_axis(np.arange(30)[::-1] * 7)
    before = shuffled.copy(deep=True)
    panel = by_flag(shuffled)
    pd.testing.assert_frame_equal(shuffled, before)
    wide = frame.pivot(index="id", columns="week", values="y")
    assert panel.outcomes == pytest.approx(wide.to_numpy())
    assert panel.units.tolist() == list(wide.index)
    assert panel.times.tolist() == list(wide.columns)
    assert panel.donors.tolist() == list(wide.index[2:])
    assert panel.starts.tolist() == [3, 3, 5, 5, 5, 5]
    assert panel.start == 3
    assert panel.treated_mean == pytest.approx(wide.to_numpy()[:2].mean(axis=0))
    assert panel.donor_outcomes == pytest.approx(wide.to_numpy()[2:])


@pytest.mark.parametrize("never", [0, np.nan])
def test_a_first_period_says_the_same_as_a_flag(long_panel, never):
    frame = long_panel(2, n_units=6, n_periods=5, n_treated=2, start=3)
    first = frame["id"].map(dict.fromkeys(["u00000", "u00001"], 3)).fillna(never)
    assert (by_start(frame.assign(first=first)).treated == by_flag(frame).treated).all()


def test_times_may_be_dates(long_panel):
    frame = long_panel(2, n_units=6, n_periods=5, n_treated=2, start=3)
    weeks = pd.Timestamp("2024-01-01") + pd.to_timedelta(7 * frame["week"], unit="D")
    first = weeks.where(frame["treated"] == 1).groupby(frame["id"]).transform("min")
    panel = by_start(frame.assign(week=weeks, first=first))
    assert (panel.treated == by_flag(frame).treated).all()
    assert pd.Timestamp(panel.times[3]) == pd.Timestamp("2024-01-22")


def test_starts_that_differ_are_kept_and_have_no_common_start(long_panel):
    frame = long_panel(3, n_units=6, n_periods=6, n_treated=0)
    frame = frame.assign(first=frame["id"].map({"u00000": 2, "u00001": 4}))
    panel = by_start(frame)
    assert panel.starts.tolist() == [2, 4, 6, 6, 6, 6]
    with pytest.raises(InvalidValue, match=r"different periods \(2, 4\); `staggered`"):
        _ = panel.start


def test_a_start_after_the_last_period_is_never(long_panel):
    frame = long_panel(3, n_units=6, n_periods=6, n_treated=0)
    panel = by_start(frame.assign(first=frame["id"].map({"u00000": 2, "u00001": 40})))
    assert panel.is_treated.tolist() == [True] + [False] * 5


def test_pretended_and_without(long_panel):
    panel = by_flag(long_panel(4, n_units=6, n_periods=5, n_treated=2, start=3))
    placebo = panel.pretended(np.array([1]))
    assert placebo.units.tolist() == panel.donors.tolist()
    assert placebo.start == 3
    assert placebo.is_treated.tolist() == [False, True, False, False]
    assert panel.without("u00004").donors.tolist() == ["u00002", "u00003", "u00005"]


@pytest.mark.parametrize("change", [lambda y: -y, lambda y: 0 * y, lambda y: y.round().astype("Int64")])
def test_negative_zero_and_whole_outcomes_are_legal(long_panel, change):
    frame = long_panel(5)
    panel = by_flag(frame.assign(y=change(frame["y"])))
    assert panel.outcomes.shape == (40, 12)


@pytest.mark.parametrize("name", ["y", "id", "week", "treated"])
def test_a_missing_column_is_named(long_panel, name):
    with pytest.raises(ContractError, match=f"no column '{name}'"):
        by_flag(long_panel(6).drop(columns=name))


def test_two_rows_for_a_unit_and_period_are_refused(long_panel):
    frame = long_panel(6)
    with pytest.raises(InvalidValue, match="unit u00003 has 2 rows for period 5"):
        by_flag(pd.concat([frame, frame[(frame["id"] == "u00003") & (frame["week"] == 5)]]))


@pytest.mark.parametrize("unit", ["u00002", "u00030"])
def test_a_missing_period_is_named(long_panel, unit):
    frame = long_panel(6)
    with pytest.raises(NotEnoughData, match=f"unit {unit} has no row for period 4"):
        by_flag(frame[(frame["id"] != unit) | (frame["week"] != 4)])


def test_no_donors_is_refused_unless_none_are_needed(long_panel):
    frame = long_panel(6, n_treated=40)
    with pytest.raises(NotEnoughData, match="no donors"):
        by_flag(frame)
    assert len(by_flag(frame, donors_needed=False).donors) == 0


def test_nobody_treated_is_refused(long_panel):
    with pytest.raises(NotEnoughData, match="no unit is treated"):
        by_flag(long_panel(6, n_treated=0))


def test_treated_from_the_first_period_is_refused(long_panel):
    with pytest.raises(NotEnoughData, match=r"8 of 40 units, first u00000, are treated from the first period \(0\)"):
        by_flag(long_panel(6, start=0))


def test_treated_twice_is_refused(long_panel):
    frame = long_panel(6)
    again = frame["treated"].where((frame["id"] != "u00001") | (frame["week"] != 9), 0)
    with pytest.raises(InvalidValue, match="unit u00001 ends or comes twice"):
        by_flag(frame.assign(treated=again))


def test_a_changing_first_period_is_refused(long_panel):
    frame = long_panel(6)
    first = frame["treated"] * 8
    with pytest.raises(InvalidValue, match="'first' changes within unit u00000"):
        by_start(frame.assign(first=first))


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_an_outcome_that_is_no_number_is_refused(long_panel, odd):
    frame = long_panel(6)
    frame.loc[17, "y"] = odd
    with pytest.raises(InvalidValue, match="'y' of unit u00001 in period 5 is not a finite number"):
        by_flag(frame)


def test_outcomes_that_are_text_are_refused(long_panel):
    with pytest.raises(InvalidValue, match="'y' must hold numbers"):
        by_flag(long_panel(6).assign(y="many"))


@pytest.mark.parametrize("odd", [2.0, np.nan])
def test_a_flag_is_0_or_1(long_panel, odd):
    with pytest.raises(InvalidValue, match="'treated' must be 0 or 1"):
        by_flag(long_panel(6).assign(treated=odd))


def test_a_missing_unit_is_refused(long_panel):
    frame = long_panel(6)
    frame.loc[3, "id"] = None
    with pytest.raises(InvalidValue, match="'id' is missing in 1 rows"):
        by_flag(frame)


def test_flag_and_first_period_exclude_each_other(long_panel):
    frame = long_panel(6).assign(first=0)
    with pytest.raises(InvalidValue, match="either `treated` or `first_treated`"):
        panel_of(frame, treated="treated", first_treated="first", **COLUMNS)
    with pytest.raises(InvalidValue, match="either `treated` or `first_treated`"):
        panel_of(frame, **COLUMNS)
