"""What growth is told apart from: users, orders and goods of both periods, by market, category and group of users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.errors import NotEnoughData
from analysis_lib.metrics.grouped_cells import GROUPS
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    import ibis
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: Sides of the second axis of every quantity.
N_SIDES = 2

#: Quantities by category, and those of the market as a whole.
GOODS = ("units", "list_local", "gmv_local", "gmv_usd")
PEOPLE = ("visitors", "buyers", "orders")

#: What goods without a category are called.
NO_CATEGORY = "no category"


@dataclass(frozen=True, slots=True, eq=False)
class GrowthCells:
    """Quantities of ordinary days, and sales of the others.

    Attributes
    ----------
    markets, categories : list of str
        In the order of the axes.
    goods : dict of str to numpy.ndarray
        ``GOODS``, shape (groups, 2, markets, categories): units, money before discounts and after, in the market's
        currency and in USD; of ordinary days.
    people : dict of str to numpy.ndarray
        ``PEOPLE``, shape (groups, 2, markets), of ordinary days.
    special_usd : numpy.ndarray
        Sales on other days, shape (groups, 2, markets).
    n_ordinary : numpy.ndarray
        Ordinary days, shape (2, markets).
    n_days : int
        Days of each period.
    n_unpriced : int
        Order lines without an amount in USD: left out.
    """

    markets: list[str]
    categories: list[str]
    goods: dict[str, np.ndarray]
    people: dict[str, np.ndarray]
    special_usd: np.ndarray
    n_ordinary: np.ndarray
    n_days: int
    n_unpriced: int


def growth_cells(wh: Warehouse, days: pd.DataFrame, markets: list[str], n_days: int) -> GrowthCells:
    """Count both periods; one pass over the users' days and one over the order lines.

    Parameters
    ----------
    days : pandas.DataFrame
        From ``periods.days_of``.

    Raises
    ------
    NotEnoughData
        Nothing was sold in either period.
    """
    people = wh.query(_people(wh, days, markets))
    goods = wh.query(_goods(wh, days, markets))
    if goods.empty:
        raise NotEnoughData(f"nothing was sold in {', '.join(markets)} in either period")
    goods = goods.assign(category=goods["category"].fillna(NO_CATEGORY))
    ordinary, special = goods[goods["is_ordinary"]], goods[~goods["is_ordinary"]]
    categories = sorted(goods["category"].unique())
    axes = {"country": markets, "category": categories}
    counted = days[days["is_ordinary"]].groupby(["is_after", "country"]).size()
    return GrowthCells(
        markets, categories,
        {name: _array(ordinary, name, axes) for name in GOODS},
        {name: _array(people, name, {"country": markets}) for name in PEOPLE},
        _array(special, "gmv_usd", {"country": markets}),
        np.array([[counted.get((side, name), 0) for name in markets] for side in (False, True)]),
        n_days, int(goods["n_unpriced"].sum()),
    )  # fmt: skip


def _array(frame: pd.DataFrame, name: str, axes: dict[str, list[str]]) -> np.ndarray:
    """A column as (groups, 2, …); what is not there is 0."""
    shape = (GROUPS, N_SIDES, *(len(values) for values in axes.values()))
    found = np.zeros(shape)
    places = [np.array([int(group, 16) for group in frame["user_group"]], int), frame["is_after"].to_numpy(int)]
    for axis, values in axes.items():
        places.append(frame[axis].map({value: place for place, value in enumerate(values)}).to_numpy(int))
    np.add.at(found, tuple(places), frame[name].fillna(0.0).to_numpy(float))
    return found


def _marked(table: ibis.Table, days: pd.DataFrame, markets: list[str]) -> ibis.Table:
    """Rows of both periods with ``is_after`` and ``is_ordinary``."""
    import ibis

    kinds = {"market": "string", "on": "date", "is_after": "boolean", "is_ordinary": "boolean"}
    marks = days.assign(day=days["day"].dt.date).rename(columns={"country": "market", "day": "on"})
    marks = ibis.memtable(marks, schema=kinds)
    rows = table.filter(table.country.isin(markets))
    return rows.join(marks, [rows.country == marks.market, rows.day == marks.on])


def _group(user: Any, other: Any) -> Any:
    """The group of a user; a row of nobody is a unit of its own."""
    return user.coalesce(other).hexdigest("md5").substr(0, 2)


def _people(wh: Warehouse, days: pd.DataFrame, markets: list[str]) -> ibis.Table:
    rows = _marked(mart(wh, "user_days"), days, markets)
    rows = rows.filter(rows.is_ordinary, rows.user_id.notnull())
    rows = rows.mutate(user_group=_group(rows.user_id, rows.user_id))
    return rows.group_by("country", "is_after", "user_group").agg(
        visitors=rows.user_id.nunique(),
        buyers=rows.user_id.nunique(where=rows.n_orders > 0),
        orders=rows.n_orders.sum(),
    )


def _goods(wh: Warehouse, days: pd.DataFrame, markets: list[str]) -> ibis.Table:
    rows = _marked(mart(wh, "order_facts"), days, markets)
    priced = rows.gmv_usd.notnull() & rows.gmv_local.notnull()
    discount = rows.discount_local.fill_null(0.0)
    rows = rows.mutate(user_group=_group(rows.user_id, rows.order_id), priced=priced, before=rows.gmv_local + discount)
    return rows.group_by("country", "is_after", "is_ordinary", "user_group", "category").agg(
        units=rows.quantity.sum(where=rows.priced), list_local=rows.before.sum(where=rows.priced),
        gmv_local=rows.gmv_local.sum(where=rows.priced), gmv_usd=rows.gmv_usd.sum(where=rows.priced),
        n_unpriced=(~rows.priced).cast("int64").sum(),
    )  # fmt: skip
