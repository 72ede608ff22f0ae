"""Which version is compared with which, over which days."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from analysis_lib import releases
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, UnknownName
from analysis_lib.releases.release import DAYS, _ramp, find_release

END = date(2026, 10, 30)


def test_versions_in_their_order(world):
    found = releases.all_releases(world)
    assert len(found) == 8
    assert found[0] == ("android", "31.0")
    assert found[-1] == ("ios", "34.0")


def test_a_version_is_compared_with_the_one_before_it(world):
    found = find_release(world, "android", "33.0", until=END)
    assert (found.before, found.first, found.last) == ("32.0", date(2026, 3, 9), date(2026, 4, 5))
    assert found.before_since == date(2025, 8, 18)
    assert found.is_over(END)
    assert not found.is_over(date(2026, 3, 20))


def test_the_first_version_is_compared_with_what_was_in_use(world):
    found = find_release(world, "ios", "31.0", until=END)
    assert found.before == "30.0"
    assert found.before_since is None


def test_a_running_ramp_ends_with_the_day_that_is_read(world):
    found = find_release(world, "android", "33.0", until=date(2026, 3, 15))
    assert found.last == date(2026, 3, 15)
    assert found.days == 7


def test_shares_and_stages_of_the_ramp(world):
    found = find_release(world, "android", "33.0", until=END)
    assert [found.offered(found.first + timedelta(days=day)) for day in (0, 4, 8, 20)] == [0.05, 0.2, 0.5, 1.0]
    assert found.offered(found.first - timedelta(days=1)) == 0.0
    assert found.stage(found.first) == "offered to 5%"
    assert found.stage(found.last) == "offered to all"


def test_unknown_names_are_answered_with_the_nearest(world):
    with pytest.raises(UnknownName, match="android"):
        find_release(world, "andriod", "33.0", until=END)
    with pytest.raises(UnknownName, match=r"33\.0"):
        find_release(world, "android", "33", until=END)


def test_a_version_that_nobody_has_yet_is_refused(world):
    with pytest.raises(NotEnoughData, match="no visit by"):
        find_release(world, "android", "34.0", until=date(2026, 1, 1))


def test_a_source_without_releases_says_so(complete_journey):
    with pytest.raises(ContractError, match="app_releases"):
        releases.assess(complete_journey, "android", "33.0")


@pytest.mark.parametrize("given", ['[{"day": 0}]', "half", 7, '[{"day": "soon", "share": 0.1}]'])
def test_a_ramp_that_is_no_ramp_is_refused(given):
    with pytest.raises(InvalidValue, match="ramp"):
        _ramp(pd.Series({"ramp": given}))


def test_a_ramp_may_be_missing_or_text():
    assert _ramp(pd.Series({"ramp": None})) == ()
    assert _ramp(pd.Series({"ramp": float("nan")})) == ()
    assert _ramp(pd.Series({"ramp": '[{"day": 3, "share": 1.0}, {"day": 0, "share": 0.1}]'})) == ((0, 0.1), (3, 1.0))


def test_days_are_cut_by_the_next_version(world):
    """Every version of the world is followed long after: none is cut, and none is longer than it may be."""
    for platform, version in releases.all_releases(world):
        found = find_release(world, platform, version, until=END)
        assert found.days == DAYS
        assert not found.is_followed
