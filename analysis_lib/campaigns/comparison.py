"""Who is compared with whom: one row a buyer, with history, outcomes and other campaigns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.campaigns.cells import Panel, days_between
from analysis_lib.campaigns.exposed import Exposure, Reached
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

#: How many alike buyers a row stands for.
BUYERS = "buyers"

#: Received in the same days and so not part of what this campaign did; adjusted for, not balanced.
OTHERS_DURING = "others_during"

#: The same, the weeks after counted in.
OTHERS_WHOLE = "others_whole"

#: What the net is the sum of; ``returned`` where the source tells what became of orders.
PARTS = ("promoted_during", "other_during", "after", "returned")


def outcomes(frame: pd.DataFrame) -> list[str]:
    """Outcomes that a frame of buyers has, the total last."""
    return [name for name in (*PARTS, "total") if name in frame]


def exposure(targets: pd.DataFrame, panel: Panel, windows: Windows) -> Exposure:
    """Targets of the market's campaigns, matched to the panel's buyers."""
    rows = targets[(targets["country"] == windows.campaign.country)]
    rows = days_between(rows, windows.campaign.starts_on)
    rows = rows.assign(position=panel.users.get_indexer(rows["user_id"]), is_holdout=rows["is_holdout"].astype(bool))
    return Exposure(rows, len(panel.users))


def frame_at(
    panel: Panel, reached: Reached, windows: Windows, group: str, start: int, weeks_before: int
) -> pd.DataFrame:
    """One row a buyer for a window of the campaign's length that starts in week ``start``.

    Parameters
    ----------
    panel : Panel
        Spending by buyer and week.
    reached : Reached
        What reached each buyer.
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
        treated (0, 1), buyers (1: rows of alike buyers, as ``alike_at`` makes them, stand for more), the columns of
        ``HISTORY`` (money per week, shares), others_during and others_whole (campaigns a day), other_before,
        all_before and returned_before (money per week), and the outcomes of the panel (money over the window).
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
            "treated": reached.treated(group),
            BUYERS: 1.0,
            **history(weeks),
            **before,
            "others_before": reached.others(group, first_day - 7 * weeks_before, first_day),
            OTHERS_DURING: reached.others(group, first_day, end),
            OTHERS_WHOLE: reached.others(group, first_day, end + 7 * windows.weeks_after),
            **parts,
            "total": sum(parts.values()),
        }
    )


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Buyers in a window, those alike in everything taken together.

    Attributes
    ----------
    frame : pandas.DataFrame
        As ``frame_at`` has it, ``buyers`` saying how many a row stands for.
    place : numpy.ndarray
        Row of the frame in which each buyer of the panel is.
    one_of : numpy.ndarray
        A buyer of each row.
    """

    frame: pd.DataFrame
    place: np.ndarray
    one_of: np.ndarray


def alike_at(
    panel: Panel,
    reached: Reached,
    windows: Windows,
    group: str,
    start: int,
    weeks_before: int,
    *,
    until: int | None = None,
) -> Alike:
    """``frame_at`` with one row for all who bought nothing in its weeks and whom the same campaigns reached.

    Most buyers buy nothing for months, and so are alike in every column.

    Parameters
    ----------
    until : int
        Week before which they bought nothing either, if that is later than the window's end.
    """
    first, last = start - weeks_before, start + windows.weeks_touched
    bought = panel.bought(first, last if until is None else max(last, until))
    busy, idle = np.flatnonzero(bought), np.flatnonzero(~bought)
    pattern = reached.pattern[idle]
    n_alike = np.bincount(pattern, minlength=len(reached.combinations))
    kinds = np.flatnonzero(n_alike)
    one_of, kind = np.zeros((2, len(n_alike)), dtype=np.int64)
    one_of[pattern], kind[kinds] = idle, np.arange(len(kinds))
    rows = np.concatenate([busy, one_of[kinds]])
    frame = frame_at(panel.part(rows, first, last), reached.part(rows), windows, group, start, weeks_before)
    place = np.empty(len(bought), dtype=np.int64)
    place[busy], place[idle] = np.arange(len(busy)), len(busy) + kind[pattern]
    return Alike(frame.assign(**{BUYERS: np.concatenate([np.ones(len(busy)), n_alike[kinds]])}), place, rows)


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
    return entropy_balance(frame, treated="treated", covariates=list(HISTORY), counts=BUYERS)


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
        unit=unit, counts=BUYERS,
    )  # fmt: skip


def by_history(frame: pd.DataFrame, level: float, unit: str) -> AdjustedDifference:
    """Effects in the window of a frame from ``alike_at``, the groups' history made alike."""
    return compare(frame, comparable(frame).weights, level=level, unit=unit)
