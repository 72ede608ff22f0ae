"""What a version costs or brings: crashes, paid visits, and money per month if everybody had it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy.stats import norm

from analysis_lib.releases.visits import ALL
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.releases.estimating import Comparison

#: Days of a month.
MONTH = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """What the differences add up to.

    Attributes
    ----------
    crashes, paid_visits : Estimate
        Visits with a crash, and with a payment, that the version has brought so far (negative: prevented or lost).
    per_month : Estimate | None
        USD per 30 days if all visits of the platform were on it; None where nothing was sold.
    """

    crashes: Estimate
    paid_visits: Estimate
    per_month: Estimate | None


def worth_of(
    comparison: Comparison,
    last: pd.DataFrame,
    *,
    level: float,
    days: int,
    platform_visits: float,
    money_per_paid_visit: float,
) -> Worth:
    """Differences times visits.

    Parameters
    ----------
    last : pandas.DataFrame
        As ``concluded``.
    days : int
        Days in which ``platform_visits`` were made, whatever the version.
    money_per_paid_visit : float
        USD sold over visits with a payment, on all platforms.
    """
    cells = comparison.cells
    n_new = float(cells.loc[cells["is_new"], "n"].sum())
    whole = last[last["system"] == ALL].set_index("metric")

    def share(metric: str) -> Estimate:
        row = whole.loc[metric]
        # Counts and money are told once, at the end of a page: an ordinary interval.
        half = norm.ppf(0.5 + level / 2) * row["se"]
        return Estimate(row["value"], row["se"], row["value"] - half, row["value"] + half, level, "pp", int(n_new),
                        "difference to the version before, times visits")  # fmt: skip

    month = None
    if money_per_paid_visit > 0:
        month = share("conversion").scaled(platform_visits * MONTH / days * money_per_paid_visit, "usd")
    return Worth(share("crash_free_rate").scaled(-n_new, "visits"), share("conversion").scaled(n_new, "visits"), month)
