"""What creators were paid and who got the coupons, on DuckDB and on Spark: the same numbers."""

from __future__ import annotations

from datetime import date

import pytest

from analysis_lib.campaigns.market_review import _given
from analysis_lib.campaigns.spend import spend_of
from analysis_lib.campaigns.windows import Campaign

pytestmark = pytest.mark.spark


def campaign(country: str, zone: str) -> Campaign:
    first, last = date(2024, 3, 8), date(2024, 3, 18)
    return Campaign("a", "A", country, country, "gbp", zone, "platform_coupon", first, last)


@pytest.mark.parametrize(("country", "zone"), [("GB", "Europe/London"), ("SG", "Asia/Singapore")])
def test_the_share_of_creators(pair, country, zone):
    found = []
    for engine in ("duckdb", "spark"):
        with pair.opened(engine) as wh:
            found.append(spend_of(wh, campaign(country, zone)).commission)
    assert 0 < found[0] < 0.1 and found[0] == pytest.approx(found[1], rel=1e-9)


def test_coupons_of_first_time_buyers(pair, agree):
    one, other = (
        pair.frame(engine, lambda wh: _given(wh, campaign("GB", "Europe/London"))) for engine in ("duckdb", "spark")
    )
    assert one["given"].iloc[0] > 0 and one["given_new"].iloc[0] >= 0
    agree(one, other, ["n"])
