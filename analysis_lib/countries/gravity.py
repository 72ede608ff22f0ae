"""``countries.gravity``: what flows across borders, and what holds it back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from analysis_lib.config import LEVEL
from analysis_lib.countries.flows_expected import abroad_shares, expected_shares
from analysis_lib.countries.flows_levers import levers
from analysis_lib.countries.flows_result import OUTCOMES, CountryFlows
from analysis_lib.countries.gravity_cells import FlowCells, flow_cells
from analysis_lib.countries.gravity_fit import Coefficients, gravity_fit
from analysis_lib.countries.gravity_panel import border_panel, change_panel, is_structural
from analysis_lib.errors import InvalidValue, NotEnoughData, check_level, unknown

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse


def gravity(
    wh: Warehouse, *, months: int = 0, markets: Iterable[str] = (), level: float = LEVEL
) -> CountryFlows:  # fmt: skip
    """What flows across borders: who sells where, and what borders, currencies and delivery do to it.

    Sales by origin, destination and month, zeros included, are fitted by Poisson pseudo-maximum likelihood. The border
    is told within each market and month; currencies and delivery within each pair over time, against effects of each
    origin and each destination in each month. Where merchants of a market sell at home only (no origin sells on both
    sides of its border), merchants at home are one origin, and the border is that of a merchant, by the number of
    merchants. Intervals are over markets.

    Parameters
    ----------
    wh : Warehouse
        From ``warehouse.connect``; mart ``order_facts``.
    months : int
        The last whole calendar months of the data; 0 for all.
    markets : iterable of str
        Codes of destinations; empty for all that sold.
    level : float
        Level of all intervals.

    Returns
    -------
    CountryFlows
        What cannot be told (too few markets, currencies that never move) is in ``.refused`` with the reason.

    Raises
    ------
    UnknownName
        A market that does not exist.
    InvalidValue
        More months than there are; a level out of range.
    NotEnoughData
        One market alone, or nobody who sells abroad.

    References
    ----------
    Santos Silva and Tenreyro (2006), Review of Economics and Statistics 88(4); Weidner and Zylkin (2021), Journal of
    International Economics 132.

    Examples
    --------
    >>> countries.gravity(wh).text  # doctest: +SKIP
    """
    check_level(level)
    names, regions = _markets(wh)
    asked = sorted(set(markets)) or sorted(names)
    for code in asked:
        if code not in names:
            raise unknown("market", code, list(names), "table countries")
    cells = flow_cells(wh, months, {code: names[code] for code in asked}, regions)
    return flows_of(cells, level=level, source=wh.name)


def flows_of(cells: FlowCells, *, level: float = LEVEL, source: str = "") -> CountryFlows:
    """As ``gravity``, from what was counted."""
    refused: dict[str, str] = {}
    structural = is_structural(cells.flows)
    border = _told(refused, "border", lambda: _border(cells, structural, level))
    panel = change_panel(cells)
    changes = {}
    for outcome in OUTCOMES:
        found = _told(refused, outcome, lambda of=outcome: _changes(panel, of, level, refused))
        if found is not None:
            changes[outcome] = found
    valued = levers(cells, changes.get("units"), level)
    if valued.per_day is None:
        refused["returns"] = valued.why
    expected = _told(refused, "expected", lambda: expected_shares(abroad_shares(cells), level))
    if expected is None:
        expected = abroad_shares(cells).iloc[:0]
    return CountryFlows(cells, structural, border, changes, valued, expected, refused, level, source)


def _border(cells: FlowCells, structural: bool, level: float) -> Coefficients:
    panel = border_panel(cells)
    terms = ["is_home"] if structural else ["is_home", "log_merchants"]
    effects = ["destination_month", *(["origin_month"] if structural else [])]
    return gravity_fit(panel, "gmv_usd", terms, effects, level=level)


def _changes(panel: pd.DataFrame, outcome: str, level: float, refused: dict[str, str]) -> Coefficients:
    """Both terms; without rates where they never move apart, without days where none are known."""
    effects = ["pair", "origin_month", "destination_month"]
    moved = panel["log_rate"].groupby(panel["pair"]).agg(lambda rates: rates.max() - rates.min())
    terms = []
    if (moved > 1e-9).any():
        terms.append("log_rate")
    else:
        refused["currency"] = "no market's currency moved against the dollar, or no rates are known"
    if panel["log_days"].notna().any():
        terms.append("log_days")
    else:
        refused["delivery"] = "days of delivery are not known"
    if not terms:
        raise NotEnoughData("neither rates nor days of delivery move")
    return gravity_fit(panel, outcome, terms, effects, level=level)


def _told(refused: dict[str, str], name: str, ask):
    """What was asked for; None where it is refused, and the reason kept."""
    try:
        return ask()
    except (NotEnoughData, InvalidValue) as error:
        refused[name] = str(error)
        return None


def _markets(wh: Warehouse) -> tuple[dict[str, str], dict[str, str]]:
    """Names and regions by code."""
    table = wh.table("countries")
    columns = ["country", "name", *(["region"] if "region" in table.columns else [])]
    frame = wh.query(table.select(*columns)).set_index("country")
    regions = frame["region"].fillna("").to_dict() if "region" in frame else {}
    return {str(code): str(name) for code, name in frame["name"].items()}, regions
