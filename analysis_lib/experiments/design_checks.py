"""What stands beside the curve of a design: guardrails, other tests, weekdays, and units whose rows are alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from scipy.stats import norm

from analysis_lib.errors import ContractError, SourceError
from analysis_lib.experiments.design_asking import Asked
from analysis_lib.experiments.design_history import History, history_of
from analysis_lib.experiments.design_power import between, critical, detectable, first_week
from analysis_lib.experiments.design_switchback import Switchback, switched_history
from analysis_lib.experiments.trial import Trial, all_trials
from analysis_lib.metrics import load_metrics, moments, query
from analysis_lib.metrics.declaration import Conversion, Quantile

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.metrics import Metric
    from analysis_lib.warehouse import Warehouse

#: Units by which the spread would be smaller if their rows were not alike, finest first.
_FINER = {"user": ("session",), "creator": ("session", "user"), "merchant": ("session", "user")}

#: Weeks from which weekdays are compared.
_WEEKS = 8

#: A p-value below this is called a mismatch of shares by ``experiments.read``.
_MISMATCH = 0.001


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """A guardrail at the planned length.

    Attributes
    ----------
    metric : Metric
        Which.
    margin : float
        By how much of its value it may get worse.
    smallest : float
        Smallest margin that is shown with the planned chance, if the metric does not change at all.
    n_units : float
        Units of all arms that it is measured on.
    days_needed : int | None
        Whole weeks, in days, after which the margin can be shown; None: more than the history shows.
    """

    metric: Metric
    margin: float
    smallest: float
    n_units: float
    days_needed: int | None

    @property
    def can_be_shown(self) -> bool:
        """Whether the margin can be shown at the planned length."""
        return self.smallest <= self.margin


@dataclass(frozen=True, slots=True)
class Clustering:
    """How far rows of one unit are alike.

    Attributes
    ----------
    finer : str
        What is compared with: a smaller unit, or single rows.
    effect : float
        Variance with the unit over variance as if the finer ones were independent; missing where it cannot be told.
    """

    finer: str
    effect: float


def measured(warehouse: Warehouse, asked: Asked, metric: Metric) -> tuple[History, Switchback | None]:
    """The history of a metric by the unit that is asked for.

    Raises
    ------
    NotEnoughData, InvalidValue, UnknownName, SourceError, ContractError
        As ``history_of`` and ``switched_history``.
    """
    if asked.unit == "market":
        return switched_history(warehouse, asked, metric)
    return history_of(warehouse, asked, metric), None


def effects_by_days(asked: Asked, history: History, *, adjusted: bool) -> list[float]:
    """Smallest effect that is found, at each length that was measured."""
    return [
        detectable(
            point.best if adjusted else point.var_rel, asked.reached(point.n_units), asked.shares,
            critical(asked.alpha, asked.variants, asked.sequential, looks_in(point.days)), asked.power,
        )
        for point in history.points
    ]  # fmt: skip


def looks_in(days: int) -> int:
    """Weekly looks of a test."""
    return max(1, -(-days // 7))


def guards_of(warehouse: Warehouse, asked: Asked, days: int) -> tuple[Guard, ...]:
    """Every guardrail at the planned length.

    A guardrail holds if its two-sided interval stays on the right side of the margin, as ``experiments.read`` decides.
    """
    return tuple(_guard(warehouse, asked, name, margin, days) for name, margin in asked.guardrails.items())


def _guard(warehouse: Warehouse, asked: Asked, name: str, margin: float, days: int) -> Guard:
    metric = load_metrics(warehouse.project).get(name)
    history, _ = measured(warehouse, asked, metric)
    reach, n = float(norm.isf(asked.alpha / 2)), [asked.reached(point.n_units) for point in history.points]
    margins = [
        detectable(point.best, units, asked.shares, reach, asked.power)
        for point, units in zip(history.points, n, strict=True)
    ]
    return Guard(metric, margin, between(history.days, margins, days), between(history.days, n, days),
                 first_week(history.days, margins, margin))  # fmt: skip


def running_beside(warehouse: Warehouse, asked: Asked, start: date, days: int) -> tuple[Trial, ...] | None:
    """Tests of the same unit that run on a planned day; None where the source lists no tests."""
    try:
        trials = all_trials(warehouse)
    except (ContractError, SourceError):
        return None
    last = start + timedelta(days=days - 1)
    return tuple(
        trial
        for trial in trials
        if trial.unit == asked.unit
        and trial.starts_at.date() <= last
        and (trial.ends_at is None or trial.ends_at.date() >= start)
    )


def weekdays_of(warehouse: Warehouse, asked: Asked, history: History) -> pd.DataFrame:
    """The metric by weekday.

    Returns
    -------
    DataFrame
        weekday, value, rel_difference (against the mean of the weekdays); empty for less than two weeks.
    """
    import pandas as pd

    weeks = min(_WEEKS, ((history.last - history.first).days + 1) // 7)
    if weeks < 2:
        return pd.DataFrame(columns=["weekday", "value", "rel_difference"])
    name = history.metric.name
    found = query(
        warehouse, name, grain="day", start=history.last - timedelta(days=7 * weeks - 1), end=history.last,
        where=asked.where or None, currency=asked.currency,
    ).to_frame()  # fmt: skip
    days = pd.to_datetime(found["period_start"])
    means = found.groupby(days.dt.day_of_week)[name].mean()
    names = [f"{date(2024, 1, 1 + int(k)):%A}" for k in means.index]
    return pd.DataFrame({"weekday": names, "value": means.to_numpy(),
                         "rel_difference": (means / means.mean() - 1).to_numpy()})  # fmt: skip


def clustering_of(warehouse: Warehouse, asked: Asked, history: History) -> Clustering | None:
    """How far rows of one unit are alike: the design effect, from the same days; None where it cannot be told."""
    metric, point = history.metric, history.points[-1]
    if isinstance(metric, Quantile) or asked.unit in ("market", "session"):
        return None
    shared = {"where": asked.where or None, "currency": asked.currency, "end": point.end,
              "start": point.end - timedelta(days=point.days - 1)}  # fmt: skip
    own = moments(warehouse, [metric.name], unit=asked.unit, **shared)
    if len(own.columns[metric.name]) < 2:
        return None
    row = own.to_frame().iloc[0]
    for finer in _FINER.get(asked.unit, ()):
        if finer in metric.randomised_by and finer in load_metrics(warehouse.project).marts[metric.mart].units:
            other = moments(warehouse, [metric.name], unit=finer, **shared).to_frame().iloc[0]
            return Clustering(f"{finer}s", (row["se"] / row["value"]) ** 2 / (other["se"] / other["value"]) ** 2)
    if isinstance(metric, Conversion):
        rows, share = row["n_units"] * row["mean_denominator"], row["value"]
        return Clustering("single rows", row["se"] ** 2 / (share * (1 - share) / rows))
    return None


def noticed_share(n: float, share: float, power: float) -> float:
    """How far an arm's share must be off to be noticed as a mismatch with a chance of ``power``.

    Examples
    --------
    >>> round(noticed_share(100_000, 0.5, 0.8), 4)
    0.0065
    """
    return float((norm.isf(_MISMATCH / 2) + norm.ppf(power)) * (share * (1 - share) / n) ** 0.5)
