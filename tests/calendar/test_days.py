from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import fields
from datetime import date, datetime, timedelta

import pytest
from babel import Locale

from analysis_lib.calendar import Day
from analysis_lib.calendar.schema import WEEKDAYS
from analysis_lib.errors import InvalidValue, UnknownName

FIRST, LAST = date(2024, 10, 31), date(2026, 10, 31)
COUNTRIES = ["ID", "TH", "VN", "MY", "PH", "SG", "GB", "US", "MX", "BR", "ES", "SA"]
LOCALES = {
    "ID": "id_ID", "TH": "th_TH", "VN": "vi_VN", "MY": "ms_MY", "PH": "en_PH", "SG": "en_SG", "GB": "en_GB",
    "US": "en_US", "MX": "es_MX", "BR": "pt_BR", "ES": "es_ES", "SA": "ar_SA",
}  # fmt: skip


def on(calendar, country, *ymd) -> Day:
    return calendar.days(country, date(*ymd), date(*ymd))[0]


def test_all_markets_of_the_world(calendar):
    assert calendar.countries == COUNTRIES


@pytest.mark.parametrize("country", COUNTRIES)
def test_weekends_and_weeks_agree_with_unicode_cldr(calendar, country):
    locale, market = Locale.parse(LOCALES[country]), calendar.market(country)
    assert {WEEKDAYS.index(name) for name in market.weekend} == {locale.weekend_start, locale.weekend_end}
    assert WEEKDAYS.index(market.first_weekday) == locale.first_week_day


def test_saudi_arabia_rests_on_friday_and_saturday(calendar):
    week = calendar.days("SA", date(2025, 1, 6), date(2025, 1, 12))  # Monday to Sunday
    assert [day.is_weekend for day in week] == [False, False, False, False, True, True, False]
    week = calendar.days("ID", date(2025, 1, 6), date(2025, 1, 12))
    assert [day.is_weekend for day in week] == [False] * 5 + [True, True]


@pytest.mark.parametrize(("country", "day", "name"), [
    ("US", (2025, 11, 27), "Thanksgiving Day"), ("GB", (2025, 8, 25), "Late Summer Bank Holiday"),
    ("ID", (2025, 3, 31), "Eid al-Fitr"), ("SG", (2025, 10, 20), "Diwali"), ("TH", (2025, 4, 14), "Songkran Festival"),
    ("MX", (2025, 9, 16), "Independence Day"), ("SA", (2025, 9, 23), "National Day Holiday"),
    ("ES", (2025, 1, 6), "Epiphany"),
    ("US", (2025, 11, 28), None), ("BR", (2025, 11, 19), None),
])  # fmt: skip
def test_public_holidays_are_named_in_english(calendar, country, day, name):
    assert on(calendar, country, *day).holiday == name


@pytest.mark.parametrize(("country", "year", "month", "expected"), [
    ("ID", 2025, 1, [24]),  # the 25th is a Saturday
    ("TH", 2025, 8, [29]), ("TH", 2025, 12, [30]),  # New Year's Eve is a holiday in Thailand
    ("VN", 2025, 3, [5, 10]), ("MY", 2025, 2, [25]), ("SG", 2024, 12, [24]),  # the 25th is Christmas
    ("PH", 2025, 2, [14, 28]), ("PH", 2025, 1, [15, 30]), ("GB", 2025, 11, [28]), ("GB", 2026, 12, [24]),
    ("US", 2025, 8, [1, 15, 29]),  # 1 September is Labor Day, paid on Friday 29 August
    ("US", 2025, 9, [15]),
    ("MX", 2025, 2, [14, 28]), ("MX", 2024, 2, [15, 29]), ("BR", 2025, 1, [8]), ("BR", 2025, 11, [7]),
    ("ES", 2025, 11, [28]), ("ES", 2026, 2, [27]),
    ("SA", 2025, 1, [27]), ("SA", 2025, 6, [26]), ("SA", 2025, 9, [28]),  # a Friday; a Saturday
])  # fmt: skip
def test_paydays(calendar, country, year, month, expected):
    first = date(year, month, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    assert [day.day for day in calendar.paydays(country, first, last)] == expected
    assert [day.day.day for day in calendar.days(country, first, last) if day.is_payday] == expected


def test_days_since_payday_count_to_three(calendar):
    days = calendar.days("ID", date(2025, 2, 24), date(2025, 3, 1))
    assert [day.days_since_payday for day in days] == [None, 0, 1, 2, 3, None]
    assert [day.is_payday for day in days] == [False, True, False, False, False, False]


def test_a_payday_before_the_first_day_still_counts(calendar):
    assert on(calendar, "ES", 2025, 3, 1).days_since_payday == 1
    assert on(calendar, "TH", 2023, 1, 1).days_since_payday == 3  # of 2022; 30 December was a bridge day


def test_leap_day(calendar):
    days = calendar.days("MX", date(2024, 2, 28), date(2024, 3, 1))
    assert [day.day for day in days] == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]
    assert [day.is_payday for day in days] == [False, True, False]
    assert len(calendar.days("US", date(2024, 1, 1), date(2024, 12, 31))) == 366


def test_festival_of_the_day_and_its_offset(calendar):
    days = calendar.days("ID", date(2025, 11, 3), date(2025, 11, 13))
    assert [day.festival_day for day in days] == [None, *range(-7, 2), None]
    assert {day.festival for day in days} == {None, "double_11"}


@pytest.mark.parametrize(("country", "day", "festivals", "offset"), [
    ("ID", (2025, 3, 1), ("ramadan", "double_3"), 0),  # its main day comes first
    ("ID", (2025, 3, 2), ("double_3", "ramadan"), -1),  # else the shorter one
    ("ID", (2025, 3, 25), ("eid_al_fitr", "ramadan"), -6),
    ("PH", (2025, 12, 12), ("double_12", "christmas"), 0),
    ("SG", (2025, 2, 1), (), None),
])  # fmt: skip
def test_of_several_festivals_the_more_particular_one_is_the_main_one(calendar, country, day, festivals, offset):
    found = on(calendar, country, *day)
    assert found.festivals == festivals
    assert found.festival == (festivals[0] if festivals else None)
    assert found.festival_day == offset


def test_ramadan_days(calendar):
    days = {day.day: day.is_ramadan for day in calendar.days("SA", date(2025, 1, 1), date(2025, 12, 31))}
    assert [day for day, fasting in days.items() if fasting] == [
        date(2025, 3, 1) + timedelta(days=n) for n in range(29)
    ]
    assert not days[date(2025, 2, 28)]  # the run-up is not Ramadan
    assert not any(day.is_ramadan for day in calendar.days("BR", date(2025, 3, 1), date(2025, 3, 30)))


def test_days_and_festivals_agree(calendar):
    for country in COUNTRIES:
        held = calendar.festivals(FIRST, LAST, country)
        for day in calendar.days(country, FIRST, LAST):
            assert set(day.festivals) == {one.festival for one in held if one.covers(day.day)}
            assert day.is_payday == (day.days_since_payday == 0)


def test_order_is_as_asked_and_twice_is_once(calendar):
    days = calendar.days(["SA", "ID", "SA"], date(2025, 1, 1), date(2025, 1, 2))
    assert [(day.country, day.day.day) for day in days] == [("SA", 1), ("SA", 2), ("ID", 1), ("ID", 2)]
    assert len(calendar.days(None, FIRST, LAST)) == 12 * 731


@pytest.mark.parametrize(("first", "last", "message"), [
    (date(2025, 2, 1), date(2025, 1, 1), "exchange them"),
    (date(2022, 12, 31), date(2023, 1, 5), "2023-01-01 to 2027-12-31"),
    (date(2027, 12, 1), date(2028, 1, 1), "extend its period"),
    (datetime(2025, 1, 1), date(2025, 1, 2), "first must be a date without a time"),
    (date(2025, 1, 1), "2025-01-02", "last must be a date"),
])  # fmt: skip
def test_days_that_cannot_be_answered_are_refused(calendar, first, last, message):
    for ask in (
        lambda: calendar.days("ID", first, last),
        lambda: calendar.festivals(first, last),
        lambda: calendar.paydays("ID", first, last),
        lambda: calendar.to_frame("ID", first, last),
    ):
        with pytest.raises(InvalidValue, match=message):
            ask()


def test_no_market_is_refused(calendar):
    with pytest.raises(InvalidValue, match="no market is named"):
        calendar.days([], FIRST, LAST)
    with pytest.raises(UnknownName, match="market 'FR'"):
        calendar.market("FR")


def test_frame(calendar):
    frame = calendar.to_frame(["ID", "SA"], date(2025, 3, 29), date(2025, 4, 5))
    assert list(frame.columns) == [field.name for field in fields(Day)]
    assert len(frame) == 16 and frame["day"].dt.date.iloc[0] == date(2025, 3, 29)
    assert frame["is_weekend"].dtype == bool and frame["festival_day"].dtype == "Int64"
    row = frame[(frame["country"] == "ID") & (frame["day"] == "2025-03-30")].iloc[0]
    assert (row["festival"], row["festival_day"], row["festivals"]) == ("eid_al_fitr", -1, "eid_al_fitr,ramadan")
    assert frame["holiday"].isna().any() and (frame["festivals"] == "").any()


def test_twelve_markets_and_two_years_take_no_time_even_the_first_time():
    code = (
        "import time; start = time.perf_counter()\n"
        "from datetime import date\n"
        "from analysis_lib.calendar import load_calendar\n"
        "import sys; slow = {'holidays', 'pandas', 'dateutil'} & set(sys.modules)\n"
        "days = load_calendar().days(None, date(2024, 10, 31), date(2026, 10, 31))\n"
        "print(len(days), time.perf_counter() - start, *slow)"
    )
    taken = []
    for _ in range(3):  # the best of three: another process may be busy
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
        n_days, seconds, *slow = done.stdout.split()
        assert int(n_days) == 12 * 731 and slow == []
        taken.append(float(seconds))
        if min(taken) < 1.5:
            return
        time.sleep(1)
    assert min(taken) < 1.5
