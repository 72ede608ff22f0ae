"""Buyers of two days are not the buyers of both: somebody bought twice."""

from __future__ import annotations

import pytest

from analysis_lib import metrics
from analysis_lib.errors import InvalidValue


@pytest.mark.parametrize("name", ["buyers", "aov", "delivery_days_p95", "week_one_retention", "view_to_payment_30m"])
def test_cells_of_it_are_not_added_up(counter, name):
    result = counter.result(name, by="country", start="2024-03-10", end="2024-03-12")
    with pytest.raises(InvalidValue, match="does not add up over country"):
        result.summed("country")


def test_semi_additive_over_days_and_markets_not_over_surfaces(counter):
    result = counter.result("orders", by=["country", "surface"], grain="day")
    with pytest.raises(InvalidValue, match="does not add up over surface"):
        result.summed("surface")
    # Order o1 has lines of two surfaces.
    assert result.frame["orders"].sum() == 5 and counter.value("orders") == 4
    assert counter.result("orders", by="country", grain="day").summed(["country", "time"]).frame["orders"].tolist() == [
        4
    ]


def test_a_comparison_is_not_added_up(counter):
    options = {"by": "country", "start": "2024-03-12", "end": "2024-03-13", "compare": "previous_period"}
    with pytest.raises(InvalidValue, match="a comparison is not added up"):
        counter.result("gmv", **options).summed("country")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("of: {distinct: user_id}", "of: {distinct: user_id}, additive_over: everything"), "over everything"),
        (("of: gmv, resets: month", "of: orders, resets: month, where: []"), "currency"),
        (("parents: {gmv: part}", "parents: {aov: part}"), "can be no part or whole"),
        (("of: {sum: n_lives}", "of: {sum: n_viewers}"), "counts different things"),
        (("numerator: orders,\n", "numerator: aov,\n"), "is a ratio"),
        (("of: {money: subsidy}", "of: {sum: subsidy_usd}"), "use 'money'"),
    ],
)
def test_the_file_may_not_add_it_up_either(equipped, change, says):
    path = equipped.project.data / "metrics.yml"
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    with pytest.raises(InvalidValue, match=r"metrics\.yml, line \d+ \(metric '\w+'\)") as caught:
        metrics.load_metrics(equipped.project)
    assert says in str(caught.value)
