"""Where the money went: rows that add up to what the campaign brought."""

from __future__ import annotations

import pandas as pd

from analysis_lib.results import Estimate

NET = "net_incremental_gmv"

#: Each part of the net: its name and meaning where it is positive, and where it is negative. Names are the truth's.
ROWS = {
    "promoted_during": (
        ("incremental_gmv", "promoted products, during the campaign"),
        ("incremental_gmv", "promoted products, during the campaign"),
    ),
    "during": (
        ("incremental_gmv", "all products, during the campaign"),
        ("incremental_gmv", "all products, during the campaign"),
    ),
    "other_during": (
        ("halo_gmv", "other products bought along with them, during"),
        ("cannibalised_gmv", "other products bought less, during"),
    ),
    "same_category": (
        ("halo_gmv", "other products of the same categories, bought along with them, during"),
        ("cannibalised_gmv", "other products of the same categories, bought less, during"),
    ),
    "other_categories": (
        ("halo_gmv", "products of other categories, bought along with them, during"),
        ("cannibalised_gmv", "products of other categories, bought less, during"),
    ),
    "after": (
        ("carried_over_gmv", "all products, in the weeks after: came back for more"),
        ("pulled_forward_gmv", "all products, in the weeks after: bought ahead"),
    ),
    "returned": (
        ("returned_gmv", "fewer cancellations, refusals and refunds"),
        ("returned_gmv", "cancellations, refusals and refunds"),
    ),
}


def ledger(estimates: dict[str, Estimate]) -> pd.DataFrame:
    """The ledger of a campaign.

    Parameters
    ----------
    estimates : dict of str to Estimate
        By outcome, ``total`` last, in money over all targeted buyers. The others add up to it.

    Returns
    -------
    pandas.DataFrame
        part (outcome), row, meaning, value, ci_lower, ci_upper (money); the last row is the sum of the others.

    Raises
    ------
    ValueError
        If the rows do not add up to the total.
    """
    rows = [_row(outcome, *_named(outcome, found), found) for outcome, found in estimates.items() if outcome != "total"]
    frame = pd.DataFrame([*rows, _row("total", NET, "what the campaign brought in all", estimates["total"])])
    parts, total = frame["value"].iloc[:-1], frame["value"].iloc[-1]
    # Equal up to the rounding of a regression on columns of this size.
    if abs(parts.sum() - total) > 1e-6 * max(1.0, parts.abs().sum()):
        raise ValueError(f"ledger rows add up to {parts.sum()}, not to the total {total}")
    return frame


def _named(outcome: str, estimate: Estimate) -> tuple[str, str]:
    positive, negative = ROWS[outcome]
    return positive if estimate.value >= 0 else negative


def _row(outcome: str, name: str, meaning: str, estimate: Estimate) -> dict[str, object]:
    return {
        "part": outcome, "row": name, "meaning": meaning, "value": estimate.value, "ci_lower": estimate.ci_lower,
        "ci_upper": estimate.ci_upper,
    }  # fmt: skip
