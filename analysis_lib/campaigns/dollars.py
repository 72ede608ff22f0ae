"""Campaigns of several markets in one money."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from analysis_lib.errors import NotEnoughData

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse


def usd_per_unit(wh: Warehouse, currency: str, days: tuple[date, date] | None = None) -> float:
    """Dollars per unit of a currency, on average.

    Parameters
    ----------
    currency : str
        ISO 4217 code, in either case.
    days : tuple of datetime.date, optional
        First and last day that count; by default all that have a rate.

    Raises
    ------
    NotEnoughData
        No rate is known.
    """
    code = currency.upper()
    if code == "USD":
        return 1.0
    rates = wh.table("fx_rates")
    own = rates.filter(rates.currency == code)
    if days is not None:
        own = own.filter(own.day.between(*days))
    found = wh.query(own.usd_per_unit.mean())
    if found is None or found != found:
        raise NotEnoughData(f"no exchange rate of {code} is known for these days")
    return float(found)
