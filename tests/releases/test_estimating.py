"""Differences of two versions: planted ones are found, and their errors are those of users drawn anew."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from analysis_lib.errors import NotEnoughData
from analysis_lib.releases.estimating import METRICS, compare
from analysis_lib.releases.visits import ALL, compared_visits, placebo_visits


def last_of(found, system: str = ALL):
    last = final(found)
    return last[last["system"] == system].set_index("metric")


def final(found):
    """The looks of the last day of each system and metric."""
    return found.looks.groupby(["system", "metric"], sort=False).tail(1)


@pytest.fixture(scope="module")
def harmful(visits, engine, release):
    table, run = engine(visits(1, users=9000, slower=0.2, crash=0.05, lost=0.3))
    return compare(compared_visits(table, release(), run))


def test_what_is_planted_is_found(harmful):
    whole, old = last_of(harmful), last_of(harmful, "android 9")
    shares = {"start_ms_p50": 0.2, "start_ms_p95": 0.2, "conversion": -0.3}
    truths = {name: share * whole.loc[name, "old"] for name, share in shares.items()}
    for name, truth in truths.items():
        row = whole.loc[name]
        assert abs(row["value"] - truth) < 3.5 * row["se"]
        assert abs(truth) > 3 * row["se"]
    row = old.loc["crash_free_rate"]
    assert abs(row["value"] + 0.05) < 3.5 * row["se"]
    quiet = last_of(harmful, "android 14").loc["crash_free_rate"]
    assert abs(quiet["value"]) < 3.5 * quiet["se"]


def test_levels_differ_by_the_difference(harmful):
    last = final(harmful)
    assert (last["new"] - last["old"]).to_numpy() == pytest.approx(last["value"].to_numpy())


def test_users_who_buy_more_and_install_sooner_do_not_make_the_version_look_good(visits, engine, release):
    """The plain difference is far off; less what the same users did before it is not."""
    values, plain, errors = [], [], []
    for seed in range(6):
        table, run = engine(visits(10 + seed, pick=0.8))
        found = compare(compared_visits(table, release(), run))
        row = last_of(found).loc["conversion"]
        cells = found.cells
        new, old = cells[cells["is_new"]], cells[~cells["is_new"]]
        plain.append(new["conversion"].sum() / new["n"].sum() - old["conversion"].sum() / old["n"].sum())
        values.append(row["value"])
        errors.append(row["se"])
    assert np.mean(plain) > 0.01
    assert abs(np.mean(values)) < 3 * np.sqrt(np.mean(np.square(errors)) / len(errors))
    assert abs(np.mean(values)) < 0.5 * np.mean(plain)


def test_errors_are_as_large_as_the_spread_over_draws(visits, engine, release):
    found = []
    for seed in range(16):
        table, run = engine(visits(100 + seed, users=2500, pick=0.5))
        found.append(last_of(compare(compared_visits(table, release(), run))))
    for name in METRICS:
        z = np.array([one.loc[name, "value"] / one.loc[name, "se"] for one in found])
        # 16 draws: the root mean square of unit normals is within these bounds all but once in a thousand.
        assert 0.5 < np.sqrt(np.mean(z**2)) < 1.6, name


def test_the_sum_of_squares_is_that_of_users_by_hand(visits, engine, release):
    """Every visit of the cells weighed, centred and added up by user in pandas."""
    frame = visits(3, users=1500)
    table, run = engine(frame)
    seen = compared_visits(table, release(), run)
    found = compare(seen)
    rows = run(seen.table)
    rows["day"] = rows["day"].dt.date if hasattr(rows["day"], "dt") else rows["day"]
    keys = ["day", "is_new", "system", "activity", "speed", "country"]
    rows = rows.merge(found.cells[[*keys, "weight"]], on=keys)
    gain = rows["conversion"] - rows["was_conversion"]
    weights = rows["weight"].abs()
    centre = (gain * weights).groupby([rows["system"], rows["is_new"]]).transform("sum") / weights.groupby(
        [rows["system"], rows["is_new"]]
    ).transform("sum")
    moved = (rows["weight"] * (gain - centre)).groupby([rows["system"], rows["user_id"]]).sum()
    told = float(rows.loc[rows["is_new"], "weight"].sum())
    assert last_of(found).loc["conversion", "se"] == pytest.approx(np.sqrt((moved**2).sum()) / told, rel=1e-9)


def test_quantiles_are_those_of_weighted_start_times(visits, engine, release):
    frame = visits(4, users=2500, slower=0.1)
    table, run = engine(frame)
    seen = compared_visits(table, release(), run)
    found = compare(seen)
    rows = run(seen.table)
    rows["day"] = rows["day"].dt.date if hasattr(rows["day"], "dt") else rows["day"]
    rows = rows.merge(found.cells[["day", "is_new", "system", "activity", "speed", "country", "weight"]])
    for name, level in (("start_ms_p50", 0.5), ("start_ms_p95", 0.95)):
        for side, column in ((True, "new"), (False, "old")):
            own = rows[(rows["is_new"] == side) & (rows["weight"] != 0)].sort_values("start_ms")
            reached = own["weight"].abs().cumsum() / own["weight"].abs().sum()
            exact = own["start_ms"].to_numpy()[np.searchsorted(reached.to_numpy(), level)]
            assert last_of(found).loc[name, column] == pytest.approx(exact, rel=0.012)


def test_a_time_when_nobody_had_it_shows_nothing(visits, engine, release):
    table, run = engine(visits(5, users=6000, slower=0.3, lost=0.4, crash=0.1, pick=0.5))
    early = last_of(compare(placebo_visits(table, release(), run, shift=21)))
    assert (early["value"].abs() < 3.5 * early["se"]).all()


def test_no_common_day_is_an_error(visits, engine, release):
    frame = visits(6, users=300)
    frame.loc[frame["day"] >= release().first, "app_version"] = "new"
    table, run = engine(frame)
    with pytest.raises(NotEnoughData, match="no day"):
        compare(compared_visits(table, release(), run))


def test_missing_start_times_and_systems_do_no_harm(visits, engine, release):
    frame = visits(7, users=2000)
    frame.loc[frame.index % 3 == 0, "start_ms"] = np.nan
    frame.loc[frame.index % 5 == 0, "os_version"] = None
    table, run = engine(frame)
    found = compare(compared_visits(table, release(), run))
    assert "unknown" in set(found.looks["system"])
    assert np.isfinite(last_of(found).loc["start_ms_p50", "value"])


def test_signed_out_visits_and_other_versions_are_counted_as_left_out(visits, engine, release):
    frame = visits(8, users=800)
    inside = frame["day"].between(release().first, release().last)
    frame.loc[inside & (frame.index % 4 == 0), "user_id"] = None
    frame.loc[inside & (frame.index % 4 == 1), "app_version"] = "older"
    table, run = engine(frame)
    seen = compared_visits(table, release(), run)
    assert seen.n_other == int((inside & (frame.index % 4 <= 1)).sum())


def test_looks_of_a_day_are_what_a_shorter_comparison_says(visits, engine, release):
    """Somebody who reads on day 10 sees the same as the look of day 10, but for what centres the squares."""
    table, run = engine(visits(9, users=3000))
    whole, short = (compare(compared_visits(table, release(days), run)) for days in (21, 10))
    day = release().first + timedelta(days=9)
    own = whole.looks[(whole.looks["day"] == day) & (whole.looks["system"] == ALL)].set_index("metric")
    for name in METRICS:
        assert own.loc[name, "value"] == pytest.approx(last_of(short).loc[name, "value"], rel=1e-9)
        assert own.loc[name, "se"] == pytest.approx(last_of(short).loc[name, "se"], rel=0.25)
