"""The one number formatter: units in, text out."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analysis_lib import results
from analysis_lib.results import (
    CURRENCY_SYMBOLS,
    format_count,
    format_interval,
    format_percent,
    format_range,
    format_value,
)

UNITS = [*CURRENCY_SYMBOLS, "", "share", "pp", "users", "usd_per_usd", "idr_per_user", "usd_per_week"]
# Beyond 1e300 a percentage overflows; no money does.
NUMBERS = st.floats(-1e300, 1e300) | st.sampled_from([math.nan, math.inf, -math.inf])
NEGATIVE_ZERO = re.compile(r"−[^\d]*0(?:[.,]0*)?(?![.,\d])")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "usd", "$0.00"),
        (-0.0, "usd", "$0.00"),
        (0.004, "usd", "$0.00"),
        (-0.004, "usd", "$0.00"),
        (1.5, "usd", "$1.50"),
        (-1.5, "usd", "−$1.50"),
        (99.994, "eur", "€99.99"),
        (100, "gbp", "£100"),
        (9_999, "usd", "$9,999"),
        (10_000, "usd", "$10.00 k"),
        (-15_300, "usd", "−$15.30 k"),
        (1_243_918.22, "usd", "$1.24 M"),
        (2.5e9, "idr", "Rp2.50 bn"),
        (12, "sar", "SAR 12.00"),
        (-12, "brl", "−R$12.00"),
        (0.1889, "share", "18.9 %"),
        (-0.0213, "share", "−2.1 %"),
        (-0.0001, "share", "0.0 %"),
        (1, "share", "100.0 %"),
        (-0.012, "pp", "−1.2 pp"),
        (1133, "households", "1,133 households"),
        (1.25, "orders_per_user", "1.25 orders per user"),
        (1.24, "usd_per_usd", "$1.24 per $1"),
        (-1.24, "usd_per_user", "−$1.24 per user"),
        (50_000, "usd_per_user", "$50,000.00 per user"),
        (3, "", "3"),
        (3.14159, "", "3.14"),
        (123456, "", "123,456"),
        (math.nan, "usd", "n/a"),
        (math.inf, "share", "n/a"),
        (-math.inf, "", "n/a"),
        (None, "usd", "n/a"),
    ],
)
def test_one_number(value, unit, text):
    assert format_value(value, unit) == text


@pytest.mark.parametrize(
    ("value", "spread", "unit", "text"),
    [
        (1_243_918.22, 660_000, "usd", "$1.24 M"),
        (1_243_918.22, 6_600_000, "usd", "$1.2 M"),
        (1_243_918.22, 66_000_000, "usd", "$1 M"),
        (12.3456, 0.5, "usd", "$12.35"),
        (12.3456, 5, "usd", "$12.35"),
        (12.3456, 50, "usd", "$12"),
        (0.123456, 0.4, "share", "12 %"),
        (0.123456, 0.04, "share", "12.3 %"),
        (0.123456, 0.004, "share", "12.35 %"),
        (-0.4, 60, "", "0"),
        (5.0, 0, "", "5.00"),
        (5.0, math.inf, "", "5.00"),
    ],
)
def test_rounding_follows_the_width_of_the_interval(value, spread, unit, text):
    assert format_value(value, unit, spread=spread) == text


@pytest.mark.parametrize(
    ("numbers", "unit", "text"),
    [
        ((1_243_918.22, 910_000, 1_570_000), "usd", "$1.24 M (0.91 to 1.57)"),
        ((-0.5, -1.25, 0.25), "usd_per_usd", "−$0.50 per $1 (−1.25 to 0.25)"),
        ((5_000, -20_000, 30_000), "usd", "$5 k (−20 to 30)"),
        ((0.05, -0.02, 0.12), "share", "5 % (−2 to 12)"),
        ((0.0, 0.0, 0.0), "usd", "$0.00 (0.00 to 0.00)"),
        ((-0.001, -0.002, 0.001), "usd", "$0.00 (0.00 to 0.00)"),
        ((-5_000_000, -9_000_000, -1_000_000), "idr", "−Rp5.0 M (−9.0 to −1.0)"),
        ((120, 90, 150), "users", "120 users (90 to 150)"),
        ((math.nan, 0, 1), "usd", "n/a"),
        ((0, -math.inf, 1), "usd", "n/a"),
    ],
)
def test_number_and_interval_share_unit_and_scale(numbers, unit, text):
    assert format_interval(*numbers, unit) == text


@pytest.mark.parametrize(
    ("bounds", "unit", "text"),
    [
        ((-6452, 26100), "usd", "−$6 k to $26 k"),
        ((-5, 5), "usd", "−$5 to $5"),
        ((-0.021, 0.034), "share", "−2.1 % to 3.4 %"),
        ((1, 2), "usd_per_usd", "$1.00 to $2.00 per $1"),
        ((-0.0001, 2e6), "usd", "$0.0 M to $2.0 M"),
        ((math.nan, 1), "usd", "n/a"),
    ],
)
def test_both_bounds_of_a_range_are_on_one_scale(bounds, unit, text):
    assert format_range(*bounds, unit) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 users"), (-0.4, "0 users"), (1133.6, "1,134 users"), (math.nan, "n/a"), (math.inf, "n/a")],
)
def test_counts_are_whole(number, text):
    assert format_count(number, "users") == text


@pytest.mark.parametrize(
    ("share", "decimals", "text"), [(0.1889, 1, "18.9 %"), (-1e-9, 0, "0 %"), (math.nan, 1, "n/a")]
)
def test_percentages(share, decimals, text):
    assert format_percent(share, decimals) == text


def _clean(text: str) -> None:
    assert "-" not in text
    assert "nan" not in text.lower()
    assert "inf" not in text.lower()
    assert not NEGATIVE_ZERO.search(text), text


@given(NUMBERS, st.sampled_from(UNITS), st.none() | NUMBERS)
@example(-0.0, "usd", None)
@example(-0.0049, "usd", None)
@example(-1e-300, "share", 1.0)
def test_no_ascii_minus_and_no_negative_zero(value, unit, spread):
    _clean(format_value(value, unit, spread=spread))
    _clean(format_count(value, "users"))
    _clean(format_percent(value))


@given(st.lists(NUMBERS, min_size=3, max_size=3), st.sampled_from(UNITS))
def test_intervals_have_no_ascii_minus_and_no_negative_zero(numbers, unit):
    lower, value, upper = sorted(numbers)
    _clean(format_interval(value, lower, upper, unit))
    _clean(format_range(lower, upper, unit))


@given(st.floats(1e-2, 1e12), st.floats(0.02, 3))
def test_an_interval_can_be_read_back(value, relative):
    """Whatever the scale, the printed bounds are the bounds to within a tenth of the width."""
    lower, upper = value * (1 - relative), value * (1 + relative)
    text = format_interval(value, lower, upper, "usd")
    size = next((size for suffix, size in ((" bn", 1e9), (" M", 1e6), (" k", 1e3)) if suffix in text), 1.0)
    inside = text[text.index("(") + 1 : text.index(")")].replace("−", "-").replace(",", "")
    read = [float(part) * size for part in inside.split(" to ")]
    # Two figures of the width, or cents.
    room = max(0.1 * (upper - lower), 0.006)
    assert read == pytest.approx([lower, upper], abs=room)


def test_all_formatters_are_on_offer():
    assert {name for name in results.__all__ if name.startswith("format_")} == {
        "format_count", "format_interval", "format_percent", "format_range", "format_value",
    }  # fmt: skip
