from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from analysis_lib.errors import InvalidValue, UnknownName

DATA = (date(2024, 10, 31), date(2026, 10, 31))
PERIOD = (date(2023, 1, 1), date(2027, 12, 31))

#: Main days as announced or decreed; none of them comes from the code under test.
KNOWN = [
    ("black_friday", "US", date(2024, 11, 29)),  # the fifth Friday of that November
    ("black_friday", "GB", date(2025, 11, 28)),
    ("black_friday", "BR", date(2026, 11, 27)),
    ("white_friday", "SA", date(2025, 11, 28)),
    ("buen_fin", "MX", date(2023, 11, 17)),
    ("buen_fin", "MX", date(2024, 11, 15)),
    ("buen_fin", "MX", date(2025, 11, 14)),
    ("lunar_new_year", "SG", date(2024, 2, 10)),
    ("lunar_new_year", "ID", date(2025, 1, 29)),
    ("lunar_new_year", "TH", date(2026, 2, 17)),
    ("tet", "VN", date(2025, 1, 29)),
    ("tet", "VN", date(2026, 2, 17)),
    ("ramadan", "SA", date(2025, 3, 1)),
    ("ramadan", "MY", date(2025, 3, 2)),
    ("ramadan", "SA", date(2026, 2, 18)),
    ("ramadan", "ID", date(2026, 2, 19)),
    ("eid_al_fitr", "SA", date(2025, 3, 30)),
    ("eid_al_fitr", "ID", date(2025, 3, 31)),
    ("eid_al_fitr", "SA", date(2026, 3, 20)),
    ("eid_al_fitr", "MY", date(2026, 3, 21)),
    ("eid_al_adha", "SA", date(2025, 6, 6)),
    ("eid_al_adha", "SG", date(2025, 6, 7)),
    ("deepavali", "SG", date(2024, 10, 31)),
    ("deepavali", "MY", date(2025, 10, 20)),
    ("songkran", "TH", date(2025, 4, 13)),
    ("easter", "ES", date(2025, 4, 20)),
    ("easter", "PH", date(2026, 4, 5)),
    ("mothers_day", "GB", date(2025, 3, 30)),
    ("mothers_day", "US", date(2025, 5, 11)),
    ("mothers_day", "ES", date(2025, 5, 4)),
    ("valentines_day", "BR", date(2025, 6, 12)),
    ("double_11", "VN", date(2025, 11, 11)),
    ("christmas", "PH", date(2025, 12, 25)),
]


@pytest.mark.parametrize(("name", "country", "main_on"), KNOWN, ids=lambda value: str(value))
def test_known_main_days(calendar, name, country, main_on):
    found = calendar.festivals(date(main_on.year, 1, 1), date(main_on.year, 12, 31), country, name)
    assert main_on in [one.main_on for one in found]


@pytest.mark.parametrize("country", ["SA", "ID", "MY", "SG"])
def test_ramadan_is_a_lunar_month_that_ends_on_the_eve_of_eid(calendar, country):
    ramadans = calendar.festivals(*PERIOD, country, "ramadan")
    eids = calendar.festivals(*PERIOD, country, "eid_al_fitr")
    assert len(ramadans) == len(eids) == 5
    for ramadan, eid in zip(ramadans, eids, strict=True):
        assert ramadan.last_on + timedelta(days=1) == eid.main_on
        assert (eid.main_on - ramadan.main_on).days in (29, 30)
    years = [(b.main_on - a.main_on).days for a, b in pairwise(ramadans)]
    assert all(353 <= length <= 356 for length in years)  # twelve lunar months, a sighting early or late


@pytest.mark.parametrize("name", ["ramadan", "eid_al_fitr", "eid_al_adha"])
def test_moon_sightings_differ_by_a_day_at_most(calendar, name):
    for year in range(2023, 2028):
        found = [one.main_on for one in calendar.festivals(*PERIOD, name=name) if one.year == year]
        assert len(found) == 4 and (max(found) - min(found)).days <= 1


def test_listed_eids_fall_into_the_public_holidays_of_the_market(calendar):
    for name in ("eid_al_fitr", "eid_al_adha"):
        for one in calendar.festivals(*PERIOD, "SA", name):
            assert "Eid" in calendar.days("SA", one.main_on, one.main_on)[0].holiday


@pytest.mark.parametrize(("said", "name"), [
    ("11.11", "double_11"), ("singles' day", "double_11"), ("Hari Raya", "eid_al_fitr"), ("LEBARAN", "eid_al_fitr"),
    ("Harbolnas", "double_12"), ("tết", "tet"), ("BFCM", "black_friday"), ("Yellow Friday", "white_friday"),
])  # fmt: skip
def test_a_festival_is_found_by_title_and_alias(calendar, said, name):
    found = calendar.festivals(*DATA, name=said)
    assert found and {one.festival for one in found} == {name}
    assert calendar.festival(said) is calendar.festival(name)


def test_a_festival_that_only_touches_the_days_is_found(calendar):
    run_up = calendar.festivals(date(2025, 11, 4), date(2025, 11, 4), "ID")
    assert [(one.festival, one.main_on) for one in run_up] == [("double_11", date(2025, 11, 11))]
    assert calendar.festivals(date(2025, 11, 3), date(2025, 11, 3), "ID") == []
    last = calendar.festivals(date(2025, 11, 12), date(2025, 11, 12), "ID", "11.11")
    assert [one.last_on for one in last] == [date(2025, 11, 12)]


def test_a_run_up_over_new_year_is_found_on_both_sides(calendar):
    for day in (date(2025, 12, 27), date(2026, 1, 5), date(2027, 12, 31)):
        assert "three_kings" in [one.festival for one in calendar.festivals(day, day, "ES")]


def test_festivals_come_in_order_and_cover_their_days(calendar):
    found = calendar.festivals(*DATA)
    assert [one.main_on for one in found] == sorted(one.main_on for one in found)
    for one in found:
        assert one.first_on <= one.main_on <= one.last_on
        assert one.covers(one.first_on) and one.covers(one.last_on) and not one.covers(one.last_on + timedelta(days=1))
        assert one.offset(one.main_on) == 0 and one.offset(one.first_on) <= 0
        assert one.n_days == one.offset(one.last_on) - one.offset(one.first_on) + 1 <= 60


def test_every_market_has_festivals_every_year(calendar):
    for country in calendar.countries:
        for year in range(2023, 2028):
            assert len(calendar.festivals(date(year, 1, 1), date(year, 12, 31), country)) >= 5


def test_every_festival_of_the_data_has_the_same_one_a_year_before(calendar):
    found = calendar.festivals(*DATA)
    assert len(found) > 200
    for one in found:
        before = calendar.same_festival_last_year(one)
        assert (before.festival, before.country, before.year) == (one.festival, one.country, one.year - 1)
        assert 330 <= (one.main_on - before.main_on).days <= 395
        assert before in calendar.festivals(before.main_on, before.main_on, before.country)


def test_without_a_year_before_it_says_why(calendar):
    first = calendar.festivals(date(2023, 11, 11), date(2023, 11, 11), "ID", "11.11")[0]
    with pytest.raises(InvalidValue, match=r"11\.11 of 2023 in ID has no year before it .* 2023-01-01 to 2027-12-31"):
        calendar.same_festival_last_year(first)


def test_unknown_names_name_the_nearest(calendar):
    with pytest.raises(UnknownName, match=r"festival 'ramadhn' is not in .*calendar\.yml\. Did you mean 'ramadhan'"):
        calendar.festivals(*DATA, name="ramadhn")
    with pytest.raises(UnknownName, match=r"market 'UK' is not in .*calendar\.yml"):
        calendar.festivals(*DATA, countries=["ID", "UK"])
    with pytest.raises(UnknownName, match="Did you mean 'ID'"):
        calendar.days("id", *DATA)
