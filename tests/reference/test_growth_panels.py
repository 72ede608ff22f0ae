"""The factors of growth on two real panels: what a second library says, and what is known of them.

PENN: 111 countries over 48 years, ships with synthdid-py 0.1.0. Gapminder: 142 countries every five years from 1952 to
2007, ships with causaldata 0.1.5.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PanelOLS

from analysis_lib.countries.factors import factors_of
from analysis_lib.countries.market_panel import panel_of


def shipped(package: str, path: str) -> pd.DataFrame:
    return pd.read_csv(Path(find_spec(package).origin).parent / path, sep=None, engine="python")


def panel(frame: pd.DataFrame, units: dict[str, str]):
    return panel_of(frame, units, SimpleNamespace(title="Income per head"), {}, 0)


@pytest.fixture(scope="module")
def penn():
    table = shipped("synthdid", "data/PENN.csv")
    frame = pd.DataFrame(
        {"country": table["country"], "month": pd.to_datetime(table["year"].astype(str)),
         "outcome": np.exp(table["log_gdp"]), "democracy": table["dem"].astype(float)}
    )  # fmt: skip
    return factors_of(panel(frame, {"democracy": "share"}), source="PENN")


@pytest.fixture(scope="module")
def gapminder():
    table = shipped("causaldata", "gapminder/gapminder.csv")
    frame = pd.DataFrame(
        {"country": table["country"], "month": pd.to_datetime(table["year"].astype(str)), "outcome": table["gdpPercap"],
         "life_expectancy": table["lifeExp"], "population": table["pop"].astype(float)}
    )  # fmt: skip
    return factors_of(panel(frame, {"life_expectancy": "share", "population": "people"}), source="gapminder")


@pytest.mark.parametrize("which", ["penn", "gapminder"])
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
    for name in names:
        assert found.effect(name).value == pytest.approx(other.params[name], rel=1e-6)
        assert found.effect(name).se == pytest.approx(factor * other.std_errors[name], rel=1e-3)


def test_rich_countries_live_longer_and_it_belongs(gapminder):
    assert gapminder.effect("life_expectancy").ci_lower > 0
    assert gapminder.average.inclusion["life_expectancy"] > 0.95


def test_countries_have_not_converged_unconditionally(penn):
    """Barro and Sala-i-Martin: without conditions, poor countries did not grow faster over these decades."""
    assert penn.convergence.beta.ci_upper > -0.3
    assert penn.convergence.spread[1] > penn.convergence.spread[0]


def test_no_lever_is_named_where_none_is_known(penn, gapminder):
    assert {penn.decision.action, gapminder.decision.action} == {"Leave alone"}
