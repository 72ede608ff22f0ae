"""``launches.review``: from a launch to what it does, where, and whether and where to go on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from analysis_lib import metrics
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.launches.effect import LaunchEffect, launch_effect
from analysis_lib.launches.launch import find_launch, require_launches
from analysis_lib.launches.proposal import propose
from analysis_lib.launches.result import LaunchReview
from analysis_lib.launches.setting import Setting, checked
from analysis_lib.launches.worth import SALES_DAYS, worth_of
from analysis_lib.metrics.asking import instant, last_whole_day
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.launches.launch import Launch
    from analysis_lib.warehouse import Warehouse


def review(
    warehouse: Warehouse, launch_id: str, *, metric: str | None = None, beside: Iterable[str] = ("return_rate",),
    as_of: datetime | str | None = None, level: float = 0.95, weeks_before: int = 40, learning_weeks: int = 6,
    depends_on: str | None = None, campaign_days: str = "leave_out", sure: float = 0.8,
) -> LaunchReview:  # fmt: skip
    """Review what goes live market by market.

    Each market's weeks live are compared with what its own past and the markets not yet live let expect; weeks between
    an announcement and the launch are neither before nor after. When all markets are live, weeks in which fewer than
    two were not yet are left out. Days on which a campaign of the market ran are left out of its weeks.

    Parameters
    ----------
    warehouse : Warehouse
        An open source with marts.
    launch_id : str
        One of its launches.
    metric : str, optional
        What it is judged by: a sum, a count, a ratio or a conversion; by default what it was hoped to move. A rate
        close to what was changed has far less noise than sales.
    beside : iterable of str
        Metrics that must not suffer.
    as_of : datetime or ISO text, optional
        UTC: review it by what was known then; by default by all data.
    level : float
        Level of all intervals.
    weeks_before : int
        Weeks that are read before it was first known.
    learning_weeks : int
        Weeks after going live in which the effect may still grow; the number is of the weeks after them.
    depends_on : str, optional
        One country factor, chosen beforehand, with which the effect may rise or fall from market to market.
    campaign_days : str
        ``leave_out`` or ``keep`` days on which a campaign of the market ran.
    sure : float
        Chance of a gain from which on a market is proposed.

    Returns
    -------
    LaunchReview
        ``.decision``, ``.text``, ``.table``, ``.exhibit(name)``, ``.plot()``; where nothing can be told, the reason.

    Raises
    ------
    UnknownName
        A launch, metric or factor that does not exist; the message names the nearest.
    InvalidValue
        A market has the launch twice; a setting that makes no sense; a metric whose cells do not add up.
    SourceError, ContractError
        The source cannot be read, or has no launches.

    Examples
    --------
    >>> launches.review(wh, "one_tap_checkout", as_of="2026-03-23 12:00").decision.action  # doctest: +SKIP
    'Ship'
    """
    require_launches(warehouse)
    until = _until(warehouse, as_of)
    launch = find_launch(warehouse, launch_id, until=until)
    registry = metrics.load_metrics(warehouse.project)
    if not (metric or launch.metric):
        raise InvalidValue(f"launch '{launch_id}' names no metric that it was hoped to move: say which, as metric=…")
    chosen, guards = registry.get(metric or launch.metric), [registry.get(name) for name in dict.fromkeys(beside)]
    setting = checked(
        Setting(chosen, tuple(one for one in guards if one != chosen), level, weeks_before, learning_weeks,
                depends_on or "", campaign_days, sure)
    )  # fmt: skip
    moment = None if as_of is None else str(instant(as_of))
    try:
        effect = _effect(warehouse, launch, setting, moment)
    except NotEnoughData as lack:
        return LaunchReview(launch, setting, None, str(lack), {}, None, None)
    worth = worth_of(effect, launch, _sales(warehouse, launch, moment), level=level)
    return LaunchReview(
        launch, setting, effect, "", _beside(warehouse, launch, setting, moment), worth,
        propose(effect, worth, launch, setting),
    )  # fmt: skip


def _effect(warehouse: Warehouse, launch: Launch, setting: Setting, moment: str | None) -> LaunchEffect:
    if not launch.live:
        raise NotEnoughData(f"it was not live anywhere by {launch.until:%-d %b %Y}")
    return launch_effect(warehouse, launch, setting.metric, setting, as_of=moment)


def _beside(
    warehouse: Warehouse, launch: Launch, setting: Setting, moment: str | None
) -> dict[str, LaunchEffect | str]:
    """Effects on the metrics beside it; where one cannot be told, why."""
    from dataclasses import replace

    found: dict[str, LaunchEffect | str] = {}
    for one in setting.beside:
        try:
            found[one.name] = launch_effect(warehouse, launch, one, replace(setting, depends_on=""), as_of=moment)
        except NotEnoughData as lack:
            found[one.name] = str(lack)
    return found


def _until(warehouse: Warehouse, as_of: datetime | str | None) -> date:
    """The last day that is read."""
    import pandas as pd

    table = mart(warehouse, "order_facts")
    row = warehouse.query(table.agg(first=table.day.min(), last=table.day.max())).iloc[0]
    if pd.isna(row["last"]):
        raise NotEnoughData(f"source '{warehouse.name}' has no orders.")
    first, last, moment = pd.Timestamp(row["first"]).date(), pd.Timestamp(row["last"]).date(), instant(as_of)
    until = last if moment is None else min(last, last_whole_day(moment))
    if until <= first:
        raise InvalidValue(f"as_of {moment} lies before the data, which begin on {first}: choose a later time.")
    return until


def _sales(warehouse: Warehouse, launch: Launch, moment: str | None) -> pd.Series:
    """USD sold in the last days, by market."""
    start = launch.until - timedelta(days=SALES_DAYS - 1)
    found = metrics.query(warehouse, "gmv", by="country", grain="total", start=start, end=launch.until, as_of=moment)
    return found.to_frame().set_index("country")["gmv"].astype(float)
