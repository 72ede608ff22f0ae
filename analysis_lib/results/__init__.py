"""Result classes and the one number formatter of the book."""

from analysis_lib.results.decision import Decision
from analysis_lib.results.estimate import Estimate
from analysis_lib.results.formatter import (
    CURRENCY_SYMBOLS,
    format_count,
    format_interval,
    format_percent,
    format_value,
)
from analysis_lib.results.result import Result

__all__ = [
    "CURRENCY_SYMBOLS",
    "Decision",
    "Estimate",
    "Result",
    "format_count",
    "format_interval",
    "format_percent",
    "format_value",
]
