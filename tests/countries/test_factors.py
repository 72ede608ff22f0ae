"""What a metric goes with: planted coefficients, nothing where nothing is, months that stand out, refusals."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis_lib import countries
from analysis_lib.calibration.country_panels import NAMES, PLANTED, PanelWorld, panel
from analysis_lib.countries.convergence import convergence
from analysis_lib.countries.factors import averaged, joint
from analysis_lib.countries.factors_text import named
from analysis_lib.countries.market_panel import alone, market_panel, panel_of, stands_out
from analysis_lib.countries.slopes import slopes_by_market
from analysis_lib.errors import InvalidValue, NotEnoughData, UnknownName


@pytest.fixture(scope="module")
def found(world):
    return countries.factors(world, "cart_rate")


def test_planted_coefficients_are_covered():
    hits = []
    for seed in range(12):
        fit = joint(panel(PanelWorld(persistence=0.5), PLANTED, np.random.default_rng(seed)), 0.95)
        table = fit.coefficients.set_index("term").loc[NAMES]
        hits += list((table["ci_lower"] <= PLANTED) & (table["ci_upper"] >= PLANTED))
    assert np.mean(hits) >= 0.88


def test_a_search_where_nothing_is_names_nothing():
    found = [
        bool(named(joint(panel(PanelWorld(), np.zeros(6), np.random.default_rng(seed)), 0.95), 0.95))
        for seed in range(16)
    ]
    assert np.mean(found) <= 0.13


def test_what_is_planted_belongs_and_the_rest_does_not():
    drawn = panel(PanelWorld(noise=0.02), PLANTED, np.random.default_rng(4))
    inclusion = averaged(drawn, joint(drawn, 0.95)).inclusion
    assert min(inclusion["factor_1"], inclusion["factor_2"]) > 0.95
    assert max(inclusion[name] for name in NAMES[3:]) < 0.5


def test_the_planted_way_of_delivery_is_found_in_the_world(found):
    # Slower delivery costs carts: planted as 3.5 % a day on the chance of a cart per product page.
    effect = found.effect("delivery_days")
    assert effect.ci_upper < 0 and -0.08 < effect.value < -0.02
    assert found.average.inclusion["delivery_days"] > 0.95
    assert found.decision.action == "Look into" and found.decision.owner == "Logistics lead"


def test_creators_bring_visits(world):
    effect = countries.factors(world, "sessions").effect("active_creators")
    assert effect.ci_lower > 0 and effect.ci_lower < 0.22 < effect.ci_upper + 0.1


def test_a_slope_alone_is_that_of_the_joint_regression(found):
    """Frisch, Waugh and Lovell."""
    left = alone(found.panel, "delivery_days", [f.name for f in found.panel.moving if f.name != "delivery_days"])
    slope = float(left["x"] @ left["y"] / (left["x"] @ left["x"]))
    assert slope == pytest.approx(found.effect("delivery_days").value)


def test_factors_that_move_alike_are_said_not_to_be_told(found):
    assert {"population", "gdp_per_capita_ppp"} <= {f.name for f in found.panel.factors if not f.moves}
    assert "gdp per capita ppp" in found.sentence("cannot")


def test_an_incident_is_left_out_and_named(found):
    assert any("stands out" in why for why in found.panel.left_out.values())
    assert "Left out: MX Jun 2026 (it stands out" in found.sentence("counted")


def test_one_odd_month_is_found_and_a_lasting_change_is_not():
    rng = np.random.default_rng(6)
    months = pd.date_range("2025-01-01", periods=18, freq="MS")
    wide = pd.DataFrame(rng.normal(0, 0.02, (18, 8)), index=months, columns=list("ABCDEFGH"))
    wide.iloc[5, 2] -= 0.7
    wide.iloc[9:, 4] += 0.05
    frame = wide.rename_axis("month").reset_index().melt("month", var_name="country", value_name="outcome")
    odd = frame[stands_out(frame)]
    assert list(zip(odd["country"], odd["month"], strict=True)) == [("C", months[5])]


def test_convergence_is_found_where_planted_and_not_where_not():
    months = pd.date_range("2025-01-01", periods=24, freq="MS")
    rng = np.random.default_rng(2)
    level = rng.normal(0, 1, 12)
    for rate, catches in ((0.9, True), (0.0, False)):
        rows = [
            (f"M{m}", month, level[m] * (1 - rate * place / 23) + rng.normal(0, 0.02))
            for m in range(12) for place, month in enumerate(months)
        ]  # fmt: skip
        told = convergence(pd.DataFrame(rows, columns=["country", "month", "outcome"]), level=0.95)
        assert (told.beta.ci_upper < -0.3) == catches
        assert (told.spread_pvalue < 0.05) == catches


def test_every_sentence_and_exhibit_is_made(found):
    assert all(found.sentence(name) for name in found.SENTENCES)
    for name in found.EXHIBITS:
        exhibit = found.exhibit(name)
        assert exhibit.note or not exhibit.frame.empty
    assert found.answer.headline and found.text


def test_what_cannot_be_explained_is_refused(world):
    with pytest.raises(UnknownName, match="cart_rate"):
        countries.factors(world, "cart_rat")
    with pytest.raises(UnknownName, match="delivery_days"):
        countries.factors(world, "cart_rate", factors=["delivery_day"])
    with pytest.raises(InvalidValue, match="level"):
        countries.factors(world, "cart_rate", level=7)
    with pytest.raises(NotEnoughData, match="no factor"):
        countries.factors(world, "cart_rate", factors=["population"])
    with pytest.raises(InvalidValue, match="no factor is left"):
        market_panel(world, "payment_success_rate", ["payment_success_rate"])


def test_a_factor_that_is_the_same_everywhere_is_left_out():
    rng, months = np.random.default_rng(3), pd.date_range("2025-01-01", periods=8, freq="MS")
    frame = pd.DataFrame(
        {"country": np.repeat(list("ABCDEF"), 8), "month": np.tile(months, 6),
         "outcome": np.exp(rng.normal(0, 0.1, 48)), "flat": 1.0, "moving": rng.normal(size=48)}
    )  # fmt: skip
    told = panel_of(frame, {"flat": "share", "moving": "share"}, None, {}, 0)
    assert told.left_out["flat"] == "the same everywhere" and [f.name for f in told.factors] == ["moving"]


@pytest.mark.parametrize("lasts", [0.0, 0.6])
def test_slopes_of_months_that_go_together_are_alike_as_often_as_said(lasts):
    """All markets have the same slope; the test of it is wrong about as often as it says, not a third of the time."""
    rng = np.random.default_rng(5)
    rejected = []
    for _ in range(60):
        x, e = (ar(rng, lasts) for _ in range(2))
        frame = MONTHS_OF_MARKETS.assign(outcome=(0.3 * x + e).ravel(), lever=x.ravel())
        panel = SimpleNamespace(frame=frame, moving=[SimpleNamespace(name="lever")])
        rejected.append(slopes_by_market(panel, 0.95)["lever"].apart < 0.05)
    assert np.mean(rejected) <= 0.16


def ar(rng, lasts: float) -> np.ndarray:
    """12 markets by 24 months; each month keeps a part of the one before."""
    drawn = rng.normal(size=(12, 24))
    for month in range(1, 24):
        drawn[:, month] = lasts * drawn[:, month - 1] + np.sqrt(1 - lasts**2) * drawn[:, month]
    return drawn


MONTHS_OF_MARKETS = pd.MultiIndex.from_product(
    [[f"M{place:02d}" for place in range(12)], pd.date_range("2024-01-01", periods=24, freq="MS")],
    names=["country", "month"],
).to_frame(index=False)
