"""The bill of a campaign: who got the coupons, what creators and media were paid, and what it comes to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from analysis_lib.results import format_percent, format_range, format_value, listed

if TYPE_CHECKING:
    from analysis_lib.campaigns.cost import Cost
    from analysis_lib.campaigns.result import CampaignReview
    from analysis_lib.results import Estimate

COLUMNS = ("row", "meaning", "value", "ci_lower", "ci_upper")

#: Rows of the bill, in their order, and what each is.
ALWAYS = ("subsidy_always_buyers", "coupons to buyers who would have bought anyway, at least")
NEW = ("subsidy_new_buyers", "coupons to first-time buyers beyond them, at most")
OTHERS = ("subsidy_others", "coupons to the others")
NEW_OF_ALL = ("subsidy_new_buyers", "coupons to first-time buyers")
KNOWN_OF_ALL = ("subsidy_others", "coupons to earlier buyers; how many would have bought anyway is not known")
UNSPLIT = ("subsidy", "coupons; who got them is not known")
BUDGET = ("budget", "money set aside for it, taken as spent")
CREATORS = ("creator_commission", "creators' commission on the additional sales (assumed: as on all sales then)")
MEDIA = ("media_cost", "media outside the marketplace")
CONTACTS = ("contact_cost", "reaching the targeted (assumed)")
TOTAL = ("total_cost", "cost in all")


def bill(review: CampaignReview) -> pd.DataFrame:
    """Every cost of the campaign once; the last row is the sum of the others.

    Who would have bought anyway is known as a floor, so the money of the others is at most what is left. First-time
    buyers may be among those who would have bought anyway: their row holds what of their coupons the floor leaves.

    Returns
    -------
    pandas.DataFrame
        row, meaning, value, ci_lower, ci_upper, in the market's currency.
    """
    cost = review.cost
    rows = _of_coupons(cost)
    if cost.commission is not None:
        rows.append((*CREATORS, *_ends(cost.commission)))
    if review.setting.spend.tells_media:
        rows.append((*MEDIA, *_exact(cost.media)))
    rows.append((*CONTACTS, *_exact(review.contacts)))
    whole = _exact(review.spent) if cost.commission is None else _ends(cost.commission.shifted(review.spent))
    return pd.DataFrame([*rows, (*TOTAL, *whole)], columns=list(COLUMNS))


def _of_coupons(cost: Cost) -> list[tuple]:
    """Rows of the coupons, which add up to their bill; of the budget where there are none."""
    if not cost.n_redemptions:
        return [(*BUDGET, *_exact(cost.total))]
    is_told = cost.new_share == cost.new_share
    new = cost.new_share * cost.total if is_told else 0.0
    if cost.always_share is None:
        if not is_told:
            return [(*UNSPLIT, *_exact(cost.total))]
        return [(*NEW_OF_ALL, *_exact(new)), (*KNOWN_OF_ALL, *_exact(cost.total - new))]
    always, rest = cost.always_buyers, cost.others
    beyond = min(new, rest.value)
    rows = [(*ALWAYS, *_ends(always))]
    if is_told:
        rows.append((*NEW, beyond, 0.0, new))
    return [*rows, (*OTHERS, rest.value - beyond, 0.0, min(cost.total - new, rest.ci_upper))]


def _ends(found: Estimate) -> tuple[float, float, float]:
    return found.value, found.ci_lower, found.ci_upper


def _exact(value: float) -> tuple[float, float, float]:
    return value, value, value


def _put_in(review: CampaignReview) -> str:
    """What the money is that was spent whatever was sold."""
    first = "coupons" if review.cost.n_redemptions else "the money set aside"
    others = ["contacts"] if review.contacts else []
    others += ["media"] if review.cost.media else []
    return listed([first, *others])


def after_costs(review: CampaignReview) -> pd.DataFrame:
    """From additional sales to what is left of them; the rows below the first add up to the last."""
    net, left, cost = review.net_incremental_gmv, review.contribution, review.cost
    before_coupons = "" if review.setting.measure == "gmv" else " of their value before coupons"
    margin = f"at a margin of {format_percent(review.setting.margin, 0)}{before_coupons}"
    rows = [
        ("additional_sales", "net of all parts", *_ends(net)),
        ("earned", margin, *_ends(review.sales.scaled(review.setting.margin))),
    ]
    if cost.commission is not None:
        rows.append((CREATORS[0], "creators' commission on them (assumed)", *_ends(cost.commission.scaled(-1.0))))
    rows.append(("cost", _put_in(review), *_exact(-review.spent)))
    rows.append(("net_contribution", "earned less all cost", *_ends(left)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


#: What the sentence says of each row, by its meaning: of coupons, and of the rest.
_COUPONS = {
    ALWAYS[1]: "at least {} to buyers who would have bought anyway",
    NEW[1]: "at most {} to first-time buyers beyond them",
    OTHERS[1]: "{} to others",
    NEW_OF_ALL[1]: "{} to first-time buyers",
    KNOWN_OF_ALL[1]: "{} to earlier buyers",
    UNSPLIT[1]: "{}",
}
_REST = {
    BUDGET[1]: "{} set aside for it",
    CREATORS[1]: "creators {}",
    MEDIA[1]: "media {}",
    CONTACTS[1]: "reaching the targeted {}",
}


def told(review: CampaignReview) -> str:
    """Where the money went, row by row, and what the rows beside the coupons rest on."""
    unit, parts = review.campaign.currency, []
    rows = bill(review).iloc[:-1].set_index("meaning")["value"]
    for begins, words in (("Coupons: ", _COUPONS), ("", _REST)):
        said = [
            words[name].format(format_value(value, unit)) for name, value in rows.items() if value and name in words
        ]
        parts += [begins + ", ".join(said)] if said else []
    total = f"It cost {format_value(review.total_cost, unit)} in all. {'; '.join(parts)}."
    return f"{total}{_creators(review)}{_lacking(review)}"


def _creators(review: CampaignReview) -> str:
    commission, spend = review.cost.commission, review.setting.spend
    if commission is None or not spend.creators:
        return ""
    span = format_range(commission.ci_lower, commission.ci_upper, commission.unit)
    return (
        f" Creators had {format_percent(spend.creators)} of all sales in its days, and are taken to have as much of"
        f" what it sold ({span})."
    )


def counted(review: CampaignReview) -> str:
    """Small print: what creators are taken to be paid on what it sold."""
    spend = review.setting.spend
    if not spend.creators:
        return ""
    share = format_percent(spend.creators)
    return (
        f" Creators are taken to have {share} of additional sales, as of all sales in its days; what they had more of"
        " sales that only moved to them is not counted."
    )


def _lacking(review: CampaignReview) -> str:
    spend = review.setting.spend
    known = {"what creators are paid": spend.tells_commission, "money for media": spend.tells_media}
    missing = [what for what, is_told in known.items() if not is_told]
    return f" Not known: {' and '.join(missing)}." if missing else ""


def returned(review: CampaignReview) -> str:
    """What came back for the money put in, and from where on it pays."""
    back, creators, margin = review.return_on_cost, review.setting.spend.creators, review.setting.margin
    said = f"For each unit of {_put_in(review)}, net sales changed by {back.text}."
    if review.pays_from == math.inf:
        return f"{said} At a margin of {format_percent(margin, 0)} it cannot pay: creators have as much of each sale."
    less = f", of which creators have {format_percent(creators)} of sales," if creators else ""
    pays = format_value(review.pays_from, back.unit)
    return f"{said} At a margin of {format_percent(margin, 0)}{less} it pays from {pays} on."
