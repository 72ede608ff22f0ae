"""Times at which days begin, against the days that the expression for them gives."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_lib.errors import ContractError
from analysis_lib.warehouse.days import local_day
from analysis_lib.warehouse.instants import begins, day_of, falls_on

#: No clock changes, changes at one in the morning, at midnight, half hours, and a zone ahead of UTC.
ZONES = ("Asia/Jakarta", "Europe/London", "America/Sao_Paulo", "America/Havana", "Asia/Kolkata", "Pacific/Auckland")

times = st.datetimes(datetime(2015, 1, 2), datetime(2029, 12, 30)).map(lambda at: at.replace(microsecond=0))


@pytest.fixture(scope="module")
def engine():
    return ibis.duckdb.connect()


@settings(max_examples=60, deadline=None)
@given(timezone=st.sampled_from(ZONES), at=times, days=st.integers(0, 3))
def test_a_time_falls_on_the_days_that_its_day_is_one_of(engine, timezone, at, days):
    rows = ibis.memtable(pd.DataFrame({"at": [at + timedelta(hours=step) for step in range(-30, 31)]}))
    first, last = at.date(), at.date() + timedelta(days=days)
    day = local_day(rows.at, timezone)
    found = engine.to_pandas(rows.select(day=day, kept=falls_on(rows.at, first, last, timezone), at=rows.at))
    days_found = pd.to_datetime(found["day"]).dt.date
    assert found["kept"].tolist() == [first <= one <= last for one in days_found]
    assert days_found.tolist() == [day_of(one.to_pydatetime(), timezone) for one in found["at"]]


@pytest.mark.parametrize(("day", "timezone", "expected"), [
    (date(2026, 3, 30), "Europe/London", datetime(2026, 3, 29, 23)),  # summer time has begun
    (date(2018, 11, 4), "America/Sao_Paulo", datetime(2018, 11, 4, 3)),  # this day begins at one in the morning
    (date(2026, 1, 1), "Asia/Kolkata", datetime(2025, 12, 31, 18, 30)),
])  # fmt: skip
def test_a_day_begins(day, timezone, expected):
    assert begins(day, timezone) == expected


@pytest.mark.parametrize("asked", [
    lambda zone: begins(date(2026, 1, 1), zone), lambda zone: day_of(datetime(2026, 1, 1), zone),
])  # fmt: skip
def test_a_zone_that_is_not_there_is_an_error_of_the_contract(asked):
    with pytest.raises(ContractError, match="'Mars/Olympus' is not an IANA time zone"):
        asked("Mars/Olympus")
