"""Moments of metrics by cell: what tests and regressions work on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.metrics.declaration import Metric, Quantile
from analysis_lib.metrics.pooling import unfold
from analysis_lib.metrics.quantile_tables import GRID, STEPS, levels
from analysis_lib.metrics.unit_tables import CUT
from analysis_lib.results import Result, format_count

if TYPE_CHECKING:
    import pandas as pd
    from tea_tasting.aggr import Aggregates


@dataclass(frozen=True, slots=True, eq=False)
class Moments(Result):
    """Counts, means, variances and covariances per unit, by cell.

    Attributes
    ----------
    metrics : tuple of Metric
        Their definitions.
    unit : str
        What was counted as one.
    by : tuple of str
        Dimensions.
    cuts : tuple of tuple of str
        Dimensions of each kind of cell.
    start, end : date
        Market-local days, both included.
    currency : str
        usd or constant_usd.
    experiment : str
        Whose units were counted; empty for all that have a row.
    pre_days : int
        Days beforehand over which covariates were measured; 0 without covariates.
    columns, covariates : dict of str to tuple of str
        Columns of each metric (what a unit adds; or its numerator and denominator), and those measured beforehand.
    n_left_out : int
        Exposed units that were left out: in two variants, or in an unknown one.
    frame : pandas.DataFrame
        One row per cell: ``cut`` (its number in ``cuts``), ``by_*``, ``n__<metric>``, ``mean__<column>``,
        ``cov__<column>__<column>``, ``<metric>__unpriced``.
    """

    metrics: tuple[Metric, ...]
    unit: str
    by: tuple[str, ...]
    cuts: tuple[tuple[str, ...], ...]
    start: date
    end: date
    currency: str
    experiment: str
    pre_days: int
    columns: dict[str, tuple[str, ...]]
    covariates: dict[str, tuple[str, ...]]
    n_left_out: int
    frame: pd.DataFrame

    @property
    def text(self) -> str:
        """What was measured, of whom, and who was left out."""
        whom = f"units of '{self.experiment}'" if self.experiment else f"{self.unit}s with a row in the cell"
        titles = ", ".join(metric.title for metric in self.metrics)
        beside = f", and over {self.pre_days} days beforehand" if self.pre_days else ""
        out = f" {format_count(self.n_left_out)} units in two or unknown variants are left out."
        left = out if self.n_left_out else ""
        cut = f" by {', '.join(self.by)}" if self.by else ""
        return f"{titles} per {self.unit}{cut}, {self.start} to {self.end}{beside}; counted are {whom}.{left}"

    def arrays(self, metric: str, *, cut: Iterable[str] | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Moments of a metric's columns and covariates, in the order of ``columns`` and ``covariates``.

        Returns
        -------
        tuple of numpy.ndarray
            Units, shape (cells,); means (cells, columns); covariances (cells, columns, columns).
        """
        self._known(metric)
        names = [*self.columns[metric], *self.covariates[metric]]
        return unfold(self._cut(cut), names, n=f"n__{metric}")

    def cells(self, *, cut: Iterable[str] | None = None) -> pd.DataFrame:
        """The dimensions of the cells, in the order of ``arrays``."""
        return self._cut(cut)[[f"by_{name}" for name in self.by if f"by_{name}" in self._cut(cut)]].rename(
            columns=_plain
        )

    def to_frame(self, *, cut: Iterable[str] | None = None) -> pd.DataFrame:
        """One row per cell and metric.

        Parameters
        ----------
        cut : iterable of str, optional
            Which kind of cells; by default the first.

        Returns
        -------
        DataFrame
            The dimensions, ``metric``, ``n_units``, ``value`` (of a mean or ratio of means, or the quantile), ``se``
            (by the delta method), ``mean_numerator``, ``mean_denominator`` (1 for a mean over units), ``n_unpriced``.
        """
        import pandas as pd

        cells = self._cut(cut)
        names = [name for name in self.by if f"by_{name}" in cells]
        rows = []
        for metric in self.metrics:
            n, mean, cov = unfold(cells, list(self.columns[metric.name]), n=f"n__{metric.name}")
            value, se = _ratio(n, mean, cov)
            if isinstance(metric, Quantile):
                value, se = _quantile(metric, cells, n, se)
            lines = cells.get(f"{metric.name}__unpriced", pd.Series(0.0, index=cells.index))
            found = {
                "metric": metric.name, "n_units": n, "value": value, "se": se, "mean_numerator": mean[:, 0],
                "mean_denominator": mean[:, 1] if mean.shape[1] > 1 else 1.0, "n_unpriced": lines,
            }  # fmt: skip
            rows.append(cells[[f"by_{name}" for name in names]].rename(columns=_plain).assign(**found))
        return pd.concat(rows, ignore_index=True)

    def aggregates(self, **cell: Any) -> Aggregates:
        """The moments of one cell for tea-tasting, under the names of ``columns`` and ``covariates``.

        Parameters
        ----------
        cell
            The value of every dimension of the cut: ``moments.aggregates(variant="control")``.

        Raises
        ------
        InvalidValue
            There is no such cell, or the metrics count different units.
        """
        from tea_tasting.aggr import Aggregates

        row = self._cell(cell)
        counts = {float(row[f"n__{metric.name}"]) for metric in self.metrics}
        if len(counts) > 1:
            raise InvalidValue(
                f"the metrics count different units here ({', '.join(f'{n:,.0f}' for n in sorted(counts))}): ask for"
                " the moments of one mart, or name the experiment whose units are counted."
            )
        pairs = [name.split("cov__", 1)[1] for name in row.index if str(name).startswith("cov__")]
        found = {tuple(self._two(pair)): float(row[f"cov__{pair}"]) for pair in pairs}
        return Aggregates(
            count_=int(counts.pop()),
            mean_={name.removeprefix("mean__"): float(row[name]) for name in row.index if name.startswith("mean__")},
            var_={one: value for (one, other), value in found.items() if one == other},
            cov_={pair: value for pair, value in found.items() if pair[0] != pair[1]},
        )

    def _two(self, pair: str) -> tuple[str, str]:
        """The two columns in the name of a covariance; names of columns hold the separator themselves."""
        known = [*(c for cs in self.columns.values() for c in cs), *(c for cs in self.covariates.values() for c in cs)]
        return next((a, pair[len(a) + 2 :]) for a in known if pair.startswith(f"{a}__") and pair[len(a) + 2 :] in known)

    def _cell(self, cell: dict[str, Any]) -> pd.Series:
        cells = self._cut(tuple(cell)) if len(self.cuts) > 1 else self.frame
        for name in cell:
            if name not in self.by:
                raise unknown("dimension", name, self.by, "what these moments are cut by")
        for name, value in cell.items():
            cells = cells[cells[f"by_{name}"] == value]
        if len(cells) != 1:
            missing = [name for name in self.by if name not in cell and len(self.cuts) == 1]
            hint = f"name {', '.join(missing)} too" if missing else "there is no such cell"
            raise InvalidValue(f"{len(cells)} cells match {cell or 'the whole'}: {hint}.")
        return cells.iloc[0]

    def _cut(self, cut: Iterable[str] | None) -> pd.DataFrame:
        wanted = self.cuts[0] if cut is None else tuple(name for name in self.by if name in set(cut))
        if wanted not in self.cuts:
            held = "; ".join(" and ".join(one) or "the whole" for one in self.cuts)
            raise InvalidValue(f"no cells by {' and '.join(wanted) or 'the whole'} were asked for; there are {held}.")
        cells = self.frame[self.frame[CUT] == self.cuts.index(wanted)]
        others = [f"by_{name}" for name in self.by if name not in wanted]
        return cells.drop(columns=others, errors="ignore").reset_index(drop=True)

    def _known(self, metric: str) -> None:
        if metric not in self.columns:
            raise unknown("metric", metric, self.columns, "these moments")


def _plain(name: str) -> str:
    return name.removeprefix("by_")


def _ratio(n: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A mean, or a ratio of means, and its standard error by the delta method."""
    if mean.shape[1] == 1:
        return mean[:, 0], np.sqrt(cov[:, 0, 0] / n)
    below = np.where(mean[:, 1] != 0, mean[:, 1], np.nan)
    value = mean[:, 0] / below
    variance = cov[:, 0, 0] - 2 * value * cov[:, 0, 1] + value**2 * cov[:, 1, 1]
    return value, np.sqrt(np.maximum(variance, 0.0) / n) / np.abs(below)


def _quantile(
    metric: Quantile, cells: pd.DataFrame, n: np.ndarray, se_of_share: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A quantile and its standard error: that of the share below it over the density of the values there.

    Notes
    -----
    The density is the slope of the quantile function between two levels around the metric's own, as far apart as the
    bandwidth of Hall and Sheather asks for with so many units, among the steps that were taken.

    References
    ----------
    Deng, Knoblich and Lu (2018), "Applying the delta method in metric analytics", KDD, section 4. Hall and Sheather
    (1988), "On the distribution of a studentized quantile", JRSS B 50(3).
    """
    grid = np.vstack([np.asarray(values, dtype=float) for values in cells[f"{metric.name}{GRID}"]])
    at, middle = np.array(levels(metric)), STEPS.index(0.0)
    spans = np.arange(1, middle + 1)
    wanted = bandwidth(metric.level, n)
    chosen = spans[np.abs((at[middle + spans] - at[middle]) - wanted[:, None]).argmin(axis=1)]
    rows = np.arange(len(grid))
    width = grid[rows, middle + chosen] - grid[rows, middle - chosen]
    slope = width / (at[middle + chosen] - at[middle - chosen])
    return grid[:, middle], np.where(slope > 0, se_of_share * slope, np.nan)


def bandwidth(level: float, n: np.ndarray) -> np.ndarray:
    """Half the distance of the levels between which the slope of a quantile function is taken (Hall and Sheather)."""
    from scipy.stats import norm

    z = norm.ppf(level)
    core = 1.5 * norm.pdf(z) ** 2 / (2 * z**2 + 1)
    return np.asarray(n, dtype=float) ** (-1 / 3) * norm.ppf(0.975) ** (2 / 3) * core ** (1 / 3)
