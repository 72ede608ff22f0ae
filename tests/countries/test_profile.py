"""A market on one page: peers, rates by hand, gaps by formula, and what is refused."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from analysis_lib import countries
from analysis_lib.countries.gaps import BESIDE, FUNNEL, gaps
from analysis_lib.countries.peers import peers_of
from analysis_lib.countries.profile_cells import LINES, STEPS, SUMS, ProfileCells
from analysis_lib.errors import InvalidValue, UnknownName
from analysis_lib.pipelines import mart


@pytest.fixture(scope="module")
def found(world):
    return countries.profile(world, "BR")


def test_rates_are_those_of_plain_pandas(world, found):
    days = mart(world, "user_days")
    rows = world.query(days.filter(days.country == "BR", days.day.between(found.cells.first, found.cells.last)))
    rows = rows[rows["user_id"].notna()]
    viewed, came = (rows["n_views"] > 0).sum(), (rows["n_sessions"] > 0).sum()
    assert found.gaps.rates["view_rate"].value == pytest.approx(viewed / came)
    assert found.gaps.rates["payment_success"].value == pytest.approx(
        rows["n_payments_ok"].sum() / rows["n_payment_attempts"].sum()
    )
    assert found.gaps.rates["unit_price"].value == pytest.approx(rows["gmv_usd"].sum() / rows["n_units"].sum())


def cells_of(seed: int, markets: tuple[str, ...] = ("A", "B", "C", "D")) -> ProfileCells:
    rng = np.random.default_rng(seed)
    shape = (256, len(markets))
    values, last = {}, np.full(shape, 1000.0)
    for name in STEPS:
        last = values[name] = rng.binomial(last.astype(int), 0.6).astype(float)
    values |= {name: rng.poisson(300, shape).astype(float) for name in (*SUMS, *LINES)}
    return ProfileCells(list(markets), values, date(2026, 1, 1), date(2026, 1, 30))


def test_a_gap_is_worth_the_ratio_of_rates_times_sales():
    cells = cells_of(1)
    told = gaps(cells, "A", ["B", "C", "D"], level=0.95)
    sums = {name: by_group.sum(axis=0) for name, by_group in cells.values.items()}
    rate = sums["carts"] / sums["views"]
    expected = sums["gmv"][0] * (np.median(rate[1:]) / rate[0] - 1)  # thirty days are counted
    assert told.worth["cart_rate"].value == pytest.approx(expected)
    assert told.levels["cart_rate"] == pytest.approx(np.median(rate[1:]))


def test_markets_alike_are_rarely_told_apart():
    sure = [any(gaps(cells_of(seed), "A", ["B", "C", "D"], level=0.95).sure.values()) for seed in range(120)]
    assert np.mean(sure) <= 0.08


def test_a_market_that_loses_carts_is_found():
    cells = cells_of(3)
    for name in ("carts", "checkouts", "orders"):
        cells.values[name][:, 0] *= 0.8
    told = gaps(cells, "A", ["B", "C", "D"], level=0.95)
    assert told.sure["cart_rate"] and not told.sure["checkout_rate"]
    assert told.worth["cart_rate"].value == pytest.approx(0.25 * cells.values["gmv"][:, 0].sum(), rel=0.05)


def test_peers_are_the_nearest_and_twins_stay_peers():
    traits = pd.DataFrame(
        {"population": [1e6, 1.1e6, 5e8, 2e8, 9e5, 4e8], "gdp_per_capita_ppp": [9e3, 9.1e3, 6e4, 3e4, 9.5e3, 5e4],
         "card_share": [0.2, 0.21, 0.9, 0.6, 0.22, 0.8]}, index=pd.Index(list("ABCDEF"), name="country"),
    )  # fmt: skip
    told = peers_of(traits, "A")
    assert told.codes[:2] == ["B", "E"] or told.codes[:2] == ["E", "B"]
    assert told.rows.set_index("country").loc["B", "share"] > 0.95
    assert peers_of(traits, "A").rows.equals(told.rows)


def test_actions_are_at_most_three_sure_ones_first(found):
    sure = [found.gaps.sure[step.name] for step in found.actions]
    assert len(sure) <= 3 and sure == sorted(sure, reverse=True)
    assert all(found.gaps.worth[step.name].value > 0 and step.owner for step in found.actions)


def test_every_step_has_a_rate_and_what_is_priced_has_advice(found):
    assert set(found.gaps.rates) == {step.name for step in (*FUNNEL, *BESIDE)}
    assert set(found.gaps.worth) == {step.name for step in (*FUNNEL, *BESIDE) if step.advice}


def test_every_sentence_and_exhibit_is_made(found):
    assert all(found.sentence(name) for name in found.SENTENCES)
    for name in found.EXHIBITS:
        exhibit = found.exhibit(name)
        assert exhibit.note or not exhibit.frame.empty
    assert "Brazil" in found.answer.title and found.text


@pytest.mark.parametrize(
    ("options", "said"), [({"weeks": 0}, "weeks"), ({"weeks": 90}, "weeks"), ({"level": 3}, "level")]
)
def test_what_makes_no_sense_is_refused(world, options, said):
    with pytest.raises(InvalidValue, match=said):
        countries.profile(world, "BR", **options)


def test_an_unknown_market_names_the_nearest(world):
    with pytest.raises(UnknownName, match="BR"):
        countries.profile(world, "BRA")
