"""One coefficient over all defensible ways to estimate it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.regression.fitting import fit
from analysis_lib.regression.result import Fit
from analysis_lib.results import Result, format_count, format_range, format_value

#: Most ways that are tried.
MOST = 512

#: Draws of the joint statement.
DRAWS = 1999

ALL_ROWS = "all rows"


@dataclass(frozen=True, slots=True, eq=False)
class SpecificationCurve(Result):
    """A coefficient, once for each way to estimate it.

    Attributes
    ----------
    term : str
        The coefficient.
    frame : pandas.DataFrame
        Sorted by value: value, se, ci_lower, ci_upper, pvalue, n, controls, fixed_effects, sample, variance.
    refused : pandas.DataFrame
        controls, fixed_effects, sample, variance, reason: ways that could not be estimated.
    pvalue : float
        How often chance alone would bring a median this far from 0, all ways seen together.
    level : float
        Of the intervals.
    """

    term: str
    frame: pd.DataFrame
    refused: pd.DataFrame
    pvalue: float
    level: float

    @property
    def median(self) -> float:
        """Median coefficient."""
        return float(self.frame["value"].median())

    @property
    def share_same_sign(self) -> float:
        """Share of the ways with the sign of the median."""
        return float((np.sign(self.frame["value"]) == np.sign(self.median)).mean())

    @property
    def share_excluding_zero(self) -> float:
        """Share of the ways whose interval lies on the median's side of 0."""
        side = self.frame["ci_lower"] > 0 if self.median > 0 else self.frame["ci_upper"] < 0
        return float(side.mean())

    def to_frame(self) -> pd.DataFrame:
        """One row a way."""
        return self.frame.copy()

    @property
    def text(self) -> str:
        """The joint statement."""
        values, n = self.frame["value"], len(self.frame)
        same = round(self.share_same_sign * n)
        apart = round(self.share_excluding_zero * n)
        spread = float(values.max() - values.min()) or float(self.frame["se"].median())
        seldom = "under 0.001" if self.pvalue < 0.001 else f"{self.pvalue:.3f}"
        said = (
            f"Over {format_count(n, 'ways')} to estimate it, {self.term} runs from "
            f"{format_range(float(values.min()), float(values.max()))}, with a median of "
            f"{format_value(self.median, spread=spread)}; {same} have the median's sign, and the intervals of {apart} "
            f"leave out 0. If it did not go with the outcome at all, so far a median had a chance of {seldom}."
        )
        lost = len(self.refused)
        return said + (
            f" {format_count(lost, 'further ways' if lost > 1 else 'further way')} were refused." if lost else ""
        )


def specification_curve(
    formula: str, frame: pd.DataFrame, *, term: str, controls: Sequence[str] = (),
    fixed_effects: Sequence[Sequence[str]] = ((),), samples: Mapping[str, Sequence[bool]] | None = None,
    variances: Sequence[str | None] = (None,), **given: object,
) -> SpecificationCurve:  # fmt: skip
    """A coefficient over all sets of optional controls, fixed effects, samples and variances.

    Parameters
    ----------
    formula : str
        What is in every way: ``y ~ x``.
    frame : pandas.DataFrame
        As for ``fit``.
    term : str
        The coefficient that is followed.
    controls : sequence of str
        Terms that may be in or out; all their sets are tried.
    fixed_effects : sequence of sequence of str
        Sets of fixed effects to try.
    samples : mapping of str to flags, optional
        Rows of each further sample, by its name; all rows are always tried.
    variances : sequence of str or None
        Variances to try; None is the rule.
    given
        Further arguments of ``fit`` (kind, cluster, weights, …).

    Raises
    ------
    InvalidValue
        More than ``MOST`` ways.
    NotEnoughData
        No way can be estimated; the message is the first refusal.

    Notes
    -----
    The joint statement draws all coefficients together, by the sums of their scores within clusters (or rows) times
    random signs, scaled to their errors: what they would scatter by if none were different from 0.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020), "Specification curve analysis", Nature Human Behaviour 4.
    """
    masks = {ALL_ROWS: np.ones(len(frame), dtype=bool)} | {
        name: np.asarray(flags, dtype=bool) for name, flags in (samples or {}).items()
    }
    sets = [chosen for size in range(len(controls) + 1) for chosen in combinations(controls, size)]
    ways = list(product(sets, [tuple(effects) for effects in fixed_effects], masks, variances))
    if len(ways) > MOST:
        raise InvalidValue(
            f"{len(ways)} ways to estimate it, more than {MOST}: name fewer optional controls or samples"
        )
    found, refused = [], []
    for chosen, effects, sample, variance in ways:
        told = {"controls": ", ".join(chosen), "fixed_effects": ", ".join(effects), "sample": sample,
                "variance": variance or "by rule"}  # fmt: skip
        text = " + ".join([formula, *chosen])
        try:
            one = fit(text, frame[masks[sample]], fixed_effects=effects, variance=variance, **given)
            found.append((told, _kept(one, term, np.flatnonzero(masks[sample]))))
        except NotEnoughData as lack:
            refused.append(told | {"reason": str(lack)})
    if not found:
        raise NotEnoughData(refused[0]["reason"])
    return _curve(term, found, refused, float(given.get("level", 0.95)))


def _kept(one: Fit, term: str, rows: np.ndarray) -> tuple[pd.Series, int, np.ndarray, np.ndarray]:
    """A coefficient's row, the rows used, and each row's pull on it."""
    estimate = one.fit_of(term) if term in one.solved.sample.names else None
    if estimate is None:
        raise NotEnoughData(f"'{term}' does not vary beside the other terms")
    place = one.solved.sample.names.index(term)
    row = one.coefficients.iloc[place]
    pulls = one.solved.scores @ one.solved.bread[:, place]
    codes = one.solved.sample.clusters
    groups = one.frame[one.request.cluster[0]].to_numpy()[one.solved.sample.index] if codes.shape[1] else None
    keys = rows[one.solved.sample.index] if groups is None else groups
    return row, one.n, pulls, keys


def _curve(term: str, found: list, refused: list, level: float) -> SpecificationCurve:
    rows = [told | {"n": n} | row.drop("term").to_dict() for told, (row, n, _, _) in found]
    frame = pd.DataFrame(rows)
    sums = pd.concat([pd.Series(pulls).groupby(keys).sum() for _, (_, _, pulls, keys) in found], axis=1).fillna(0.0)
    pulls = sums.to_numpy()
    spread = np.sqrt((pulls**2).sum(axis=0))
    pulls = pulls * (frame["se"].to_numpy() / np.where(spread > 0, spread, np.inf))
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(DRAWS, len(pulls)))
    drawn = np.abs(np.median(signs @ pulls, axis=1))
    pvalue = (1 + (drawn >= abs(float(frame["value"].median()))).sum()) / (1 + DRAWS)
    order = ["value", "se", "ci_lower", "ci_upper", "pvalue", "n", "controls", "fixed_effects", "sample", "variance"]
    lost = pd.DataFrame(refused, columns=["controls", "fixed_effects", "sample", "variance", "reason"])
    return SpecificationCurve(term, frame[order].sort_values("value", ignore_index=True), lost, float(pvalue), level)
