"""How it is asked what goes together with a metric, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_lib.errors import InvalidValue, unknown

if TYPE_CHECKING:
    from analysis_lib.metrics import Metric

#: Periods of a row.
GRAINS = ("day", "week", "month")

#: The fixed effect of what all units share in a period.
PERIOD = "period"


@dataclass(frozen=True, slots=True)
class Setting:
    """What was asked for.

    Attributes
    ----------
    outcome : Metric
        What is to be explained.
    regressors : tuple of str
        Metrics, and columns of country_factors; the answer is about the first, the others are held alike.
    by : str
        Dimension whose values are compared over time.
    grain : str
        One of ``GRAINS``.
    fixed_effects : tuple of str
        ``by``, ``period``, both or none.
    matters : float
        Relative difference of the outcome from which on it is worth a look.
    level : float
        Of all intervals.
    """

    outcome: Metric
    regressors: tuple[str, ...]
    by: str
    grain: str
    fixed_effects: tuple[str, ...]
    matters: float
    level: float


def checked(setting: Setting) -> Setting:
    """The setting, if it makes sense.

    Raises
    ------
    InvalidValue
        No regressors, the outcome among them, or a number outside of its range.
    UnknownName
        A grain or a fixed effect that is not known.
    """
    if not setting.regressors:
        raise InvalidValue("regressors=[]: name at least one metric or column of country_factors")
    if setting.outcome.name in setting.regressors:
        raise InvalidValue(
            f"'{setting.outcome.name}' is the outcome: it cannot explain itself; leave it out of regressors"
        )
    if len(set(setting.regressors)) < len(setting.regressors):
        raise InvalidValue(f"regressors={list(setting.regressors)} name one twice")
    if setting.grain not in GRAINS:
        raise unknown("grain", setting.grain, GRAINS, "those that `relate` knows")
    for name in setting.fixed_effects:
        if name not in (setting.by, PERIOD):
            raise unknown("fixed effect", name, (setting.by, PERIOD), "those that `relate` knows")
    if not 0 <= setting.matters < 1:
        raise InvalidValue(
            f"matters={setting.matters}: a relative difference from 0 to below 1 is needed, such as 0.02"
        )
    if not 0.5 <= setting.level < 1:
        raise InvalidValue(f"level={setting.level}: a share from 0.5 to below 1 is needed, for example 0.95")
    return setting
