"""What a review refuses, in which words; and that a refused page can still be rendered."""

from __future__ import annotations

import re
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analysis_lib import campaigns
from analysis_lib.campaigns.exhibits import EXHIBITS
from analysis_lib.campaigns.sentences import SENTENCES
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, UnknownName
from analysis_lib.reporting import card, say, show, small_print


def render(review) -> str:
    """Everything a page asks a review for."""
    shown = [say(review.sentence(name)).data for name in SENTENCES]
    shown += [show(review.exhibit(name)).data for name in EXHIBITS]
    card(review.answer)
    shown += [small_print(review.answer).data, review.text, review.headline, review.title]
    return "\n".join(shown)


@pytest.fixture
def targets(small_shop):
    return small_shop.tables["campaign_targets"]


def refused(review, match: str):
    assert review.decision.action == "Cannot tell"
    assert len(review.missing) == 1
    assert match in review.missing[0]
    assert review.contribution is None
    assert match in render(review).replace("&#x27;", "'")
    with pytest.raises(NotEnoughData):
        _ = review.return_on_cost
    return review


def no_effect(review, match: str):
    refused(review, match)
    assert review.effect is None
    assert review.ledger.empty
    assert review.answer.number is None
    assert review.headline.startswith("Not enough data: ")
    for name in ("net_incremental_gmv", "incremental_gmv", "total_cost"):
        with pytest.raises(NotEnoughData):
            getattr(review, name)


def cost_refused(review, match: str):
    """The effect is shown all the same."""
    refused(review, match)
    assert review.effect is not None
    assert len(review.ledger) == 4
    assert "additional sales" in review.headline or "in sales" in review.headline
    assert review.cost is None


def test_unknown_campaign_names_the_nearest(small_shop, reviewed):
    with pytest.raises(UnknownName, match=r"campaign 'tee' is not in source .* Did you mean 'tea'"):
        reviewed(small_shop, "tee")


def test_unknown_market_names_the_markets(small_shop, reviewed):
    with pytest.raises(UnknownName, match=r"country 'FR' .*GB"):
        reviewed(small_shop, country="FR")


def test_several_markets_need_a_country(small_shop, reviewed):
    rows = small_shop.tables["campaigns"]
    both = small_shop.replace(campaigns=pd.concat([rows, rows.assign(country="FR")]))
    with pytest.raises(InvalidValue, match=r"ran in FR, GB: name one with country="):
        reviewed(both)
    assert reviewed(both, country="GB").campaign.country == "GB"


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"weeks_before": 27}, r"weeks_before=27 leaves the data; the longest that fits is 2[56]"),
        ({"weeks_after": 3}, r"weeks_after=3 leaves the data; the longest that fits is [12]"),
        ({"weeks_after": -1}, r"weeks_after=-1 leaves the data"),
        ({"weeks_before": 7}, r"weeks_before=7: at least 8"),
        ({"level": 0.49}, r"level=0.49"),
        ({"level": 1.0}, r"level=1.0"),
        ({"level": float("nan")}, r"level=nan"),
        ({"margin": 0.0}, r"margin=0.0"),
        ({"margin": 1.01}, r"margin=1.01"),
        ({"margin": float("nan")}, r"margin=nan"),
        ({"contact_cost": -0.01}, r"contact_cost=-0.01"),
        ({"contact_cost": float("nan")}, r"contact_cost=nan"),
        ({"contact_cost": float("inf")}, r"contact_cost=inf"),
    ],
)
def test_values_out_of_range_are_refused(small_shop, reviewed, options, match):
    with pytest.raises(InvalidValue, match=match):
        reviewed(small_shop, **options)


def test_unknown_metric_names_the_nearest(small_shop, reviewed):
    with pytest.raises(UnknownName, match=r"metric 'gvm' .* Did you mean 'gmv'"):
        reviewed(small_shop, metric="gvm")


@pytest.mark.parametrize(
    ("table", "column"),
    [("orders", "price_local"), ("orders", "platform_subsidy_local"), ("campaign_targets", "is_holdout"),
     ("countries", "timezone"), ("coupon_events", "at"), ("users", "signed_up_at")],
)  # fmt: skip
def test_a_renamed_column_is_named_with_the_one_that_holds_it(small_shop, reviewed, table, column):
    frame = small_shop.tables[table].rename(columns={column: f"{column}_x"})
    with pytest.raises(ContractError, match=rf"{table}\.{column} is missing; the source has '{column}_x'"):
        reviewed(small_shop.replace(**{table: frame}))


def test_a_missing_table_is_named(small_shop, reviewed):
    with pytest.raises(ContractError, match="no table 'coupon_products'"):
        reviewed(small_shop.replace(coupon_products=None))


def test_too_little_history(small_shop, reviewed):
    orders = small_shop.tables["orders"]
    start = pd.Timestamp(small_shop.tables["campaigns"]["starts_on"][0])
    late = orders[orders["ordered_at"] >= start - timedelta(weeks=8)].copy()
    assert reviewed(small_shop.replace(orders=late), weeks_before=8).windows is not None
    late = orders[orders["ordered_at"] >= start - timedelta(weeks=7)]
    no_effect(reviewed(small_shop.replace(orders=late)), "7 whole weeks before the campaign")


def test_a_campaign_that_is_not_over(small_shop, reviewed):
    orders = small_shop.tables["orders"]
    start = pd.Timestamp(small_shop.tables["campaigns"]["starts_on"][0])
    cut = orders[orders["ordered_at"] < start + timedelta(days=10)]
    no_effect(reviewed(small_shop.replace(orders=cut)), "wait for the rest of it")


def test_a_market_without_orders(small_shop, reviewed):
    no_effect(reviewed(small_shop.replace(orders=small_shop.tables["orders"].head(0))), "has no orders in GB")


def test_everyone_targeted(small_shop, reviewed):
    users = small_shop.tables["users"]["user_id"]
    everyone = pd.DataFrame({"campaign_id": "tea", "user_id": users, "is_holdout": False})
    no_effect(reviewed(small_shop.replace(campaign_targets=everyone)), "nobody is left to compare with")


def test_held_out_buyers_are_compared_with(small_shop, reviewed):
    """A random holdout of everyone is the best comparison there is."""
    users = small_shop.tables["users"]["user_id"]
    held = np.random.default_rng(1).random(len(users)) < 0.4
    everyone = pd.DataFrame({"campaign_id": "tea", "user_id": users, "is_holdout": held})
    review = reviewed(small_shop.replace(campaign_targets=everyone))
    assert review.effect.n_targeted == (~held).sum()
    assert review.reach.steps["n_users"].iloc[0] == (~held).sum()


@pytest.mark.parametrize("n", [0, 1, 19])
def test_few_targeted_are_refused_and_not_counted_out(small_shop, reviewed, targets, n):
    review = reviewed(small_shop.replace(campaign_targets=targets.head(n)))
    no_effect(review, "fewer than 20 known buyers were targeted")
    assert not re.search(rf"(?<!than )\b{n} (known|users|buyers)", render(review))
    assert review.sentence("reach") == "Fewer than 20 users were targeted."


def test_few_untargeted(small_shop, reviewed):
    users = small_shop.tables["users"]["user_id"].iloc[12:]
    nearly = pd.DataFrame({"campaign_id": "tea", "user_id": users, "is_holdout": False})
    no_effect(reviewed(small_shop.replace(campaign_targets=nearly)), "fewer than 20 known buyers were untargeted")


def test_groups_without_overlap(small_shop, reviewed):
    """Those who bought most were all targeted: nobody is like them, and only growth can be compared."""
    spent = small_shop.tables["orders"].groupby("user_id")["price_local"].sum().sort_values()
    top = pd.DataFrame({"campaign_id": "tea", "user_id": spent.index[-150:], "is_holdout": False})
    review = reviewed(small_shop.replace(campaign_targets=top))
    assert review.effect.KIND == "growth"
    refused = review.effect.ways.set_index("way").loc["history", "why_not"]
    assert "comparable" in refused or "unlike" in refused
    assert refused in review.sentence("placebos")
    render(review)


def test_no_placebo_windows(small_shop, reviewed):
    no_effect(reviewed(small_shop, weeks_before=25), "0 placebo windows fit into the data")


def test_nothing_redeemed(small_shop, reviewed):
    none = small_shop.tables["coupon_events"].assign(kind="grant")
    review = reviewed(small_shop.replace(coupon_events=none))
    cost_refused(review, "no coupon of the campaign was redeemed")
    assert review.reach.steps["n_users"].iloc[-1] == 0


def test_no_coupons_at_all(small_shop, reviewed):
    cost_refused(reviewed(small_shop.replace(coupons=small_shop.tables["coupons"].head(0))), "no coupon")


def test_no_discount_recorded(small_shop, reviewed):
    orders = small_shop.tables["orders"].assign(coupon_id=None)
    cost_refused(reviewed(small_shop.replace(orders=orders)), "carries its discount on an order line")


def test_discounts_of_nothing(small_shop, reviewed):
    """Coupons for free shipping: marked on the line, worth nothing there. A cost of 0 would divide by zero."""
    orders = small_shop.tables["orders"].assign(platform_subsidy_local=0.0)
    cost_refused(reviewed(small_shop.replace(orders=orders)), "carry no discount")


def test_a_source_of_another_kind_of_shop(small_shop, opened, monkeypatch):
    """Users, not households, where the source does not say what buyers are called."""
    review = campaigns.review(opened(small_shop), "tea", weeks_before=16, weeks_after=2)
    page = render(review)
    assert "household" not in page + review.reach.text
    assert "targeted users" in page


@pytest.mark.parametrize("asked", ["sentence", "exhibit"])
def test_unknown_parts_of_a_page(review, asked):
    with pytest.raises(UnknownName, match="Did you mean 'placebos'"):
        getattr(review, asked)("placebo")


def test_a_full_review_renders(review):
    page = render(review)
    assert "Not enough data" not in page
    assert "nan" not in page.lower().replace("nano", "")
