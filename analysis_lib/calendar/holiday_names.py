"""Public holidays by market, from the ``holidays`` package."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from analysis_lib.errors import InvalidValue

#: What the package adds to a name whose date rests on a moon not yet seen.
_ESTIMATED = " (estimated)"


@lru_cache(maxsize=64)
def public_holidays(code: str, subdivision: str | None, first_year: int, last_year: int) -> Mapping[date, str]:
    """Names of the public holidays of a country, by day; in English where the package has it.

    Names of one day are joined by ``"; "``; dates that await a moon sighting end in ``(estimated)``.

    Raises
    ------
    InvalidValue
        The package does not know the country or the subdivision.
    """
    import holidays  # slow to import

    try:
        found = holidays.country_holidays(
            code, subdiv=subdivision, years=range(first_year, last_year + 1), language=_language(holidays, code)
        )
    except (NotImplementedError, AttributeError) as error:
        part = f", subdivision '{subdivision}'" if subdivision else ""
        raise InvalidValue(f"the holidays package does not know '{code}'{part}: {error}") from error
    return MappingProxyType(dict(sorted(found.items())))


def _language(holidays, code: str) -> str | None:
    """American English, so that a feast has one name in all markets; else any English; else the country's default."""
    languages = holidays.list_localized_countries(include_aliases=True).get(code, [])
    return next((name for name in ["en_US", *languages] if name in languages and name.startswith("en")), None)


def first_day_named(name: str, year: int, calendar: Mapping[date, str], where: str) -> date:
    """The first day of the year whose holiday is called exactly ``name``, ``(estimated)`` aside.

    Raises
    ------
    InvalidValue
        No holiday of that year has the name.
    """
    for day, names in calendar.items():
        if day.year == year and name in (one.replace(_ESTIMATED, "") for one in names.split("; ")):
            return day
    raise InvalidValue(f"{where}: the holidays package has no '{name}' in {year}.")
