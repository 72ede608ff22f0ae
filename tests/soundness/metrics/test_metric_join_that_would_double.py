"""Orders joined to visits, or to their own lines, would count twice."""

from __future__ import annotations

import pytest

from analysis_lib import metrics
from analysis_lib.errors import InvalidValue


def test_metrics_of_several_marts_are_what_each_is_alone(counter):
    names = ["gmv", "orders", "sessions", "visitors", "live_viewers", "delivered_lines", "app_crashes", "buyer_share"]
    together = counter.frame(names, by="country", start="2024-03-10", end="2024-03-20").set_index("country")
    for name in names:
        alone = counter.frame(name, by="country", start="2024-03-10", end="2024-03-20").set_index("country")[name]
        assert together.loc[alone.index, name].tolist() == alone.tolist()


def test_an_order_of_two_lines_is_one_order(counter):
    assert counter.value("orders", where={"country": "GB"}) == 2
    assert counter.frame("orders", by="surface", where={"country": "GB"})["orders"].sum() == 3


def test_somebody_who_returns_often_counts_once(counter):
    # u1 came on the 10th and twice on the 11th.
    assert counter.value("week_one_retention", where={"country": "GB"}) == 1


def test_a_ratio_across_marts_is_refused(equipped):
    path = equipped.project.data / "metrics.yml"
    text = path.read_text().replace(
        "numerator: gmv,\n     denominator: orders", "numerator: gmv,\n     denominator: sessions"
    )
    path.write_text(text)
    with pytest.raises(InvalidValue, match="joining them would double rows"):
        metrics.load_metrics(equipped.project)
