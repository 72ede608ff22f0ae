"""Who is compared with whom by growth: the targeted against how the untargeted changed from their own past."""

from __future__ import annotations

import pandas as pd

from analysis_lib.campaigns.cells import Panel
from analysis_lib.campaigns.comparison import Exposure, frame_at, outcomes
from analysis_lib.campaigns.windows import Windows
from analysis_lib.causal import AdjustedDifference, proportional_difference
from analysis_lib.errors import NotEnoughData

#: Each outcome of a window, and the same before it.
BEFORE = {
    "promoted_during": "promoted_before", "other_during": "other_before", "after": "all_before",
    "returned": "returned_before",
}  # fmt: skip

#: Other campaigns a day by which the groups may come to differ more than they did before.
MOST_OTHERS = 0.1


def by_growth(
    panel: Panel, seen: Exposure, windows: Windows, group: str, start: int, level: float
) -> AdjustedDifference:
    """Effects in a window that starts in week ``start``, the targeted growing as the untargeted did.

    Raises
    ------
    NotEnoughData
        If other campaigns came to reach one group more than before, or too few of the untargeted bought.
    """
    frame = growth_at(panel, seen, windows, group, start)
    pairs = {name: BEFORE[name] for name in outcomes(panel) if name != "total"}
    return proportional_difference(
        frame, outcomes=pairs, treated="treated", total="total", level=level, unit=windows.campaign.currency
    )


def growth_at(panel: Panel, seen: Exposure, windows: Windows, group: str, start: int) -> pd.DataFrame:
    """One row a buyer for a window that starts in week ``start``.

    Returns
    -------
    pandas.DataFrame
        treated (0, 1), the outcomes of the panel (money over the window), and the columns of ``BEFORE`` (a week).
    """
    first = start - windows.weeks_before
    frame = frame_at(panel, seen, windows, group, start, windows.weeks_before)
    _refuse_other_campaigns(panel, seen, windows, group, start, frame)
    spent = panel.weekly(first, start).mean(axis=1)
    before = {"all_before": spent, "other_before": spent - frame["promoted_before"]}
    if panel.lost is not None:
        before["returned_before"] = -panel.weekly(first, start, panel.lost).mean(axis=1)
    return frame[["treated", "promoted_before", *outcomes(panel)]].assign(**before)


def _refuse_other_campaigns(
    panel: Panel, seen: Exposure, windows: Windows, group: str, start: int, frame: pd.DataFrame
) -> None:
    first = 7 * start
    now = seen.others(group, len(panel.users), first, first + panel.n_days + 7 * windows.weeks_after)
    change = pd.Series(now - frame["others_before"].to_numpy()).groupby(frame["treated"].to_numpy()).mean()
    if abs(change.get(1.0, 0.0) - change.get(0.0, 0.0)) > MOST_OTHERS:
        raise NotEnoughData(
            "other campaigns reached the targeted and the untargeted in another proportion than before, so that "
            "how the untargeted grew does not show how the targeted would have"
        )
