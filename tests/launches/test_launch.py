"""A launch as it stands in the plans."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from analysis_lib import launches
from analysis_lib.errors import ContractError, InvalidValue, UnknownName
from analysis_lib.launches.launch import find_launch

END = date(2026, 1, 4)


def test_where_it_is_live_and_where_not(launch):
    found = launch[1]
    assert (found.live, found.left) == (["AA", "BB", "CC", "DD", "EE"], ["FF", "GG", "HH"])
    assert (found.n_waves, found.first, found.is_announced) == (3, date(2025, 7, 7), False)
    assert (found.name, found.metric) == ("Gift notes", "checkout_rate")


def test_what_is_planned_is_not_live(opened, plan):
    found = find_launch(opened(plan()), "gift_notes", until=date(2025, 8, 17))
    assert found.live == ["AA", "BB"]
    assert found.left[:3] == ["CC", "DD", "EE"], "planned first"
    assert find_launch(opened(plan()), "gift_notes", until=date(2025, 1, 1)).live == []


def test_launches_in_their_order(world, opened, plan):
    assert launches.all_launches(world) == ["one_tap_checkout", "free_returns"]
    both = pd.concat([plan(), plan(launch_id="earlier", live_on="2025-01-01")])
    assert launches.all_launches(opened(both)) == ["earlier", "gift_notes"]


def test_unknown_names_are_answered_with_the_nearest(launch):
    with pytest.raises(UnknownName, match="gift_notes"):
        find_launch(launch[0], "gift_note", until=END)


def test_a_market_that_has_it_twice_is_refused(opened, plan):
    twice = pd.concat([plan(), plan().iloc[[0]].assign(live_on="2025-09-01")])
    with pytest.raises(InvalidValue, match="two rows for AA"):
        find_launch(opened(twice), "gift_notes", until=END)


def test_an_announcement_after_the_launch_is_refused(opened, plan):
    with pytest.raises(InvalidValue, match="announced in AA after it was live"):
        find_launch(opened(plan(announced_on="2025-12-01")), "gift_notes", until=END)


def test_a_source_without_launches_says_so(complete_journey, opened, plan):
    with pytest.raises(ContractError, match="launches"):
        launches.review(complete_journey, "gift_notes")
    with pytest.raises(ContractError, match="lacks live_on"):
        find_launch(opened(plan().drop(columns="live_on")), "gift_notes", until=END)


def test_a_plan_with_the_least_columns_is_enough(opened, plan):
    bare = plan()[["launch_id", "country", "live_on"]]
    found = find_launch(opened(bare), "gift_notes", until=END)
    assert (found.name, found.metric, len(found.live)) == ("gift_notes", "", 5)
