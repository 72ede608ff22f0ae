"""From names of metrics to what goes together with one of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib import relations
from analysis_lib.errors import InvalidValue, UnknownName
from analysis_lib.regression import fit


def test_the_slope_that_was_put_in_is_found(opened, handed, weeks):
    handed(weeks(slope=0.3))
    found = relations.relate(opened, "gmv", ["active_creators", "refund_rate"])
    put_in = 1.1**0.3 - 1
    one = found.estimate
    assert one.unit == "share"
    assert one.ci_lower < put_in < one.ci_upper
    assert one.value == pytest.approx(put_in, rel=0.1)
    assert found.decision.action == "Look into"
    assert found.sentence("headline").startswith(
        "10 % more selling creators goes with gross merchandise value higher by 3."
    )
    assert "each market held against itself, what all share in a week taken out" in found.sentence("headline")
    assert "Cannot be told from zero: lost share of GMV." in found.sentence("terms")
    assert list(found.table["regressor"]) == ["selling creators", "lost share of GMV"]
    assert "8 clusters of country, fewer than 12: clusters are resampled" in found.sentence("errors")
    assert found.sentence("basis").startswith("312 cells, a market by a market-local week: 8 by 39")
    assert "8 cells of periods that were not whole" in found.sentence("basis")


def test_it_is_the_regression_of_logarithms(opened, handed, weeks):
    frame = weeks()
    handed(frame)
    found = relations.relate(opened, "gmv", ["active_creators"], fixed_effects=["country"])
    rows = frame[~frame["is_partial"]]
    theirs = fit("log(gmv) ~ log(active_creators)", rows, fixed_effects="country", cluster="country")
    power = theirs.fit_of("log(active_creators)")
    assert found.estimate.value == pytest.approx(1.1**power.value - 1)
    assert found.estimate.ci_lower == pytest.approx(1.1**power.ci_lower - 1, abs=1e-6)


def test_where_some_cells_are_zero_it_is_a_poisson_regression(opened, handed, weeks):
    handed(weeks(zeros=True))
    found = relations.relate(opened, "gmv", ["active_creators"])
    assert found.found.fit.request.kind == "poisson"
    assert not found.cells.is_positive
    assert found.estimate.value > 0


def test_country_factors_stand_beside_metrics(opened, handed, weeks):
    handed(weeks())
    found = relations.relate(opened, "gmv", ["active_creators", "gdp_per_capita_ppp", "card_share"])
    assert [term.more for term in found.cells.terms] == ["10 % more", "10 % more", "1 pp more"]
    assert found.cells.frame["card_share_points"].between(30, 90).all()
    assert found.cells.frame["gdp_per_capita_ppp_tenths"].notna().all()


def test_nothing_is_found_where_nothing_was_put_in(opened, handed, weeks):
    actions = []
    for seed in range(4):
        handed(weeks(seed=seed, slope=0.0))
        actions.append(relations.relate(opened, "gmv", ["active_creators"], matters=0.0).decision.action)
    assert actions.count("Look into") <= 1


def test_what_is_too_small_to_matter_is_left_alone(opened, handed, weeks):
    handed(weeks(slope=0.05))
    found = relations.relate(opened, "gmv", ["active_creators"], matters=0.2)
    assert found.decision.action == "Leave alone"
    assert "smaller than 20 %" in found.decision.reason


def test_one_market_that_decides_forbids_a_verdict(opened, handed, weeks):
    frame = weeks(slope=0.0)
    odd = frame["country"] == "DD"
    frame.loc[odd, "gmv"] *= frame.loc[odd, "active_creators"] ** 2.5
    handed(frame)
    found = relations.relate(opened, "gmv", ["active_creators"], matters=0.0)
    assert found.decision.action == "Cannot tell"
    assert "Without DD it would be" in found.sentence("influence")
    assert "one market decides" in found.sentence("influence")


def test_too_few_markets_are_refused_with_the_reason(opened, handed, weeks):
    frame = weeks(markets=("AA", "BB"))
    handed(frame[frame["period_start"] < "2025-05-01"])
    found = relations.relate(opened, "gmv", ["active_creators"], fixed_effects=["country"])
    assert found.found is None
    assert "periods are too few for an error over time" in found.sentence("headline")
    assert found.decision.action == "Cannot tell"
    assert found.estimate is None
    assert found.table.empty
    assert found.exhibit("curve").draw is None


def test_two_markets_over_long_are_read_over_time(opened, handed, weeks):
    handed(weeks(markets=("AA", "BB")))
    found = relations.relate(opened, "gmv", ["active_creators"], fixed_effects=["country"])
    assert "2 units are too few to cluster by" in found.sentence("errors")
    assert found.found.influence is None


def test_a_regressor_that_does_not_vary_beside_what_is_held_alike(opened, handed, weeks):
    frame = weeks()
    handed(
        frame.assign(
            refund_rate=frame["country"].map({m: 0.01 * i for i, m in enumerate(sorted(set(frame["country"])))})
        )
    )
    beside = relations.relate(opened, "gmv", ["active_creators", "refund_rate"])
    assert "Left out, since what is held alike has all of it: lost share of GMV." in beside.sentence("terms")
    alone = relations.relate(opened, "gmv", ["refund_rate"])
    assert alone.found is None
    assert "lost share of GMV hardly varies beside what is held alike" in alone.refusal


def test_a_regressor_that_grows_alike_everywhere_is_not_told_by_its_rounding(opened, handed, weeks):
    frame = weeks()
    week = frame.groupby("country").cumcount()
    size = frame["country"].map(
        {name: 1000.0 * (place + 2) for place, name in enumerate(sorted(set(frame["country"])))}
    )
    handed(frame.assign(active_creators=(size * 1.002**week).round(0)))
    found = relations.relate(opened, "gmv", ["active_creators"])
    assert found.found is None
    assert "hardly varies" in found.refusal


@pytest.mark.parametrize(("given", "kind", "said"), [
    ({"outcome": "gvm"}, UnknownName, "Did you mean 'gmv'"),
    ({"regressors": ["active_creator"]}, UnknownName, "Did you mean 'active_creators'"),
    ({"regressors": []}, InvalidValue, "at least one"),
    ({"regressors": ["gmv"]}, InvalidValue, "cannot explain itself"),
    ({"regressors": ["refund_rate", "refund_rate"]}, InvalidValue, "one twice"),
    ({"grain": "weak"}, UnknownName, "Did you mean 'week'"),
    ({"fixed_effects": ["contry"]}, UnknownName, "Did you mean 'country'"),
    ({"matters": 2}, InvalidValue, "relative difference"),
    ({"level": 95}, InvalidValue, "0.5 to below 1"),
    ({"by": "category", "regressors": ["delivery_time", "card_share"]}, UnknownName, "regressor 'delivery_time'"),
    ({"by": "category", "regressors": ["card_share"]}, InvalidValue, "ask by='country'"),
])  # fmt: skip
def test_what_cannot_be_meant(opened, handed, weeks, given, kind, said):
    handed(weeks())
    asked = {"outcome": "gmv", "regressors": ["active_creators"]} | given
    with pytest.raises(kind, match=said):
        relations.relate(opened, **asked)


def test_an_outcome_below_zero_is_refused(opened, handed, weeks):
    handed(weeks().assign(gmv=-1.0))
    with pytest.raises(InvalidValue, match="below 0 in 312 cells"):
        relations.relate(opened, "gmv", ["active_creators"])


def test_all_sentences_exhibits_and_the_first_screen(opened, handed, weeks):
    import matplotlib.pyplot as plt

    handed(weeks())
    found = relations.relate(opened, "gmv", ["active_creators", "refund_rate"])
    for name in found.SENTENCES:
        said = found.sentence(name)
        assert said.endswith(".")
        assert "_tenths" not in said
        assert "_points" not in said
    for name in found.EXHIBITS:
        shown = found.exhibit(name)
        assert shown.title
        assert isinstance(shown.frame, pd.DataFrame)
        if shown.draw is not None:
            figure, axes = plt.subplots()
            shown.draw(axes)
            plt.close(figure)
    answer = found.answer(opened)
    assert answer.title == "Does gross merchandise value go together with selling creators?"
    assert answer.number.value == found.estimate.value
    assert found.sentence("size").startswith("Of $")
    assert np.isfinite(found.exhibit("influence").frame["value"]).all()
    assert len(found.exhibit("influence").frame) == 8
