"""Why a metric changed: the parts, their intervals, and the words for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.metrics import explanation_decision, explanation_exhibits, explanation_text
from analysis_lib.metrics.asking import Question
from analysis_lib.metrics.counting_plan import GIVEN, CountingPlan
from analysis_lib.metrics.coverage import Covered
from analysis_lib.metrics.declaration import Metric
from analysis_lib.metrics.grouped_cells import Window
from analysis_lib.metrics.grouped_frames import Grid
from analysis_lib.metrics.splitting import GONE, INTERACTION, MIX, NEW, REST, Split, interval
from analysis_lib.results import Answer, Decision, Estimate, Finding

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: What contributions are shown by: parts of the whole, segments, or each part of each segment.
LEVELS = ("part", "segment", "cell")

#: Smaller than this share of the values is nothing: what is left of sums of binary fractions.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Explanation(Finding):
    """The change of a metric, and the parts that add up to it.

    Attributes
    ----------
    metric : Metric
        What changed.
    by : tuple of str
        Segments.
    where : dict of str to tuple
        Filters.
    currency : str
        usd, constant_usd or local.
    before, after : tuple of date
        First and last market-local day of each.
    value_before, value_after : float
        The metric in each, in its unit.
    change : Estimate
        After less before; the interval is missing where none could be made.
    own_change : Estimate
        The change without the parts that are given: days and exchange rates.
    cells : pandas.DataFrame
        One row per segment and part: dimensions, part, kind, contribution, contribution_ci_lower,
        contribution_ci_upper. They add up to the change exactly.
    parts, segments : pandas.DataFrame
        The same added up over segments, and over parts, with intervals of their own.
    unit : str
        What was taken as independent; empty where no interval could be made.
    notes : tuple of str
        What speaks against it, in sentences.
    data_end : date
        Last day that the data cover.
    """

    SENTENCES = explanation_text.SENTENCES
    EXHIBITS = explanation_exhibits.EXHIBITS
    CALLED = "an explanation"
    PLOTTED = "waterfall"

    metric: Metric
    by: tuple[str, ...]
    where: dict[str, tuple]
    currency: str
    before: Window
    after: Window
    value_before: float
    value_after: float
    change: Estimate
    own_change: Estimate
    cells: pd.DataFrame
    parts: pd.DataFrame
    segments: pd.DataFrame
    unit: str
    notes: tuple[str, ...]
    data_end: date

    @property
    def rel_change(self) -> float:
        """Change as a share of the value before; missing where that is 0."""
        return self.change.value / self.value_before if self.value_before else float("nan")

    @property
    def money_unit(self) -> str:
        """Unit of contributions, as the formatter reads it: a difference of shares is in points."""
        return self.change.unit

    def to_frame(self, level: str | None = None) -> pd.DataFrame:
        """Contributions that add up to the change.

        Parameters
        ----------
        level : {"part", "segment", "cell"}, optional
            By default parts, or with segments each part of each segment.

        Returns
        -------
        DataFrame
            The dimensions, ``part``, ``kind`` (factor, given, mix, interaction, new, gone, rest), ``contribution``,
            ``contribution_ci_lower``, ``contribution_ci_upper``; at the level of segments without part and kind.
        """
        chosen = level or ("cell" if self.by else "part")
        if chosen not in LEVELS:
            raise unknown("level", str(chosen), LEVELS, "what an explanation can be shown by")
        if chosen == "segment" and not self.by:
            raise InvalidValue("there are no segments: ask for the explanation with `by`.")
        return {"cell": self.cells, "part": self.parts, "segment": self.segments}[chosen].copy()

    @property
    def text(self) -> str:
        """The change, its largest parts and segments, and what speaks against them."""
        return explanation_text.whole(self)

    @property
    def decision(self) -> Decision:
        """Where to look first, by the printed rule."""
        return explanation_decision.decide(self)

    def answer(self, warehouse: Warehouse, *, grade: str = "") -> Answer:
        """The first screen of a page about it; ``grade`` says how far the method can be trusted."""
        return explanation_decision.answer(self, warehouse.name, str(self.data_end), grade)


def explanation_of(
    question: Question,
    plan: CountingPlan,
    windows: tuple[Window, Window],
    days: dict[str, Covered],
    grid: Grid,
    split: Split,
    whole: np.ndarray,
    is_small: np.ndarray,
    level: float,
) -> Explanation:
    """The result, from contributions and values by replicate.

    Parameters
    ----------
    split
        Contributions by replicate, segment and part.
    whole
        The metric, shape (replicates, 2).
    is_small
        Segments that have too few units for an interval.
    """
    import pandas as pd

    metric, shown = plan.metric, _shown(split, whole)
    values, kinds = split.values[..., shown], [_kind(plan, split.parts[place]) for place in shown]
    labels = pd.DataFrame({"part": [_title(plan, split.parts[place], question.by) for place in shown], "kind": kinds})
    segments = grid.segments.reset_index(drop=True)
    crossed = segments.merge(labels, how="cross") if question.by else labels
    cells = _with_intervals(crossed, values.reshape(len(values), -1), level)
    change = whole[:, 1] - whole[:, 0]
    return Explanation(
        metric=metric, by=question.by, where=question.where, currency=question.currency, before=windows[0],
        after=windows[1], value_before=float(whole[0, 0]), value_after=float(whole[0, 1]),
        change=_estimate(change, plan, question, level),
        own_change=_estimate(change - _given(values, kinds), plan, question, level),
        cells=_hidden(cells, is_small.repeat(len(labels))),
        parts=_with_intervals(labels, values.sum(axis=1), level),
        segments=_hidden(_with_intervals(segments, values.sum(axis=-1), level), is_small), unit=plan.unit,
        notes=(*plan.notes, *_doubts(plan, windows, days, grid)), data_end=min(one.last for one in days.values()),
    )  # fmt: skip


def _shown(split: Split, whole: np.ndarray) -> list[int]:
    """Numbers of the parts that are there at all: factors always, the others where they are not nothing."""
    size = float(np.nanmax(np.abs(whole[0]))) or 1.0
    there = (np.abs(split.values[0]) > ROUNDING * size).any(axis=0)
    return [place for place, name in enumerate(split.parts) if name.isdigit() or there[place]]


def _with_intervals(labels: pd.DataFrame, values: np.ndarray, level: float) -> pd.DataFrame:
    low, high = _bounds(values, level)[1:]
    return labels.assign(contribution=values[0], contribution_ci_lower=low, contribution_ci_upper=high)


def _hidden(frame: pd.DataFrame, is_small: np.ndarray) -> pd.DataFrame:
    """Rows of small segments without their interval."""
    bounds = ["contribution_ci_lower", "contribution_ci_upper"]
    frame.loc[is_small, bounds] = np.nan
    return frame


def _bounds(values: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if len(values) == 1:
        return (np.full(values.shape[1:], np.nan),) * 3
    return interval(values, level)


def _estimate(change: np.ndarray, plan: CountingPlan, question: Question, level: float) -> Estimate:
    se, low, high = (float(bound[0]) for bound in _bounds(change[:, None], level))
    return Estimate(
        value=float(change[0]), se=se, ci_lower=low, ci_upper=high, level=level,
        unit=_unit(plan.metric, question.currency), n=len(change) - 1,
        method=f"infinitesimal jackknife over groups by {plan.unit}" if plan.unit else "counted",
    )  # fmt: skip


def _unit(metric: Metric, currency: str) -> str:
    if metric.unit == "share":
        return "pp"
    is_local = currency == "local" and metric.currency != "none"
    return metric.unit.replace("usd", "local_money", 1) if is_local else metric.unit


def _kind(plan: CountingPlan, name: str) -> str:
    if not name.isdigit():
        return name
    return "given" if plan.factors[int(name)].title in GIVEN else "factor"


def _given(values: np.ndarray, kinds: list[str]) -> np.ndarray:
    """What the parts that nobody can change contribute, by replicate."""
    return values[..., [kind == "given" for kind in kinds]].sum(axis=(1, 2))


def _title(plan: CountingPlan, name: str, by: tuple[str, ...]) -> str:
    segments = f"by {' and '.join(by)}" if by else ""
    if name.isdigit():
        title = plan.factors[int(name)].title
        return f"{title}, within segments" if plan.is_rate and by and len(plan.factors) == 1 else title
    return {
        MIX: f"Mix {segments}", INTERACTION: "Mix and rate together", NEW: "New, nothing before",
        GONE: "Gone, nothing after", REST: "Not told apart",
    }[name]  # fmt: skip


def _doubts(plan: CountingPlan, windows: tuple[Window, Window], days: dict[str, Covered], grid: Grid) -> Iterable[str]:
    last = min(one.last for one in days.values())
    final: date = windows[1][1] + timedelta(days=plan.metric.maturity_days)
    if final > last:
        yield f"The later period is not final before {final}, and the data end on {last}: later changes are missing."
    if grid.n_unpriced:
        yield f"{grid.n_unpriced:,} lines without an amount (no exchange rate, or impossible) are left out."
    if not plan.unit:
        yield "There is no interval: the data do not say which rows belong to one user."
