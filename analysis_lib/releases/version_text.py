"""Words for metrics and differences of a version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis_lib.releases.visits import ALL
from analysis_lib.results import format_interval, format_percent

if TYPE_CHECKING:
    from analysis_lib.releases.assessment import Assessment

TITLES = {
    "crash_free_rate": "Visits without a crash",
    "start_ms_p50": "Median start time",
    "start_ms_p95": "Slow starts (95th percentile)",
    "conversion": "Visit conversion",
}


def difference_text(one: Assessment, metric: str, system: str = ALL) -> str:
    """A difference as a share of what it would be on the version before: number and interval."""
    row = one.row(metric, system)
    if row["is_thin"]:
        return "is based on too few visits"
    return signed(float(row["rel_value"]), float(row["rel_ci_lower"]), float(row["rel_ci_upper"]))


def signed(value: float, low: float, high: float) -> str:
    """A relative difference with its sign, and its interval."""
    return f"{'+' if value > 0 else ''}{format_interval(value, low, high, 'share')}"


def relative(one: Assessment, metric: str, value: float) -> str:
    """A difference without an interval, as a share of what the metric would be on the version before."""
    share = value / float(one.row(metric)["old"])
    return f"{'+' if share > 0 else ''}{format_percent(share)}"


def sized(tolerance: float) -> str:
    """A tolerance without its sign."""
    return f"{100 * abs(tolerance):.2g} %"


def listed(names: Sequence[str]) -> str:
    """Names with commas, and an "and" before the last."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def percent(share: float) -> str:
    """A share as a whole percentage, or with a decimal below ten."""
    return format_percent(share, 0 if abs(share) >= 0.1 else 1)
