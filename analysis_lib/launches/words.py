"""Words that several parts of a launch review share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis_lib.results import format_interval, format_percent

if TYPE_CHECKING:
    from analysis_lib.results import Estimate

#: Names that are listed before the rest is counted.
MOST_NAMES = 8


def listed(names: Sequence[str]) -> str:
    """Names with commas, and an "and" before the last.

    Examples
    --------
    >>> listed(["US", "MY", "SA"]), listed(["US"])
    ('US, MY and SA', 'US')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def cut(names: Sequence[str]) -> str:
    """Names, or their number where they are many.

    Examples
    --------
    >>> cut(["US", "MY"]), cut(["US"] * 12)
    ('US and MY', '12 markets')
    """
    return listed(names) if len(names) <= MOST_NAMES else f"{len(names)} markets"


def signed(estimate: Estimate) -> str:
    """A relative change with its sign and its interval."""
    shown = format_interval(estimate.value, estimate.ci_lower, estimate.ci_upper, "share")
    return f"+{shown}" if estimate.value > 0 and not shown.startswith(("0 ", "0.0 ")) else shown


def likely(chance: float) -> str:
    """A chance in words that claim no certainty.

    Examples
    --------
    >>> likely(0.92), likely(0.9999), likely(0.0004)
    ('92 %', 'over 99 %', 'under 1 %')
    """
    if chance > 0.99:
        return "over 99 %"
    return "under 1 %" if chance < 0.01 else format_percent(chance, 0)
