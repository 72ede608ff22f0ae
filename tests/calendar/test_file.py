from __future__ import annotations

from datetime import date

import pytest

from analysis_lib import config
from analysis_lib.calendar import load_calendar
from analysis_lib.errors import InvalidValue, UnknownName


def setter(*path, value):
    """A change of the file: ``value`` at the end of ``path``."""

    def change(content):
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return change


def rule(value):
    return setter("festivals", "double_11", "held", 0, "rule", value=value)


def payday(value):
    return setter("markets", "ID", "paydays", value=[value])


@pytest.mark.parametrize(("change", "message"), [
    (setter("market", value={}), "unknown key 'market', did you mean 'markets'"),
    (setter("markets", "ID", "week_end", value=["friday"]),
     r"markets\.ID: unknown key 'week_end', did you mean 'weekend'"),
    (setter("markets", "ID", "weekend", value=["caturday"]), r"markets\.ID: 'weekend\.0'.*caturday"),
    (setter("markets", "ID", "weekend", value=[]), r"markets\.ID: 'weekend'"),
    (setter("festivals", "double_11", "runup_days", value=3),
     r"festivals\.double_11: unknown key 'runup_days', did you mean 'run_up_days'"),
    (setter("festivals", "double_11", "run_up_days", value=-1), r"festivals\.double_11: 'run_up_days'"),
    (setter("festivals", "double_11", "lasts_until", value="christmas"), "either length_days or lasts_until"),
    (setter("festivals", "double_11", "length_days", value=None), "either length_days or lasts_until"),
    (rule({"kind": "month_day", "month": 2, "day": 30}), r"festivals\.double_11: .*month 2 does not have a day 30"),
    (rule({"kind": "month_day", "month": 2, "day": 29}), "does not have a day 29 every year"),
    (rule({"kind": "month_day", "month": 13, "day": 1}), r"festivals\.double_11: .*month"),
    (rule({"kind": "nth_weekday", "month": 11, "weekday": "friday", "nth": 5}), r"festivals\.double_11: .*nth"),
    (rule({"kind": "nth_weekday", "month": 11, "wekday": "friday", "nth": 4}),
     "weekday' is missing; unknown key .*wekday'.$"),
    (rule({"kind": "fullmoon"}), r"festivals\.double_11: .*fullmoon"),
    (rule({"kind": "listed", "dates": [date(2025, 1, 1)]}),
     r"festivals\.double_11: dates for ID.* lack 2022, 2023, 2024"),
    (rule({"kind": "listed", "dates": [date(2025, 1, 1), date(2025, 3, 1)]}), "two dates in one year"),
    (payday({"kind": "day_of_month", "days": [32]}), r"markets\.ID: .*32"),
    (payday({"kind": "day_of_month", "days": []}), r"markets\.ID: "),
    (payday({"kind": "nth_working_day", "nth": 30}), r"markets\.ID: .*nth"),
    (payday({"kind": "last_day", "if_closed": "before"}), r"markets\.ID: .*if_closed"),
    (setter("markets", "ID", "paydays", value=[]), r"markets\.ID: 'paydays': name at least one"),
    (setter("festivals", 10.1, value={}), "festivals: 10.1 cannot be a name.*11.11 is for the title"),
    (setter("markets", False, value={}), "markets: False cannot be a name.*NO is false"),
    (setter("festivals", "double_11", "held", 0, "markets", value=["ID", False]), 'write "NO"'),
    (setter("festivals", "double_11", "held", 0, "markets", value=["ID", "ID"]), "market ID has two rules"),
    (setter("festivals", "double_11", "aliases", value=["EID"]),
     "'Eid' already stands for double_11|'EID' already stands"),
    (setter("period", "last", value=date(2020, 1, 1)), r"period: last \(2020-01-01\) lies before first"),
    (setter("period", "last", value=date(2028, 12, 31)), "lack 2029"),
    (setter("markets", value={}), "'markets' must hold names with values"),
    (lambda content: {"period": content["period"]}, "'markets' must hold"),
    (setter("festivals", "ramadan", "held", 0, "markets", value=["SA", "TH"]),
     "lasts until eid_al_fitr, which TH does not hold"),
])  # fmt: skip
def test_a_broken_file_is_refused_and_the_place_is_named(changed, change, message):
    with pytest.raises(InvalidValue, match=message) as caught:
        changed(change)
    assert "data/calendar.yml" in str(caught.value)


@pytest.mark.parametrize(("change", "message"), [
    (setter("festivals", "double_11", "held", 0, "markets", value=["UK"]),
     "festivals.double_11: market 'UK' is not in"),
    (rule({"kind": "holiday", "name": "Diwali", "country": "IN"}), "festivals.double_11: market 'IN' is not in"),
    (setter("festivals", "ramadan", "lasts_until", value="eid_al_fitre"), "Did you mean 'eid_al_fitr'"),
    (setter("festivals", "ramadan", "lasts_until", value="ramadan"), "festivals.ramadan: lasts_until 'ramadan'"),
])  # fmt: skip
def test_a_festival_speaks_of_markets_and_festivals_that_exist(changed, change, message):
    with pytest.raises(UnknownName, match=message):
        changed(change)


@pytest.mark.parametrize(("change", "message"), [
    (rule({"kind": "holiday", "name": "Kings Day"}),
     r"festivals\.double_11: the holidays package has no 'Kings Day' in 2022"),
    (setter("markets", "ID", "holidays", value="QQ"), "does not know 'QQ'"),
    (setter("markets", "ID", "subdivision", value="Atlantis"), "does not know 'ID', subdivision 'Atlantis'"),
])  # fmt: skip
def test_what_the_holidays_package_lacks_is_said_when_asked(changed, change, message):
    calendar = changed(change)
    with pytest.raises(InvalidValue, match=message):
        calendar.days("ID", date(2025, 1, 1), date(2025, 1, 2))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidValue, match=r"data/calendar\.yml cannot be read"):
        load_calendar(config.Project(tmp_path))


def test_a_fork_adds_a_market_and_a_festival(changed):
    rule_of_soldes = {"kind": "nth_weekday", "month": 1, "weekday": "wednesday", "nth": 2}

    def change(content):
        content["markets"]["FR"] = {
            "holidays": "FR", "weekend": ["sunday"], "first_weekday": "monday",
            "paydays": [{"kind": "last_day", "if_closed": "later"}],
        }  # fmt: skip
        content["festivals"]["soldes"] = {
            "title": "Soldes", "meaning": "Winter sales.", "run_up_days": 0, "length_days": 28,
            "held": [{"markets": ["FR"], "rule": rule_of_soldes}],
        }  # fmt: skip

    calendar = changed(change)
    day = calendar.days("FR", date(2025, 1, 8), date(2025, 1, 8))[0]
    assert (day.festival, day.festival_day) == ("soldes", 0)
    assert calendar.paydays("FR", date(2025, 8, 1), date(2025, 9, 30)) == [date(2025, 9, 1), date(2025, 9, 30)]


def test_a_calendar_without_ramadan_has_no_ramadan_days(changed):
    calendar = changed(lambda content: content["festivals"].pop("ramadan") and None)
    assert not any(day.is_ramadan for day in calendar.days("SA", date(2025, 3, 1), date(2025, 3, 30)))


def test_a_file_is_read_once(calendar):
    assert load_calendar() is load_calendar()


def test_the_shipped_file_says_what_things_mean(calendar):
    for name, festival in calendar.file.festivals.items():
        assert festival.meaning.endswith(".") and len(festival.meaning) > 10, name
        assert set(festival.countries) <= set(calendar.countries)
    for code in calendar.countries:
        assert calendar.market(code).paydays
