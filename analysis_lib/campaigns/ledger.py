"""Where the money went: rows that add up to what the campaign brought."""

from __future__ import annotations

import pandas as pd

from analysis_lib.results import Estimate

#: Which outcome each ledger row stands for, and what the row is called when it is positive or negative.
ROWS = {
    "promoted_during": ("incremental_gmv", "incremental_gmv"),
    "other_during": ("halo_gmv", "cannibalised_gmv"),
    "after": ("carried_over_gmv", "pulled_forward_gmv"),
}

NET = "net_incremental_gmv"

MEANING = {
    "incremental_gmv": "couponed products, during the campaign",
    "halo_gmv": "other products bought along with them, during",
    "cannibalised_gmv": "other products bought less, during",
    "carried_over_gmv": "all products, in the weeks after: came back for more",
    "pulled_forward_gmv": "all products, in the weeks after: bought ahead",
    NET: "what the campaign brought in all",
}


def ledger(estimates: dict[str, Estimate]) -> pd.DataFrame:
    """The ledger of a campaign.

    Parameters
    ----------
    estimates : dict of str to Estimate
        By outcome: promoted_during, other_during, after and total, in money over all targeted
        buyers. The first three add up to the last.

    Returns
    -------
    pandas.DataFrame
        row, meaning, value, ci_lower, ci_upper (money); the last row is the sum of the others.

    Raises
    ------
    ValueError
        If the rows do not add up to the total.
    """
    rows = [_row(_name(outcome, estimates[outcome]), estimates[outcome]) for outcome in ROWS]
    frame = pd.DataFrame([*rows, _row(NET, estimates["total"])])
    parts, total = frame["value"].iloc[:-1], frame["value"].iloc[-1]
    # Equal up to the rounding of a regression on columns of this size.
    if abs(parts.sum() - total) > 1e-6 * max(1.0, parts.abs().sum()):
        raise ValueError(f"ledger rows add up to {parts.sum()}, not to the total {total}")
    return frame


def _name(outcome: str, estimate: Estimate) -> str:
    positive, negative = ROWS[outcome]
    return positive if estimate.value >= 0 else negative


def _row(name: str, estimate: Estimate) -> dict[str, object]:
    return {
        "row": name, "meaning": MEANING[name], "value": estimate.value, "ci_lower": estimate.ci_lower,
        "ci_upper": estimate.ci_upper,
    }  # fmt: skip
