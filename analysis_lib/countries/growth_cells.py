"""What growth is told apart from: users, orders and goods of both periods, by market, category and group of users."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries.user_groups import by_group, user_group
from analysis_lib.errors import NotEnoughData
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    import ibis
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: Whether a row is of the period after: the second axis of every quantity.
SIDES = (False, True)

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

    @property
    def is_complete(self) -> np.ndarray:
        """Markets that sold something on ordinary days of both periods, shape (markets,)."""
        sold = self.goods["gmv_usd"].sum(axis=(0, -1)) > 0
        return (sold & (self.people["orders"].sum(axis=0) > 0)).all(axis=0)

    def of(self, kept: np.ndarray) -> GrowthCells:
        """The same of some of the markets."""
        return replace(
            self, markets=[name for name, keep in zip(self.markets, kept, strict=True) if keep],
            goods={name: values[:, :, kept] for name, values in self.goods.items()},
            people={name: values[:, :, kept] for name, values in self.people.items()},
            special_usd=self.special_usd[:, :, kept], n_ordinary=self.n_ordinary[:, kept],
        )  # fmt: skip


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
    both = {"is_after": SIDES, "country": markets}
    counted = days[days["is_ordinary"]].groupby(["is_after", "country"]).size()
    return GrowthCells(
        markets, categories,
        {name: by_group(ordinary, name, {**both, "category": categories}) for name in GOODS},
        {name: by_group(people, name, both) for name in PEOPLE},
        by_group(special, "gmv_usd", both),
        np.array([[counted.get((side, name), 0) for name in markets] for side in SIDES]),
        n_days, int(goods["n_unpriced"].sum()),
    )  # fmt: skip


def _marked(table: ibis.Table, days: pd.DataFrame, markets: list[str]) -> ibis.Table:
    """Rows of both periods with ``is_after`` and ``is_ordinary``."""
    import ibis

    kinds = {"market": "string", "on": "date", "is_after": "boolean", "is_ordinary": "boolean"}
    marks = days.assign(day=days["day"].dt.date).rename(columns={"country": "market", "day": "on"})
    marks = ibis.memtable(marks, schema=kinds)
    rows = table.filter(table.country.isin(markets))
    return rows.join(marks, [rows.country == marks.market, rows.day == marks.on])


def _people(wh: Warehouse, days: pd.DataFrame, markets: list[str]) -> ibis.Table:
    rows = _marked(mart(wh, "user_days"), days, markets)
    rows = rows.filter(rows.is_ordinary, rows.user_id.notnull())
    rows = rows.mutate(user_group=user_group(rows.user_id))
    return rows.group_by("country", "is_after", "user_group").agg(
        visitors=rows.user_id.nunique(),
        buyers=rows.user_id.nunique(where=rows.n_orders > 0),
        orders=rows.n_orders.sum(),
    )


def _goods(wh: Warehouse, days: pd.DataFrame, markets: list[str]) -> ibis.Table:
    rows = _marked(mart(wh, "order_facts"), days, markets)
    priced = rows.gmv_usd.notnull() & rows.gmv_local.notnull()
    discount = rows.discount_local.fill_null(0.0)
    rows = rows.mutate(
        user_group=user_group(rows.user_id, rows.order_id), priced=priced, before=rows.gmv_local + discount
    )
    return rows.group_by("country", "is_after", "is_ordinary", "user_group", "category").agg(
        units=rows.quantity.sum(where=rows.priced), list_local=rows.before.sum(where=rows.priced),
        gmv_local=rows.gmv_local.sum(where=rows.priced), gmv_usd=rows.gmv_usd.sum(where=rows.priced),
        n_unpriced=(~rows.priced).cast("int64").sum(),
    )  # fmt: skip
