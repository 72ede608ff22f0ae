"""How far a finding bends: other donors, earlier starts, trends that are not parallel, hidden confounders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.causal.donor_weights import estimator, fit_of
from analysis_lib.causal.panel import Panel, panel_of
from analysis_lib.causal.panel_effect import path_of
from analysis_lib.causal.staggered import StaggeredEffect
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.results import Result


@dataclass(frozen=True, slots=True, eq=False)
class PlaceboInTime(Result):
    """An effect looked for before there was one.

    Attributes
    ----------
    value : float
        Average effect from the pretended start to the real one; near 0 if the method is right.
    spread : float
        Root mean square of the effects before the pretended start, to hold ``value`` against.
    path : pandas.DataFrame
        time, actual, without, effect, is_after (the pretended start); only periods before the real one.
    """

    value: float
    spread: float
    path: pd.DataFrame

    @property
    def text(self) -> str:
        """The pretended effect beside the spread before it."""
        return (
            f"Before the start, a pretended effect of {self.value:.3g}; the gaps before it are {self.spread:.3g} wide."
        )

    def to_frame(self) -> pd.DataFrame:
        """The path."""
        return self.path.copy()


@dataclass(frozen=True, slots=True, eq=False)
class EValue(Result):
    """How strong a hidden confounder has to be to explain a ratio away.

    Attributes
    ----------
    value : float
        Least ratio with both the treatment and the outcome that explains the estimate, 1 or more.
    limit : float or None
        The same for the bound of the interval nearer to 1; 1 if the interval holds 1, None without one.
    """

    value: float
    limit: float | None

    @property
    def text(self) -> str:
        """The strength, in one sentence."""
        bound = "" if self.limit is None else f" ({self.limit:.2f} to move the interval to 1)"
        return f"A confounder would need a ratio of {self.value:.2f}{bound} with both treatment and outcome."


def leave_one_out(
    frame: pd.DataFrame, *, outcome: str, unit: str, time: str, treated: str, method: str = "synthetic_did"
) -> pd.DataFrame:
    """The effect with each donor left out in turn; one that moves it far is carrying it.

    Parameters
    ----------
    frame, outcome, unit, time, treated
        As in ``synthetic_control``.
    method : str
        ``synthetic_control``, ``synthetic_did`` or ``augmented_synthetic_control``.

    Returns
    -------
    pandas.DataFrame
        donor, weight (with all donors there), value (without it), sorted by weight.

    Raises
    ------
    UnknownName
        If the method is unknown.
    NotEnoughData
        If there are fewer than two donors, and as ``synthetic_control``.

    References
    ----------
    Abadie, Diamond and Hainmueller (2015), "Comparative politics and the synthetic control method",
    American Journal of Political Science 59(2), section on robustness.
    """
    panel = panel_of(frame, outcome=outcome, unit=unit, time=time, treated=treated)
    if len(panel.donors) < 2:
        raise NotEnoughData("there is one donor: none can be left out")
    weights, value_of = fit_of(method, panel).unit_weights, estimator(method)
    values = [value_of(panel.without(name)) for name in panel.donors]
    rows = pd.DataFrame({"donor": panel.donors, "weight": weights, "value": values})
    return rows.sort_values("weight", ascending=False, ignore_index=True, kind="stable")


def placebo_in_time(
    frame: pd.DataFrame, *, outcome: str, unit: str, time: str, treated: str, shift: int,
    method: str = "synthetic_did",
) -> PlaceboInTime:  # fmt: skip
    """The effect at a start pretended ``shift`` periods too early, from periods before the real one only.

    Parameters
    ----------
    frame, outcome, unit, time, treated
        As in ``synthetic_control``.
    shift : int
        Periods between the pretended start and the real one, 1 or more.
    method : str
        ``synthetic_control``, ``synthetic_did`` or ``augmented_synthetic_control``.

    Raises
    ------
    UnknownName
        If the method is unknown.
    InvalidValue
        If ``shift`` is not a whole number of periods, 1 or more.
    NotEnoughData
        If fewer than two periods are left before the pretended start, and as ``synthetic_control``.

    References
    ----------
    Abadie, Diamond and Hainmueller (2015), as above ("in-time placebos").
    """
    if shift < 1 or shift != int(shift):
        raise InvalidValue(f"shift is {shift}; it is a number of periods, 1 or more")
    panel = panel_of(frame, outcome=outcome, unit=unit, time=time, treated=treated)
    end, start = panel.start, panel.start - int(shift)
    if start < 2:
        raise NotEnoughData(f"{max(start, 0)} periods are left {shift} before the start; two are needed")
    mask = np.zeros((len(panel.units), end), dtype=bool)
    mask[panel.is_treated, start:] = True
    earlier = Panel(outcomes=panel.outcomes[:, :end], units=panel.units, times=panel.times[:end], treated=mask)
    fit = fit_of(method, earlier)
    path = path_of(earlier.times, earlier.treated_mean, fit.without, start)
    spread = float(np.sqrt(np.mean(np.square(path["effect"].to_numpy()[:start]))))
    return PlaceboInTime(value=fit.value_on(earlier), spread=spread, path=path)


def honest_bounds(effect: StaggeredEffect, m: Sequence[float], *, level: float = 0.95) -> pd.DataFrame:
    """Intervals of the average over event times that allow the trends to part by a bent line.

    Parallel trends say that the difference in trends is none, the usual check that it is a straight
    line which the periods before the start show. Here its slope may change by up to ``m`` from one
    period to the next: 0 allows any straight line, more allows more.

    Parameters
    ----------
    effect : StaggeredEffect
        By ``callaway_santanna`` without anticipation, with two effects before the start or more.
    m : sequence of float
        Largest changes of slope per period, in the outcome's unit, 0 or more.
    level : float
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        m, ci_lower, ci_upper; of the even average over event times from 0 on.

    Raises
    ------
    InvalidValue
        If the effect is by another method or with anticipation, or an ``m`` is negative.
    NotEnoughData
        If there are fewer than two effects before the start.

    Notes
    -----
    diff-diff's ``HonestDiD(method="smoothness")``, intervals of fixed length. Its relative magnitudes are
    left out: their interval takes the largest change before the start as known, and it is an estimate.

    References
    ----------
    Rambachan and Roth (2023), "A more credible approach to parallel trends", Review of Economic
    Studies 90(5), section 4.
    """
    from diff_diff import HonestDiD  # slow to import

    surface = _surface(effect)
    if min(m) < 0:
        raise InvalidValue(f"m is {min(m)}; a change of slope is 0 or more, either way")
    fits = [HonestDiD(method="smoothness", M=float(size), alpha=1 - level).fit(surface) for size in m]
    return pd.DataFrame(
        {"m": list(m), "ci_lower": [fit.ci_lb for fit in fits], "ci_upper": [fit.ci_ub for fit in fits]}
    )


def pretrend_power(effect: StaggeredEffect, slope: float, *, level: float = 0.95) -> float:
    """Chance that looking for significant effects before the start would have found a sloping trend.

    Parameters
    ----------
    effect : StaggeredEffect
        By ``callaway_santanna`` without anticipation, with two effects before the start or more.
    slope : float
        How much faster the treated would have moved, per period, in the outcome's unit.
    level : float
        Level of each effect's own interval; the slope is found if one of them leaves out zero.

    Raises
    ------
    InvalidValue
        If the effect is by another method or with anticipation.
    NotEnoughData
        If there are fewer than two effects before the start.

    References
    ----------
    Roth (2022), "Pretest with caution", American Economic Review: Insights 4(3). diff-diff's
    ``PreTrendsPower``.
    """
    from diff_diff import PreTrendsPower  # slow to import

    return float(PreTrendsPower(alpha=1 - level).fit(_surface(effect), M=abs(slope)).power)


def _surface(effect: StaggeredEffect):
    """diff-diff's event study behind an effect."""
    if effect.surface is None or effect.anticipation:
        raise InvalidValue(
            f"this needs `callaway_santanna` without anticipation; the effect is by `{effect.method}`, "
            f"anticipation {effect.anticipation}"
        )
    n_before = int((np.asarray(effect.surface.event_time) < -1).sum())
    if n_before < 2:
        raise NotEnoughData(f"{n_before} effects before the start; two are needed to see a slope")
    return effect.surface


def e_value(ratio: float, ci: tuple[float, float] | None = None) -> EValue:
    """Least strength of a hidden confounder that explains a risk ratio away.

    Parameters
    ----------
    ratio : float
        Risk ratio (or an odds or hazard ratio of a rare outcome), above 0.
    ci : tuple of float, optional
        Lower and upper bound of its interval.

    Raises
    ------
    InvalidValue
        If a number is not above 0 and finite, or the ratio is outside its interval.

    References
    ----------
    VanderWeele and Ding (2017), "Sensitivity analysis in observational research: introducing the
    E-value", Annals of Internal Medicine 167(4).
    """
    numbers = [ratio, *(ci or ())]
    if not all(np.isfinite(number) and number > 0 for number in numbers):
        raise InvalidValue(f"ratios are above 0 and finite; these are {', '.join(f'{x:g}' for x in numbers)}")
    if ci is None:
        return EValue(value=_strength(ratio), limit=None)
    low, high = ci
    if not low <= ratio <= high:
        raise InvalidValue(f"the ratio {ratio:g} is not between {low:g} and {high:g}")
    return EValue(value=_strength(ratio), limit=1.0 if low <= 1 <= high else _strength(low if ratio > 1 else high))


def _strength(ratio: float) -> float:
    above = max(ratio, 1 / ratio)
    return float(above + np.sqrt(above * (above - 1)))
