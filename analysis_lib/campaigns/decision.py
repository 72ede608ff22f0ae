"""Repeat, change, stop, or cannot tell: the printed rule."""

from __future__ import annotations

import math

from analysis_lib.results import Decision, Estimate, format_count, format_range, format_value

OWNER = "Campaign manager"

RULES = {
    "Repeat": "the whole interval of the contribution (net sales × margin − cost) lies above zero",
    "Change": "net sales rose beyond doubt, but the whole interval of the contribution lies below zero",
    "Stop": "the whole interval of the contribution lies below zero, and net sales did not rise beyond doubt",
    "Cannot tell": (
        "the interval of the contribution holds zero, the groups had drifted apart before the start, the comparison "
        "finds something where there was no campaign, or the data do not allow an estimate"
    ),
}

NEXT_STEPS = {
    "Repeat": "Run it again for the same kind of buyer, with one in ten held out at random to measure it better.",
    "Change": "Keep what sells and cut what it costs: a lower face value, or no coupons for those who buy anyway.",
    "Stop": "Take it off the plan and move its budget to the campaigns that paid.",
}

#: Standard deviations between a null and an effect found with 80 % power at the 5 % level: 1.96 + 0.84.
POWER_REACH = 2.80


def decide(
    contribution: Estimate,
    net: Estimate,
    n_days: int,
    next_step: str,
    *,
    held_out: Estimate | None = None,
    off: float | None = None,
) -> Decision:
    """Apply the rule to the contribution and the net sales of a campaign.

    Parameters
    ----------
    contribution : Estimate
        Net sales times margin, less cost, over the campaign.
    net : Estimate
        Net incremental sales.
    n_days : int
        Length of the campaign, to speak of a month.
    next_step : str
        What would tell, for "Cannot tell".
    held_out : Estimate, optional
        Gap between the groups in weeks before the start that the weights have not seen. If its
        interval excludes zero the groups are not comparable, and no verdict is given.
    off : float, optional
        What is found on average where there was no campaign, always to one side; then no verdict is given either.
    """
    drifted = held_out is not None and held_out.excludes_zero
    action = "Cannot tell" if drifted or off is not None else _action(contribution, net)
    # Stopping saves what going on would cost.
    worth = contribution.scaled((-30.0 if action == "Stop" else 30.0) / n_days)
    return Decision(
        action=action, rule=f"{action}: {RULES[action]}.",
        reason=_drift(held_out) if drifted else _reason(action, contribution) if off is None else _off(off, net.unit),
        money_per_month=worth, owner=OWNER,
        next_step=NEXT_STEPS.get(action, next_step),
    )  # fmt: skip


def refuse(missing: str) -> Decision:
    """The decision when the data do not allow an estimate."""
    return Decision(
        action="Cannot tell", rule=f"Cannot tell: {RULES['Cannot tell']}.", reason=f"Not enough data: {missing}.",
        money_per_month=None, owner=OWNER,
        next_step="Get the missing data, or review a campaign for which they exist.",
    )  # fmt: skip


def _action(contribution: Estimate, net: Estimate) -> str:
    if contribution.ci_lower > 0:
        return "Repeat"
    if contribution.ci_upper < 0:
        return "Change" if net.ci_lower > 0 else "Stop"
    return "Cannot tell"


def _drift(held_out: Estimate) -> str:
    return (
        f"The groups had already drifted apart before it began (by {held_out.short} each in the last weeks), so what "
        "came after is not the campaign's alone."
    )


def _off(mean: float, unit: str) -> str:
    found = format_value(mean, unit, spread=abs(mean))
    return (
        f"In windows without the campaign the same comparison finds {found} each on average, more than chance makes, "
        "so what is found in its days is not the campaign's alone."
    )


def _reason(action: str, contribution: Estimate) -> str:
    span = format_range(contribution.ci_lower, contribution.ci_upper, contribution.unit)
    return {
        "Repeat": f"After its cost it earned {contribution.short}.",
        "Change": f"It sold more, but not enough to pay its cost: {contribution.short}.",
        "Stop": f"It did not earn back its cost: {contribution.short}.",
        "Cannot tell": f"What it earned after its cost lies anywhere from {span}: a loss and a gain are both possible.",
    }[action]


def what_would_tell(residual_sd: float, break_even: float, n_targeted: int, unit: str, people: str) -> str:
    """How large a randomised holdout would have to be to settle the question.

    Parameters
    ----------
    residual_sd : float
        Standard deviation of a buyer's spending over the windows that history does not explain.
    break_even : float
        Net sales per targeted buyer at which the campaign pays for itself.
    n_targeted : int
        Buyers the campaign targeted.
    unit, people : str
        Currency, and what buyers are called.
    """
    half = n_targeted // 2
    smallest = POWER_REACH * residual_sd * (2.0 / half) ** 0.5
    # Two arms of equal size, n each: the usual sample size for a difference of means.
    needed = 2.0 * (POWER_REACH * residual_sd / break_even) ** 2
    seen, pays = (format_value(money, unit, spread=money) for money in (smallest, break_even))
    if needed <= half:
        return (
            f"Hold out {_about(needed)} {people} at random next time: that tells an effect of {pays} each, at "
            "which it pays, from zero."
        )
    return (
        f"Hold out half of the {people} at random next time. That shows effects from {seen} each; the campaign pays "
        f"from {pays} each, which would take {_about(2 * needed)} {people}, so pool several campaigns."
    )


def _about(number: float) -> str:
    """A count to two figures: a sample size is a plan, not a measurement."""
    return f"about {format_count(round(number, 1 - math.floor(math.log10(number))))}" if number >= 1 else "1"
