"""Result classes and the one number formatter of the book."""

from analysis_lib.results.answer import Answer
from analysis_lib.results.decision import Decision
from analysis_lib.results.estimate import Estimate
from analysis_lib.results.exhibit import Exhibit, nothing_to_show
from analysis_lib.results.finding import Finding
from analysis_lib.results.formatter import (
    CURRENCY_SYMBOLS,
    format_count,
    format_interval,
    format_percent,
    format_range,
    format_value,
    listed,
)
from analysis_lib.results.result import Result

__all__ = [
    "CURRENCY_SYMBOLS",
    "Answer",
    "Decision",
    "Estimate",
    "Exhibit",
    "Finding",
    "Result",
    "format_count",
    "format_interval",
    "format_percent",
    "format_range",
    "format_value",
    "listed",
    "nothing_to_show",
]
