"""Tables: units, signs, folding, totals, and small groups that are not counted out."""

from __future__ import annotations

import base64
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.config import PRIVACY_THRESHOLD
from analysis_lib.reporting import show, table_html
from analysis_lib.reporting.tables import ROWS_SHOWN, csv_link, suppress_small
from analysis_lib.results import Exhibit


def downloaded(html: str) -> pd.DataFrame:
    data = html.split("base64,")[1].split('"')[0]
    return pd.read_csv(io.StringIO(base64.b64decode(data).decode()), dtype=str)


def cells(read, frame: pd.DataFrame, units: dict[str, str]) -> list[str]:
    return [t for t in read(table_html(Exhibit("T", "", frame, units), caption=False)).texts if t.strip()]


def test_units_stand_in_the_header_and_numbers_follow_them(read):
    frame = pd.DataFrame(
        {"row": ["net_sales"], "value": [-1234.5], "ci_lower": [-0.4], "share": [0.1889], "n_users": [1133]}
    )
    units = {"value": "usd", "ci_lower": "usd", "share": "share", "n_users": ""}
    assert cells(read, frame, units) == [
        "part", "value (USD)", "from (USD)", "share", "number", "net_sales", "−1,234", "−0.40",
        "18.9 %", "1,133",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (-0.0, "0.00"), (-0.004, "0.00"), (-0.006, "−0.01"), (999.994, "999.99"), (1000.4, "1,000"),
     (-1e6, "−1,000,000"), (np.nan, "n/a"), (np.inf, "n/a"), (None, "n/a")],
)  # fmt: skip
def test_money(read, value, text):
    assert cells(read, pd.DataFrame({"value": [value]}, dtype=float), {"value": "usd"})[-1] == text


@given(st.floats(-1e12, 1e12))
def test_money_has_no_ascii_minus_and_no_negative_zero(read, value):
    shown = cells(read, pd.DataFrame({"value": [value]}), {"value": "usd"})[-1]
    assert "-" not in shown
    assert shown not in ("−0", "−0.00")


def test_numbers_are_marked_for_the_right_edge(read):
    frame = pd.DataFrame({"what": ["a"], "value": [1.0]})
    page = read(table_html(Exhibit("T", "", frame, {"value": "usd"})))
    assert [cell.get("class") for cell in page.all("td")] == [None, "sb-number"]
    assert [head["data-column"] for head in page.all("th")] == ["what", "value"]
    assert all(head["scope"] == "col" for head in page.all("th"))


@pytest.mark.parametrize(("name", "total"), [("total_cost", True), ("net_gmv", True), ("halo_gmv", False)])
def test_totals_are_marked(read, name, total):
    page = read(table_html(Exhibit("T", "", pd.DataFrame({"row": [name], "value": [1.0]}), {"value": "usd"})))
    assert page.all("tr")[-1].get("class") == ("sb-total" if total else None)


@pytest.mark.parametrize("n", [0, 1, ROWS_SHOWN, ROWS_SHOWN + 1, 100])
def test_long_tables_are_folded_and_complete(read, n):
    frame = pd.DataFrame({"what": [f"r{i}" for i in range(n)], "value": np.arange(n, dtype=float)})
    html = show(Exhibit("T", "", frame, {"value": ""})).data
    page = read(html)
    folded = max(0, n - ROWS_SHOWN)
    assert len(page.all("details")) == (1 if folded else 0)
    assert (f"{folded} more rows" in page.text) == bool(folded)
    assert len(page.all("td")) == 2 * n
    assert html.find("<details") == -1 or html.count("<td", 0, html.find("<details")) == 2 * ROWS_SHOWN
    assert len(downloaded(html)) == n


@pytest.mark.parametrize("column", ["n_users", "n_buyers", "n_households", "n_units", "n_control", "n_treatment"])
@pytest.mark.parametrize("number", [1, 7, PRIVACY_THRESHOLD - 1])
def test_small_groups_are_in_neither_table_nor_csv(read, column, number):
    frame = pd.DataFrame({"step": ["a", "b"], column: [500, number], "share_of_targeted": [1.0, number / 500]})
    html = show(Exhibit("T", "", frame, {column: "", "share_of_targeted": "share"})).data
    assert read(html).text.count(f"under {PRIVACY_THRESHOLD}") == 1
    assert f">{number}<" not in html
    csv = downloaded(html)
    assert csv[column].tolist() == ["500", f"under {PRIVACY_THRESHOLD}"]
    assert csv["share_of_targeted"].tolist() == ["1.0", "not shown"]


@pytest.mark.parametrize("number", [0, PRIVACY_THRESHOLD, 1000])
def test_no_one_and_many_are_shown(number):
    frame = pd.DataFrame({"n_users": [number], "share": [0.5]})
    assert suppress_small(frame).equals(frame.astype(object))


def test_a_share_of_a_hidden_row_does_not_give_it_away(read):
    """30 who bought during are 2.0 of the 15 before them: the 15 would be known."""
    frame = pd.DataFrame(
        {"step": ["a", "b", "c"], "n_users": [100, 15, 30], "share_of_targeted": [1.0, 0.15, 0.3],
         "share_of_previous": [1.0, 0.15, 2.0]}
    )  # fmt: skip
    hidden = suppress_small(frame)
    assert hidden["share_of_previous"].tolist() == [1.0, "not shown", "not shown"]
    assert hidden["share_of_targeted"].tolist() == [1.0, "not shown", 0.3]


def test_counts_of_other_things_are_not_people():
    frame = pd.DataFrame({"n_weeks": [3], "n_redemptions": [5]})
    assert suppress_small(frame) is frame


def test_the_frame_is_left_alone():
    frame = pd.DataFrame({"n_users": [5, 50], "share": [0.1, 0.9]}, index=[7, 3])
    before = frame.copy()
    show(Exhibit("T", "", frame, {"n_users": ""}))
    csv_link(frame, "name")
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("title", "name"), [("Where it went, 9.9!", "where-it-went-9-9.csv"), ("ไทย", "table.csv"), ("", "table.csv")]
)
def test_files_have_plain_names(read, title, name):
    assert read(csv_link(pd.DataFrame({"a": [1]}), title)).all("a")[0]["download"] == name


def test_long_names_are_cut(read):
    assert len(read(csv_link(pd.DataFrame({"a": [1]}), "x" * 500)).all("a")[0]["download"]) == 64
