"""What a query found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.metrics.declaration import TIME, Metric
from analysis_lib.metrics.flags import FLAGS, sentences
from analysis_lib.results import Result, format_value

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class MetricResult(Result):
    """Metrics by cell, with what speaks against each value.

    Attributes
    ----------
    metrics : tuple of Metric
        Their definitions, in the order of the columns.
    by : tuple of str
        Dimensions.
    grain : str
        Period of a row: day, week (from Monday), month, quarter or total.
    start, end : date
        Market-local days, both included.
    currency : str
        usd, constant_usd or local.
    comparison : str
        What ``*_before`` is, in words; empty without a comparison.
    as_of : str
        UTC time of what was known; empty for all that is.
    frame : pandas.DataFrame
        As ``to_frame`` gives it.
    flags : pandas.DataFrame
        ``by`` columns, period_start, is_before, metric, flag, n_lines: one row per value and flag.
    """

    metrics: tuple[Metric, ...]
    by: tuple[str, ...]
    grain: str
    start: date
    end: date
    currency: str
    comparison: str
    as_of: str
    frame: pd.DataFrame
    flags: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """Names of the metrics, in order."""
        return [metric.name for metric in self.metrics]

    @property
    def units(self) -> dict[str, str]:
        """Unit of each metric, before and now, as the formatter reads it; dollars are not said of local money."""
        found = {}
        for metric in self.metrics:
            unit = metric.unit
            if self.currency == "local" and metric.currency == "converted" and unit != "share":
                unit = unit.replace("usd", "local_money", 1)
            found |= {metric.name: unit, f"{metric.name}_before": unit, f"rel_{metric.name}_change": "share"}
        return {name: unit for name, unit in found.items() if name in self.frame}

    def to_frame(self) -> pd.DataFrame:
        """One row per cell, sorted by dimensions and period.

        Returns
        -------
        DataFrame
            The ``by`` columns (a text that is missing is ``unknown``), ``period_start`` (first day of the period, also
            where the question begins later), one column per metric (missing where it is not defined), the flags
            ``is_immature``, ``is_incomplete``, ``is_undefined``, ``is_partial``, ``is_clock_change`` (any metric), and
            with a comparison ``<metric>_before`` and ``rel_<metric>_change`` (a share).
        """
        return self.frame.copy()

    def to_long(self) -> pd.DataFrame:
        """One row per cell and metric: ``by`` columns, period_start, metric, value."""
        return self.frame.melt([*self.by, "period_start"], self.names, var_name="metric", value_name="value")

    @property
    def definition(self) -> list[str]:
        """How each metric is defined: meaning, formula, mart, maturity."""
        return [
            f"{metric.title} ({metric.name}): {metric.meaning} {metric.formula}; from {metric.mart} by market-local day"
            + (f"; only {' and '.join(item.text for item in metric.where)}" if metric.where else "")
            + (f"; {_money(self.currency)}" if metric.currency == "converted" else "")
            + (f"; final after {metric.maturity_days} days" if metric.maturity_days else "")
            + f". Owner: {metric.owner}."
            for metric in self.metrics
        ]

    @property
    def text(self) -> str:
        """What was asked, the values where there is one row, and what speaks against them."""
        days = f"{self.start} to {self.end}" + (f", as known at {self.as_of} UTC" if self.as_of else "")
        cut = [*self.by, *([self.grain] if self.grain != "total" else [])]
        if len(self.frame) == 1:
            row = self.frame.iloc[0]
            said = "; ".join(self._value(metric, row) for metric in self.metrics)
        else:
            titles = ", ".join(metric.title for metric in self.metrics)
            said = f"{titles}{' by ' + ', '.join(cut) if cut else ''} in {len(self.frame):,} rows"
        compared = f", compared with {self.comparison}" if self.comparison else ""
        doubts = sentences(self.flags, {metric.name: metric.title for metric in self.metrics})
        return " ".join([f"{said} ({days}{compared}).", *doubts])

    def _value(self, metric: Metric, row: Any) -> str:
        shown = f"{metric.title}: {format_value(row[metric.name], self.units[metric.name])}"
        change = f"rel_{metric.name}_change"
        return f"{shown} ({format_value(row[change], 'share')} against before)" if change in row else shown

    def summed(self, over: str | Iterable[str]) -> MetricResult:
        """The cells added up over dimensions, or over ``time``.

        Raises
        ------
        UnknownName
            The result is not cut by it.
        InvalidValue
            A metric does not add up over it, or the result holds a comparison.
        """
        names = [over] if isinstance(over, str) else list(over)
        self._check_sum(names)
        by = tuple(name for name in self.by if name not in names)
        grain = "total" if TIME in names else self.grain
        frame = self.frame.assign(period_start=self.frame["period_start"].min()) if TIME in names else self.frame
        kinds: dict[str, Any] = {name: lambda column: column.sum(skipna=False) for name in self.names}
        kinds |= dict.fromkeys(FLAGS, "any")
        frame = frame.groupby([*by, "period_start"], dropna=False, as_index=False).agg(kinds)
        columns = [*by, "period_start", "is_before", "metric", "flag"]
        flags = self.flags.assign(period_start=frame["period_start"].min()) if TIME in names else self.flags
        flags = flags.groupby(columns, dropna=False, as_index=False)["n_lines"].sum()
        return replace(self, by=by, grain=grain, frame=frame, flags=flags)

    def _check_sum(self, names: list[str]) -> None:
        if self.comparison:
            raise InvalidValue("a comparison is not added up: ask for the coarser cut itself.")
        for name in names:
            if name not in self.by and name != TIME:
                raise unknown("dimension", name, [*self.by, TIME], "what the result is cut by")
            unfit = [metric.name for metric in self.metrics if not metric.adds_up_over(name)]
            if unfit:
                raise InvalidValue(
                    f"{', '.join(unfit)} does not add up over {name}: the same order or person may be in several cells."
                    f" Ask `metrics.query` for the cut without {name}: it counts anew."
                )


def _money(currency: str) -> str:
    return {
        "usd": "US dollars at the rate of the order's day", "constant_usd": "US dollars at constant rates",
        "local": "local money",
    }[currency]  # fmt: skip
