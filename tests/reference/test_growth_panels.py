"""The factors of growth on two real panels: what a second library says, and what is known of them.

States: Munnell's 48 US states over 17 years, ships with linearmodels. Published: Baltagi, "Econometric Analysis of
Panel Data", example 3, effects of state and year. Gapminder: 142 countries every five years from 1952 to 2007, ships
with causaldata 0.1.5. PENN: 111 countries over 48 years, ships with synthdid-py 0.1.0; it knows income alone.
"""

from __future__ import annotations

from importlib.resources import files

import pandas as pd
import pytest
from linearmodels.panel import PanelOLS

from analysis_lib import countries, regression
from analysis_lib.countries.convergence import convergence
from analysis_lib.countries.factors import FIXED
from analysis_lib.countries.market_panel import NATIONS
from analysis_lib.errors import InvalidValue, UnknownName


@pytest.fixture(scope="module")
def gapminder():
    return countries.nations("gapminder")


@pytest.fixture(scope="module")
def states():
    return countries.nations("states")


def test_the_table_in_print_comes_out_to_the_last_digit():
    assert (countries.beside_print("states").frame["same"] == "yes").all()
    assert countries.beside_print("gapminder").note


@pytest.mark.parametrize("which", ["states", "gapminder"])
def test_coefficients_and_errors_are_those_of_the_other_library(which, request):
    found = request.getfixturevalue(which)
    names = [factor.name for factor in found.panel.moving]
    frame = found.panel.frame.set_index(["country", "month"])
    other = PanelOLS(frame["outcome"], frame[names], entity_effects=True, time_effects=True).fit(
        cov_type="clustered", cluster_entity=True
    )
    n, groups, times = len(frame), found.panel.n_markets, found.panel.n_months
    # The other counts effects of countries as lost, though countries are the clusters, and has no G / (G - 1).
    ours, theirs = n - len(names) - times + 1, n - len(names) - groups - times + 1
    factor = (theirs / ours * groups / (groups - 1)) ** 0.5
    plain = regression.fit(
        found.fit.request.formula, found.panel.frame, fixed_effects=FIXED, cluster="country", variance="CRV1"
    )
    for name in names:
        assert found.effect(name).value == pytest.approx(other.params[name], rel=1e-6)
        assert plain.fit_of(name).se == pytest.approx(factor * other.std_errors[name], rel=1e-3)


def test_rich_countries_live_longer_and_it_belongs(gapminder):
    assert gapminder.effect("life_expectancy").ci_lower > 0
    assert gapminder.average.inclusion["life_expectancy"] > 0.95


def test_countries_have_not_converged_unconditionally():
    """Barro and Sala-i-Martin: without conditions, poor countries did not grow faster over these decades."""
    table = pd.read_csv(str(files("synthdid") / "data/PENN.csv"), sep=None, engine="python")
    frame = table.assign(month=pd.to_datetime(table["year"].astype(str)), outcome=table["log_gdp"])
    found = convergence(frame, level=0.95, called=NATIONS)
    assert len(found.levels) == 111
    assert found.beta.ci_upper > -0.3
    assert found.spread[1] > found.spread[0]


def test_no_lever_is_named_where_none_is_known(states, gapminder):
    assert {states.decision.action, gapminder.decision.action} == {"Leave alone"}


def test_every_sentence_speaks_of_countries_and_years(states, gapminder):
    for found in (states, gapminder):
        said = " ".join(found.sentence(name) for name in found.SENTENCES)
        for name in found.EXHIBITS:
            exhibit = found.exhibit(name)
            said += f" {exhibit.title} {exhibit.subtitle} {exhibit.note}"
        assert found.panel.called.many in said
        assert "market" not in said.lower()
        assert "month" not in said.lower()


def test_an_unknown_panel_is_refused_with_the_nearest():
    with pytest.raises(UnknownName, match="gapminder"):
        countries.nations("gapmindr")
    with pytest.raises(InvalidValue, match="level"):
        countries.nations("states", level=2.0)
