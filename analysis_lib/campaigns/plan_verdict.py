"""How to run a planned campaign so that its effect can be told: the printed rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis_lib.campaigns.decision import OWNER
from analysis_lib.results import Decision, format_count, format_percent, format_value

if TYPE_CHECKING:
    from analysis_lib.campaigns.plan_result import CampaignPlan

RULE = (
    "Run if a lot with the planned share shows, with the wanted chance, an effect that just pays. Change otherwise, to"
    " the first of these that does: another share, the smallest that does; more days, as much spent a day; other"
    " markets; up to a dozen such campaigns read together. Hold if none does. Cannot tell if no lot can be dealt and no"
    " market stands for it, or if nothing says what it costs."
)

#: What a written plan says of the decision.
DECIDES = (
    "Repeat if the whole interval of net sales times margin less cost lies above zero, change or stop if it lies below,"
    " and cannot tell otherwise; beside it is said whether the additional sales that pay were reached."
)


def decide(one: CampaignPlan) -> Decision:
    """The verdict."""
    if one.lots is None and (one.markets.reasons or one.money.cost_usd is None):
        why = "; ".join([*one.missing, *one.markets.reasons])
        return _made("Cannot tell", f"Not enough data: {why}.", "Plan it in a larger market, or wait for more history.")
    if one.money.cost_usd is None:
        reason = f"{_seen(one)}, but nothing says what it costs, and so what would pay."
        return _made("Cannot tell", reason, "Give a budget, or the share of sales that coupons are to take.")
    if one.lots is None:
        return _by_markets(one) or _made("Hold", f"{'; '.join(one.missing)}.", "Run it in a larger market.")
    return _by_lot(one) or _by_share(one) or _by_days(one) or _by_markets(one) or _by_pooling(one) or _hold(one)


def _by_lot(one: CampaignPlan) -> Decision | None:
    if not sees(one):
        return None
    share = format_percent(one.asked.holdout_share, 0)
    reason = f"{_seen(one)}, and it pays from {_per(one, one.pays())}: an effect that pays can be seen."
    if not one.smallest_in_proportion <= one.pays():
        reason = f"{reason} One in proportion to what each spends would be seen only if it is larger."
    return _made("Run", reason, f"Leave {share} of the {one.people} out by lot, and write the plan down before"
                 " the start.")  # fmt: skip


def _by_share(one: CampaignPlan) -> Decision | None:
    fits = [share for share in one.lots.shares if sees(one, share)]
    if not fits:
        return None
    share = format_percent(fits[0], 0)
    reason = (
        f"{_short(one)} With {share} left out, effects from {_per(one, one.smallest(fits[0]))} would be seen; it would"
        f" pay from {_per(one, one.pays(fits[0]))}."
    )
    return _made("Change", reason, f"Leave {share} of the {one.people} out by lot instead.")


def _by_days(one: CampaignPlan) -> Decision | None:
    asked = one.asked
    fits = [
        (days, share) for days in one.lots.lengths if days > asked.days
        for share in sorted({asked.holdout_share, one.lots.shares[-1]}) if sees(one, share, days)
    ]  # fmt: skip
    if not fits:
        return None
    days, share = fits[0]
    reason = (
        f"{_short(one)} Over {format_count(days, 'days')} with {format_percent(share, 0)} left out, effects from"
        f" {_per(one, one.smallest(share, days))} would be seen; with as much spent a day it would pay from"
        f" {_per(one, one.pays(share, days))}."
    )
    return _made("Change", reason, f"Run {format_count(days, 'days')} and leave {format_percent(share, 0)} of the"
                 f" {one.people} out by lot.")  # fmt: skip


def _by_markets(one: CampaignPlan) -> Decision | None:
    pays = one.money.pays(0.0, one.asked.days)
    if one.markets.reasons or not one.market_smallest <= pays:
        return None
    reason = (
        f"{_short(one) if one.lots else '; '.join(one.missing) + '.'} Other markets would show effects from"
        f" {_usd(one.market_smallest)} in all; it pays from {_usd(pays)}."
    )
    return _made("Change", reason, "Run it for everybody and read it from the other markets.")


def _by_pooling(one: CampaignPlan) -> Decision | None:
    from analysis_lib.campaigns.plan_result import MOST_POOLED

    found = one.pooled()
    if found is None or found[0] > MOST_POOLED:
        return None
    n, share = found
    part = format_percent(share, 0)
    reason = (
        f"{_short(one)} Nor would another share, more days or other markets show it; the mean of {format_count(n)} such"
        f" campaigns with {part} left out of each would."
    )
    return _made("Change", reason, f"Leave {part} of the {one.people} out of each of the next {format_count(n)}"
                 " campaigns by the same lot rule, and read them together.")  # fmt: skip


def _hold(one: CampaignPlan) -> Decision:
    reason = (
        f"{_short(one)} An effect that pays could not be seen with another share, in more days, from other markets or"
        " in a dozen campaigns together, and what cannot be seen cannot be learnt from."
    )
    return _made("Hold", reason, "Spend the money on fewer people or larger gains, so that what pays is more per"
                 f" {one.person}, or run it without expecting to learn from it.")  # fmt: skip


def sees(one: CampaignPlan, share: float | None = None, days: int | None = None) -> bool:
    """Whether a lot shows an effect that just pays."""
    return bool(one.smallest(share, days) <= one.pays(share, days))


def ways(one: CampaignPlan) -> pd.DataFrame:
    """The ways to read it, with what each shows and what pays, USD over all reached."""
    asked, rows = one.asked, []
    if one.lots is not None:
        for share in sorted({asked.holdout_share, one.lots.shares[-1]}):
            label = f"by lot, {format_percent(share, 0)} left out"
            pays, smallest = one.money.pays(share, asked.days), one.smallest(share) * one.reached(share)
            rows.append((label, smallest, one.smallest(share) / one.spent(), pays, sees(one, share), ""))
    else:
        rows.append(("by lot", float("nan"), float("nan"), one.money.pays(asked.holdout_share, asked.days), False,
                     "; ".join(one.missing)))  # fmt: skip
    pays, refused = one.money.pays(0.0, asked.days), "; ".join(one.markets.reasons)
    able = not refused and bool(one.market_smallest <= pays)
    rows.append(("from other markets", one.market_smallest, one.markets.smallest, pays, able, refused))
    columns = ["way", "smallest_usd", "rel_smallest", "pays_usd", "sees_what_pays", "why_not"]
    return pd.DataFrame(rows, columns=columns)


def _seen(one: CampaignPlan) -> str:
    if one.lots is None:
        return f"Other markets would show effects from {_usd(one.market_smallest)} in all"
    share = format_percent(one.asked.holdout_share, 0)
    return f"With {share} left out by lot, effects from {_per(one, one.smallest())} would be seen"


def _short(one: CampaignPlan) -> str:
    """That the planned lot does not show what pays."""
    return f"{_seen(one)}, but it pays from {_per(one, one.pays())} already."


def _per(one: CampaignPlan, usd: float) -> str:
    return format_value(usd, f"usd_per_{one.person}")


def _usd(usd: float) -> str:
    return format_value(usd, "usd", spread=usd)


def _made(action: str, reason: str, step: str) -> Decision:
    return Decision(action, RULE, reason, None, OWNER, step)
