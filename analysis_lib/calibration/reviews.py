"""The grade of ``campaigns.review``: small worlds with the campaigns, and the same worlds in which they do nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis_lib import campaigns, world
from analysis_lib.calibration.scoring import DRAWS
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData
from analysis_lib.warehouse import connect

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

HOW = (
    "Small worlds (a third of the marketplace each) are built from different seeds, and campaigns that were aimed at"
    " some users and not at others are reviewed in their larger markets. The truth is what the world holds with the"
    " campaign less what it holds without it. In the worlds without effect the same campaigns are run, targeted and"
    " redeemed, and change nothing."
)

#: Size of a world.
SCALE = 0.3

#: Campaigns with users who were not targeted and half a year of history before them.
REVIEWED = {
    "ramadan_2025": ("ID", "MY"),
    "back_to_school_2025": ("US",),
    "black_friday_2025": ("US", "GB"),
    "double_twelve_2025": ("ID", "PH"),
    "ramadan_2026": ("ID",),
    "britain_summer_2026": ("GB",),
}

#: What makes a campaign change nothing.
NOTHING = {"visits": 0.0, "cart": 0.0, "switch": 0.0, "pull": 0.0}

#: As the book's own reviews: history and aftermath, in weeks; the truth looks at 28 days after a campaign too.
WEEKS = {"weeks_before": 16, "weeks_after": 4}


@dataclass(frozen=True, slots=True)
class Case:
    """One campaign in one market."""

    campaign: str
    country: str


def simulate(worlds: int, draws: int, seed: int, progress: Callable[[str], None]) -> pd.DataFrame:
    """Reviews of every campaign in every world, with effects and without.

    Parameters
    ----------
    worlds : int
        Seeds.
    draws : int
        Campaigns in markets reviewed in each world, at most.

    Returns
    -------
    DataFrame
        Columns ``scoring.DRAWS``.
    """
    import pandas as pd

    cases = [Case(name, country) for name, places in REVIEWED.items() for country in places][:draws]
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory(prefix="shopbook-worlds-") as folder:
        for number in range(seed, seed + worlds):
            for scenario, settings in _scenarios(cases):
                progress(f"world {number - seed + 1} of {worlds}, {scenario}")
                path = world.build(Path(folder) / "world.duckdb", seed=number, scale=SCALE, settings=settings)
                rows += _reviewed(path, cases, scenario, number)
    return pd.DataFrame(rows, columns=list(DRAWS))


def _scenarios(cases: list[Case]) -> list[tuple[str, dict | None]]:
    nothing = {"campaigns": {case.campaign: NOTHING for case in cases}}
    return [("with their effects", None), ("without any effect", nothing)]


def _reviewed(path: Path, cases: list[Case], scenario: str, number: int) -> Iterator[tuple[object, ...]]:
    truth = world.truth(path, plants=[f"campaign:{name}" for name in {case.campaign: None for case in cases}])
    net = truth[truth["metric"] == "net_incremental_gmv"].set_index(["entity", "country"])["value"]
    with connect(path) as warehouse:
        for case in cases:
            true = float(net.get((case.campaign, case.country), 0.0))
            value, low, high = _review(warehouse, case)
            yield scenario, "net incremental GMV", number, value, low, high, true, value != value


def _review(warehouse: Warehouse, case: Case) -> tuple[float, float, float]:
    """Net incremental GMV in dollars with its interval; missing where the review refuses."""
    try:
        found = campaigns.review(warehouse, case.campaign, country=case.country, **WEEKS)
        net = found.net_incremental_gmv
    except (NotEnoughData, InvalidValue, ContractError):
        return (float("nan"),) * 3
    rate = _usd_per_unit(warehouse, found)
    return net.value * rate, net.ci_lower * rate, net.ci_upper * rate


def _usd_per_unit(warehouse: Warehouse, found: campaigns.CampaignReview) -> float:
    """The mean rate of the days that the review looks at."""
    rates = warehouse.table("fx_rates")
    code, first = found.campaign.currency.upper(), found.campaign.starts_on
    if code == "USD":
        return 1.0
    own = rates.filter(rates.currency == code, rates.day.between(first, found.windows.last_day))
    return float(warehouse.query(own.usd_per_unit.mean()))
