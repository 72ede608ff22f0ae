"""What the same money did in other campaigns: every campaign reviewed, and each drawn to what the others found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis_lib.campaigns.dollars import usd_per_unit
from analysis_lib.campaigns.league_result import ROWS, League
from analysis_lib.campaigns.review import review
from analysis_lib.causal import drawn_effects
from analysis_lib.config import LEVEL
from analysis_lib.errors import InvalidValue, NotEnoughData, unknown

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse

#: With fewer returns there is nothing to draw them to.
FEWEST = 3


def league(
    wh: Warehouse,
    *,
    campaigns: Iterable[str] | None = None,
    markets: str = "largest",
    weeks_before: int = 16,
    weeks_after: int = 4,
    margin: float = 0.25,
    level: float = LEVEL,
    progress: Callable[[str], None] | None = None,
) -> League:
    """Net additional sales per unit of cost of every campaign, with luck taken out.

    Each campaign is reviewed as on its own page. The best of many uncertain returns looks better than it is, so each
    is drawn to the mean of all by as much as it is uncertain: normal errors around a return that is normal among
    campaigns, whose spread is integrated over (evenly likely up to far beyond what is seen), so that intervals hold
    that it is hardly known.

    Parameters
    ----------
    wh : Warehouse
        From ``warehouse.connect``.
    campaigns : iterable of str, optional
        Some of them; default: all.
    markets : {"largest", "all"}
        Each in the market in which most was set aside for it, or in all of its markets.
    weeks_before, weeks_after, margin, level
        As in ``review``.
    progress : callable, optional
        Called with each campaign as it is begun.

    Raises
    ------
    UnknownName
        No such campaign.
    InvalidValue
        ``markets`` is something else.

    References
    ----------
    Rubin (1981), "Estimation in parallel randomized experiments", Journal of Educational Statistics 6(4). Morris
    (1983), "Parametric empirical Bayes inference: theory and applications", JASA 78(381).
    """
    if markets not in ("largest", "all"):
        raise InvalidValue(f"markets={markets!r}: 'largest' or 'all' is needed")
    rows = []
    for campaign, country in _asked(wh, campaigns, markets):
        if progress is not None:
            progress(f"{campaign} in {country}")
        rows.append(_row(wh, campaign, country, weeks_before, weeks_after, margin, level))
    frame, mean, spread = shrunken(pd.DataFrame(rows, columns=list(ROWS)), level)
    return League(rows=frame, mean=mean, spread=spread, source=wh.name, margin=margin, level=level)


def _asked(wh: Warehouse, chosen: Iterable[str] | None, markets: str) -> list[tuple[str, str]]:
    """Campaigns and markets, the earliest first."""
    table = wh.query(wh.table("campaigns"))
    if chosen is not None:
        known = set(table["campaign_id"].astype(str))
        for name in (wanted := list(chosen)):
            if str(name) not in known:
                raise unknown("campaign", str(name), sorted(known), f"source '{wh.name}'")
        table = table[table["campaign_id"].astype(str).isin([str(name) for name in wanted])]
    budget = table["budget_usd"] if "budget_usd" in table else pd.Series(0.0, index=table.index)
    table = table.assign(budget=budget.astype(float).fillna(0.0)).sort_values(
        ["budget", "country"], ascending=[False, True]
    )
    if markets == "largest":
        table = table.drop_duplicates("campaign_id")
    table = table.sort_values(["starts_on", "campaign_id", "country"])
    return [(str(row.campaign_id), str(row.country)) for row in table.itertuples()]


def _row(wh: Warehouse, campaign: str, country: str, before: int, after: int, margin: float, level: float) -> tuple:
    windows = {"weeks_before": before, "weeks_after": after}
    try:
        found = review(wh, campaign, country=country, margin=margin, level=level, details=False, **windows)
        per_cost = found.return_on_cost
        rate = usd_per_unit(wh, found.campaign.currency, (found.campaign.starts_on, found.campaign.ends_on))
    except (InvalidValue, NotEnoughData) as lack:
        about = wh.query(wh.table("campaigns").filter(lambda t: (t.campaign_id == campaign) & (t.country == country)))
        name, mechanic = str(about["name"].iloc[0]), str(about["mechanic"].iloc[0])
        return (campaign, name, country, mechanic, "", *(float("nan"),) * 7, str(lack))
    return (
        campaign, found.campaign.name, country, found.campaign.mechanic, found.effect.KIND, found.spent * rate,
        found.net_incremental_gmv.value * rate, per_cost.value, per_cost.se, per_cost.ci_lower, per_cost.ci_upper,
        found.setting.spend.creators, "",
    )  # fmt: skip


def shrunken(rows: pd.DataFrame, level: float) -> tuple[pd.DataFrame, tuple[float, float], float]:
    """Returns drawn to their mean.

    Returns
    -------
    tuple
        The rows with ``shrunk``, ``shrunk_ci_lower``, ``shrunk_ci_upper`` (missing where there is no return, or fewer
        than three of them); mean and its standard error; standard deviation of true returns between campaigns.
    """
    new = ["shrunk", "shrunk_ci_lower", "shrunk_ci_upper"]
    told = rows["value"].notna() & (rows["se"] > 0)
    if int(told.sum()) < FEWEST:
        return rows.assign(**dict.fromkeys(new, float("nan"))), (float("nan"),) * 2, float("nan")
    value, variance = rows.loc[told, "value"].to_numpy(float), np.square(rows.loc[told, "se"].to_numpy(float))
    drawn = drawn_effects(value, variance, level=level)
    columns = np.column_stack([drawn.value, drawn.ci_lower, drawn.ci_upper])
    return (
        rows.join(pd.DataFrame(columns, columns=new, index=rows.index[told])),
        (drawn.mean, drawn.mean_se),
        drawn.spread,
    )
