"""Growth told apart: to the cent, against the metric, against what the world planted, and by properties."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_lib import countries, metrics
from analysis_lib.countries.growth_cells import GOODS, PEOPLE, GrowthCells
from analysis_lib.countries.growth_parts import PARTS, growth_parts
from analysis_lib.countries.growth_text import losses
from analysis_lib.countries.periods import days_of, year_on_year
from analysis_lib.errors import InvalidValue, UnknownName

CENT = 0.005


@pytest.fixture(scope="module")
def found(world):
    return countries.growth(world)


def test_parts_add_up_to_the_metric_to_the_cent(world, found):
    sold = []
    for start, end in (found.periods.before, found.periods.after):
        frame = metrics.query(world, "gmv", by="country", grain="total", start=start, end=end).to_frame()
        sold.append(frame.set_index("country")["gmv"])
    change = sold[1] - sold[0]
    sums = found.table.groupby("country")["contribution"].sum()
    for code in found.markets:
        assert sums[code] == pytest.approx(change[code], abs=CENT)
    assert found.parts.remainder < CENT


def test_the_lost_real_is_currency_and_nothing_else(found):
    # The world takes 16 % off the real on 19 January 2026; before and after, it drifts a little.
    currency = found.part("currency", "BR")
    mean = np.sqrt(1.0 * found.parts.after[0][0] / found.parts.before[0][0])
    assert -0.6 < currency.value / mean < -0.1
    assert found.organic("BR").value > found.reported("BR").value
    assert found.part("currency", "US").value == pytest.approx(0.0, abs=1e-9)


def test_all_markets_together_are_the_sum_of_each(found):
    for name in PARTS:
        each = sum(found.part(name, code, relative=False).value for code in found.markets)
        assert found.part(name, relative=False).value == pytest.approx(each)


def test_occasions_are_what_special_days_sold_beyond_ordinary_ones(world, found):
    days = days_of(world, found.periods, ["TH"])
    assert not days.loc[
        (days["day"] >= "2026-05-11") & (days["day"] <= "2026-05-24"), "is_ordinary"
    ].any()  # a campaign
    n = days.groupby("is_after")["is_ordinary"].sum()
    place = list(found.markets).index("TH")
    assert list(found.cells.n_ordinary[:, place]) == [n[False], n[True]]


def cells_of(draw, n_groups: int = 256) -> GrowthCells:
    """Two markets, three categories, anything positive."""
    rng = np.random.default_rng(draw)
    goods = {name: rng.gamma(2.0, 50.0, (n_groups, 2, 2, 3)) for name in GOODS}
    people = {name: rng.gamma(2.0, 50.0, (n_groups, 2, 2)) for name in PEOPLE}
    return GrowthCells(
        ["A", "B"], ["x", "y", "z"], goods, people, rng.gamma(2.0, 90.0, (n_groups, 2, 2)),
        rng.integers(20, 29, (2, 2)), 28, 0,
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_parts_always_add_up_and_turn_around(seed):
    cells = cells_of(seed, 8)
    parts = growth_parts(cells)
    size = float(parts.after[0].max())
    assert parts.remainder < 1e-9 * size
    turned = GrowthCells(
        cells.markets, cells.categories, {k: v[:, ::-1] for k, v in cells.goods.items()},
        {k: v[:, ::-1] for k, v in cells.people.items()}, cells.special_usd[:, ::-1], cells.n_ordinary[::-1], 28, 0,
    )  # fmt: skip
    np.testing.assert_allclose(growth_parts(turned).values[0], -parts.values[0], atol=1e-9 * size)


def test_a_category_that_appears_is_assortment():
    cells = cells_of(4, 8)
    for name in GOODS:
        cells.goods[name][:, 0, 0, 2] = 0.0
    parts = growth_parts(cells)
    scale = 28 / cells.n_ordinary[1, 0]
    new = cells.goods["gmv_usd"][:, 1, 0, 2].sum() * scale
    assert parts.values[0, 0, PARTS.index("assortment")] == pytest.approx(new)
    assert parts.remainder < 1e-9 * float(parts.after[0].max())


def test_only_one_factor_moved_and_only_it_is_told():
    cells = cells_of(7, 8)
    for values in (*cells.goods.values(), *cells.people.values()):
        values[:, 1] = values[:, 0]
    cells.special_usd[:] = 0.0
    cells.n_ordinary[:] = 28
    cells.goods["gmv_usd"][:, 1] *= 0.84
    parts = growth_parts(cells)
    told = dict(zip(PARTS, parts.values[0, 0], strict=True))
    assert told["currency"] == pytest.approx(-0.16 * parts.before[0, 0])
    assert all(abs(value) < 1e-8 * parts.before[0, 0] for name, value in told.items() if name != "currency")


def test_intervals_cover_under_equal_draws():
    """Users drawn twice from the same crowd: conversion did not move, and intervals say so."""
    rng, hits, draws = np.random.default_rng(11), 0, 300
    for _ in range(draws):
        people = {"visitors": rng.poisson(40, (256, 2, 1)).astype(float)}
        people["buyers"] = rng.binomial(people["visitors"].astype(int), 0.3).astype(float)
        people["orders"] = people["buyers"] + rng.poisson(0.4 * people["buyers"])
        units = rng.poisson(1.5 * people["orders"])[..., None].astype(float) + 1e-6
        money = units * 20.0
        goods = {"units": units, "list_local": money, "gmv_local": money, "gmv_usd": money}
        cells = GrowthCells(["A"], ["x"], goods, people, np.zeros((256, 2, 1)), np.full((2, 1), 28), 28, 0)
        parts = growth_parts(cells)
        _, low, high = parts.bounds(parts.values[:, :, PARTS.index("conversion")], 0.95)
        hits += int(low[0] <= 0 <= high[0])
    assert 0.92 <= hits / draws <= 0.98


def account_of(cells: GrowthCells) -> countries.CountryGrowth:
    names = {code: f"Market {code}" for code in cells.markets}
    periods = year_on_year(date(2026, 10, 31), date(2024, 11, 1), 4)
    return countries.CountryGrowth(periods, names, cells, growth_parts(cells), {}, 0.95, date(2026, 10, 31), "drawn")


def steady(seed: int) -> GrowthCells:
    """Two markets whose users do the same in both periods, but for chance."""
    rng = np.random.default_rng(seed)
    people = {"visitors": rng.poisson(40, (256, 2, 2)).astype(float)}
    people["buyers"] = rng.binomial(people["visitors"].astype(int), 0.3).astype(float)
    people["orders"] = people["buyers"] + rng.poisson(0.4 * people["buyers"])
    units = 1.5 * people["orders"][..., None] + rng.poisson(1.0, (256, 2, 2, 1))
    goods = {"units": units, "list_local": 21.0 * units, "gmv_local": 20.0 * units, "gmv_usd": 20.0 * units}
    return GrowthCells(["A", "B"], ["x"], goods, people, np.zeros((256, 2, 2)), np.full((2, 2), 28), 28, 0)


def test_a_lost_conversion_is_named_with_its_money_and_nothing_else_is():
    cells = steady(1)
    # A third of the buyers of market A stay away, with all they would have bought.
    for values in (cells.people["buyers"], cells.people["orders"], *cells.goods.values()):
        values[:, 1, 0] *= 2 / 3
    one = account_of(cells)
    assert [(code, part) for code, part, _ in losses(one)] == [("A", "conversion")]
    assert one.decision.action == "Look into" and "Market A" in one.decision.reason
    lost = one.parts.before[0][0] - one.parts.after[0][0]
    assert one.decision.money_per_month.value == pytest.approx(30 / 28 * lost, rel=0.15)


def test_nothing_is_named_where_nothing_is_lost():
    named = [bool(losses(account_of(steady(seed)))) for seed in range(60)]
    assert np.mean(named) <= 0.1


def test_some_of_the_markets_are_the_same_as_counting_them_alone(world, found):
    alone = countries.growth(world, markets=["BR", "TH"])
    kept = np.array([code in ("BR", "TH") for code in found.markets])
    some = found.cells.of(kept)
    assert some.markets == alone.cells.markets == ["BR", "TH"]
    np.testing.assert_allclose(growth_parts(some).values[0], alone.parts.values[0])


def test_a_market_that_sold_nothing_before_is_incomplete():
    cells = steady(2)
    cells.goods["gmv_usd"][:, 0, 1] = 0.0
    assert list(cells.is_complete) == [True, False]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weeks": 60}, "between 1 and 52"), ({"weeks": 0}, "between 1 and 52"),
        ({"before": (date(2025, 1, 1), date(2025, 1, 31))}, "together"),
        ({"before": (date(2025, 1, 1), date(2025, 1, 31)), "after": (date(2025, 2, 1), date(2025, 2, 28))}, "equal"),
        ({"before": (date(2025, 1, 1), date(2025, 1, 31)), "after": (date(2025, 1, 20), date(2025, 2, 19))}, "overlap"),
        ({"before": (date(2020, 1, 1), date(2020, 1, 31)), "after": (date(2025, 1, 1), date(2025, 1, 31))}, "leaves"),
        ({"level": 2.0}, "level"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(world, options, said):
    with pytest.raises(InvalidValue, match=said):
        countries.growth(world, **options)


def test_unknown_names_name_the_nearest(world):
    with pytest.raises(UnknownName, match="ID"):
        countries.growth(world, markets=["IDN"])
    with pytest.raises(UnknownName, match="gmv"):
        countries.growth(world, "gmw")


def test_a_year_is_whole_weeks_so_that_weekdays_meet():
    periods = year_on_year(date(2026, 10, 31), date(2024, 11, 1), 26)
    assert periods.after[0] - periods.before[0] == timedelta(days=364)
    assert periods.n_days == 182
    with pytest.raises(InvalidValue, match="the longest that fits"):
        year_on_year(date(2026, 10, 31), date(2025, 6, 1), 52)


def test_every_sentence_and_exhibit_is_made(found):
    assert all(found.sentence(name) for name in found.SENTENCES)
    for name in found.EXHIBITS:
        exhibit = found.exhibit(name)
        assert exhibit.note or not exhibit.frame.empty
    assert found.answer.headline and found.text
