"""All questions that fit a regression, at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.regression import diagnostics, serial
from analysis_lib.regression.check import Check
from analysis_lib.regression.result import Fit
from analysis_lib.results import Result


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis(Result):
    """Verdicts on a regression.

    Attributes
    ----------
    checks : tuple of Check
        Those that could be put to it.
    not_asked : dict of str to str
        The others, with the reason.
    """

    checks: tuple[Check, ...]
    not_asked: dict[str, str]

    def to_frame(self) -> pd.DataFrame:
        """check, verdict ("fine" or "look"), in_words, statistic, pvalue."""
        return pd.DataFrame([
            {"check": one.name, "verdict": "fine" if one.is_fine else "look", "in_words": one.verdict,
             "statistic": one.statistic, "pvalue": one.pvalue}
            for one in self.checks
        ])  # fmt: skip

    @property
    def text(self) -> str:
        """What speaks against the regression, or that nothing does."""
        against = [one.verdict for one in self.checks if not one.is_fine]
        if not against:
            return f"Nothing speaks against the regression in {len(self.checks)} checks."
        return f"{len(against)} of {len(self.checks)} checks ask for a look. {' '.join(against)}"


def diagnose(fit: Fit, *, by: str | None = None, groups: bool = True) -> Diagnosis:
    """Residuals, collinearity, form, variances, what lasts, pull of rows and of groups, and overlap.

    Parameters
    ----------
    fit : Fit
        A regression.
    by : str, optional
        Column of groups that are left out one at a time, such as the market; by default the unit or the cluster.
    groups : bool
        Whether groups are left out one at a time, which fits anew without each.
    """
    by = by or fit.request.unit or (fit.request.cluster[0] if fit.request.cluster else None)
    asked: dict[str, Callable[[], Check]] = {
        "residuals": lambda: diagnostics.residuals(fit),
        "collinearity": lambda: diagnostics.collinearity(fit),
        "functional form": lambda: diagnostics.functional_form(fit),
        "equal variances": lambda: diagnostics.heteroskedasticity(fit),
        "lasting residuals": lambda: serial.serial_correlation(fit),
        "leverage": lambda: diagnostics.leverage(fit),
    }
    if groups and by is not None and fit.regressors:
        asked["influence"] = lambda: diagnostics.influence(fit, fit.regressors[0], by)
    for name in fit.regressors:
        column = fit.solved.sample.design[:, fit.solved.sample.names.index(name)]
        if len(fit.regressors) > 1 and np.isin(column, (0.0, 1.0)).all():
            asked[f"overlap of {name}"] = lambda name=name: serial.overlap(fit, name)
    found, not_asked = [], {}
    for name, ask in asked.items():
        try:
            found.append(ask())
        except (InvalidValue, NotEnoughData) as reason:
            not_asked[name] = str(reason)
    return Diagnosis(tuple(found), not_asked)
