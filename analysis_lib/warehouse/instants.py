"""UTC times at which market-local days begin, so that rows are kept by comparing times and not by working out days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import ibis

from analysis_lib.warehouse.days import zone_of


def begins(day: date, timezone: str) -> datetime:
    """The UTC time, without a zone, at which a market-local day begins.

    Raises
    ------
    ContractError
        If the zone does not exist.

    Examples
    --------
    >>> begins(date(2026, 3, 29), "Europe/London"), begins(date(2026, 3, 30), "Europe/London")
    (datetime.datetime(2026, 3, 29, 0, 0), datetime.datetime(2026, 3, 29, 23, 0))
    """
    return datetime.combine(day, time(), tzinfo=zone_of(timezone)).astimezone(UTC).replace(tzinfo=None)


def day_of(at: datetime, timezone: str) -> date:
    """The market-local day of a UTC time without a zone; errors as ``begins``."""
    return at.replace(tzinfo=UTC).astimezone(zone_of(timezone)).date()


def falls_on(at, first: date, last: date, timezone: str):
    """Whether a column of UTC times falls on the market-local days ``first`` to ``last``, as an expression."""
    return (at >= ibis.literal(begins(first, timezone))) & (
        at < ibis.literal(begins(last + timedelta(days=1), timezone))
    )
