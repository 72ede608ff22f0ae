"""How effects differ between markets: published tables, second opinions, coverage, the planted truth, refusals."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from analysis_lib import countries, experiments
from analysis_lib.causal import drawn_effects
from analysis_lib.countries.effects import effects_of
from analysis_lib.countries.effects_cells import Base, Moderator, effects_by_market
from analysis_lib.countries.meta_regression import meta_regression
from analysis_lib.errors import InvalidValue, NotEnoughData, UnknownName

#: Vaccine trials against tuberculosis: cases and others among the vaccinated, and among the rest, and the latitude.
#: Colditz et al. (1994), JAMA 271(9); `dat.bcg` of metafor (Viechtbauer 2010, Journal of Statistical Software 36(3)).
BCG = np.array([
    (4, 119, 11, 128, 44), (6, 300, 29, 274, 55), (3, 228, 11, 209, 42), (62, 13536, 248, 12619, 52),
    (33, 5036, 47, 5761, 13), (180, 1361, 372, 1079, 44), (8, 2537, 10, 619, 19), (505, 87886, 499, 87892, 13),
    (29, 7470, 45, 7232, 27), (17, 1699, 65, 1600, 42), (186, 50448, 141, 27197, 18), (5, 2493, 3, 2338, 33),
    (27, 16886, 29, 17825, 33),
], float)  # fmt: skip

#: metafor stops where its steps are under 1e-5, and prints four decimals.
PRINTED = 1e-4

INCOMES = dict(zip("ABCDEFGHIJ", np.geomspace(1e4, 9e4, 10), strict=True))
NAMES = {code: f"Land {code}" for code in INCOMES}
INCOME = Moderator("gdp_per_capita_ppp", "international dollars", True, False)
ORDERS = SimpleNamespace(title="Orders per user", better="up")
TOLD = {"experiment": "Test", "variant": "new", "metric": ORDERS, "passed": True, "source": "made",
        "window": (pd.Timestamp("2026-03-01"), pd.Timestamp("2026-03-28")),
        "data_end": pd.Timestamp("2026-10-31")}  # fmt: skip


def trials() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b, c, d, latitude = BCG.T
    effect = np.log(a / (a + b) / (c / (c + d)))
    return effect, 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d), latitude


def with_constant(x: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(x)), x])


def market_effects(codes: str, effects: list[float] | np.ndarray, se: float = 0.01) -> pd.DataFrame:
    return pd.DataFrame({"country": list(codes), "effect": effects, "se": se, "n_units": 1000})


def made(codes: str = "ABCDEF", effects: object = None, se: float = 0.01, **changes):
    base = Base(dict.fromkeys(INCOMES, 1000.0), dict.fromkeys(codes, 0.5), 0.5, 0.0)
    effects = np.linspace(0.15, 0.05, len(codes)) if effects is None else effects
    options = {"values": INCOMES, "moderator": INCOME, "base": base, "names": NAMES, **TOLD, **changes}
    return effects_of(market_effects(codes, effects, se), **options)


def test_the_vaccine_trials_against_latitude():
    """Berkey et al. (1995), Statistics in Medicine 14; the numbers are metafor's (REML; test="z" and test="knha")."""
    effect, variance, latitude = trials()
    found = meta_regression(effect, variance, with_constant(latitude))
    assert found.tau2 == pytest.approx(0.0764, abs=PRINTED)
    assert found.value == pytest.approx([0.2515, -0.0291], abs=PRINTED)
    assert found.wald_se == pytest.approx([0.2491, 0.0072], abs=PRINTED)
    assert found.se == pytest.approx([0.2839, 0.0082], abs=PRINTED)
    assert (found.statistic, found.df) == (pytest.approx(30.7331, abs=PRINTED), 11)


def test_the_vaccine_trials_without_latitude():
    effect, variance, _ = trials()
    found = meta_regression(effect, variance, np.ones((13, 1)))
    assert found.tau2 == pytest.approx(0.3132, abs=PRINTED)
    assert (found.value[0], found.wald_se[0]) == (
        pytest.approx(-0.7145, abs=PRINTED),
        pytest.approx(0.1798, abs=PRINTED),
    )
    assert found.statistic == pytest.approx(152.2330, abs=PRINTED)


def test_without_a_factor_statsmodels_says_the_same():
    effect, variance, _ = trials()
    theirs = combine_effects(effect, variance, method_re="iterated", use_t=True, alpha=0.05)
    ours = meta_regression(effect, variance, np.ones((13, 1)), spread="paule_mandel")
    assert ours.tau2 == pytest.approx(theirs.tau2, rel=1e-6)
    assert ours.value[0] == pytest.approx(theirs.mean_effect_re) and ours.se[0] == pytest.approx(
        theirs.sd_eff_w_re_hksj
    )


def test_with_a_flat_spread_and_no_factor_effects_are_drawn_as_elsewhere_in_the_library():
    effect, variance, _ = trials()
    ours = meta_regression(effect, variance, np.ones((13, 1)), prior="flat").seen()
    theirs = drawn_effects(effect, variance, level=0.95)
    assert ours.ci_lower == pytest.approx(theirs.ci_lower, abs=1e-3)
    assert ours.ci_upper == pytest.approx(theirs.ci_upper, abs=1e-3)


@settings(max_examples=12)
@given(st.integers(4, 12), st.floats(0, 0.3), st.floats(0.1, 10), st.integers(0, 10_000))
def test_units_and_order_do_not_matter(k, spread, unit, seed):
    rng = np.random.default_rng(seed)
    x, variance = rng.normal(size=k), rng.uniform(0.02, 0.1, k) ** 2
    effect = 0.1 * x + spread * rng.normal(size=k) + np.sqrt(variance) * rng.normal(size=k)
    one = meta_regression(effect, variance, with_constant(x))
    turned = rng.permutation(k)
    other = meta_regression(unit * effect[turned], unit**2 * variance[turned], with_constant(3 * x[turned] + 1))
    assert 3 * other.value[1] == pytest.approx(unit * one.value[1], rel=1e-3, abs=1e-6 * unit)
    seen, again = one.seen(), other.seen()
    assert again.value == pytest.approx(unit * seen.value[turned], rel=1e-4, abs=1e-5 * unit)
    # What is believed of a market lies between what it says and the line's middle, and says more than it does alone.
    assert (seen.ci_upper - seen.ci_lower <= 2 * 1.97 * np.sqrt(variance) * 1.35 + 1e-9).all()


def test_intervals_cover_with_ten_markets():
    rng, hits, n = np.random.default_rng(3), np.zeros(3), 80
    for _ in range(n):
        x, variance = rng.normal(size=10), rng.uniform(0.03, 0.1, 10) ** 2
        truth = 0.02 - 0.05 * x + 0.05 * rng.normal(size=10)
        found = meta_regression(truth + np.sqrt(variance) * rng.normal(size=10), variance, with_constant(x))
        seen, place = found.seen(), rng.normal(size=1)
        new, new_truth = found.elsewhere(with_constant(place)), 0.02 - 0.05 * place + 0.05 * rng.normal()
        hits += [
            found.ci_lower[1] <= -0.05 <= found.ci_upper[1],
            ((seen.ci_lower <= truth) & (truth <= seen.ci_upper)).mean(),
            bool((new.ci_lower <= new_truth) & (new_truth <= new.ci_upper)),
        ]
    assert (hits / n >= [0.88, 0.90, 0.88]).all()


def test_a_clear_gain_is_shipped_where_it_is_largest_and_inside_what_was_tested():
    found = made("BCDEFG")
    assert found.decision.action == "Ship" and "Land B" in found.decision.next_step
    assert set(found.table.loc[found.table["beyond"], "country"]) == {"A", "H", "I", "J"}
    assert "Land A, Land H, Land I, Land J lie outside" in found.sentence("beyond")
    assert found.slope.ci_upper < 0 and "lower where income per head is twice as high" in found.sentence("slope")
    row = found.table.set_index("country").loc["B"]
    assert row["gain"] == pytest.approx(1000 * row["effect"])


def test_those_that_have_it_are_not_asked_about():
    assert "Land C" in made("BCDEFG", live=("B",)).decision.next_step
    with pytest.raises(InvalidValue, match="every market has it"):
        made(live=tuple(INCOMES))


def test_an_extrapolated_market_is_tested_and_not_shipped():
    found = made("BCDEFG", live=tuple("BCDEFG"))
    assert found.decision.action == "Run" and found.decision.next_step.startswith("Run the test in Land A")
    assert "lies outside what was tested" in found.decision.reason


def test_a_test_goes_first_to_a_market_inside_what_was_tested():
    """The line promises most where it is drawn furthest: that alone chooses no market."""
    found = made("BCEFG", live=tuple("BCEFG"))
    assert found.ranked["country"].iloc[0] == "A"
    assert "Land D" in found.decision.next_step


def test_harm_is_held_and_a_failed_test_tells_nothing():
    assert made(effects=[-0.1] * 6).decision.action == "Hold"
    found = made(passed=False)
    assert found.decision.action == "Cannot tell" and found.decision.money_per_month is None
    assert "did not pass" in found.answer.headline and found.answer.number is None


def test_less_is_better_where_the_metric_says_so():
    returns = SimpleNamespace(title="Refund rate", better="down")
    found = made("BCDEFG", effects=-np.linspace(0.15, 0.05, 6), metric=returns, base=Base({}, {}, 0.0, 0.0))
    assert found.decision.action == "Ship" and "Land B" in found.decision.next_step
    assert found.decision.money_per_month is None and found.exhibit("money").note


def test_markets_that_agree_are_said_to_agree():
    found = made(effects=[0.1] * 6, se=0.03)
    assert found.flat.tau2 == 0 and "do not differ" in found.sentence("differ")


def test_three_markets_give_no_slope_and_two_nothing():
    found = made("ABC")
    assert found.slope is None and "3 markets ran it" in found.sentence("slope") and found.exhibit("line").note
    assert all(found.sentence(name) for name in found.SENTENCES)
    with pytest.raises(NotEnoughData, match="2 markets have an effect"):
        made("AB")


def test_a_market_without_the_factor_is_left_out_and_named():
    found = made(values={code: income for code, income in INCOMES.items() if code != "A"})
    assert "A" not in set(found.table["country"]) and "A is left out" in found.sentence("counted")


def test_an_unsure_share_of_sales_widens_money_where_it_did_not_run():
    base = Base(dict.fromkeys(INCOMES, 1000.0), dict.fromkeys("ABCDEF", 0.5), 0.5, 0.0)
    sure, unsure = (made(base=replace(base, spread=spread)).table.set_index("country") for spread in (0.0, 0.5))
    width = {name: one["gain_ci_upper"] - one["gain_ci_lower"] for name, one in (("sure", sure), ("unsure", unsure))}
    assert width["unsure"]["A"] == width["sure"]["A"] and width["unsure"]["G"] > width["sure"]["G"]


def test_what_does_not_fit_is_refused():
    x = np.ones((5, 1))
    with pytest.raises(InvalidValue, match="above zero"):
        meta_regression(np.zeros(5), np.zeros(5), x)
    with pytest.raises(InvalidValue, match="do not go together"):
        meta_regression(np.zeros(4), np.ones(4), x)
    with pytest.raises(NotEnoughData, match="columns go together"):
        meta_regression(np.zeros(5), np.ones(5), np.ones((5, 2)))
    with pytest.raises(NotEnoughData, match="are needed"):
        meta_regression(np.zeros(3), np.ones(3), with_constant(np.arange(3.0)))


@pytest.fixture(scope="module")
def readout(world):
    return experiments.read(world, "reviews_first", by="country")


@pytest.fixture(scope="module")
def found(world, readout):
    return countries.effects_across(world, readout)


def test_effects_by_market_are_those_of_the_readout(readout):
    own = effects_by_market(readout, "orders_per_user", "treatment").set_index("country")
    table = readout.by_segment.set_index(["metric", "segment"])["rel_effect"]
    for country, row in own.iterrows():
        assert np.expm1(row["effect"]) == pytest.approx(table["orders_per_user", f"country={country}"], rel=1e-6)


def test_the_planted_effects_are_covered(found):
    # Planted on the chance of a cart per product page, which orders are in proportion to: data/world.yml.
    planted = {"ID": 0.11, "VN": 0.09, "TH": 0.05, "GB": -0.07, "US": -0.09, "SA": 0.0}
    table = found.table.set_index("country")
    for country, effect in planted.items():
        assert table.loc[country, "effect_ci_lower"] <= effect <= table.loc[country, "effect_ci_upper"]
    assert found.slope.value < 0
    # Drawn to the line, effects lie nearer to the truth than each market's own.
    truth = pd.Series(planted)
    own, drawn = (np.square(table.loc[truth.index, name] - truth).mean() for name in ("raw", "effect"))
    assert drawn < own


def test_every_sentence_and_exhibit_is_made(found):
    assert all(found.sentence(name) for name in found.SENTENCES)
    assert all(not found.exhibit(name).frame.empty for name in found.EXHIBITS)
    assert found.answer.headline and found.text and len(found.table) == 12


def test_names_that_do_not_exist_are_refused(world, readout):
    for options in ({"factor": "delivery_day"}, {"variant": "treatmint"}, {"metric": "aov"}, {"live": ["XX"]}):
        with pytest.raises(UnknownName):
            countries.effects_across(world, readout, **options)
    with pytest.raises(InvalidValue, match="level"):
        countries.effects_across(world, readout, level=7)
