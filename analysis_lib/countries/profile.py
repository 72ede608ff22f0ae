"""``countries.profile``: one market on one page, beside its peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.config import LEVEL
from analysis_lib.countries.accounting import data_span, growth
from analysis_lib.countries.gaps import gaps
from analysis_lib.countries.peers import find_peers
from analysis_lib.countries.profile_cells import profile_cells
from analysis_lib.countries.profile_result import CountryProfile
from analysis_lib.errors import InvalidValue, NotEnoughData, check_level, unknown
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from analysis_lib.countries.growth_result import CountryGrowth
    from analysis_lib.warehouse import Warehouse

#: Creators whose share of a market's sales through creators is told.
TOP = 10


def profile(wh: Warehouse, country: str, *, weeks: int = 13, level: float = LEVEL) -> CountryProfile:
    """A market beside its peers: growth, funnel, season, payment, delivery, creators, and what to do first.

    Parameters
    ----------
    wh : Warehouse
        From ``warehouse.connect``.
    country : str
        Two letters.
    weeks : int
        Last whole weeks that rates are of.
    level : float
        Level of all intervals.

    Returns
    -------
    CountryProfile

    Raises
    ------
    UnknownName
        No such market.
    InvalidValue
        Weeks or level out of range.
    NotEnoughData
        The market sold nothing in those weeks, or too few other markets are known.
    """
    names = wh.query(wh.table("countries").select("country", "name")).set_index("country")["name"]
    if country not in names.index:
        raise unknown("market", country, list(names.index), "table countries")
    if not 1 <= weeks <= 52:
        raise InvalidValue(f"weeks={weeks}: between 1 and 52 are needed")
    check_level(level)
    _, last = data_span(wh)
    cells = profile_cells(wh, last, weeks)
    if country not in cells.markets or not cells.values["gmv"][:, cells.markets.index(country)].sum() > 0:
        raise NotEnoughData(f"{names[country]} sold nothing in the {weeks} weeks to {last}")
    peers = find_peers(wh, country)
    grown, refusal = _growth(wh, country, level)
    return CountryProfile(
        country=country, names={str(code): str(name) for code, name in names.items()}, cells=cells, peers=peers,
        gaps=gaps(cells, country, [code for code in peers.codes if code in cells.markets], level=level),
        growth=grown, refusal=refusal, months=_months(wh), payments=_payments(wh, cells.first, last),
        creators=_creators(wh, cells.first, last), level=level, source=wh.name,
    )  # fmt: skip


def _growth(wh: Warehouse, country: str, level: float) -> tuple[CountryGrowth | None, str]:
    """The market's growth against a year before, or why there is none."""
    try:
        return growth(wh, markets=[country], level=level), ""
    except (InvalidValue, NotEnoughData) as lack:
        return None, str(lack)


def _months(wh: Warehouse) -> pd.DataFrame:
    """country, month, gmv (USD at constant rates): whole months."""
    from analysis_lib import metrics

    frame = metrics.query(wh, "gmv", by="country", grain="month", currency="constant_usd").to_frame()
    frame = frame[~frame["is_partial"].astype(bool)]
    return frame.rename(columns={"period_start": "month"})[["country", "month", "gmv"]]


def _payments(wh: Warehouse, first: date, last: date) -> pd.DataFrame:
    """country, payment_method, n_orders, share (of the market's orders), lost (share of their sales that came back)."""
    facts = mart(wh, "order_facts")
    rows = facts.filter(facts.day.between(first, last), facts.payment_method.notnull())
    table = wh.query(
        rows.group_by("country", "payment_method").agg(
            n_orders=rows.order_id.nunique(), gmv=rows.gmv_usd.sum(), net=rows.net_usd.sum()
        )
    )
    total = table.groupby("country")["n_orders"].transform("sum")
    return table.assign(share=table["n_orders"] / total, lost=1 - table["net"] / table["gmv"])


def _creators(wh: Warehouse, first: date, last: date) -> pd.DataFrame:
    """country, n_creators (who sold), share (of sales through creators that the ten largest made)."""
    facts = mart(wh, "order_facts")
    rows = facts.filter(facts.day.between(first, last), facts.creator_id.notnull())
    each = wh.query(rows.group_by("country", "creator_id").agg(gmv=rows.gmv_usd.sum()))
    found = [
        (str(code), len(own), float(own["gmv"].nlargest(TOP).sum() / own["gmv"].sum()))
        for code, own in each.groupby("country")
        if own["gmv"].sum() > 0
    ]
    import pandas as pd

    return pd.DataFrame(found, columns=["country", "n_creators", "share"])
