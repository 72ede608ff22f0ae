"""Launches of the simulated marketplace: what is planted is found, and early looks are refused."""

from __future__ import annotations

import pytest

from analysis_lib import launches
from analysis_lib import world as simulated
from analysis_lib.errors import InvalidValue, UnknownName

PLANTED = simulated.load_settings().launches


@pytest.fixture(scope="module")
def one_tap(world):
    return launches.review(world, "one_tap_checkout", depends_on="card_share", beside=[])


@pytest.fixture(scope="module")
def half(world):
    return launches.review(world, "one_tap_checkout", as_of="2026-03-23 12:00", beside=[])


@pytest.fixture(scope="module")
def free(world):
    return launches.review(world, "free_returns")


def planted(name: str, lever: str, countries: list[str]) -> float:
    sizes = [PLANTED[name].change(country, lever) for country in countries]
    return sum(sizes) / len(sizes)


def test_a_checkout_that_works_everywhere_is_kept(one_tap):
    truth = planted("one_tap_checkout", "checkout", one_tap.effect.told)
    assert one_tap.estimate.ci_lower < truth < one_tap.estimate.ci_upper
    assert one_tap.estimate.ci_upper - one_tap.estimate.ci_lower < 0.05
    assert one_tap.decision.action == "Leave alone"
    assert one_tap.effect.dropped_from is not None
    assert one_tap.worth.live.ci_lower > 0


def test_each_markets_own_effect_is_near_what_is_planted(one_tap):
    rows = one_tap.table.set_index("country")
    inside = [
        rows.loc[name, "rel_shrunk_ci_lower"] < PLANTED["one_tap_checkout"].change(name, "checkout")
        < rows.loc[name, "rel_shrunk_ci_upper"] for name in rows.index
    ]  # fmt: skip
    assert sum(inside) >= 10
    assert one_tap.effect.found.slope.ci_lower > 0, "cards are what it needs"


def test_halfway_it_ships_to_the_markets_left(half):
    truth = planted("one_tap_checkout", "checkout", half.effect.told)
    assert sorted(half.effect.told) == ["BR", "GB", "ID", "MX", "SG", "TH"]
    assert half.estimate.ci_lower < truth < half.estimate.ci_upper
    assert half.decision.action == "Ship"
    assert half.proposal.markets["country"].iloc[0] == "US"
    left = half.table[half.table["live_on"] > "2026-03-22"]
    own = [PLANTED["one_tap_checkout"].change(name, "checkout") for name in left["country"]]
    held = (left["rel_shrunk_ci_lower"] < own) & (own < left["rel_shrunk_ci_upper"])
    assert held.all(), "what is expected of markets to come allows for not knowing them"


def test_free_returns_bring_carts_and_returns(free):
    assert free.estimate.ci_lower < 0.05 < free.estimate.ci_upper
    waiting = free.effect.waiting
    assert waiting.ci_lower < -0.06 < waiting.ci_upper
    returned = free.beside["return_rate"].mean
    assert returned.ci_lower < 0.3 < returned.ci_upper and returned.ci_lower > 0
    assert free.decision.action == "Change"
    assert free.sentence("proposal").startswith("By the verdict it goes to no further market now.")
    assert set(free.exhibit("proposal").frame["proposed"]) == {"wait"}
    assert free.proposal is not None and set(free.proposal.markets["country"]) == {"GB", "ID", "MX", "VN"}


def test_bots_are_odd_and_told(free):
    assert "MX" in {country for country, _ in free.effect.weeks.odd}
    assert "MX 1 Jun 2026" in free.sentence("compared")


@pytest.mark.parametrize(
    ("as_of", "message"), [("2025-08-01 12:00", "not live anywhere"), ("2025-12-15 12:00", "3 markets|2 markets")]
)
def test_early_looks_are_refused_with_what_is_needed(world, as_of, message):
    import re

    found = launches.review(world, "one_tap_checkout", as_of=as_of, beside=[])
    assert found.effect is None
    assert re.search(message, found.refusal)
    assert found.decision.action == "Cannot tell" and found.decision.next_step


def test_unknown_names_are_refused(world):
    with pytest.raises(UnknownName, match="one_tap_checkout"):
        launches.review(world, "one_tap_checkouts")
    with pytest.raises(UnknownName, match="checkout_rate"):
        launches.review(world, "one_tap_checkout", metric="checkout_rat")
    with pytest.raises(UnknownName, match="card_share"):
        launches.review(world, "one_tap_checkout", depends_on="card_shar", beside=[])


def test_metrics_whose_cells_do_not_add_up_are_refused(world):
    with pytest.raises(InvalidValue, match="do not add up"):
        launches.review(world, "one_tap_checkout", metric="delivery_days_p95", beside=[])


def test_a_time_before_the_data_is_refused(world):
    with pytest.raises(InvalidValue, match="before the data"):
        launches.review(world, "one_tap_checkout", as_of="2020-01-01 00:00")
