"""How a launch is looked at: what was asked for, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_lib.errors import InvalidValue, unknown

if TYPE_CHECKING:
    from analysis_lib.metrics import Metric

#: What becomes of days on which a campaign of the market ran.
CAMPAIGN_DAYS = ("leave_out", "keep")


@dataclass(frozen=True, slots=True)
class Setting:
    """What was asked for.

    Attributes
    ----------
    metric : Metric
        What the launch is judged by.
    beside : tuple of Metric
        What must not suffer.
    level : float
        Of all intervals.
    weeks_before : int
        Weeks that are read before the launch was first known.
    learning_weeks : int
        Weeks after going live before the effect is taken as settled.
    depends_on : str
        Country factor with which the effect may rise or fall, chosen beforehand; empty for none.
    campaign_days : str
        One of ``CAMPAIGN_DAYS``.
    sure : float
        Chance of a gain from which on a market is proposed.
    """

    metric: Metric
    beside: tuple[Metric, ...]
    level: float
    weeks_before: int
    learning_weeks: int
    depends_on: str
    campaign_days: str
    sure: float

    @property
    def sign(self) -> int:
        """1 where the metric is better up, −1 where it is better down."""
        return -1 if self.metric.better == "down" else 1


def checked(setting: Setting) -> Setting:
    """The setting, if it makes sense.

    Raises
    ------
    InvalidValue
        A number outside of its range.
    UnknownName
        An unknown way with campaign days.
    """
    if not 0.5 <= setting.level < 1:
        raise InvalidValue(f"level={setting.level}: a share from 0.5 to below 1 is needed, for example 0.95.")
    if not 0.5 <= setting.sure < 1:
        raise InvalidValue(f"sure={setting.sure}: a chance from 0.5 to below 1 is needed, for example 0.8.")
    for name, least, most in (("weeks_before", 8, 104), ("learning_weeks", 0, 26)):
        value = getattr(setting, name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidValue(f"{name}={value!r}: whole weeks from {least} to {most} are needed.")
    if setting.campaign_days not in CAMPAIGN_DAYS:
        raise unknown("way with campaign days", setting.campaign_days, CAMPAIGN_DAYS, "those that `review` knows")
    return setting
