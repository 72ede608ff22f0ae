"""Effects by time since treatment: unit and time effects, errors clustered by unit."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.results import Result

_PERIOD = re.compile(r"^time_::(-?\d+)")


@dataclass(frozen=True, slots=True, eq=False)
class EventStudy(Result):
    """One effect a period, relative to a reference period.

    Attributes
    ----------
    effects : pandas.DataFrame
        period, value, se, ci_lower, ci_upper; per unit and period, reference period included as 0.
    reference : int
        The period that the others are compared with.
    level : float
        Level of the intervals (each on its own).
    n_units : int
        Units in the panel, which are the clusters.
    pretrend_pvalue : float
        Joint Wald test that all effects before period 0 are zero; 1 if there is only the reference.
    """

    effects: pd.DataFrame
    reference: int
    level: float
    n_units: int
    pretrend_pvalue: float

    @property
    def text(self) -> str:
        """The number of periods whose interval excludes zero, before and after."""
        outside = (self.effects["ci_lower"] > 0) | (self.effects["ci_upper"] < 0)
        before = self.effects["period"] < 0
        return (
            f"{int((outside & before).sum())} of {int(before.sum()) - 1} earlier weeks and "
            f"{int((outside & ~before).sum())} of {int((~before).sum())} later ones differ from the reference week."
        )

    def to_frame(self) -> pd.DataFrame:
        """The effects."""
        return self.effects.copy()


def event_study(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    treated: str,
    reference: int = -1,
    controls: list[str] | None = None,
    weights: str | None = None,
    level: float = 0.95,
) -> EventStudy:
    """Two-way fixed effects with one treated-by-period effect a period.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a unit and period; all treated units start at period 0.
    outcome, unit, time, treated, weights : str
        Columns; ``treated`` is 1 for units of the treated group in all periods.
    reference : int
        Period left out, a multiple of the period index before 0.
    controls : list of str
        Columns that vary over units and periods.
    level : float
        Level of the intervals.

    Raises
    ------
    InvalidValue
        If the reference period is not in the frame.
    NotEnoughData
        If a group is empty.

    References
    ----------
    Freyaldenhoven, Hansen, Perez and Shapiro (2021), "Visualization, identification, and estimation
    in the linear panel event-study design", NBER 29170. Estimated by pyfixest (CRV1 by unit).
    """
    if reference not in set(frame[time]):
        raise InvalidValue(f"reference period {reference} is not among the periods of the frame")
    if frame[treated].nunique() < 2:
        raise NotEnoughData("an event study needs treated and untreated units")
    import pyfixest  # slow to import; only pages that draw an event study pay for it

    data = frame.rename(columns={outcome: "outcome_", unit: "unit_", time: "time_", treated: "treated_"})
    extra = "".join(f" + {name}" for name in controls or [])
    fit = pyfixest.feols(
        f"outcome_ ~ i(time_, treated_, ref={reference}){extra} | unit_ + time_", data=data,
        vcov={"CRV1": "unit_"}, weights=weights,
    )  # fmt: skip
    return EventStudy(
        effects=_effects(fit.tidy(), reference, level), reference=reference, level=level,
        n_units=int(data["unit_"].nunique()), pretrend_pvalue=_pretrend_pvalue(fit),
    )  # fmt: skip


def _pretrend_pvalue(fit) -> float:
    """Joint test that the effects before period 0 are zero."""
    found = [_PERIOD.search(str(name)) for name in fit.coef().index]
    early = [place for place, match in enumerate(found) if match and int(match.group(1)) < 0]
    if not early:
        raise NotEnoughData("an event study needs at least two periods before the start")
    return float(fit.wald_test(R=np.eye(len(found))[early], distribution="chi2")["pvalue"])


def _effects(tidy: pd.DataFrame, reference: int, level: float) -> pd.DataFrame:
    """Period, value, error and interval from pyfixest's coefficient table."""
    rows = tidy[tidy.index.str.startswith("time_::")]
    periods = [int(_PERIOD.search(str(name)).group(1)) for name in rows.index]  # type: ignore[union-attr]
    frame = pd.DataFrame({"period": periods, "value": rows["Estimate"].to_numpy(), "se": rows["Std. Error"].to_numpy()})
    frame = pd.concat([frame, pd.DataFrame({"period": [reference], "value": [0.0], "se": [0.0]})])
    reach = norm.ppf(0.5 + level / 2) * frame["se"]
    frame = frame.assign(ci_lower=frame["value"] - reach, ci_upper=frame["value"] + reach)
    return frame.sort_values("period", ignore_index=True).astype({"value": np.float64})
