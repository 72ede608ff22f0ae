"""Market-local days from UTC times, as an expression every engine understands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import ibis

from analysis_lib.errors import ContractError
from analysis_lib.warehouse.rules import EARLIEST_YEAR


def zone_of(timezone: str) -> ZoneInfo:
    """The time zone of that name.

    Raises
    ------
    ContractError
        If it does not exist.
    """
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ContractError(f"countries.timezone '{timezone}' is not an IANA time zone") from error


def local_day(at, timezone: str, *, first_year: int = EARLIEST_YEAR, last_year: int = 2035):
    """The market-local date of a UTC timestamp column.

    The offsets of the zone, clock changes included, are looked up here and written into the
    expression as plain comparisons: engines differ in the time zones they know, not in arithmetic.

    Parameters
    ----------
    at : ibis timestamp column
        UTC times without a zone.
    timezone : str
        IANA name, for example ``America/Sao_Paulo``.
    first_year, last_year : int
        Years whose clock changes are known to the expression.

    Raises
    ------
    ContractError
        If the zone does not exist.
    """
    offsets = _offsets(timezone, date(first_year, 1, 1), date(last_year, 12, 31))
    if len(offsets) == 1:
        return (at + ibis.interval(minutes=offsets[0][1])).date() if offsets[0][1] else at.date()
    return (at + _offset_at(at, offsets).as_interval("m")).date()


def market_day(at, country, zones: Mapping[str, str], *, first_year: int = EARLIEST_YEAR, last_year: int = 2035):
    """The market-local date of a UTC timestamp column whose rows lie in many markets.

    Parameters
    ----------
    at : ibis timestamp column
        UTC times without a zone.
    country : ibis string column
        Market of each row; a market that ``zones`` does not name gets the UTC date.
    zones : dict of str to str
        IANA name of each market's zone.
    first_year, last_year : int
        As ``local_day``: the fewer years, the shorter the expression.

    Raises
    ------
    ContractError
        If a zone does not exist.
    """
    markets: dict[tuple[tuple[datetime, int], ...], list[str]] = {}
    for market, zone in sorted(zones.items()):
        offsets = _offsets(zone, date(first_year, 1, 1), date(last_year, 12, 31))
        markets.setdefault(offsets, []).append(market)
    if not markets:
        return at.date()
    branches = [(country.isin(codes), _offset_at(at, offsets)) for offsets, codes in markets.items()]
    return (at + ibis.cases(*branches, else_=0).as_interval("m")).date()


def _offset_at(at, offsets: tuple[tuple[datetime, int], ...]):
    minutes = ibis.literal(offsets[0][1], type="int32")
    for since, offset in offsets[1:]:
        minutes = ibis.ifelse(at >= ibis.literal(since), offset, minutes)
    return minutes


@lru_cache(maxsize=256)
def _offsets(timezone: str, first: date, last: date) -> tuple[tuple[datetime, int], ...]:
    """UTC times from which an offset in minutes holds, oldest first; looked up once a zone, day by day."""
    zone = zone_of(timezone)
    found: list[tuple[datetime, int]] = []
    day = datetime(first.year, first.month, first.day, tzinfo=UTC)
    while day.date() <= last:
        offset = _minutes(zone, day)
        if not found or found[-1][1] != offset:
            found.append((_change(zone, day, offset) if found else day.replace(tzinfo=None), offset))
        day += timedelta(days=1)
    return tuple(found)


def _change(zone: ZoneInfo, day: datetime, offset: int) -> datetime:
    """The minute, within the day before ``day``, at which ``offset`` begins."""
    low, high = day - timedelta(days=1), day
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) / 2
        low, high = (low, middle) if _minutes(zone, middle) == offset else (middle, high)
    return high.replace(second=0, microsecond=0, tzinfo=None)


def _minutes(zone: ZoneInfo, at: datetime) -> int:
    return int(at.astimezone(zone).utcoffset().total_seconds() // 60)  # type: ignore[union-attr]
