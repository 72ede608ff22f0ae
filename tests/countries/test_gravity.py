"""Flows between markets: counted right, told right, and refused where they cannot be told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_lib import countries, metrics
from analysis_lib.countries.flows_expected import expected_shares
from analysis_lib.countries.flows_levers import returns_per_day, slower
from analysis_lib.countries.flows_moves import largest_move
from analysis_lib.countries.gravity import flows_of
from analysis_lib.countries.gravity_cells import COUNTS, FlowCells, filled, refuse_untold, sides
from analysis_lib.countries.gravity_panel import change_panel, currency_changes, is_structural, trading
from analysis_lib.errors import InvalidValue, NotEnoughData, UnknownName
from analysis_lib.results import Exhibit

CENT = 0.005


@pytest.fixture(scope="module")
def found(world):
    return countries.gravity(world)


def invented(
    n_markets: int = 8, *, abroad: tuple[str, ...] = ("X1", "X2"), both: bool = False, n_months: int = 8,
    currency: float = -0.5, seed: int = 1,
) -> FlowCells:  # fmt: skip
    """Cells of markets M0, M1, … whose merchants sell at home; those of X1, … only abroad, or all sell everywhere."""
    rng = np.random.default_rng(seed)
    markets = [f"M{place}" for place in range(n_markets)]
    months = list(pd.date_range("2026-01-01", periods=n_months, freq="MS"))
    rates = pd.DataFrame([(m, t, f"C{m}") for m in markets for t in months], columns=["country", "month", "currency"])
    steps = rng.normal(0, 0.1, (n_markets, n_months)).cumsum(axis=1)
    rates["usd_per_unit"] = np.exp(steps).ravel()
    rows = []
    for origin in [*markets, *abroad]:
        for place, market in enumerate(markets):
            if origin != market and origin in markets and not both:
                continue
            for time, month in enumerate(months):
                log = 6 + (1.5 if origin == market else currency * steps[place, time]) + rng.normal(0, 0.05)
                units = float(np.round(np.exp(log)))
                days = units * (3 if origin == market else 6 + place % 3 + rng.uniform(0, 1))
                rows.append((origin, market, month, units, units, 10 * units, 0.0, 0.0, units, days, units, 0.0))
    flows = pd.DataFrame(rows, columns=["origin", "country", "month", *COUNTS])
    origins = sorted(flows["origin"].unique())
    merchants = pd.DataFrame([(o, t, 5 + len(o) + i) for i, o in enumerate(origins) for t in months],
                             columns=["origin", "month", "n_merchants"])  # fmt: skip
    buyers = flows.groupby(["origin", "country"], as_index=False)["units"].sum().rename(columns={"units": "n_buyers"})
    back = [(m, float(d), 50 + 2 * d + int(rng.integers(-9, 10))) for m in markets for d in range(2, 12)]
    parcels = pd.DataFrame(back, columns=["country", "days", "n_returned"]).assign(origin="X1", category="home", n=1000)
    return FlowCells(
        flows=filled(flows, markets, months), buyers=buyers, merchants=merchants, parcels=parcels, rates=rates,
        markets={m: f"Market {m}" for m in markets}, regions=dict.fromkeys(markets, ""), months=months, n_unplaced=0,
        last_day=(months[-1] + pd.offsets.MonthEnd()).date(),
    )  # fmt: skip


def test_flows_add_up_to_the_metric_to_the_cent(world, found):
    start, end = found.cells.months[0].date(), (found.cells.months[-1] + pd.offsets.MonthEnd()).date()
    frame = metrics.query(world, "gmv", by="country", grain="total", start=start, end=end).to_frame()
    sold = frame.set_index("country")["gmv"]
    counted = found.cells.flows.groupby("country")["gmv_usd"].sum()
    for code in found.markets:
        assert counted[code] == pytest.approx(sold[code], abs=CENT)


def test_every_pair_is_there_and_the_world_sells_abroad_from_four_origins(found):
    cells = found.cells
    assert len(cells.flows) == len(cells.origins) * len(cells.markets) * len(cells.months)
    assert len(cells.markets) == 12 and len(cells.months) == 24
    table = found.matrix
    abroad = table[(table["origin"] != table["country"]) & (table["gmv_usd"] > 0)]
    assert set(abroad["origin"]) == {"CN", "HK", "JP", "KR"}
    assert (abroad.groupby("origin").size() == 12).all()
    assert not found.is_structural
    assert "12 other origins at home only" in found.sentence("who_sells")


def test_a_currency_that_falls_moves_dollars_and_no_units_in_the_world(found):
    # The world draws what is bought abroad by chance, whatever the rate; prices at home stay in the market's currency.
    units, money = found.changes["units"].values["log_rate"], found.changes["gmv_usd"].values["log_rate"]
    assert units.ci_lower < 0 < units.ci_upper
    assert money.ci_lower < -1 < money.ci_upper
    assert money.ci_upper < 0


def test_the_lost_real_is_the_largest_move(found):
    move = largest_move(found.cells)
    assert (move.country, move.after.strftime("%Y-%m")) == ("BR", "2026-02")
    assert move.change == pytest.approx(-0.16, abs=0.02)
    assert "Brazil" in found.sentence("move")


def test_a_rate_that_is_wrong_for_days_moves_no_month(found):
    # The world records a rate of the ringgit far off for some days of April 2026.
    rates = found.cells.rates[found.cells.rates["country"] == "MY"].set_index("month")["usd_per_unit"]
    assert rates.pct_change().abs().max() < 0.06


def test_late_parcels_come_back_as_often_as_planted(world, found):
    # The world adds 3 % to a category's chance of a return for each day beyond five.
    table = sides(found.cells)
    abroad = table[table["is_abroad"]][["n_returned", "n_settled"]].sum()
    near = 0.03 * abroad["n_returned"] / abroad["n_settled"] / 1.08
    slope = found.levers.per_day
    assert slope.ci_lower < near < slope.ci_upper


def test_the_page_says_what_it_cannot_tell(found):
    assert found.decision.action == "Cannot tell"
    assert found.decision.owner == "Logistics lead"
    assert found.decision.money_per_month.ci_lower < 0 < found.decision.money_per_month.ci_upper
    assert "Duties" in found.sentence("limits")
    assert found.refused == {}


def test_everything_can_be_shown(found):
    for name in found.SENTENCES:
        said = found.sentence(name)
        assert said and "nan" not in said and "n/a" not in said
    for name in found.EXHIBITS:
        assert isinstance(found.exhibit(name), Exhibit)
    assert found.plot() is not None
    assert found.to_frame().shape[0] == 12
    assert found.answer(grade="known").grade == "known"


def test_poisson_coefficients_are_those_of_pyfixest_and_statsmodels(found):
    import pyfixest
    import statsmodels.api as sm

    panel = change_panel(found.cells)
    direct = pyfixest.fepois("units ~ log_rate + log_days | pair + origin_month + destination_month", panel).coef()
    few = panel[panel["country"].isin(["BR", "MX", "GB", "ES", "US", "SA"]) & (panel["month"] >= "2026-04-01")]
    terms = ["log_rate", "log_days"]
    dummies = pd.get_dummies(few[["pair", "origin_month", "destination_month"]], drop_first=True, dtype=float)
    design = np.column_stack([few[terms], np.ones(len(few)), dummies])
    # Effects overlap: columns that are sums of those before them would leave the reference without one solution.
    kept = [place for place in range(design.shape[1]) if _adds(design, place)]
    model = sm.GLM(few["units"], design[:, kept], family=sm.families.Poisson())
    slow = model.fit(tol=1e-14, tol_criterion="params", maxiter=200).params[:2]
    again = pyfixest.fepois(
        "units ~ log_rate + log_days | pair + origin_month + destination_month", few, iwls_tol=1e-12
    ).coef()
    for term, value in zip(terms, slow, strict=True):
        assert found.changes["units"].values[term].value == pytest.approx(direct[term], abs=1e-5)
        assert again[term] == pytest.approx(value, abs=1e-5)


def _adds(design: np.ndarray, place: int) -> bool:
    """Whether a column is no sum of those before it."""
    before, column = design[:, :place], design[:, place]
    left = column - before @ np.linalg.lstsq(before, column, rcond=None)[0] if place else column
    return bool(np.linalg.norm(left) > 1e-9 * np.linalg.norm(column))


def test_what_is_planted_is_found():
    cells = invented(currency=0.5)
    one = flows_of(cells)
    value = one.changes["units"].values["log_rate"]
    assert value.ci_lower < 0.5 < value.ci_upper and value.ci_lower > 0
    assert one.currency().value == pytest.approx(0.9**value.value - 1)
    assert one.levers.per_day.value == pytest.approx(0.002, abs=5e-4)


def test_origins_that_sell_both_ways_have_effects_of_their_own():
    cells = invented(both=True, abroad=())
    assert is_structural(cells.flows)
    one = flows_of(cells)
    assert set(one.border.values) == {"is_home"}
    assert one.border.values["is_home"].value == pytest.approx(1.5, abs=0.1)
    assert "size" in one.answer().number_of


def test_months_without_a_sale_are_filled_and_kept():
    cells = invented()
    gone = (cells.flows["origin"] == "X2") & (cells.flows["country"] == "M3")
    flows = cells.flows.copy()
    flows.loc[gone & (flows["month"] == cells.months[2]), list(COUNTS)] = 0.0
    one = flows_of(_with(cells, flows=flows))
    assert one.changes["units"].n_zero == 1
    assert one.changes["units"].n == len(trading(cells))


def test_a_pair_that_never_trades_is_left_out_and_counted():
    cells = invented()
    never = (cells.flows["origin"] == "X2") & (cells.flows["country"] == "M3")
    flows = cells.flows.copy()
    flows.loc[never, list(COUNTS)] = 0.0
    one = flows_of(_with(cells, flows=flows))
    assert one.changes["units"].n_dropped == len(cells.months)
    assert one.matrix.query("origin == 'X2' and country == 'M3'")["gmv_usd"].iloc[0] == 0


def test_two_markets_are_shown_and_not_fitted():
    one = flows_of(invented(2))
    assert one.border is None and one.changes == {} and one.expected.empty
    assert set(one.refused) >= {"border", "units", "gmv_usd", "expected"}
    assert "2 markets" in one.refused["units"]
    assert one.currency() is None and one.border_ratio() is None
    assert one.decision.action in ("Cannot tell", "Leave alone")
    for name in one.SENTENCES:
        assert one.sentence(name)
    for name in one.EXHIBITS:
        assert isinstance(one.exhibit(name), Exhibit)


def test_a_market_that_changes_its_currency_begins_anew():
    cells = invented(currency=0.5)
    rates = cells.rates.copy()
    late = (rates["country"] == "M1") & (rates["month"] >= cells.months[4])
    rates.loc[late, "currency"] = "NEW"
    rates.loc[late, "usd_per_unit"] *= 1000.0
    changed = _with(cells, rates=rates)
    assert currency_changes(rates) == {"M1": ["CM1", "NEW"]}
    assert largest_move(changed) is None or largest_move(changed).country != "M1" or largest_move(changed).change > -0.9
    one = flows_of(changed)
    value = one.changes["units"].values["log_rate"]
    assert value.ci_lower < 0.5 < value.ci_upper
    assert "changed from CM1 to NEW" in one.sentence("limits")


def test_currencies_that_never_move_are_refused_and_the_rest_is_told():
    cells = invented()
    one = flows_of(_with(cells, rates=cells.rates.assign(usd_per_unit=1.0)))
    assert "moved" in one.refused["currency"]
    assert one.currency() is None
    assert one.delivery() is not None
    assert "not told" in one.sentence("currency")


def test_few_buyers_are_not_shown():
    cells = invented()
    buyers = cells.buyers.copy()
    few = (buyers["origin"] == "X1") & (buyers["country"] == "M2")
    buyers.loc[few, "n_buyers"] = 19
    table = flows_of(_with(cells, buyers=buyers)).matrix
    hidden = table["gmv_usd"].isna()
    assert hidden.sum() == 1
    assert table.loc[hidden, ["origin", "country"]].to_numpy().tolist() == [["X1", "M2"]]


def test_the_real_source_has_one_market_and_is_refused(complete_journey):
    with pytest.raises(NotEnoughData, match="one market alone"):
        countries.gravity(complete_journey)


def test_what_cannot_be_asked_is_refused(world):
    with pytest.raises(UnknownName, match="Did you mean"):
        countries.gravity(world, markets=["BRA"])
    with pytest.raises(InvalidValue, match="whole months"):
        countries.gravity(world, months=99)
    with pytest.raises(InvalidValue, match="level"):
        countries.gravity(world, level=2.0)
    with pytest.raises(NotEnoughData, match="one market alone"):
        countries.gravity(world, markets=["BR"])


def test_nobody_who_sells_abroad_is_refused():
    flows = invented(abroad=()).flows
    with pytest.raises(NotEnoughData, match="no merchant sells abroad"):
        refuse_untold(flows[flows["gmv_usd"] > 0])
    with pytest.raises(NotEnoughData, match="merchant's home"):
        refuse_untold(flows.iloc[:0], 7)


def test_too_few_parcels_tell_no_returns():
    parcels = invented().parcels
    with pytest.raises(NotEnoughData, match="parcels from abroad"):
        returns_per_day(parcels.assign(n=1), 0.95)


def test_a_faster_lane_that_pays_is_looked_into():
    cells = invented(12, currency=0.0)
    flows = cells.flows.copy()
    slow = (flows["country"] == "M0") & (flows["origin"] != "M0")
    flows.loc[slow, "delivery_days"] = flows.loc[slow, "n_delivered"] * 20.0
    one = flows_of(_with(cells, flows=flows))
    worth = one.levers.worth.set_index("country")
    assert worth.loc["M0", "returns_usd"] > 0
    assert one.decision.action in ("Look into", "Cannot tell")
    assert worth["total_usd"].is_monotonic_decreasing


def _with(cells: FlowCells, **changes) -> FlowCells:
    from dataclasses import replace

    return replace(cells, **changes)


@settings(max_examples=5, deadline=None)
@given(st.floats(0.01, 100.0))
def test_the_unit_of_money_changes_no_share(factor):
    cells = invented(4, n_months=3)
    scaled = _with(cells, flows=cells.flows.assign(gmv_usd=cells.flows["gmv_usd"] * factor))
    first, second = (flows_of(one) for one in (cells, scaled))
    assert np.allclose(first.matrix["rel_of_market"], second.matrix["rel_of_market"])
    assert np.allclose(first.table["rel_abroad"], second.table["rel_abroad"])
    assert list(slower(cells)["country"]) == list(slower(scaled)["country"])


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.3, 3.0))
def test_a_market_is_expected_from_the_others_alone(seed, own):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({
        "country": [f"M{i}" for i in range(12)], "log_merchants": rng.normal(4, 1, 12),
        "log_days": rng.normal(1, 0.3, 12), "log_odds": rng.normal(-1, 0.5, 12),
    })  # fmt: skip
    table["rel_abroad"] = 1 / (1 + np.exp(-table["log_odds"]))
    moved = table.copy()
    moved.loc[0, "log_odds"] += own
    first, second = (expected_shares(one, 0.95) for one in (table, moved))
    assert first["expected"].iloc[0] == pytest.approx(second["expected"].iloc[0])
    assert (first["expected_ci_lower"] < first["expected"]).all()
    assert second["residual"].iloc[0] == pytest.approx(first["residual"].iloc[0] + own)


def test_prediction_intervals_hold_as_often_as_they_say():
    rng = np.random.default_rng(3)
    inside = []
    for _ in range(300):
        merchants, days = rng.normal(4, 1, 12), rng.normal(1, 0.3, 12)
        odds = 0.5 - 0.4 * merchants - 0.5 * days + rng.normal(0, 0.4, 12)
        table = pd.DataFrame({"country": range(12), "log_merchants": merchants, "log_days": days, "log_odds": odds})
        told = expected_shares(table.assign(rel_abroad=0.5), 0.95)
        inside.append((told["residual_ci_lower"] < 0) & (told["residual_ci_upper"] > 0))
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)
