"""The figures and tables of a review: finding, numbers, and how to draw them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from analysis_lib.campaigns import drawings
from analysis_lib.campaigns.bill import after_costs, bill
from analysis_lib.campaigns.detail_exhibits import EXHIBITS as DETAILS
from analysis_lib.campaigns.lot_exhibits import EXHIBITS as LOT
from analysis_lib.campaigns.lot_parts import DIMENSIONS
from analysis_lib.campaigns.market_exhibits import EXHIBITS as MARKETS
from analysis_lib.campaigns.market_exhibits import second
from analysis_lib.campaigns.picked_exhibits import GROWTH, HISTORY
from analysis_lib.campaigns.refused import Make, needs
from analysis_lib.config import PRIVACY_THRESHOLD
from analysis_lib.results import Exhibit, format_count, format_percent, format_value, nothing_to_show

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview


def _not_shown(what: str) -> Callable[[CampaignReview], Exhibit]:
    """An exhibit that says what is missing for it."""

    def made(review: CampaignReview) -> Exhibit:
        if review.missing:
            return nothing_to_show(what, "; ".join(review.missing))
        return Exhibit(
            f"{what}: not shown", note="The campaign was for everybody: there is no list of whom it reached."
        )

    return made


def _of_kind(name: str, what: str) -> Make[Exhibit]:
    """The exhibit of that name for the way in which the campaign was compared."""
    weekly = {"weekly": _weekly}
    kinds = {"history": weekly | HISTORY, "growth": weekly | GROWTH, "lot": weekly | LOT, "markets": MARKETS}
    return needs("effect", _not_shown(what))(lambda review: kinds[review.effect.KIND][name](review))


#: Whom the targeted are compared with, by the way of comparing: in a title, and in full.
_OTHERS = {
    "lot": ("those left out", "those left out by lot"),
    "history": ("comparable ones", "comparable untargeted ones"),
    "growth": ("the untargeted", "the untargeted, brought to their level before"),
}


def _weekly(review: CampaignReview) -> Exhibit:
    """Effect by week from the start."""
    if review.effect.weekly is None:
        return Exhibit("The effect over time: not shown", note="The review was asked for without its details.")
    effects, campaign, people = review.effect.weekly.effects, review.campaign, review.setting.people
    kind = review.effect.KIND
    others = _OTHERS[kind][0]
    during = effects[(effects["period"] >= 0) & (effects["period"] < campaign.n_days / 7)]
    apart = int(((during["ci_lower"] > 0) | (during["ci_upper"] < 0)).sum())
    if apart:
        title = f"In {apart} of {len(during)} campaign weeks targeted {people} stood apart from {others}"
    else:
        title = f"In no campaign week did targeted {people} stand apart from {others}"
    unit = campaign.currency
    level = format_percent(review.setting.level, 0)
    zero, band = ("", "") if kind == "lot" else (", week −1 = 0", ", before widening")
    return Exhibit(
        title=title,
        subtitle=(
            f"Weekly spending per targeted {review.setting.person} against {_OTHERS[kind][1]}, {unit.upper()}{zero}; "
            f"band: {level} interval of each week{band}"
        ),
        frame=effects.rename(columns={"period": "week"}),
        units={"value": unit, "se": unit, "ci_lower": unit, "ci_upper": unit, "week": ""},
        draw=partial(drawings.draw_weekly, effects=effects, n_weeks=campaign.n_days / 7, unit=unit),
    )  # fmt: skip


@needs("reach", _not_shown("The funnel"))
def reach(review: CampaignReview) -> Exhibit:
    """Targeted to redeemed."""
    steps = review.reach.steps
    steps = steps.assign(label=[_people(number) for number in steps["n_users"]])
    small = steps["n_users"] < PRIVACY_THRESHOLD
    drawn = steps.assign(
        n_users=steps["n_users"].mask(small & (steps["n_users"] > 0), PRIVACY_THRESHOLD),
        share_of_targeted=steps["share_of_targeted"].mask(small),
    )
    last = steps.iloc[-1]
    share = "Fewer than 20" if small.iloc[-1] else format_percent(last["share_of_targeted"])
    return Exhibit(
        title=f"{share} of the targeted {review.setting.people} redeemed a coupon",
        subtitle=f"Targeted {review.setting.people}, count and share of those targeted",
        frame=steps[["step", "n_users", "share_of_targeted", "share_of_previous"]],
        units={"n_users": "", "share_of_targeted": "share", "share_of_previous": "share"},
        draw=partial(drawings.draw_reach, steps=drawn),
        height=0.55,
    )


@needs("effect", _not_shown("The ledger"))
def ledger(review: CampaignReview) -> Exhibit:
    """The ledger as bars."""
    net, unit = review.net_incremental_gmv, review.campaign.currency
    everybody = review.effect.KIND == "markets"
    to_whom = f"in {review.campaign.market}" if everybody else f"to targeted {review.setting.people}"
    names = zip(review.ledger["part"], review.ledger["row"], strict=True)
    rows = review.ledger.assign(label=[_short(*name) for name in names])
    sure = "and the total is above zero" if net.ci_lower > 0 else "and the total may be zero"
    sure = "and the total is below zero" if net.ci_upper < 0 else sure
    return Exhibit(
        title=f"The parts add up to {format_value(net.value, unit, spread=net.ci_upper - net.ci_lower)}, {sure}",
        subtitle=f"Additional sales {to_whom}, {unit.upper()}, with intervals",
        frame=review.ledger.drop(columns="part"),
        units={"value": unit, "ci_lower": unit, "ci_upper": unit},
        draw=partial(drawings.draw_ledger, rows=rows, unit=unit),
        height=0.6,
    )


@needs("cost", _not_shown("The cost"))
def cost(review: CampaignReview) -> Exhibit:
    """The bill and what it returned."""
    cost, unit = review.cost, review.campaign.currency
    title = f"It cost {format_value(review.total_cost, unit)}"
    if cost.always_share is not None:
        share = format_percent(cost.always_share.value, 0)
        title = f"At least {share} of the coupon money went to buyers who would have bought anyway"
    return Exhibit(
        title=title,
        subtitle=f"{unit.upper()}, over the campaign",
        frame=bill(review),
        units={"value": unit, "ci_lower": unit, "ci_upper": unit},
    )


@needs("contribution", _not_shown("What it earned"))
def earnings(review: CampaignReview) -> Exhibit:
    """From additional sales to what is left after the cost."""
    left, unit = review.contribution, review.campaign.currency
    sure = "above zero" if left.ci_lower > 0 else "below zero" if left.ci_upper < 0 else "not to be told from zero"
    return Exhibit(
        title=f"What is left after the cost is {sure}",
        subtitle=f"{unit.upper()}, over the campaign",
        frame=after_costs(review),
        units={"value": unit, "ci_lower": unit, "ci_upper": unit},
    )


@needs("newcomers", _not_shown("Whether new buyers came back"))
def newcomers(review: CampaignReview) -> Exhibit:
    """Shares of first-time buyers that came back."""
    found, what = review.newcomers, "Whether new buyers came back"
    if found.rows.empty or int(found.rows["n_users"].min()) < PRIVACY_THRESHOLD:
        return Exhibit(f"{what}: not shown", note=found.text)
    last = found.gaps.iloc[-1]
    verb = "more" if last["value"] > 0 else "less"
    sure = f"{verb} often than" if last["ci_lower"] * last["ci_upper"] > 0 else "about as often as"
    level = format_percent(found.level, 0)
    return Exhibit(
        title=f"New buyers through the campaign came back {sure} those beside it",
        subtitle=f"Share with another purchase, of those who bought for the first time in its days; {level} intervals",
        frame=found.rows,
        units={"horizon": "", "n_users": "", "n_back": "", "share": "share", "ci_lower": "share", "ci_upper": "share"},
        draw=partial(drawings.draw_newcomers, rows=found.rows),
        height=0.5,
    )


def _parts_untold(review: CampaignReview) -> Exhibit:
    what = "Where the additional sales came from"
    if review.missing:
        return nothing_to_show(what, "; ".join(review.missing))
    return Exhibit(f"{what}: not shown", note="Only users left out by lot show what each part would have sold anyway.")


@needs("parts", _parts_untold)
def parts(review: CampaignReview) -> Exhibit:
    """Additional sales by surface, category and tier of creator."""
    found, unit = review.parts, review.campaign.currency
    named = " and ".join(DIMENSIONS[name] for name in found.differing)
    return Exhibit(
        title=f"It worked differently by {named}" if named else "No part can be told to have done better than others",
        subtitle=(
            f"Additional sales during the campaign, {unit.upper()}, {format_percent(found.level, 0)} intervals of each"
        ),
        frame=found.rows,
        units=dict.fromkeys(("value", "ci_lower", "ci_upper", "sold"), unit),
        draw=partial(drawings.draw_parts, rows=found.rows, unit=unit),
        height=1.1,
    )


def _people(number: float) -> str:
    return f"fewer than {PRIVACY_THRESHOLD}" if 0 < number < PRIVACY_THRESHOLD else format_count(number)


def _short(part: str, name: str) -> str:
    what = {
        "promoted_during": "Promoted products, during", "other_during": "Other products, during",
        "during": "During the campaign", "same_category": "Same categories, during",
        "other_categories": "Other categories, during",
        "after": "Weeks after", "returned": "Cancelled, refused, refunded", "total": "Net, in all",
    }[part]  # fmt: skip
    kind = {
        "halo_gmv": " (halo)", "cannibalised_gmv": " (cannibalised)", "carried_over_gmv": " (carried over)",
        "pulled_forward_gmv": " (pulled forward)",
    }  # fmt: skip
    return what + kind.get(name, "")


EXHIBITS = {
    "weekly": _of_kind("weekly", "The effect over time"), "reach": reach,
    "balance": _of_kind("balance", "The balance of the groups"), "ledger": ledger,
    "placebos": _of_kind("placebos", "The placebo runs"), "cost": cost, "earnings": earnings,
    "newcomers": newcomers, "parts": parts, **DETAILS,
}  # fmt: skip


def checks(review: CampaignReview) -> tuple[Exhibit, ...]:
    """The placebo runs and, where there is one, the second opinion beside what decides."""
    beside = second(review)
    return (EXHIBITS["placebos"](review), *(() if beside is None else (beside,)))
