"""The page about the simulated marketplace: what it holds, and what was planted in it (not how strongly)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from analysis_lib.publishing.markup import escape_html, row_of, table_of

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse
    from analysis_lib.world import Settings

#: Rows shown before the rest is folded.
ROWS_SHOWN = 8

#: What a campaign's targeting is called on the page.
_FOR = {"all": "for everyone", "segment": "for a segment", "holdout": "with a holdout"}

_MECHANICS = {
    "flash_sale": "flash sale", "platform_coupon": "platform coupon", "free_shipping": "free shipping",
    "creator_boost": "creator boost",
}  # fmt: skip


def world_page(text: str, settings: Settings, counts: str, figure: str) -> str:
    """The page with its marks filled in.

    Parameters
    ----------
    text : str
        The written page.
    settings : Settings
        ``data/world.yml``.
    counts, figure : str
        HTML of what the built world holds.
    """
    filled = {
        "figure": figure,
        "counts": counts,
        "campaigns": _campaigns(settings),
        "experiments": _experiments(settings),
        "releases": _releases(settings),
        "launches": _launches(settings),
        "incidents": _incidents(settings),
        "factors": _factors(settings),
    }
    for name, html in filled.items():
        text = text.replace(f"<!-- world-{name} -->", html)
    return text


def world_counts(warehouse: Warehouse) -> str:
    """How much of everything the built world holds."""
    names = {
        "countries": "markets", "users": "users", "creators": "creators", "merchants": "merchants",
        "products": "products", "contents": "live sessions and videos", "events": "events in the log",
        "orders": "order lines", "order_updates": "status changes",
    }  # fmt: skip
    rows = []
    for table, label in names.items():
        count = warehouse.query(warehouse.table(table).count())
        rows.append((label, f"{count:,}"))
    return _table(rows, ("What", "How many"))


def _table(rows: Iterable[tuple[Any, ...]], heads: tuple[str, ...]) -> str:
    """A table of plain texts; what is beyond the first rows is folded."""
    lines = [row_of(escape_html(str(cell)) for cell in row) for row in rows]
    shown, folded = lines[:ROWS_SHOWN], lines[ROWS_SHOWN:]
    if not folded:
        return table_of(shown, heads)
    more = f"<details><summary>{len(folded)} more</summary>{table_of(folded, heads)}</details>"
    return table_of(shown, heads) + more


def _where(settings: Settings, countries: tuple[str, ...]) -> str:
    return "all" if len(countries) in (0, len(settings.markets)) else ", ".join(countries)


def _when(plant: Any) -> str:
    """Days in few words.

    Examples
    --------
    >>> from types import SimpleNamespace as Plant
    >>> from datetime import date
    >>> _when(Plant(first_day=date(2025, 11, 26), last_day=date(2025, 12, 1)))
    '26 Nov – 1 Dec 2025'
    """
    first, last = plant.first_day, plant.last_day
    if first == last:
        return f"{first:%-d %b %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last:%-d %b %Y}"
    return f"{first:%-d %b}{f' {first.year}' if first.year != last.year else ''} – {last:%-d %b %Y}"


def _campaigns(settings: Settings) -> str:
    rows = [
        (
            plant.title,
            ", ".join(plant.countries),
            _when(plant),
            f"{_MECHANICS[plant.mechanic]}, {_FOR[plant.targeting]}",
        )
        for plant in settings.campaigns.values()
    ]
    return _table(rows, ("Campaign", "Markets", "Days", "How"))


def _experiments(settings: Settings) -> str:
    rows = [
        (plant.title, _where(settings, plant.countries), _when(plant), plant.hypothesis)
        for plant in settings.experiments.values()
    ]
    return _table(rows, ("Experiment", "Markets", "Days", "Hypothesis"))


def _releases(settings: Settings) -> str:
    rows = [(plant.title, plant.version, f"{plant.first_day:%-d %b %Y}") for plant in settings.releases.values()]
    return _table(rows, ("Release", "Version", "From"))


def _launches(settings: Settings) -> str:
    rows = [
        (plant.title, _where(settings, plant.countries), _when(plant), "yes" if plant.announced else "no")
        for plant in settings.launches.values()
    ]
    return _table(rows, ("Launch", "Markets", "Went live", "Announced"))


def _incidents(settings: Settings) -> str:
    rows = [(plant.title, ", ".join(plant.countries), _when(plant)) for plant in settings.incidents.values()]
    return _table(rows, ("Incident", "Markets", "Days"))


def _factors(settings: Settings) -> str:
    moved = {"visits": "how often users come", "cart": "how often they buy", "price": "how much things cost"}
    rows = [(name.replace("_", " "), moved[factor.metric]) for name, factor in settings.factors.items()]
    return _table(rows, ("Factor of a market and month", "It moves"))
