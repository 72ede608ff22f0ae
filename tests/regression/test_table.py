"""Regressions side by side."""

from __future__ import annotations

import pytest

from analysis_lib import regression
from analysis_lib.errors import InvalidValue


def test_estimates_with_their_errors_below(panel):
    short = regression.fit("y ~ x", panel)
    full = regression.fit("y ~ x + z", panel, fixed_effects="market", cluster="market")
    shown = regression.side_by_side(
        {"plain": short, "within": full}, names={"x": "Price"}, units={"plain": "USD a week", "within": "USD a week"}
    ).set_index("term")
    assert list(shown.index) == [
        "Price",
        "",
        "z",
        "",
        "Intercept",
        "",
        "outcome in",
        "rows",
        "fixed effects",
        "errors",
        "R²",
    ]
    row = short.fit_of("x")
    assert shown["plain"].tolist()[:2] == [f"{row.value:.3f}", f"({row.se:.3f})"]  # the error has two figures
    assert shown.loc["z", "plain"] == ""
    assert shown.loc["fixed effects"].tolist() == ["none", "market"]
    assert shown.loc["errors", "within"].endswith("12 clusters")
    assert shown.loc["outcome in", "plain"] == "USD a week"
    assert "*" not in shown.to_string()


def test_stars_only_where_asked_for(panel):
    fit = regression.fit("y ~ x + z", panel)
    shown = regression.side_by_side({"a": fit}, stars=True)
    assert shown["a"].iloc[0].endswith("***")


def test_nothing_to_show():
    with pytest.raises(InvalidValue, match="no regressions"):
        regression.side_by_side({})
