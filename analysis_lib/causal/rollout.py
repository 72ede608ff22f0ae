"""Effects of what goes live unit by unit, where units are few."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm, t

from analysis_lib.causal.rollout_gaps import Gaps, gaps
from analysis_lib.causal.rollout_noise import Noise, likely_noise
from analysis_lib.causal.rollout_panel import FEWEST_BEFORE, FEWEST_WAVES, RolloutPanel, rollout_panel
from analysis_lib.causal.rollout_spread import Spread, spread
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.results import Estimate, Result, format_count

#: Units whose effect is settled, and periods it must have been so, that the mean needs.
FEWEST_SETTLED, FEWEST_PERIODS = 3, 2

#: Periods before anything may be different over which it is looked for all the same.
LEADS = 8

METHOD = "imputation from units not yet treated, noise that lasts, effects that differ by unit"


@dataclass(frozen=True, slots=True, eq=False)
class RolloutEffect(Result):
    """Effects by unit and by periods since the start.

    Attributes
    ----------
    estimate : Estimate
        Settled effect, even mean over the units that have one. Its unit is the outcome's name.
    units : pandas.DataFrame
        unit, first_treated, n_periods (settled ones), value, se, ci_lower, ci_upper (of its own data; missing where
        there are none), shrunk, shrunk_se, shrunk_ci_lower, shrunk_ci_upper (drawn towards the mean; where the unit has
        no data of its own, what is to be expected of it), chance (that it is above 0). One row a unit.
    events : pandas.DataFrame
        event_time, value, se, ci_lower, ci_upper, n_units: even means over the units that are that far; 0 is the first
        treated period. Negative ones are looked for where there can be no effect yet, counted from the first period
        affected.
    waiting : Estimate or None
        Mean over units of the periods between first affected and first treated; None if there are none.
    lead_pvalue : float or None
        Joint test that the negative event times are zero; None if it cannot be made.
    spread : Spread
        What is known of all units' effects, in the order of ``units``.
    slope : Estimate or None
        What a moderator changes the effect by, per standard deviation of it.
    panel : RolloutPanel
        What was read, and which later periods were dropped.
    noise : Noise
        What units do of their own: the likeliest kind.
    left_out : tuple of str
        Units seen for too short a time before they started.
    """

    estimate: Estimate
    units: pd.DataFrame
    events: pd.DataFrame
    waiting: Estimate | None
    lead_pvalue: float | None
    spread: Spread
    slope: Estimate | None
    panel: RolloutPanel
    noise: Noise
    left_out: tuple[str, ...]

    @property
    def text(self) -> str:
        """The mean effect, and over how many units."""
        n = int(self.units["value"].notna().sum())
        return f"{self.estimate.text}, from {format_count(n, 'units')}."

    def to_frame(self) -> pd.DataFrame:
        """Effects by unit."""
        return self.units.copy()


def rollout(
    frame: pd.DataFrame, *, outcome: str, unit: str, time: str, first_treated: str, first_affected: str | None = None,
    noise: str | None = None, moderator: str | None = None, settled: int = 0, level: float = 0.95,
) -> RolloutEffect:  # fmt: skip
    """Effects when a handful of units start one after another, each with its own size of effect.

    Values without the treatment are predicted from each unit's own past and from the units not yet affected; noise that
    lasts from period to period is fitted and allowed for; effects of units are averaged as effects that differ. It is
    made for what ``staggered`` refuses: too few units for errors that come from comparing units.

    Parameters
    ----------
    frame, outcome, unit, time, first_treated, first_affected, noise
        As ``rollout_panel``.
    moderator : str, optional
        Column, one value a unit, with which the effect may rise or fall. One only, chosen beforehand.
    settled : int
        Periods after the start from which on the effect is taken as settled; it may grow until then.
    level : float
        Level of the intervals. Errors are raised so that they are Student's with one degree of freedom less than units.

    Raises
    ------
    ContractError, InvalidValue
        As ``rollout_panel``; ``settled`` is negative or ``level`` no share; a moderator that is missing or never
        differs.
    NotEnoughData
        As ``rollout_panel``; fewer than ``FEWEST_SETTLED`` units, or ``FEWEST_WAVES`` starts, have a settled effect.

    Notes
    -----
    Graded as ``launches.review`` on simulated markets: 12 units in up to six waves, noise that lasts, effects that
    differ.

    References
    ----------
    Borusyak, Jaravel and Spiess (2024), "Revisiting event-study designs", Review of Economic Studies 91(6). Conley and
    Taber (2011), "Inference with difference in differences with a small number of policy changes", Review of Economics
    and Statistics 93(1), for why errors must come from the untreated.
    """
    if settled < 0 or settled != int(settled):
        raise InvalidValue(f"settled={settled}: a number of periods, 0 or more")
    if not 0.5 <= level < 1:
        raise InvalidValue(f"level={level}: a share from 0.5 to below 1")
    whole = rollout_panel(frame, outcome=outcome, unit=unit, time=time, first_treated=first_treated,
                          first_affected=first_affected, noise=noise)  # fmt: skip
    panel, left_out = _long_enough(whole)
    kinds = likely_noise(panel)
    found = _gaps(panel, kinds, level, panel.since >= 0)
    known, values, covariance, counts = _settled(panel, found, settled)
    design = _design(frame, unit, moderator, panel)
    if design.shape[1] + 1 >= len(known) and moderator:
        raise NotEnoughData(f"{len(known)} markets say too little about what '{moderator}' does to the effect")
    both = spread(values, covariance, design, known)
    leads, pvalue = _leads(panel, kinds, level)
    events = pd.concat([leads, _events(panel, found, level)], ignore_index=True)
    n = len(known)
    return RolloutEffect(
        estimate=_estimate(both.sum(np.isin(np.arange(len(design)), known) / n, level), level, outcome, n),
        units=_units(panel, known, values, covariance, counts, both, level), events=events,
        waiting=_waiting(panel, kinds, level, outcome), lead_pvalue=pvalue, spread=both,
        slope=_estimate(both.slope(1, level), level, outcome, n) if moderator else None,
        panel=panel, noise=max(kinds, key=lambda one: one[0])[1], left_out=left_out,
    )  # fmt: skip


def _estimate(numbers: tuple[float, float, float, float], level: float, unit: str, n: int) -> Estimate:
    value, se, low, high = numbers
    return Estimate(value, se, low, high, level, unit, n, METHOD)


def _gaps(panel: RolloutPanel, kinds: list[tuple[float, Noise]], level: float, wanted: np.ndarray) -> Gaps:
    """Gaps whose errors are raised to what Student's t asks for: noise is learned from a few units."""
    found = gaps(panel, kinds, wanted)
    factor = float(t.ppf(0.5 + level / 2, len(panel.units) - 1) / norm.ppf(0.5 + level / 2))
    return replace(found, covariance=found.covariance * factor**2)


def _long_enough(panel: RolloutPanel) -> tuple[RolloutPanel, tuple[str, ...]]:
    """Without units that were hardly seen before they were affected."""
    short = panel.free.sum(axis=1) < FEWEST_BEFORE
    if not short.any():
        return panel, ()
    names = tuple(str(name) for name in panel.units[short])
    kept = ~short
    if kept.sum() < FEWEST_SETTLED:
        raise NotEnoughData(f"{names[0]} and others were seen for fewer than {FEWEST_BEFORE} weeks before the start")
    left = RolloutPanel(panel.outcomes[kept], panel.noise[kept], panel.affected[kept], panel.started[kept],
                        panel.units[kept], panel.times, panel.dropped)  # fmt: skip
    return left, names


def _settled(
    panel: RolloutPanel, found: Gaps, settled: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[int, int]]:
    """Units with a settled effect, these effects, their covariance, and from how many periods each comes."""
    is_settled = panel.since[found.rows, found.columns] >= settled
    counts = {row: int((is_settled & (found.rows == row)).sum()) for row in range(len(panel.units))}
    known = np.array([row for row, count in counts.items() if count >= FEWEST_PERIODS], dtype=int)
    n_waves = len(np.unique(panel.started[known]))
    if len(known) < FEWEST_SETTLED or n_waves < FEWEST_WAVES:
        raise NotEnoughData(
            f"in {len(known)} markets of {n_waves} waves it has been live for {settled + FEWEST_PERIODS} weeks or more"
            f" while others were not yet; {FEWEST_SETTLED} markets and {FEWEST_WAVES} waves are needed"
        )
    weights = np.array([(is_settled & (found.rows == row)) / counts[row] for row in known])
    return known, *found.averages(weights), counts


def _design(frame: pd.DataFrame, unit: str, moderator: str | None, panel: RolloutPanel) -> np.ndarray:
    """A column of ones, and the moderator in standard deviations around its mean."""
    ones = np.ones((len(panel.units), 1))
    if moderator is None:
        return ones
    if moderator not in frame.columns:
        raise InvalidValue(f"the frame has no column '{moderator}' for the moderator")
    values = frame.groupby(unit)[moderator].first().reindex(panel.units).to_numpy(dtype=float)
    if not np.isfinite(values).all():
        raise InvalidValue(f"'{moderator}' of {panel.units[~np.isfinite(values)][0]} is missing")
    if np.std(values) == 0:
        raise InvalidValue(f"'{moderator}' is the same everywhere: the effect cannot depend on it")
    return np.column_stack([ones, (values - values.mean()) / values.std()])


def _units(
    panel: RolloutPanel, known: np.ndarray, values: np.ndarray, covariance: np.ndarray, counts: dict[int, int],
    both: Spread, level: float,
) -> pd.DataFrame:  # fmt: skip
    """One row a unit: its own estimate, and what is known in all."""
    n, reach = len(panel.units), norm.ppf(0.5 + level / 2)
    own, errors = np.full(n, np.nan), np.full(n, np.nan)
    own[known], errors[known] = values, np.sqrt(np.diag(covariance))
    drawn = np.array([both.sum(row, level) for row in np.eye(n)])
    times = [*panel.times, None]
    return pd.DataFrame(
        {
            "unit": panel.units, "first_treated": [times[place] for place in panel.started],
            "n_periods": [counts[row] for row in range(n)], "value": own, "se": errors,
            "ci_lower": own - reach * errors, "ci_upper": own + reach * errors, "shrunk": drawn[:, 0],
            "shrunk_se": drawn[:, 1], "shrunk_ci_lower": drawn[:, 2], "shrunk_ci_upper": drawn[:, 3],
            "chance": [both.chance_above(row) for row in range(n)],
        }
    )  # fmt: skip


def _by_time(found: Gaps, since: np.ndarray, level: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Even means over units by event time, and their covariance."""
    times = np.unique(since)
    weights = np.array([(since == one) / (since == one).sum() for one in times]).reshape(len(times), len(since))
    values, covariance = found.averages(weights)
    se = np.sqrt(np.diag(covariance))
    reach = norm.ppf(0.5 + level / 2) * se
    rows = {"event_time": times, "value": values, "se": se, "ci_lower": values - reach, "ci_upper": values + reach,
            "n_units": [int((since == one).sum()) for one in times]}  # fmt: skip
    return pd.DataFrame(rows), covariance


def _events(panel: RolloutPanel, found: Gaps, level: float) -> pd.DataFrame:
    return _by_time(found, panel.since[found.rows, found.columns], level)[0]


def _leads(panel: RolloutPanel, kinds: list[tuple[float, Noise]], level: float) -> tuple[pd.DataFrame, float | None]:
    """The same before anything can be different: as if it had begun ``LEADS`` periods earlier."""
    before = np.arange(len(panel.times))[None, :] - panel.affected[:, None]
    wanted = (before < 0) & (before >= -LEADS) & (panel.affected < len(panel.times))[:, None]
    found = _gaps(panel, kinds, level, wanted)
    rows, covariance = _by_time(found, before[found.rows, found.columns], level)
    if rows.empty:
        return rows, None
    values = rows["value"].to_numpy()
    return rows, float(chi2.sf(values @ np.linalg.solve(covariance, values), len(values)))


def _waiting(panel: RolloutPanel, kinds: list[tuple[float, Noise]], level: float, outcome: str) -> Estimate | None:
    """Mean effect between the first period affected and the first one treated."""
    place = np.arange(len(panel.times))[None, :]
    found = _gaps(panel, kinds, level, (place >= panel.affected[:, None]) & (place < panel.started[:, None]))
    if not len(found.values):
        return None
    rows = np.unique(found.rows)
    weights = np.array([(found.rows == row) / (found.rows == row).sum() for row in rows])
    values, covariance = found.averages(weights)
    even = np.full(len(rows), 1 / len(rows))
    value, se = float(even @ values), float(np.sqrt(even @ covariance @ even))
    reach = float(norm.ppf(0.5 + level / 2)) * se
    return Estimate(value, se, value - reach, value + reach, level, outcome, len(rows), METHOD)
