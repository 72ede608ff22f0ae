"""Buyers of two surfaces are not parts of all buyers: their changes would be counted twice."""

from __future__ import annotations

import pytest

from analysis_lib import metrics
from analysis_lib.errors import InvalidValue

DAYS = {"before": ("2024-03-10", "2024-03-10"), "after": ("2024-03-11", "2024-03-11")}


@pytest.mark.parametrize(
    ("name", "by"),
    [("buyers", "country"), ("orders", "surface"), ("aov", "surface"), ("visitors", "platform"),
     ("gmv_per_user", "country"), ("coupon_order_share", "category"), ("active_creators", "country")],
)  # fmt: skip
def test_it_is_refused(counter, name, by):
    with pytest.raises(InvalidValue, match=f"does not add up over {by}"):
        metrics.explain(counter.warehouse, name, by=by, **DAYS)


def test_without_segments_the_same_metric_is_explained(counter):
    found = metrics.explain(counter.warehouse, "buyers", **DAYS)
    assert found.parts["contribution"].sum() == found.value_after - found.value_before


def test_an_order_of_two_surfaces_is_one_order_in_the_chain_of_the_whole(counter):
    # Order o1 has a line of a live and one of a video.
    found = metrics.explain(counter.warehouse, "gmv", **DAYS, where={"country": "GB"})
    assert found.value_before == 32.5 and found.value_after == 25
    orders = found.parts.set_index("part")["contribution"]["Orders per buyer"]
    assert orders == pytest.approx(0, abs=1e-12)
