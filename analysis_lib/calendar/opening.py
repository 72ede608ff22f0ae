"""Read ``data/calendar.yml``, part by part, and check that its parts agree with each other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis_lib.calendar.schema import Festival, HolidayRule, Listed, Market, Period
from analysis_lib.errors import InvalidValue, nearest, unknown
from analysis_lib.settings import Model, read_yaml, shown, validated

_PARTS = ("period", "markets", "festivals")

#: What names in a part look like, and why.
_KEYS = {
    "markets": (r"[A-Z]{2}", "a market is two capital letters, in quotes where YAML reads another thing (NO is false)"),
    "festivals": (r"[a-z][a-z0-9_]*", "write it in lower case with underscores, 11.11 is for the title"),
}


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """The checked content of one calendar file.

    Attributes
    ----------
    where : str
        The file as messages name it.
    period : Period
        Days the calendar answers for.
    markets : dict of str to Market
        By ISO 3166 alpha-2 code.
    festivals : dict of str to Festival
        By name, in file order.
    names : dict of str to str
        Name, title or alias in lower case, to the festival's name.
    """

    where: str
    period: Period
    markets: dict[str, Market]
    festivals: dict[str, Festival]
    names: dict[str, str]


def read_calendar(path: Path) -> CalendarFile:
    """The calendar in that file.

    Raises
    ------
    InvalidValue
        Unknown or missing keys, rules no year can follow, years a list of dates lacks; the message names the place.
    UnknownName
        A festival speaks of a market or festival that the file does not have.
    """
    content, where = read_yaml(path), shown(path)
    for key in content:
        if key not in _PARTS:
            guess = nearest(str(key), _PARTS)
            raise InvalidValue(f"{where}: unknown key '{key}'" + (f", did you mean '{guess}'?" if guess else "."))
    period = validated(Period, _part(content, "period", where), f"{where}, period")
    markets = _models(Market, content, "markets", where)
    festivals = _models(Festival, content, "festivals", where)
    file = CalendarFile(where, period, markets, festivals, _names(festivals, where))
    for name, festival in festivals.items():
        _check_markets(file, name, festival)
        _check_years(file, name, festival)
        _check_end(file, name, festival)
    return file


def _part(content: dict[str, Any], key: str, where: str) -> dict[Any, Any]:
    part = content.get(key)
    if not isinstance(part, dict) or not part:
        raise InvalidValue(f"{where}: '{key}' must hold names with values.")
    return part


def _models(model: type[Model], content: dict[str, Any], key: str, where: str) -> dict[str, Model]:
    pattern, rule = _KEYS[key]
    found = {}
    for name, value in _part(content, key, where).items():
        if not (isinstance(name, str) and re.fullmatch(pattern, name)):
            raise InvalidValue(f"{where}, {key}: {name!r} cannot be a name; {rule}.")
        found[name] = validated(model, value, f"{where}, {key}.{name}")
    return found


def _names(festivals: dict[str, Festival], where: str) -> dict[str, str]:
    names: dict[str, str] = {}
    for name, festival in festivals.items():
        for word in (name, festival.title, *festival.aliases):
            taken = names.setdefault(word.lower(), name)
            if taken != name:
                raise InvalidValue(f"{where}, festivals.{name}: '{word}' already stands for {taken}.")
    return names


def _check_markets(file: CalendarFile, name: str, festival: Festival) -> None:
    elsewhere = [
        held.rule.country for held in festival.held if isinstance(held.rule, HolidayRule) and held.rule.country
    ]
    for code in [*festival.countries, *elsewhere]:
        if code not in file.markets:
            raise unknown(f"festivals.{name}: market", code, file.markets, f"the markets of {file.where}")


def _check_years(file: CalendarFile, name: str, festival: Festival) -> None:
    for held in festival.held:
        if isinstance(held.rule, Listed):
            missing = sorted(set(file.period.years) - {day.year for day in held.rule.dates})
            if missing:
                raise InvalidValue(
                    f"{file.where}, festivals.{name}: dates for {', '.join(held.markets)} lack"
                    f" {', '.join(map(str, missing))}; the period needs its own years and one either side."
                )


def _check_end(file: CalendarFile, name: str, festival: Festival) -> None:
    until = festival.lasts_until
    if until is None:
        return
    others = [other for other in file.festivals if other != name]
    if until not in others:
        raise unknown(f"festivals.{name}: lasts_until", until, others, f"the festivals of {file.where}")
    apart = [code for code in festival.countries if file.festivals[until].rule_in(code) is None]
    if apart:
        raise InvalidValue(
            f"{file.where}, festivals.{name}: lasts until {until}, which {', '.join(apart)} does not hold."
        )
