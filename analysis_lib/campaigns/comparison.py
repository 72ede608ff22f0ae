"""Who is compared with whom: one row a buyer, with history, outcomes and other campaigns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from analysis_lib.campaigns.cells import Panel, days_between
from analysis_lib.campaigns.windows import Windows
from analysis_lib.causal import AdjustedDifference, BalancingWeights, adjusted_difference, entropy_balance
from analysis_lib.errors import NotEnoughData

#: Fewer (effectively) comparable buyers leave no interval worth printing.
FEWEST_EFFECTIVE = 30

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

#: The same, the weeks after counted in.
OTHERS_WHOLE = "others_whole"

#: What the net is the sum of; ``returned`` where the source tells what became of orders.
PARTS = ("promoted_during", "other_during", "after", "returned")


def outcomes(frame: pd.DataFrame) -> list[str]:
    """Outcomes that a frame of buyers has, the total last."""
    return [name for name in (*PARTS, "total") if name in frame]


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """Which campaigns each buyer was targeted by, in days from the reviewed campaign's start.

    Attributes
    ----------
    rows : pandas.DataFrame
        campaign_id, user_id, is_holdout, position (row in the panel, −1: not known before), first, last (days).
    runs : pandas.DataFrame
        campaign_id, first, last; campaigns by the days they ran.
    reached : scipy.sparse.csr_array
        How often each run reached each buyer of the panel; shape (buyers up to the last reached, runs).
    """

    rows: pd.DataFrame
    runs: pd.DataFrame = field(init=False)
    reached: csr_array = field(init=False)

    def __post_init__(self) -> None:
        known = self.rows[(self.rows["position"] >= 0) & ~self.rows["is_holdout"]]
        by_run = known.groupby(["campaign_id", "first", "last"], sort=False)
        run, position = by_run.ngroup().to_numpy(), known["position"].to_numpy()
        runs = by_run.size().reset_index()[["campaign_id", "first", "last"]]
        shape = (int(position.max(initial=-1)) + 1, len(runs))
        # Worked out once: other campaigns are asked for in every placebo window.
        object.__setattr__(self, "runs", runs)
        object.__setattr__(self, "reached", csr_array((np.ones(len(run)), (position, run)), shape=shape))

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
        days = np.minimum(self.runs["last"] + 1, end) - np.maximum(self.runs["first"], start)
        days = days.clip(lower=0).where(self.runs["campaign_id"] != campaign_id, 0).to_numpy(dtype=float)
        found = np.zeros(n_users)
        found[: self.reached.shape[0]] = self.reached @ days / (end - start)
        return found


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
        treated (0, 1), the columns of ``HISTORY`` (money per week, shares), others_during and others_whole (campaigns
        a day), other_before, all_before and returned_before (money per week), and the outcomes of the panel (money
        over the window).
    """
    first, n_users, first_day = start - weeks_before, len(panel.users), 7 * start
    weeks, promoted_weeks = panel.weekly(first, start), panel.weekly(first, start, panel.promoted)
    promoted, other = panel.during(start, panel.promoted), panel.during(start, panel.other)
    after = panel.after(start, windows.weeks_after) if windows.weeks_after else np.zeros(n_users)
    end = first_day + panel.n_days
    parts = {"promoted_during": promoted, "other_during": other, "after": after}
    before = {"promoted_before": promoted_weeks.mean(axis=1), "all_before": weeks.mean(axis=1)}
    before["other_before"] = before["all_before"] - before["promoted_before"]
    if panel.lost is not None:
        lost_after = panel.after(start, windows.weeks_after, panel.lost) if windows.weeks_after else 0.0
        parts["returned"] = -(panel.during(start, panel.lost) + lost_after)
        before["returned_before"] = -panel.weekly(first, start, panel.lost).mean(axis=1)
    return pd.DataFrame(
        {
            "treated": seen.treated(group, n_users),
            **history(weeks),
            **before,
            "others_before": seen.others(group, n_users, first_day - 7 * weeks_before, first_day),
            OTHERS_DURING: seen.others(group, n_users, first_day, end),
            OTHERS_WHOLE: seen.others(group, n_users, first_day, end + 7 * windows.weeks_after),
            **parts,
            "total": sum(parts.values()),
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


def comparable(frame: pd.DataFrame) -> BalancingWeights:
    """The weights, if they leave enough untargeted buyers to compare with.

    Raises
    ------
    NotEnoughData
        They count as fewer than ``FEWEST_EFFECTIVE``.
    """
    weights = balance(frame)
    if weights.effective_n < FEWEST_EFFECTIVE:
        raise NotEnoughData(
            f"the untargeted buyers are so unlike the targeted that they count as {weights.effective_n:.0f} "
            f"(at least {FEWEST_EFFECTIVE} are needed)"
        )
    return weights


def compare(frame: pd.DataFrame, weights: np.ndarray, *, level: float, unit: str) -> AdjustedDifference:
    """Effects on all outcomes from one design."""
    covariates = [*HISTORY, OTHERS_DURING]
    return adjusted_difference(
        frame, outcomes=outcomes(frame), treated="treated", covariates=covariates, weights=weights, level=level,
        unit=unit,
    )  # fmt: skip


def by_history(frame: pd.DataFrame, level: float, unit: str) -> AdjustedDifference:
    """Effects in the window of a frame from ``frame_at``, the groups' history made alike."""
    return compare(frame, comparable(frame).weights, level=level, unit=unit)
