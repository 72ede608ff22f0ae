"""Whom a campaign reached: from targeted to redeemed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_lib.campaigns.cells import Panel
from analysis_lib.campaigns.windows import Windows
from analysis_lib.results import Result, format_count, format_percent


@dataclass(frozen=True, slots=True, eq=False)
class Reach(Result):
    """The funnel of the targeted buyers.

    Attributes
    ----------
    steps : pandas.DataFrame
        step, n_users, share_of_targeted (0 to 1), share_of_previous (0 to 1).
    """

    steps: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """The funnel."""
        return self.steps.copy()

    @property
    def text(self) -> str:
        """First and last step."""
        first, last = self.steps.iloc[0], self.steps.iloc[-1]
        return (
            f"{format_count(first['n_users'])} buyers were targeted; "
            f"{format_percent(last['share_of_targeted'])} of them redeemed a coupon."
        )


def reach(panel: Panel, treated: np.ndarray, redeemers: pd.Index, windows: Windows, n_targeted: int) -> Reach:
    """Targeted, known, active before, bought, bought a promoted product, redeemed.

    Parameters
    ----------
    panel : Panel
        Spending of the known buyers.
    treated : numpy.ndarray
        1 for targeted buyers in the panel.
    redeemers : pandas.Index
        Buyers who redeemed a coupon of the campaign.
    windows : Windows
        Windows of the review.
    n_targeted : int
        All targeted buyers, known before or not.
    """
    mine = treated == 1
    before = panel.weekly(-windows.weeks_before, 0).sum(axis=1) > 0
    promoted = panel.during(0, panel.promoted) > 0
    bought = promoted | (panel.during(0, panel.other) > 0)
    redeemed = panel.users.get_indexer(redeemers)
    counts = {
        "targeted": n_targeted,
        f"bought in the {windows.weeks_before} weeks before": int((mine & before).sum()),
        "bought during the campaign": int((mine & bought).sum()),
        "bought a promoted product": int((mine & promoted).sum()),
        "redeemed a coupon": int(mine[redeemed[redeemed >= 0]].sum()),
    }
    return funnel(counts)


def funnel(counts: Mapping[str, int]) -> Reach:
    """The funnel from its counts, the largest first."""
    numbers = pd.Series(list(counts.values()), dtype="int64")
    return Reach(
        pd.DataFrame(
            {
                "step": list(counts),
                "n_users": numbers,
                "share_of_targeted": numbers / numbers.iloc[0],
                "share_of_previous": (numbers / numbers.shift(1).fillna(numbers.iloc[0]).replace(0, np.nan)),
            }
        )
    )
