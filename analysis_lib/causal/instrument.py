"""An effect by an instrument: two-stage least squares, and an interval that a weak instrument does not spoil."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData
from analysis_lib.results import Estimate, Result, format_range

#: Least first-stage F. Below it the instrument is hardly told apart from chance (3.84 is the 5 % bound),
#: and neither number nor error mean anything.
LEAST_F = 4.0

#: From here on the usual interval is fit to read (the rule of Staiger and Stock).
STRONG_F = 10.0

#: Fewest clusters behind a clustered error.
FEWEST_CLUSTERS = 10

#: pyfixest's demeaning stops here.
TOLERANCE = 1e-12

#: Share of a column's square that is rounding: less is left by controls that explain all of it.
ROUNDING = 1e-16


@dataclass(frozen=True, slots=True, eq=False)
class InstrumentEffect(Result):
    """The effect of a treatment that an instrument moves.

    Attributes
    ----------
    estimate : Estimate
        Outcome per unit of treatment, by two-stage least squares.
    first_stage, reduced_form : float
        Treatment, and outcome, per unit of the instrument; the estimate is their ratio.
    first_stage_f : float
        Robust F of the instrument in the first stage.
    ar_lower, ar_upper : float
        Bounds of the Anderson–Rubin set; infinite if it has no bound on that side, or is no interval.
    ar_shape : str
        ``interval``; ``line``: all effects are compatible with the data; ``rays``: those not between
        ``ar_gap``.
    ar_gap : tuple[float, float] or None
        The effects ruled out, if the set consists of two rays.
    """

    estimate: Estimate
    first_stage: float
    reduced_form: float
    first_stage_f: float
    ar_lower: float
    ar_upper: float
    ar_shape: str
    ar_gap: tuple[float, float] | None

    @property
    def text(self) -> str:
        """The effect, how strong the instrument is, and the interval to read if it is weak."""
        strength = "strong" if self.first_stage_f >= STRONG_F else "weak: read the Anderson–Rubin set"
        low, high, unit = self.ar_lower, self.ar_upper, self.estimate.unit
        if self.ar_shape == "interval":
            robust = f"The Anderson–Rubin interval holds at any strength: {format_range(low, high, unit)}."
        elif self.ar_gap is None:
            robust = "The Anderson–Rubin set is unbounded: no effect is ruled out."
        else:
            low, high = self.ar_gap
            robust = f"The Anderson–Rubin set is unbounded: only {low:.3g} to {high:.3g} is ruled out."
        return f"{self.estimate.text}. The instrument is {strength} (F = {self.first_stage_f:.1f}). {robust}"


def instrument(
    frame: pd.DataFrame,
    *,
    outcome: str,
    treatment: str,
    instrument: str,
    controls: Sequence[str] = (),
    fixed_effects: Sequence[str] = (),
    cluster: str | None = None,
    weights: str | None = None,
    level: float = 0.95,
) -> InstrumentEffect:
    """Effect of a treatment on an outcome, by what an instrument moves in both.

    The estimand is the average effect for those whose treatment the instrument moves, weighted by how
    far. It rests on the instrument being as good as random given the controls, moving the outcome only
    through the treatment, and moving nobody's treatment the other way.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an observation, no missing values in the columns used.
    outcome, treatment, instrument : str
        Columns of numbers; one instrument for one treatment.
    controls : sequence of str
        Columns of numbers, entered linearly.
    fixed_effects : sequence of str
        Columns whose values each get an effect of their own.
    cluster : str, optional
        Column of the clusters in which errors go together (CRV1); else errors are robust to unequal
        variance (HC1).
    weights : str, optional
        Column of weights above 0.
    level : float
        Level of both intervals, with Student's t (clusters - 1, or observations - parameters).

    Raises
    ------
    ContractError
        If a column is missing.
    InvalidValue
        If a column holds missing or infinite values, or a weight is not above 0.
    NotEnoughData
        If the first-stage F is under ``LEAST_F``, instrument or treatment do not vary given the controls, or
        there are fewer than ``FEWEST_CLUSTERS`` clusters.

    Notes
    -----
    Estimated by pyfixest. The Anderson–Rubin set holds the effects b for which the instrument does not
    move outcome - b × treatment. With one instrument that is a quadratic in b, solved exactly; with the
    same errors as the first stage, it is unbounded if and only if that is not significant at the level.

    References
    ----------
    Imbens and Angrist (1994), "Identification and estimation of local average treatment effects",
    Econometrica 62(2). Anderson and Rubin (1949), Annals of Mathematical Statistics 20(1). Andrews, Stock
    and Sun (2019), "Weak instruments in instrumental variables regression", Annual Review of Economics 11.
    """
    names = [outcome, treatment, instrument]
    data = _data(frame, names, list(controls), list(fixed_effects), cluster, weights)
    n_clusters = data["cluster_"].nunique()
    if cluster is not None and n_clusters < FEWEST_CLUSTERS:
        raise NotEnoughData(f"{n_clusters} clusters: a clustered error needs at least {FEWEST_CLUSTERS}")
    right = [name for name in data.columns if name.startswith("control_")]
    effects = [name for name in data.columns if name.startswith("effect_")]
    coefficients, covariance, critical = _reduced(data, right, effects, cluster is not None, level)
    strength = float(coefficients[1] ** 2 / covariance[1, 1])
    if strength < LEAST_F:
        raise NotEnoughData(
            f"the first-stage F of '{instrument}' is {strength:.1f}: under {LEAST_F:g} it hardly moves '{treatment}', "
            "and neither the effect nor its interval can be read; find a stronger instrument or more data"
        )
    value, se = _two_stage(data, right, effects, cluster is not None)
    lower, upper, shape, gap = anderson_rubin(coefficients, covariance, critical)
    estimate = Estimate(
        value=value, se=se, ci_lower=value - critical * se, ci_upper=value + critical * se, level=level,
        unit=f"{outcome}_per_{treatment}", n=len(data), method="two-stage least squares",
    )  # fmt: skip
    return InstrumentEffect(
        estimate=estimate, first_stage=float(coefficients[1]), reduced_form=float(coefficients[0]),
        first_stage_f=strength, ar_lower=lower, ar_upper=upper, ar_shape=shape, ar_gap=gap,
    )  # fmt: skip


def anderson_rubin(
    coefficients: np.ndarray, covariance: np.ndarray, critical: float
) -> tuple[float, float, str, tuple[float, float] | None]:
    """Effects b with (reduced form - b × first stage)² within ``critical``² of its variance.

    Parameters
    ----------
    coefficients : numpy.ndarray
        Reduced form and first stage, shape (2,).
    covariance : numpy.ndarray
        Their covariance, shape (2, 2).
    critical : float
        Critical value of the t statistic.

    Returns
    -------
    tuple
        Lower and upper bound, shape (``interval``, ``line`` or ``rays``), and what two rays leave out.
    """
    # a b² + 2 h b + c <= 0
    reduced, first = coefficients
    a = first**2 - critical**2 * covariance[1, 1]
    half = -(reduced * first) + critical**2 * covariance[0, 1]
    c = reduced**2 - critical**2 * covariance[0, 0]
    under = half**2 - a * c
    # a > 0: the estimate itself solves it, so there are two roots.
    if a > 0:
        root = float(np.sqrt(max(under, 0.0)))
        return float((-half - root) / a), float((-half + root) / a), "interval", None
    if under <= 0 or a == 0:
        return -np.inf, np.inf, "line", None
    low, high = sorted(((-half - np.sqrt(under)) / a, (-half + np.sqrt(under)) / a))
    return -np.inf, np.inf, "rays", (float(low), float(high))


def _data(
    frame: pd.DataFrame, names: list[str], controls: list[str], effects: list[str], cluster: str | None,
    weights: str | None,
) -> pd.DataFrame:  # fmt: skip
    """The columns used, checked, under names that a formula can hold."""
    used = [*names, *controls, *effects, *[name for name in (cluster, weights) if name is not None]]
    for name in used:
        if name not in frame.columns:
            raise ContractError(f"the frame has no column '{name}'; it has {', '.join(map(str, frame.columns))}")
        if frame[name].isna().any():
            raise InvalidValue(f"'{name}' is missing in {int(frame[name].isna().sum())} rows; leave them out first")
    data = pd.DataFrame({key: frame[name].to_numpy(dtype=float) for key, name in zip("ytz", names, strict=True)})
    for place, name in enumerate(controls):
        data[f"control_{place}"] = frame[name].to_numpy(dtype=float)
    if not np.isfinite(data.to_numpy()).all():
        raise InvalidValue("outcome, treatment, instrument and controls have to be finite")
    for place, name in enumerate(effects):
        data[f"effect_{place}"] = pd.factorize(frame[name])[0]
    data["cluster_"] = np.arange(len(frame)) if cluster is None else pd.factorize(frame[cluster])[0]
    data["weight_"] = 1.0 if weights is None else frame[weights].to_numpy(dtype=float)
    if not (np.isfinite(data["weight_"]) & (data["weight_"] > 0)).all():
        raise InvalidValue(f"'{weights}' must be above 0 and finite; the smallest is {data['weight_'].min():g}")
    return data


def _fit(data: pd.DataFrame, formula: str, clustered: bool):
    import pyfixest  # slow to import; only those who estimate pay for it
    from pyfixest.demeaners import MapDemeaner

    vcov = {"CRV1": "cluster_"} if clustered else "HC1"
    demeaner = MapDemeaner(fixef_tol=TOLERANCE)
    return pyfixest.feols(formula, data=data, vcov=vcov, weights="weight_", demeaner=demeaner)


def _formula(left: str, right: list[str], effects: list[str]) -> str:
    return f"{left} ~ {' + '.join(right) or '1'}" + (f" | {' + '.join(effects)}" if effects else "")


def _reduced(data: pd.DataFrame, right: list[str], effects: list[str], clustered: bool, level: float):
    """Outcome and treatment per unit of the instrument, their covariance, and the critical value of t."""
    rest = {name: _fit(data, _formula(name, right, effects), clustered).resid() for name in "zt"}
    for name, word in (("z", "instrument"), ("t", "treatment")):  # pyfixest drops it with a warning at most
        if np.square(rest[name]).sum() <= ROUNDING * np.square(data[name]).sum():
            raise NotEnoughData(f"the {word} does not vary once controls and fixed effects are taken out")
    fits = [_fit(data, _formula(left, ["z", *right], effects), clustered) for left in "yt"]
    # With the instrument's own rest, both coefficients are sums of scores (Frisch-Waugh-Lovell).
    own = data["weight_"].to_numpy() * rest["z"]
    scores = pd.DataFrame(own[:, None] * np.column_stack([fit.resid() for fit in fits]))
    sums = scores.groupby(data["cluster_"].to_numpy()).sum().to_numpy()
    coefficients = np.array([fit.coef()["z"] for fit in fits])
    se = float(fits[1].se()["z"])
    raw = sums.T @ sums
    bounds = fits[1].confint(alpha=1 - level).loc["z"]
    return coefficients, raw * se**2 / raw[1, 1], float(bounds.iloc[1] - coefficients[1]) / se


def _two_stage(data: pd.DataFrame, right: list[str], effects: list[str], clustered: bool) -> tuple[float, float]:
    fit = _fit(data, f"{_formula('y', right, effects)} | t ~ z", clustered)
    return float(fit.coef()["t"]), float(fit.se()["t"])
