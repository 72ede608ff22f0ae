"""One estimated number with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass, replace

from analysis_lib.results.formatter import format_interval, format_percent
from analysis_lib.results.result import Result


@dataclass(frozen=True, slots=True, eq=False)
class Estimate(Result):
    """A number, its standard error and its confidence interval.

    Attributes
    ----------
    value : float
        Point estimate, in ``unit``.
    se : float
        Standard error, in ``unit``.
    ci_lower, ci_upper : float
        Bounds of the two-sided interval at ``level``.
    level : float
        Confidence level, for example 0.95.
    unit : str
        Unit as the formatter reads it: ``usd``, ``share``, ``usd_per_usd``, ``households``, …
    n : int
        Units (households, users, markets) the estimate stands on.
    method : str
        How it was estimated, in words.
    """

    value: float
    se: float
    ci_lower: float
    ci_upper: float
    level: float
    unit: str
    n: int
    method: str

    @classmethod
    def normal(cls, value: float, se: float, *, level: float, unit: str, n: int, method: str) -> Estimate:
        """An estimate whose errors are normal."""
        from scipy.stats import norm  # slow to import

        reach = float(norm.ppf(0.5 + level / 2)) * se
        return cls(value, se, value - reach, value + reach, level, unit, n, method)

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return self.ci_lower > 0 or self.ci_upper < 0

    @property
    def short(self) -> str:
        """Number and interval without the level: ``$1.24 M (0.91 to 1.57)``."""
        return format_interval(self.value, self.ci_lower, self.ci_upper, self.unit)

    @property
    def text(self) -> str:
        """Number and interval with the level named."""
        return f"{self.short}, {format_percent(self.level, 0)} interval"

    def scaled(self, factor: float, unit: str | None = None) -> Estimate:
        """The estimate multiplied by a known constant (a negative one swaps the bounds)."""
        low, high = sorted((self.ci_lower * factor, self.ci_upper * factor))
        return replace(
            self, value=self.value * factor, se=self.se * abs(factor), ci_lower=low, ci_upper=high,
            unit=unit or self.unit,
        )  # fmt: skip

    def shifted(self, constant: float) -> Estimate:
        """The estimate plus a known constant (a cost that was counted, not estimated)."""
        return replace(
            self, value=self.value + constant, ci_lower=self.ci_lower + constant, ci_upper=self.ci_upper + constant
        )
