"""What creators were paid and who got the coupons, on DuckDB and on Spark: the same numbers."""

from __future__ import annotations

import pytest

from analysis_lib.campaigns.market_review import _given
from analysis_lib.campaigns.spend import spend_of
from analysis_lib.campaigns.windows import find_campaign

pytestmark = pytest.mark.spark


@pytest.mark.parametrize("country", ["GB", "SG"])
def test_the_share_of_creators(pair, country):
    found = []
    for engine in ("duckdb", "spark"):
        with pair.opened(engine) as wh:
            found.append(spend_of(wh, find_campaign(wh, "a", country)).commission)
    assert 0 < found[0] < 0.1 and found[0] == pytest.approx(found[1], rel=1e-9)


def test_coupons_of_first_time_buyers(pair, agree):
    def given(wh):
        return _given(wh, find_campaign(wh, "a", "GB"))

    one, other = (pair.frame(engine, given) for engine in ("duckdb", "spark"))
    assert one["given"].iloc[0] > 0 and one["given_new"].iloc[0] >= 0
    agree(one, other, ["n"])
