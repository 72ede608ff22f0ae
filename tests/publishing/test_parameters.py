"""Parameters: what is declared, what is refused, and that everything wrong is said at once."""

from __future__ import annotations

import datetime as dt

import pytest

from analysis_lib.errors import InvalidValue, UnknownName
from analysis_lib.publishing.parameters import parse_parameters, read_parameters
from analysis_lib.publishing.resolution import resolve


def test_a_notebooks_parameters_are_read_without_running_it(project):
    campaign, metric, weeks, source = read_parameters(project.notebooks / "review.ipynb")
    assert (campaign.name, campaign.type, campaign.default, campaign.meaning) == (
        "campaign", "str", "18", "campaign to review",
    )  # fmt: skip
    assert campaign.column == "campaigns.campaign_id"
    assert metric.choices == ("gmv", "orders")
    assert (weeks.low, weeks.high) == (6, 26)
    assert source.is_source


def test_a_notebook_without_parameters_has_none(notebook):
    assert read_parameters(notebook("plain", "1 + 1")) == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("weeks = 12  # weeks", "line 1: expected 'name: type = literal"),
        ("weeks: int = 12", "needs a comment"),
        ("weeks: int = 6 + 6  # weeks", "must be a literal"),
        ("weeks: int = 'a'  # weeks", "is not of type int"),
        ("weeks: int = True  # weeks", "is not of type int"),
        ("weeks: dict = {}  # weeks", "type 'dict'"),
        ("weeks: date = '2026-01-01'  # day", "dates: str and {date}"),
        ("weeks: int = 30  # weeks {range: 6..26}", "the default is not allowed"),
        ("weeks: int = 12  # weeks {rage: 6..26}", "Did you mean 'range'?"),
        ("weeks: int = 12  # weeks {range: 26..6}", "is empty"),
        ("weeks: int = 12  # weeks {range: 6..x}", "'x' is not of type int"),
        ("weeks: int = 12  # weeks {range: 6..26", "not closed"),
        ("metric: str = 'x'  # what {choices: gmv, orders}", "is not one of gmv, orders"),
        ("day: str = 'soon'  # day {date}", "is not a date"),
        ("c: str = 'x'  # c {column: campaigns}", "table.column"),
        ("a: int = 1  # one\na: int = 2  # two", "declared twice"),
        ("import os", "expected 'name: type"),
        ("a: int = (", "parameters cell"),
    ],
)
def test_a_declaration_that_breaks_the_grammar_names_file_and_line(line, said):
    with pytest.raises(InvalidValue) as raised:
        parse_parameters(line, "x.ipynb")
    assert said in str(raised.value)
    assert "x.ipynb" in str(raised.value)


@pytest.mark.parametrize(
    ("declared", "given", "value"),
    [
        ("x: int = 1  # x", "12", 12),
        ("x: int = 1  # x", 12, 12),
        ("x: float = 1.0  # x", "0.5", 0.5),
        ("x: float = 1  # x", 2, 2.0),
        ("x: bool = False  # x", "yes", True),
        ("x: str = 'a'  # x", "a b", "a b"),
        ("x: list[str] = []  # x", "ID, TH", ["ID", "TH"]),
        ("x: list[str] = []  # x", ["ID"], ["ID"]),
        ("x: str = '2026-01-01'  # x {date}", "2026-02-03", "2026-02-03"),
        ("x: str = ''  # x {date}", "", ""),
        ("x: str = '2026-01-01'  # x {date}", dt.date(2026, 2, 3), "2026-02-03"),
        ("x: list[str] = ['a']  # x {choices: a, b}", "b,a", ["b", "a"]),
    ],
)
def test_values_are_parsed_into_their_type(declared, given, value):
    found = resolve(parse_parameters(declared, "x"), {"x": given})["x"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"weeks": "twelve"}, "weeks: 'twelve' is not a whole number"),
        ({"weeks": "1_2"}, "is not a whole number"),
        ({"weeks": 1.5}, "is not a whole number"),
        ({"weeks": True}, "is not a whole number"),
        ({"weeks": "40"}, "weeks: 40 is above 26, the largest allowed"),
        ({"weeks": "2"}, "weeks: 2 is below 6, the smallest allowed"),
        ({"metric": "gvm"}, "Did you mean 'gmv'?"),
        ({"campaign": 18}, "campaign: 18 is not text"),
    ],
)
def test_wrong_values_are_refused(project, connect, given, said):
    with pytest.raises(InvalidValue) as raised:
        resolve(read_parameters(project.notebooks / "review.ipynb"), given, connect=connect)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"campain": "18"}, "parameter 'campain' is not in notebook 'review'. Did you mean 'campaign'?"),
        ({"campaign": "81"}, "campaign '81' is not in campaigns.campaign_id of source 'shop'. Did you mean '18'?"),
        ({"source": "shpo"}, "source 'shpo' is not in data/sources.yml. Did you mean 'shop'?"),
    ],
)
def test_unknown_names_name_the_nearest(project, connect, given, said):
    declared = read_parameters(project.notebooks / "review.ipynb")
    with pytest.raises(UnknownName) as raised:
        resolve(declared, given, connect=connect, notebook="review")
    assert str(raised.value) == said


def test_everything_wrong_is_said_at_once(project, connect):
    declared = read_parameters(project.notebooks / "review.ipynb")
    with pytest.raises(InvalidValue) as raised:
        resolve(declared, {"campain": "1", "weeks": "x", "metric": "gvm", "campaign": "81"}, connect=connect)
    assert len(str(raised.value).splitlines()) == 4


def test_a_default_is_checked_against_the_source_too(project, connect, warehouse):
    warehouse.columns = {"campaigns.campaign_id": ["1"]}
    with pytest.raises(UnknownName, match="campaign '18'"):
        resolve(read_parameters(project.notebooks / "review.ipynb"), {}, connect=connect)


def test_an_empty_default_stands_for_all_of_a_column(connect):
    lines = "c: str = ''  # which; empty: all {column: campaigns.campaign_id}\ns: str = 'shop'  # w {source}"
    assert resolve(parse_parameters(lines, "x"), {}, connect=connect)["c"] == ""


METRIC = """s: str = 'shop'  # where {source}
m: str = 'gmv'  # what {metric}
by: list[str] = []  # cut {dimension: m}"""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"m": "gvm"}, "metric 'gvm' is not in main/data/metrics.yml. Did you mean 'gmv'?"),
        ({"by": "contry"}, "by 'contry' is not in the dimensions of gmv. Did you mean 'country'?"),
        ({"m": "visitors", "by": "surface"}, "by 'surface' is not in the dimensions of visitors."),
    ],
)
def test_metrics_and_their_dimensions_are_checked(connect, given, said):
    with pytest.raises(UnknownName) as raised:
        resolve(parse_parameters(METRIC, "x"), given, connect=connect)
    assert str(raised.value).split("/")[-1].startswith(said.split("/")[-1])


def test_a_known_metric_and_no_dimension_are_let_through(connect):
    assert resolve(parse_parameters(METRIC, "x"), {"m": "aov"}, connect=connect)["by"] == []
    assert resolve(parse_parameters(METRIC, "x"), {"by": "country,surface"}, connect=connect)["by"] == [
        "country",
        "surface",
    ]


def test_a_damaged_notebook_is_named(tmp_path):
    (tmp_path / "x.ipynb").write_text('{"cells": 1', encoding="utf-8")
    with pytest.raises(InvalidValue, match=r"x\.ipynb is not a readable notebook"):
        read_parameters(tmp_path / "x.ipynb")
