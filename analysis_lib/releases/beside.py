"""What else went on while a version spread: campaigns, experiments, and what the difference is without them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.pipelines import mart
from analysis_lib.releases.estimating import rate_differences
from analysis_lib.releases.people import RATES
from analysis_lib.releases.release import Release
from analysis_lib.releases.visits import Visits
from analysis_lib.releases.weighting import weighted

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """What ran in the same days.

    Attributes
    ----------
    campaigns : pandas.DataFrame
        name, markets (how many), starts_on, ends_on: one row per campaign.
    experiments : pandas.DataFrame
        name, share_new, share_before (of users in an arm that is not control, by version), pvalue (that both are the
        same): one row per experiment on users.
    without_campaigns : dict of str to float
        Differences of the rates with the market-days of campaigns left out; empty where there is no campaign, or
        nothing is left.
    share_left : float
        Share of the visits on the new version that is left then.
    """

    campaigns: pd.DataFrame
    experiments: pd.DataFrame
    without_campaigns: dict[str, float]
    share_left: float


def look_beside(warehouse: Warehouse, release: Release, visits: Visits, cells: pd.DataFrame) -> Beside:
    """What ran while two versions were compared. A source without campaigns or experiments has none."""
    campaigns = _campaigns(warehouse, release)
    without, left = _without(cells, campaigns, release)
    names = ["name", "markets", "starts_on", "ends_on"]
    shown = campaigns.groupby(["campaign_id", "name"], sort=False).agg(
        markets=("country", "nunique"), starts_on=("starts_on", "min"), ends_on=("ends_on", "max")
    )
    shown = shown.reset_index().sort_values(["starts_on", "name"], ignore_index=True)
    return Beside(shown[names], _experiments(warehouse, visits), without, left)


def _campaigns(warehouse: Warehouse, release: Release) -> pd.DataFrame:
    import pandas as pd

    columns = ["campaign_id", "name", "country", "starts_on", "ends_on"]
    if not warehouse.has("campaigns", *columns):
        return pd.DataFrame(columns=columns)
    rows = warehouse.query(warehouse.table("campaigns").select(*columns))
    rows = rows.assign(**{name: pd.to_datetime(rows[name]).dt.date for name in ("starts_on", "ends_on")})
    return rows[(rows["starts_on"] <= release.last) & (rows["ends_on"] >= release.first)].reset_index(drop=True)


def _without(cells: pd.DataFrame, campaigns: pd.DataFrame, release: Release) -> tuple[dict[str, float], float]:
    """Differences without the market-days of campaigns, and the share of visits that is left."""
    new = cells["is_new"]
    if campaigns.empty:
        return {}, 1.0
    busy = set().union(*(_market_days(row, release) for row in campaigns.itertuples()))
    kept = cells[[key not in busy for key in zip(cells["country"], cells["day"], strict=True)]]
    left = float(kept.loc[kept["is_new"], "n"].sum() / cells.loc[new, "n"].sum())
    if kept.empty:
        return {}, left
    again = weighted(kept.drop(columns="weight"))
    again = again[again["weight"] != 0]
    return ({} if again.empty else rate_differences(again)), left


def _market_days(row: object, release: Release) -> set[tuple[str, date]]:
    first, last = max(row.starts_on, release.first), min(row.ends_on, release.last)
    return {(row.country, release.first.fromordinal(day)) for day in range(first.toordinal(), last.toordinal() + 1)}


def _experiments(warehouse: Warehouse, visits: Visits) -> pd.DataFrame:
    """Whether users on both versions were in the same arms of the experiments that ran."""
    import pandas as pd
    from scipy.stats import chi2_contingency

    columns = ["name", "share_new", "share_before", "pvalue"]
    if not warehouse.has("exposures"):
        return pd.DataFrame(columns=columns)
    units = mart(warehouse, "experiment_units")
    table = visits.table.select("user_id", "day", "is_new")
    table = table.inner_join(units.filter(units.unit == "user"), [table.user_id == units.unit_id])
    table = table.filter(table.exposed_day <= table.day)
    counts = warehouse.query(table.group_by("experiment_id", "variant", "is_new").agg(n=table.user_id.nunique()))
    rows = []
    for name, own in counts.groupby("experiment_id"):
        grid = own.pivot_table(index="variant", columns="is_new", values="n", fill_value=0.0)
        if grid.shape[0] < 2 or grid.shape[1] < 2 or grid.to_numpy().sum() < 100:
            continue
        sides = [grid[side] / grid[side].sum() for side in (True, False)]
        control = next((arm for arm in grid.index if str(arm).lower().startswith("control")), grid.index[0])
        rows.append((name, *(1 - float(side[control]) for side in sides), float(chi2_contingency(grid)[1])))
    return pd.DataFrame(rows, columns=columns)


def other_ways(cells: pd.DataFrame) -> pd.DataFrame:
    """The same difference by simpler ways, none of which is to be believed by itself.

    Returns
    -------
    DataFrame
        way and the rates: all visits of both versions; the same day and kind of user; and, what this page uses, less
        what the same users did before.
    """
    import pandas as pd

    kept = cells[cells["weight"] != 0]
    plain = {name: _pooled(cells, name, True) - _pooled(cells, name, False) for name in RATES}
    day = {name: _weighted(kept, name) for name in RATES}
    rows = [("all visits, as they come", plain), ("same day, same kind of user", day),
            ("and less what they did before", rate_differences(kept))]  # fmt: skip
    return pd.DataFrame([{"way": way, **found} for way, found in rows])


def _pooled(cells: pd.DataFrame, name: str, is_new: bool) -> float:
    own = cells[cells["is_new"] == is_new]
    return float(own[name].sum() / own["n"].sum()) if len(own) else np.nan


def _weighted(kept: pd.DataFrame, name: str) -> float:
    sides = []
    for is_new in (True, False):
        own = kept[kept["is_new"] == is_new]
        sides.append(float((own["weight"].abs() * own[name]).sum() / (own["weight"].abs() * own["n"]).sum()))
    return sides[0] - sides[1]
