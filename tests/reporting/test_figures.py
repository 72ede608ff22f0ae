"""Figures: the same numbers give the same bytes, and nothing global is touched."""

from __future__ import annotations

import base64

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from analysis_lib.campaigns import drawings
from analysis_lib.reporting import figure_html, show
from analysis_lib.results import Exhibit, nothing_to_show


def svg(read, exhibit: Exhibit) -> bytes:
    return base64.b64decode(read(figure_html(exhibit)).all("img")[0]["src"].split(",")[1])


def test_the_same_numbers_give_the_same_bytes(read, figure):
    first, second = svg(read, figure("one")), svg(read, figure("one"))
    assert first == second
    assert first != svg(read, figure("two"))
    assert b"<dc:date>" not in first


def test_matplotlib_is_left_as_it_was(figure):
    before = dict(mpl.rcParams)
    figure_html(figure())
    assert dict(mpl.rcParams) == before


def test_pyplot_keeps_no_figure_open(figure):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    figure_html(figure())
    assert plt.get_fignums() == before


def test_a_reader_who_sees_no_image_hears_the_finding(read, figure):
    page = read(figure_html(figure("Sales rose", subtitle="USD, May")))
    assert page.all("img")[0]["alt"] == "Sales rose. USD, May"
    assert "Sales rose" in page.text
    assert "The numbers" in page.text
    assert len(page.all("table")) == 1
    assert page.all("a")[0]["download"] == "sales-rose.csv"


def test_a_drawing_that_fails_is_not_hidden(figure):
    def broken(_axes):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        show(figure(draw=broken))


def test_nothing_to_show_is_said(read):
    page = read(show(nothing_to_show("The ledger", "no orders")).data)
    assert page.text == "The ledger: not shown Not enough data: no orders."


def ledger(values) -> pd.DataFrame:
    values = np.asarray(values, dtype=float)
    return pd.DataFrame(
        {"label": ["a", "b", "c", "net"], "value": values, "ci_lower": values - 1.0, "ci_upper": values + 1.0}
    )


@pytest.mark.parametrize(
    "values", [[0, 0, 0, 0], [-5, -1, -2, -8], [5, 1, 2, 8], [1e9, -1e9, 1, 1], [0.01, 0, 0, 0.01]]
)
def test_ledgers_of_any_sign(read, values):
    frame = ledger(values)
    assert svg(read, Exhibit("T", "", frame, {}, lambda axes: drawings.draw_ledger(axes, rows=frame, unit="usd")))


@pytest.mark.parametrize("values", [[0.0] * 6, [1.0] * 6, [-3.0] * 6, [-1.0, 0.0, 1.0, 2.0, -2.0, 5.0]])
def test_placebo_stacks(read, estimate, values):
    frame = pd.DataFrame({"value": values})
    shown = estimate(0.0, -1.0, 1.0)
    assert svg(
        read, Exhibit("T", "", frame, {}, lambda axes: drawings.draw_placebos(axes, placebos=frame, estimate=shown))
    )


@pytest.mark.parametrize("scale", [0.0, 1.0, -1.0, 1e6])
@pytest.mark.parametrize("n_weeks", [1 / 7, 3.0, 6.5])
def test_weekly_courses(read, scale, n_weeks):
    value = np.linspace(-1, 1, 12) * scale
    effects = pd.DataFrame({"period": range(-6, 6), "value": value, "ci_lower": value - 1, "ci_upper": value + 1})
    draw = lambda axes: drawings.draw_weekly(axes, effects=effects, n_weeks=n_weeks, unit="idr")  # noqa: E731
    assert svg(read, Exhibit("T", "", effects, {}, draw))


def test_funnels_of_nobody(read):
    steps = pd.DataFrame(
        {"step": ["a", "b"], "n_users": [0, 0], "share_of_targeted": [np.nan, np.nan], "label": ["0", "0"]}
    )
    assert svg(read, Exhibit("T", "", steps, {}, lambda axes: drawings.draw_reach(axes, steps=steps)))


@pytest.mark.parametrize("before", [[0.0, 0.0], [-0.5, -0.1], [1.0, -1.0]])
def test_balances_of_any_sign(read, before):
    frame = pd.DataFrame({"covariate": ["a", "b"], "difference_before": before, "difference_after": [0.0, 0.0]})
    assert svg(read, Exhibit("T", "", frame, {}, lambda axes: drawings.draw_balance(axes, balance=frame)))


@pytest.mark.parametrize("value", [0, 1e-9, 5, -5, 20_000, -2.5e6, 1e12])
def test_axis_labels_have_no_ascii_minus(value):
    text = drawings._tick("usd", value, 0)
    assert "-" not in text
    assert text
