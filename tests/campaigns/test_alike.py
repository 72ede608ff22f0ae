"""Buyers alike in a window are taken together: the same answer as one row a buyer, from far fewer rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib.campaigns.cells import Panel
from analysis_lib.campaigns.comparison import BUYERS, alike_at, by_history, frame_at
from analysis_lib.campaigns.exposed import Exposure
from analysis_lib.campaigns.growth import by_growth
from analysis_lib.campaigns.windows import Campaign, Windows
from analysis_lib.errors import NotEnoughData

CAMPAIGN = "sale"


@pytest.fixture(scope="module")
def windows() -> Windows:
    day = pd.Timestamp("2026-03-02").date()
    campaign = Campaign(
        campaign_id=CAMPAIGN, name="Sale", country="US", market="the United States", currency="usd", timezone="UTC",
        starts_on=day, ends_on=day + pd.Timedelta(days=9), mechanic="coupon", targeting="segment",
    )  # fmt: skip
    return Windows(campaign, 8, 2, day - pd.Timedelta(weeks=20), day + pd.Timedelta(weeks=6))


def panel_of(rng: np.random.Generator, n: int = 3000, *, lost: bool = True) -> Panel:
    """Most users buy nothing in most weeks."""
    kinds = {}
    for name in ("promoted", "other"):
        buys = rng.random((n, 26, 2)) < np.where(rng.random(n) < 0.3, 0.15, 0.005)[:, None, None]
        kinds[name] = np.asfortranarray(buys * rng.gamma(2.0, 10.0, (n, 26, 2)))
    taken = np.asfortranarray(kinds["other"] * (rng.random((n, 26, 2)) < 0.1)) if lost else None
    return Panel(pd.Index([f"u{place}" for place in range(n)]), -20, **kinds, n_days=10, lost=taken)


def exposure_of(rng: np.random.Generator, n: int, n_others: int = 3) -> Exposure:
    """The campaign, others at other times, some held out, some unknown before."""
    parts = []
    for number, name in enumerate([CAMPAIGN, *(f"other{k}" for k in range(n_others))]):
        position = np.append(np.flatnonzero(rng.random(n) < 0.4), [-1, -1])
        first = 0 if number == 0 else -7 * number
        held_out = rng.random(len(position)) < 0.1
        rows = pd.DataFrame({"position": position, "is_holdout": held_out, "first": first, "last": first + 9})
        parts.append(rows.assign(campaign_id=name, user_id=[f"u{place}" for place in position]))
    return Exposure(pd.concat(parts, ignore_index=True), n)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("start", [0, -6])
def test_both_ways_find_the_same(windows, seed, start):
    rng = np.random.default_rng(seed)
    panel = panel_of(rng, lost=seed % 2 == 0)
    reached = exposure_of(rng, len(panel.users)).reached
    whole = frame_at(panel, reached, windows, CAMPAIGN, start, 8)
    alike = alike_at(panel, reached, windows, CAMPAIGN, start, 8)
    assert len(alike.frame) < 0.7 * len(whole) and alike.frame[BUYERS].sum() == len(whole)
    columns = whole.columns.drop(BUYERS)
    pd.testing.assert_frame_equal(alike.frame[columns].iloc[alike.place].reset_index(drop=True), whole[columns])
    pd.testing.assert_frame_equal(whole[columns].iloc[alike.one_of].reset_index(drop=True), alike.frame[columns])
    for way in (by_history, by_growth):
        one, other = way(whole, 0.95, "usd").effects, way(alike.frame, 0.95, "usd").effects
        for name in one:
            assert other[name].value == pytest.approx(one[name].value, rel=1e-4, abs=1e-6)
            assert other[name].se == pytest.approx(one[name].se, rel=1e-4)
            assert other[name].n == one[name].n


def test_a_purchase_after_the_window_counts_if_it_is_asked_for(windows):
    rng = np.random.default_rng(5)
    panel = panel_of(rng, 500)
    reached = exposure_of(rng, 500).reached
    alike = alike_at(panel, reached, windows, CAMPAIGN, -8, 4, until=0)
    spent = panel.weekly(-4, 0).sum(axis=1)
    assert (spent[alike.one_of][alike.place] == spent).all() and spent.any()
    without = alike_at(panel, reached, windows, CAMPAIGN, -8, 4)
    assert not (spent[without.one_of][without.place] == spent).all()


@pytest.mark.parametrize("n_others", [0, 3, 70, 140])
def test_combinations_are_those_of_single_rows(n_others):
    """Also of more campaigns than an integer has bits."""
    rng = np.random.default_rng(n_others)
    seen = exposure_of(rng, 200, n_others)
    reached, rows = seen.reached, seen.known[~seen.known["is_holdout"]]
    for name in (CAMPAIGN, f"other{n_others - 1}", "another"):
        mine = np.zeros(200)
        mine[rows.loc[rows["campaign_id"] == name, "position"]] = 1.0
        assert (reached.treated(name) == mine).all()
    start, end = -12, 3
    days = (np.minimum(rows["last"] + 1, end) - np.maximum(rows["first"], start)).clip(lower=0)
    others = np.zeros(200)
    of_others = (rows["campaign_id"] != CAMPAIGN).to_numpy()
    np.add.at(others, rows["position"][of_others], days[of_others] / (end - start))
    assert reached.others(CAMPAIGN, start, end) == pytest.approx(others)
    some = np.array([5, 17, 17, 0])
    assert (reached.part(some).others(CAMPAIGN, start, end) == reached.others(CAMPAIGN, start, end)[some]).all()


def test_nobody_was_targeted(windows):
    rows = exposure_of(np.random.default_rng(1), 100).rows.iloc[:0]
    reached, panel = Exposure(rows, 100).reached, panel_of(np.random.default_rng(6), 100)
    assert not reached.treated(CAMPAIGN).any() and not reached.others(CAMPAIGN, -5, 5).any()
    frame = alike_at(panel, reached, windows, CAMPAIGN, 0, 8).frame
    for way in (by_history, by_growth):
        with pytest.raises(NotEnoughData, match="there are no treated"):
            way(frame, 0.95, "usd")


def test_weeks_beyond_the_data_count_as_without_purchases():
    panel = panel_of(np.random.default_rng(6), 100)
    assert panel.bought(0, 40).tolist() == panel.bought(0, 6).tolist()
    assert panel.bought(-4, 0).tolist() == (panel.weekly(-4, 0).sum(axis=1) > 0).tolist()
