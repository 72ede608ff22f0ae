"""Who is compared with whom: one row a buyer, with history, outcomes and other campaigns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.campaigns.cells import Panel, days_between
from analysis_lib.campaigns.windows import Windows
from analysis_lib.causal import AdjustedDifference, BalancingWeights, adjusted_difference, entropy_balance

#: What the weights balance, in the words of the page.
HISTORY = {
    "recent": "spending, last 4 weeks",
    "earlier": "spending, weeks 5 to 12 before",
    "oldest": "spending, longer ago",
    "log_mean": "spending, whole period (log)",
    "active_share": "share of weeks with a purchase",
    "active_recent": "share of the last 4 weeks with a purchase",
    "promoted_before": "spending on the promoted products",
    "others_before": "other campaigns received before",
}

#: Received in the same days and so not part of what this campaign did; adjusted for, not balanced.
OTHERS_DURING = "others_during"

OUTCOMES = ("promoted_during", "other_during", "after", "total")


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """Which campaigns each buyer was targeted by, in days from the reviewed campaign's start.

    Attributes
    ----------
    rows : pandas.DataFrame
        campaign_id, user_id, is_holdout, position (row in the panel, −1: not known before), first, last (days).
    """

    rows: pd.DataFrame

    def n_targeted(self, campaign_id: str) -> int:
        """Targeted and not held out, known before the campaign or not."""
        mine = self.rows[(self.rows["campaign_id"] == campaign_id) & ~self.rows["is_holdout"]]
        return int(mine["user_id"].nunique())

    @property
    def known(self) -> pd.DataFrame:
        """Rows of buyers that are in the panel."""
        return self.rows[self.rows["position"] >= 0]

    def treated(self, campaign_id: str, n_users: int) -> np.ndarray:
        """1 for buyers that the campaign targeted and did not hold out."""
        flag = np.zeros(n_users)
        rows = self.known
        mine = rows[(rows["campaign_id"] == campaign_id) & ~rows["is_holdout"]]
        flag[mine["position"].to_numpy()] = 1.0
        return flag

    def others(self, campaign_id: str, n_users: int, start: int, end: int) -> np.ndarray:
        """Other campaigns running per day and buyer, on average over days ``start`` to ``end - 1``."""
        rows = self.known
        rows = rows[(rows["campaign_id"] != campaign_id) & ~rows["is_holdout"]]
        days = (np.minimum(rows["last"] + 1, end) - np.maximum(rows["first"], start)).clip(lower=0)
        total = np.zeros(n_users)
        np.add.at(total, rows["position"].to_numpy(), days.to_numpy(float))
        return total / (end - start)


def exposure(targets: pd.DataFrame, panel: Panel, windows: Windows) -> Exposure:
    """Targets of the market's campaigns, matched to the panel's buyers."""
    rows = targets[(targets["country"] == windows.campaign.country)]
    rows = days_between(rows, windows.campaign.starts_on)
    rows = rows.assign(position=panel.users.get_indexer(rows["user_id"]), is_holdout=rows["is_holdout"].astype(bool))
    return Exposure(rows)


def frame_at(panel: Panel, seen: Exposure, windows: Windows, group: str, start: int, weeks_before: int) -> pd.DataFrame:
    """One row a buyer for a window of the campaign's length that starts in week ``start``.

    Parameters
    ----------
    panel : Panel
        Spending by buyer and week.
    seen : Exposure
        Who was targeted by what.
    windows : Windows
        For the length of the aftermath.
    group : str
        Campaign whose targeted buyers count as treated (a placebo takes them at an earlier time).
    start : int
        First week of the window, 0 for the campaign itself.
    weeks_before : int
        Whole weeks of history.

    Returns
    -------
    pandas.DataFrame
        treated (0, 1), the columns of ``HISTORY`` (money per week, shares), others_during, and the
        outcomes promoted_during, other_during, after, total (money over the window).
    """
    weeks = panel.weekly(start - weeks_before, start)
    n_users, first_day = len(panel.users), 7 * start
    promoted, other = panel.during(start, panel.promoted), panel.during(start, panel.other)
    after = panel.after(start, windows.weeks_after) if windows.weeks_after else np.zeros(n_users)
    end = first_day + panel.n_days
    return pd.DataFrame(
        {
            "treated": seen.treated(group, n_users),
            **history(weeks),
            "promoted_before": panel.weekly(start - weeks_before, start, panel.promoted).mean(axis=1),
            "others_before": seen.others(group, n_users, first_day - 7 * weeks_before, first_day),
            OTHERS_DURING: seen.others(group, n_users, first_day, end),
            "promoted_during": promoted,
            "other_during": other,
            "after": after,
            "total": promoted + other + after,
        }
    )


def history(weeks: np.ndarray) -> dict[str, np.ndarray]:
    """Summaries of past spending; ``weeks`` has shape (users, weeks), newest last."""
    bought = weeks > 0
    earlier, longer = weeks[:, -12:-4], weeks[:, :-12]
    return {
        "recent": weeks[:, -4:].mean(axis=1),
        "earlier": earlier.mean(axis=1) if earlier.shape[1] else np.zeros(len(weeks)),
        "oldest": longer.mean(axis=1) if longer.shape[1] else np.zeros(len(weeks)),
        "log_mean": np.log1p(np.maximum(weeks.mean(axis=1), 0.0)),
        "active_share": bought.mean(axis=1),
        "active_recent": bought[:, -4:].mean(axis=1),
    }


def balance(frame: pd.DataFrame) -> BalancingWeights:
    """Weights that match the history of the untargeted to that of the targeted."""
    return entropy_balance(frame, treated="treated", covariates=list(HISTORY))


def compare(frame: pd.DataFrame, weights: np.ndarray, *, level: float, unit: str) -> AdjustedDifference:
    """Effects on all outcomes from one design."""
    covariates = [*HISTORY, OTHERS_DURING]
    return adjusted_difference(
        frame, outcomes=list(OUTCOMES), treated="treated", covariates=covariates, weights=weights, level=level,
        unit=unit,
    )  # fmt: skip
