"""Who is compared with whom by growth: the targeted against how the untargeted changed from their own past."""

from __future__ import annotations

import pandas as pd

from analysis_lib.campaigns.comparison import BUYERS, OTHERS_WHOLE, outcomes
from analysis_lib.causal import AdjustedDifference, proportional_difference
from analysis_lib.errors import NotEnoughData

#: Each outcome of a window, and the same before it.
BEFORE = {
    "promoted_during": "promoted_before", "other_during": "other_before", "after": "all_before",
    "returned": "returned_before",
}  # fmt: skip

#: Other campaigns a day by which the groups may come to differ more than they did before.
MOST_OTHERS = 0.1


def by_growth(frame: pd.DataFrame, level: float, unit: str) -> AdjustedDifference:
    """Effects in the window of a frame from ``comparison.frame_at``, the targeted growing as the untargeted did.

    Raises
    ------
    NotEnoughData
        If other campaigns came to reach one group more than before, or too few of the untargeted bought.
    """
    _refuse_other_campaigns(frame)
    pairs = {name: BEFORE[name] for name in outcomes(frame) if name != "total"}
    return proportional_difference(
        frame, outcomes=pairs, treated="treated", total="total", level=level, unit=unit, counts=BUYERS
    )


def _refuse_other_campaigns(frame: pd.DataFrame) -> None:
    change = (frame[OTHERS_WHOLE] - frame["others_before"]).mul(frame[BUYERS]).groupby(frame["treated"]).sum()
    change = change / frame[BUYERS].groupby(frame["treated"]).sum()
    if abs(change.get(1.0, 0.0) - change.get(0.0, 0.0)) > MOST_OTHERS:
        raise NotEnoughData(
            "other campaigns reached the targeted and the untargeted in another proportion than before, so that "
            "how the untargeted grew does not show how the targeted would have"
        )
