"""What to change next time: each change with the money it is worth and how it would be tested."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis_lib.campaigns.decision import POWER_REACH
from analysis_lib.results import Estimate, Result, format_count, format_percent, format_range, format_value

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview

#: A cut of the face value that is looked at.
CUT = 0.25

METHOD_CUT = "bounds: sales that do not notice the cut, and sales that fall with it"


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One change.

    Attributes
    ----------
    lever : str
        segment, face_value or budget.
    what : str
        What to do, as an order.
    worth : Estimate
        Money per run like this one, in the market's currency.
    why : str
        What the money rests on.
    n_tested : float
        Users that a test would need in all; infinite where no per-user difference is known.
    """

    lever: str
    what: str
    worth: Estimate
    why: str
    n_tested: float

    @property
    def is_sure(self) -> bool:
        """The whole interval is a gain."""
        return self.worth.ci_lower > 0

    @property
    def is_bounded(self) -> bool:
        """Only bounds are known, no number between them."""
        return self.worth.method == METHOD_CUT

    @property
    def short(self) -> str:
        """The money in words."""
        worth = self.worth
        if self.is_bounded:
            return f"anything from {format_range(worth.ci_lower, worth.ci_upper, worth.unit)}"
        return worth.short


@dataclass(frozen=True, slots=True, eq=False)
class NextTime(Result):
    """Changes, the surest and largest first.

    Attributes
    ----------
    changes : tuple of Change
        Empty where nothing can be said.
    command : str
        Plans the next run with some left out by lot.
    people : str
        What users are called.
    per_run : int
        Users that a run like this one reaches; 0 where nobody is listed.
    """

    changes: tuple[Change, ...]
    command: str
    people: str
    per_run: int

    def to_frame(self) -> pd.DataFrame:
        """lever, change, value, ci_lower, ci_upper, rests_on, test."""
        rows = []
        for change in self.changes:
            value, low, high = (getattr(change.worth, name) for name in ("value", "ci_lower", "ci_upper"))
            value = float("nan") if change.is_bounded else value
            rows.append((change.lever, change.what, value, low, high, change.why, self.how_tested(change)))
        return pd.DataFrame(rows, columns=["lever", "change", "value", "ci_lower", "ci_upper", "rests_on", "test"])

    def how_tested(self, change: Change) -> str:
        """The experiment that would show it."""
        if not self.per_run or not math.isfinite(change.n_tested):
            return "two markets alike, one with it and one without"
        needed = format_count(float(f"{change.n_tested:.1e}"))
        runs = math.ceil(change.n_tested / self.per_run)
        if runs <= 1:
            return f"half of about {needed} {self.people} by lot with the change, half without"
        return f"by lot, half with the change: about {needed} {self.people}, {format_count(runs)} runs pooled"

    @property
    def text(self) -> str:
        """The best change, how many others there are, and how to plan the next run."""
        plan = f"To plan the next run with some left out by lot: {self.command}"
        if not self.changes:
            return f"No change can be priced from this run. {plan}"
        best = self.changes[0]
        sure = "" if best.is_sure else ", which may also be nothing or a loss"
        return (
            f"{best.what}: worth {best.short} in a run like this one{sure}; it rests on {best.why}. To test it:"
            f" {self.how_tested(best)}. {plan}"
        )


def next_time(review: CampaignReview) -> NextTime | None:
    """What a review says of the next run; None where it has no verdict to build on."""
    if review.cost is None or review.effect is None or review.contribution is None:
        return None
    found = [*_segments(review), *_always(review), *_budget(review), *_cut(review)]
    ranked = sorted(found, key=lambda change: (not change.is_sure, -change.worth.value))
    markets = review.effect.KIND == "markets"
    return NextTime(tuple(ranked), _command(review), review.setting.people, 0 if markets else review.effect.n_targeted)


def _command(review: CampaignReview) -> str:
    campaign = review.campaign
    return (
        f"shopbook run campaign_plan -p source={review.setting.source} -p country={campaign.country}"
        f" -p days={campaign.n_days}"
    )


def _needed(review: CampaignReview, worth: float) -> float:
    """Users of a test with two equal halves that tells a change of this worth from none, power 80 %."""
    if review.effect.KIND == "markets" or worth == 0 or review.setting.kept <= 0:
        return math.inf
    sd = review.effect.residual_sd * review.setting.kept
    return 4.0 * (POWER_REACH * sd / (worth / review.effect.n_targeted)) ** 2


def _segments(review: CampaignReview) -> list[Change]:
    """Kinds of users that cost more than they brought, left out."""
    told = review.segments
    if told is None:
        return []
    changes = []
    for row in told.losing.itertuples():
        worth = told.worth_leaving_out(row)
        n_tested = _needed(review, worth.value) * (row.n_users / review.effect.n_targeted)
        what, why = f"Leave out {review.setting.people} with: {row.segment}", "those left out by lot among them"
        changes.append(Change("segment", what, worth, why, n_tested))
    return changes


def _always(review: CampaignReview) -> list[Change]:
    """No coupons for those who would have bought anyway."""
    bill = review.cost
    if bill.always_share is None or not bill.n_redemptions or bill.always_share.ci_lower <= 0:
        return []
    # What is known is a floor: the interval ends at the bill, and the number is what is saved at least.
    worth = bill.always_buyers
    share = format_percent(bill.always_share.value, 0)
    why = f"the floor of {share} of the coupon money that bought nothing, and on telling those buyers beforehand"
    return [Change("segment", "No coupons for those who buy anyway", worth, why, _needed(review, worth.value))]


def _budget(review: CampaignReview) -> list[Change]:
    """Money for the days that had none."""
    told = review.pace
    if told is None or not told.ran_out or review.contribution.value <= 0:
        return []
    days = told.n_days - told.lasted
    worth = review.contribution.scaled(days / told.lasted)
    why = f"as much a day in the {format_count(days)} days without coupons as in the {format_count(told.lasted)} with"
    return [Change("budget", "Set aside money for all days", worth, why, math.inf)]


def _cut(review: CampaignReview) -> list[Change]:
    """A lower face value: between sales that do not notice and sales that fall with it."""
    if not review.cost.n_redemptions or review.contribution.ci_lower > 0:
        return []
    left, spent = review.contribution, review.cost.total
    # If sales fall with the face value, cost and earnings shrink alike; if not, only the cost does.
    low, high = -CUT * max(left.ci_upper, 0.0), CUT * spent
    half = (high - low) / 2
    worth = Estimate(low + half, half, low, high, left.level, left.unit, left.n, METHOD_CUT)
    why = f"{format_value(high, left.unit)} less in coupons, and sales that fall at most as much as the face value"
    what = f"Lower the face value by {format_percent(CUT, 0)}"
    return [Change("face_value", what, worth, why, _needed(review, half))]
