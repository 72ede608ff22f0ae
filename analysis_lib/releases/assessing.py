"""``releases.assess``: from a platform and a version to its assessment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.metrics import query
from analysis_lib.metrics.asking import instant, last_whole_day
from analysis_lib.pipelines import mart
from analysis_lib.releases.adoption import adoption_by_class, adoption_by_day
from analysis_lib.releases.assessment import Assessment
from analysis_lib.releases.beside import look_beside
from analysis_lib.releases.estimating import Comparison, compare
from analysis_lib.releases.judging import concluded, judged, tolerated
from analysis_lib.releases.release import Release, find_release, require_releases
from analysis_lib.releases.visits import ALL, Visits, compared_visits, placebo_visits
from analysis_lib.releases.worth import Worth, worth_of

if TYPE_CHECKING:
    import ibis
    import pandas as pd

    from analysis_lib.warehouse import Warehouse


def assess(
    warehouse: Warehouse,
    platform: str,
    version: str,
    *,
    as_of: datetime | str | None = None,
    tolerances: Mapping[str, float] | None = None,
    level: float = 0.95,
    placebo: bool = True,
) -> Assessment:
    """Assess a version of the app: who has it, what it does, and whether to go on.

    Visits on the version are compared with visits of the same day on the version before, by users with the same system,
    as active, as quick to take up the version before, and of the same market; the difference that the same users had
    before the release is taken off. So it does not matter who installs first, as long as what sets these users apart
    does not change with the days.

    Parameters
    ----------
    warehouse : Warehouse
        An open source with marts.
    platform, version : str
        One of its releases, for example ``"android", "33.0"``.
    as_of : datetime or ISO text, optional
        UTC: assess it by the last day that was over then; by default by the end of the data.
    tolerances : mapping of str to float, optional
        Relative change of a metric that is still tolerated, in place of ``judging.TOLERANCES``.
    level : float
        Level of all intervals.
    placebo : bool
        Whether the same is done at an earlier time, when nobody had the version.

    Returns
    -------
    Assessment
        ``.decision``, ``.text``, ``.to_frame()``, ``.exhibit(name)``, ``.plot()``.

    Raises
    ------
    UnknownName
        A platform, version or metric that does not exist; the message names the nearest.
    InvalidValue
        A level or a tolerance that makes no sense.
    NotEnoughData
        Nobody has the version yet, none came before it, or no day has comparable visits on both.
    SourceError, ContractError
        The source cannot be read, or lacks what is needed.

    Examples
    --------
    >>> found = releases.assess(wh, "android", "33.0")  # doctest: +SKIP
    >>> found.decision.action  # doctest: +SKIP
    'Roll back'
    """
    if not 0.5 <= level < 1:
        raise InvalidValue(f"level={level}: a share from 0.5 to below 1 is needed, for example 0.95.")
    require_releases(warehouse)
    limits, until = tolerated(tolerances), _until(warehouse, as_of)
    release, table = find_release(warehouse, platform, version, until=until), mart(warehouse, "sessions")
    visits = compared_visits(table, release, warehouse.query)
    comparison = _compared(visits, release)
    looks = judged(comparison.looks, limits, level=level, is_over=release.is_over(until))
    early = _placebo(table, release, warehouse) if placebo else None
    fake = concluded(judged(early.looks, limits, level=level, is_over=True)) if early is not None else None
    last = concluded(looks)
    return Assessment(
        release=release, until=until, level=level, tolerances=limits, comparison=comparison, looks=looks, last=last,
        placebo=None if fake is None else fake[fake["system"] == ALL],
        adoption=adoption_by_day(warehouse, release), adopters=adoption_by_class(comparison.cells),
        beside=look_beside(warehouse, release, visits, comparison.cells), n_other=visits.n_other,
        worth=_worth(warehouse, release, comparison, last, level),
    )  # fmt: skip


def _until(warehouse: Warehouse, as_of: datetime | str | None) -> date:
    """The last day that is read."""
    import pandas as pd

    table = mart(warehouse, "release_adoption")
    last = warehouse.query(table.agg(last=table.day.max()))["last"].iloc[0]
    if pd.isna(last):
        raise NotEnoughData(f"source '{warehouse.name}' has no visits.")
    last, moment = pd.Timestamp(last).date(), instant(as_of)
    return last if moment is None else min(last, last_whole_day(moment))


def _compared(visits: Visits, release: Release) -> Comparison:
    try:
        return compare(visits)
    except NotEnoughData as error:
        raise NotEnoughData(f"{release.name} cannot be compared with {release.before}: {error}") from error


def _placebo(table: ibis.Table, release: Release, warehouse: Warehouse) -> Comparison | None:
    """The comparison moved back by as many weeks as it lasts; None where too little can be compared."""
    shift = 7 * -(-release.days // 7)
    try:
        return compare(placebo_visits(table, release, warehouse.query, shift=shift))
    except NotEnoughData:
        return None


def _worth(warehouse: Warehouse, release: Release, comparison: Comparison, last: pd.DataFrame, level: float) -> Worth:
    sold = query(warehouse, "gmv", grain="total", start=release.first, end=release.last).to_frame()["gmv"].iloc[0]
    adoption = mart(warehouse, "release_adoption")
    adoption = adoption.filter(adoption.day.between(release.first, release.last))
    on_platform = (adoption.platform == release.platform).cast("int64")
    counts = adoption.agg(paid=adoption.n_sessions_paid.sum(), visits=(adoption.n_sessions * on_platform).sum())
    row = warehouse.query(counts).iloc[0]
    return worth_of(comparison, last, level=level, days=release.days, platform_visits=float(row["visits"]),
                    money_per_paid_visit=float(sold) / float(row["paid"]) if row["paid"] else float("nan"))  # fmt: skip
