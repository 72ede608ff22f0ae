"""What a launch did to one metric, in relative changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.causal import RolloutEffect, rollout
from analysis_lib.errors import ContractError, NotEnoughData, unknown
from analysis_lib.launches.weeks import MarketWeeks, market_weeks

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.launches.launch import Launch
    from analysis_lib.launches.setting import Setting
    from analysis_lib.metrics import Metric
    from analysis_lib.results import Estimate
    from analysis_lib.warehouse import Warehouse

#: Columns of units and event times that hold logarithms.
_LOGS = ("value", "ci_lower", "ci_upper", "shrunk", "shrunk_ci_lower", "shrunk_ci_upper")


@dataclass(frozen=True, slots=True, eq=False)
class LaunchEffect:
    """What a launch did to one metric.

    Attributes
    ----------
    metric : Metric
        Which.
    found : RolloutEffect
        In logarithms.
    weeks : MarketWeeks
        What was compared.
    """

    metric: Metric
    found: RolloutEffect
    weeks: MarketWeeks

    @property
    def mean(self) -> Estimate:
        """Settled relative change, even mean over the markets that have one."""
        return relative(self.found.estimate)

    @property
    def waiting(self) -> Estimate | None:
        """Relative change between announcement and launch; None if it was not announced."""
        return None if self.found.waiting is None else relative(self.found.waiting)

    @property
    def markets(self) -> pd.DataFrame:
        """Relative changes by market: columns of ``RolloutEffect.units``, ``unit`` called country."""
        return _shares(self.found.units).rename(columns={"unit": "country"})

    @property
    def events(self) -> pd.DataFrame:
        """Relative changes by weeks since: columns of ``RolloutEffect.events``."""
        return _shares(self.found.events)

    @property
    def told(self) -> list[str]:
        """Markets with a settled effect of their own."""
        units = self.found.units
        return [str(name) for name in units.loc[units["value"].notna(), "unit"]]

    @property
    def dropped_from(self) -> date | None:
        """First of the weeks in which too few markets were not yet live to compare with."""
        import pandas as pd

        dropped = self.found.panel.dropped
        return pd.Timestamp(dropped[0]).date() if len(dropped) else None


def relative(estimate: Estimate) -> Estimate:
    """An estimate of logarithms as a relative change."""
    value, low, high = (float(np.expm1(one)) for one in (estimate.value, estimate.ci_lower, estimate.ci_upper))
    return replace(estimate, value=value, se=estimate.se * (1 + value), ci_lower=low, ci_upper=high, unit="share")


def _shares(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{name: np.expm1(frame[name]) for name in _LOGS if name in frame})


def launch_effect(
    warehouse: Warehouse, launch: Launch, metric: Metric, setting: Setting, *, as_of: str | None
) -> LaunchEffect:
    """The effect on one metric.

    Raises
    ------
    NotEnoughData
        Too few markets, waves or weeks, or nobody left to compare with.
    UnknownName, ContractError
        There is no such country factor.
    InvalidValue, SourceError
        As ``metrics.query``.
    """
    weeks = market_weeks(
        warehouse, launch, metric.name, weeks_before=setting.weeks_before, as_of=as_of,
        without_campaigns=setting.campaign_days == "leave_out",
    )  # fmt: skip
    frame, moderator = weeks.frame, None
    if setting.depends_on:
        moderator = setting.depends_on
        factor = factor_of(warehouse, moderator, launch.until)
        missing = sorted(set(frame["country"]) - set(factor.dropna().index))
        if missing:
            raise NotEnoughData(f"{moderator} of {', '.join(missing)} is not known")
        frame = frame.assign(**{moderator: frame["country"].map(factor)})
    found = rollout(
        frame, outcome="outcome", unit="country", time="week", first_treated="first_live",
        first_affected="first_affected", noise="noise", moderator=moderator, settled=setting.learning_weeks,
        level=setting.level,
    )  # fmt: skip
    return LaunchEffect(metric, found, weeks)


def factor_of(warehouse: Warehouse, name: str, until: date) -> pd.Series:
    """A country factor by market, as of the last month that is known.

    Raises
    ------
    ContractError
        The source has no country factors.
    UnknownName
        It has no such factor.
    """
    import pandas as pd

    table = warehouse.table("country_factors")
    known = [column for column in table.columns if column not in ("country", "month")]
    if name not in known:
        raise unknown("factor", name, known, f"the country factors of source '{warehouse.name}'")
    if not {"country", "month"} <= set(table.columns):
        raise ContractError(f"source '{warehouse.name}': country_factors lacks country or month.")
    rows = warehouse.query(table.select("country", "month", name))
    rows = rows[pd.to_datetime(rows["month"]) <= pd.Timestamp(until)].sort_values("month")
    return rows.groupby("country")[name].last().astype(float)
