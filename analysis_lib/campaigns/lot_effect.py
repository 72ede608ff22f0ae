"""What a campaign changed, where some were left out by lot: the held out show what would have been sold anyway."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import binom, chi2, norm

from analysis_lib.campaigns.lot_cells import BEFORE, BOUGHT, PARTS, SUBSIDY, WEEKS_SHOWN, LotCells
from analysis_lib.causal import EventStudy, GroupMoments, randomised_difference, ratio_interval
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate

#: Fewer in a group leave no interval worth printing.
FEWEST = 50

#: A split this unlikely under the planned share was not made by the lot that was planned.
MISMATCH = 0.001

#: What each row of the ledger is the sum of.
OUTCOMES = {
    "promoted_during": ("promoted",), "same_category": ("same_category",), "other_categories": ("other_categories",),
    "after": ("after",), "returned": ("returned",), "total": PARTS,
}  # fmt: skip

#: What users did before, in words.
HISTORY = {
    "recent": "spending, last 4 weeks", "earlier": "spending, longer ago", "log_before": "spending, all weeks (log)",
    "orders_before": "orders before",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class LotEffect:
    """The effect per reached user, with what says whether the lot was drawn as planned.

    Attributes
    ----------
    effects : dict of str to Estimate
        Per reached user, by outcome of ``OUTCOMES``; the first five add up to ``total``.
    residual_sd : float
        Standard deviation between reached users of the total that history does not explain.
    n_targeted, n_held_out : int
        Users reached, and held out.
    planned_share : float
        Share that was to be held out; missing where it is not written down.
    split_pvalue : float
        Chance of a split at least as far from the plan; 1 where there is no plan.
    history : pandas.DataFrame
        covariate, difference (reached less held out, in standard deviations), ci_lower, ci_upper.
    held_out : Estimate
        Difference in the last four weeks before the start, given what came before them; zero is right.
    weekly : EventStudy
        Differences by week from the first day, those of the campaign and after it given what came before.
    more_buyers : Estimate
        Additional buyers per reached user during the campaign.
    per_coupon_money : Estimate | None
        Net additional sales per unit of coupon money that stands on an order line, Fieller's interval; None where that
        money cannot be told from nothing.
    """

    KIND: ClassVar[str] = "lot"

    effects: dict[str, Estimate]
    residual_sd: float
    n_targeted: int
    n_held_out: int
    planned_share: float
    split_pvalue: float
    history: pd.DataFrame
    held_out: Estimate
    weekly: EventStudy
    more_buyers: Estimate
    per_coupon_money: Estimate | None

    @property
    def is_mismatched(self) -> bool:
        """Whether the groups cannot have been made by the lot that was planned."""
        return self.split_pvalue < MISMATCH

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Rows of the ledger, without the total and without those in which nobody bought anything."""
        # Where all products of a category are promoted there are no others of it.
        return tuple(name for name in OUTCOMES if name != "total" and self.effects[name].se > 0)

    @property
    def grade_text(self) -> str:
        """How far the interval can be trusted, in one sentence."""
        return "The groups were drawn by lot: nothing is believed but that it was drawn as planned."

    def total(self, outcome: str, unit: str) -> Estimate:
        """Effect summed over the reached users."""
        return self.effects[outcome].scaled(self.n_targeted, unit)


def lot_effect(cells: LotCells, *, planned_share: float, level: float, unit: str) -> LotEffect:
    """Effects on the reached, from the moments of both groups.

    Parameters
    ----------
    planned_share : float
        Share to be held out; missing where it is not known.
    level : float
        Of the intervals.
    unit : str
        The market's currency.

    Raises
    ------
    NotEnoughData
        A group is too small.
    """
    reached, held_out = cells.reached, cells.held_out
    for what, group in (("reached", reached), ("held out", held_out)):
        if group.n < FEWEST:
            raise NotEnoughData(f"fewer than {FEWEST} users were {what}: too few for an interval")
    options = {"level": level, "unit": unit, "fewest": FEWEST, "pooled": True}
    effects = randomised_difference(reached, held_out, outcomes=OUTCOMES, covariates=BEFORE, **options)
    recent = randomised_difference(
        reached, held_out, outcomes={"recent": ("recent",)}, covariates=["earlier"], **options
    )
    buyers = randomised_difference(reached, held_out, outcomes={BOUGHT: (BOUGHT,)}, covariates=BEFORE, **options)
    return LotEffect(
        effects=effects, residual_sd=_residual_sd(effects["total"], cells), n_targeted=reached.n,
        n_held_out=held_out.n, planned_share=planned_share, split_pvalue=_split(reached.n, held_out.n, planned_share),
        history=_history(cells, level), held_out=recent["recent"], weekly=_weekly(cells, level, unit),
        more_buyers=buyers[BOUGHT], per_coupon_money=_per_coupon_money(reached, effects["total"], unit),
    )  # fmt: skip


def _per_coupon_money(reached: GroupMoments, total: Estimate, unit: str) -> Estimate | None:
    """Sales and coupons of one user go together: who spends more redeems more."""
    (coupon,) = reached.places([SUBSIDY])
    money = Estimate(
        float(reached.mean[coupon]), math.sqrt(reached.cov[coupon, coupon] / reached.n), math.nan, math.nan,
        total.level, unit, reached.n, "mean",
    )  # fmt: skip
    covariance = float(reached.cov[coupon, reached.places(PARTS)].sum()) / reached.n
    try:
        return ratio_interval(total, money, covariance=covariance, unit=f"{unit}_per_{unit}")
    except NotEnoughData:
        return None


def _residual_sd(total: Estimate, cells: LotCells) -> float:
    """From the standard error of the total, taking both groups to spread alike."""
    return total.se / math.sqrt(1 / cells.reached.n + 1 / cells.held_out.n)


def _split(n_reached: int, n_held_out: int, planned: float) -> float:
    """Chance of a split at least as far from the plan, both sides."""
    if not 0 < planned < 1:
        return 1.0
    n = n_reached + n_held_out
    low, high = binom.cdf(n_held_out, n, planned), binom.sf(n_held_out - 1, n, planned)
    return float(min(1.0, 2 * min(low, high)))


def _history(cells: LotCells, level: float) -> pd.DataFrame:
    """How far the groups stood apart before, in standard deviations."""
    rows, reach = [], norm.ppf(0.5 + level / 2)
    for name, says in HISTORY.items():
        (place,) = cells.reached.places([name])
        sd = math.sqrt(cells.reached.cov[place, place])
        if not sd > 0:
            continue
        gap = (cells.reached.mean[place] - cells.held_out.mean[place]) / sd
        se = math.sqrt(1 / cells.reached.n + cells.held_out.cov[place, place] / sd**2 / cells.held_out.n)
        rows.append((says, gap, gap - reach * se, gap + reach * se))
    return pd.DataFrame(rows, columns=["covariate", "difference", "ci_lower", "ci_upper"])


def _weekly(cells: LotCells, level: float, unit: str) -> EventStudy:
    """Differences by week: as they come before the start, given what came before from then on."""
    rows = []
    for week, name in cells.weeks.items():
        found = randomised_difference(
            cells.reached, cells.held_out, outcomes={name: (name,)}, covariates=BEFORE if week >= 0 else (),
            level=level, unit=unit, fewest=FEWEST, pooled=True,
        )[name]  # fmt: skip
        rows.append((week, found.value, found.se, found.ci_lower, found.ci_upper))
    effects = pd.DataFrame(rows, columns=["period", "value", "se", "ci_lower", "ci_upper"])
    return EventStudy(
        effects=effects, reference=-WEEKS_SHOWN, level=level, n_units=cells.reached.n + cells.held_out.n,
        pretrend_pvalue=_joint(cells),
    )  # fmt: skip


def _joint(cells: LotCells) -> float:
    """Whether all weeks before the start together could differ as much by chance."""
    names = [name for week, name in cells.weeks.items() if week < 0]
    places = cells.reached.places(names)
    gap = (cells.reached.mean - cells.held_out.mean)[places]
    cov = sum(group.cov[np.ix_(places, places)] / group.n for group in (cells.reached, cells.held_out))
    moving = np.diag(cov) > 0
    if not moving.any():
        return 1.0
    cov, gap = cov[np.ix_(moving, moving)], gap[moving]
    return float(chi2.sf(gap @ np.linalg.pinv(cov) @ gap, int(np.linalg.matrix_rank(cov))))
