"""Media and creators' commission: in the bill, in what is left, and in the return; sources without them as before."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib import campaigns, world
from analysis_lib.campaigns.bill import bill
from analysis_lib.campaigns.spend import Spend, commission_rate, spend_of
from analysis_lib.campaigns.windows import find_campaign
from analysis_lib.config import project
from analysis_lib.results import Estimate

MONEY = ("value", "ci_lower", "ci_upper")


def estimate(value: float, reach: float = 1.0) -> Estimate:
    return Estimate(value, reach / 2, value - reach, value + reach, 0.95, "usd_per_usd", 10, "m")


def with_spend(shop, *, rate: float | None = 0.1, media: float | None = 100.0, usd_per_unit: float | None = 1.25):
    """The shop with a commission on every order line, with media, and with an exchange rate."""
    orders, told = shop.tables["orders"], shop.tables["campaigns"]
    tables = {}
    if rate is not None:
        tables["orders"] = orders.assign(commission_local=rate * orders["price_local"])
    if media is not None:
        tables["campaigns"] = told.assign(media_usd=media)
    if usd_per_unit is not None:
        days = pd.date_range("2023-08-01", "2023-09-30").date
        tables["fx_rates"] = pd.DataFrame({"currency": "GBP", "day": days, "usd_per_unit": usd_per_unit})
    return shop.replace(**tables)


@pytest.fixture(scope="module")
def plain(small_shop, reviewed):
    return reviewed(small_shop)


@pytest.fixture(scope="module")
def told(small_shop, reviewed):
    return reviewed(with_spend(small_shop))


# ----------------------------------------------------------------------------------------------------- what is charged


def test_media_and_commission_are_charged(plain, told):
    assert told.cost.media == pytest.approx(100 / 1.25)
    assert told.setting.spend.commission == pytest.approx(0.1)
    net = plain.net_incremental_gmv
    assert told.cost.commission.value == pytest.approx(0.1 * net.value)
    assert told.contribution.value == pytest.approx(0.15 * net.value - told.cost.total - 80)
    assert told.contribution.ci_upper - told.contribution.ci_lower == pytest.approx(
        0.15 * (net.ci_upper - net.ci_lower)
    )
    assert told.total_cost == pytest.approx(told.cost.total + 80 + 0.1 * net.value)


def test_what_it_sold_is_told_as_before(plain, told):
    pd.testing.assert_frame_equal(plain.ledger, told.ledger)
    assert plain.cost.total == told.cost.total and plain.cost.always_share.value == told.cost.always_share.value


def test_a_source_that_tells_neither_is_reviewed_as_before(plain):
    net, cost = plain.net_incremental_gmv, plain.cost
    assert not plain.setting.spend.tells_commission and not plain.setting.spend.tells_media
    assert (cost.media, cost.commission) == (0.0, None) and plain.setting.kept == plain.setting.margin
    assert plain.contribution.value == pytest.approx(0.25 * net.value - cost.total)
    assert plain.return_on_cost.value == pytest.approx(net.value / cost.total)
    assert not {"creator_commission", "media_cost"} & set(plain.exhibit("cost").frame["row"])
    assert "Not known: what creators are paid and money for media." in plain.sentence("cost")


def test_media_that_are_null_are_none_known(small_shop, reviewed, plain):
    found = reviewed(with_spend(small_shop, rate=None, media=float("nan"), usd_per_unit=None))
    assert found.contribution.value == pytest.approx(plain.contribution.value)
    assert "media_cost" not in set(found.exhibit("cost").frame["row"])


def test_media_of_nothing_need_no_rate(small_shop, reviewed, plain):
    found = reviewed(with_spend(small_shop, rate=None, media=0.0, usd_per_unit=None))
    assert found.contribution.value == pytest.approx(plain.contribution.value)
    assert found.exhibit("cost").frame.set_index("row").loc["media_cost", "value"] == 0


def test_media_without_a_rate_are_not_guessed(small_shop, reviewed, plain):
    found = reviewed(with_spend(small_shop, rate=None, usd_per_unit=None))
    assert found.contribution is None and found.decision.action == "Cannot tell"
    assert "no exchange rate of GBP" in found.missing[0]
    pd.testing.assert_frame_equal(found.ledger, plain.ledger)


def test_lines_without_a_commission_are_left_out_of_the_share(small_shop, reviewed):
    shop = with_spend(small_shop, media=None)
    orders = shop.tables["orders"].copy()
    orders.loc[orders.index % 2 == 0, "commission_local"] = None
    found = reviewed(shop.replace(orders=orders))
    assert found.setting.spend.commission == pytest.approx(0.1)


def test_what_buyers_paid_is_charged_alike(small_shop, reviewed, told):
    """Coupons are not charged twice, and creators have their share of the value before coupons."""
    paid = reviewed(with_spend(small_shop), metric="paid")
    sales = paid.net_incremental_gmv.shifted(paid.cost.recorded)
    assert paid.cost.commission.value == pytest.approx(0.1 * sales.value)
    assert paid.contribution.value == pytest.approx(0.15 * sales.value - paid.cost.total - 80)
    assert paid.return_on_cost.value == pytest.approx(paid.net_incremental_gmv.value / paid.spent)


def test_creators_that_take_the_margin_leave_nothing_to_tell(small_shop, reviewed):
    found = reviewed(with_spend(small_shop, rate=0.3))
    assert found.setting.kept < 0 and found.contribution.ci_upper < 0
    assert "it cannot pay" in found.sentence("cost")
    assert reviewed(with_spend(small_shop, rate=0.25)).text


# ------------------------------------------------------------------------------------------------------ what adds up


@pytest.mark.parametrize("options", [{}, {"contact_cost": 0.37}, {"metric": "paid", "margin": 0.4}])
def test_the_bill_and_what_is_left_add_up_to_the_cent(small_shop, reviewed, options):
    found = reviewed(with_spend(small_shop, media=123.45), **options)
    rows = bill(found).set_index("row")["value"]
    assert rows.drop("total_cost").sum() == pytest.approx(rows["total_cost"], abs=0.005)
    assert rows["total_cost"] == pytest.approx(found.total_cost, abs=0.005)
    left = found.exhibit("earnings").frame.set_index("row")["value"]
    parts = left.drop(["additional_sales", "net_contribution"])
    assert parts.sum() == pytest.approx(left["net_contribution"], abs=0.005)
    assert found.contribution.value == pytest.approx(left["earned"] - rows["total_cost"], abs=0.005)


@given(
    st.floats(0.01, 1e6), st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.3), st.floats(0, 1e4), st.floats(-1e5, 1e5)
)
def test_every_split_of_the_coupons_adds_up(plain, total, always, new, rate, media, net):
    from dataclasses import replace

    share = Estimate(always, 0.1, max(0, always - 0.2), 1.0, 0.95, "share", 10, "m")
    commission = estimate(net, 10.0).scaled(rate, "gbp")
    spend = Spend(media, 1.0, rate)
    cost = replace(plain.cost, total=total, always_share=share, new_share=new, media=media, commission=commission)
    found = replace(plain, cost=cost, setting=replace(plain.setting, spend=spend))
    rows = bill(found).set_index("row")
    assert rows["value"].drop("total_cost").sum() == pytest.approx(rows.loc["total_cost", "value"], abs=0.005)
    assert (rows["ci_lower"] <= rows["value"] + 1e-6).all() and (rows["value"] <= rows["ci_upper"] + 1e-6).all()
    coupons = rows.loc[["subsidy_always_buyers", "subsidy_new_buyers", "subsidy_others"], "value"]
    assert (coupons >= -1e-9).all() and coupons.sum() == pytest.approx(total)


# -------------------------------------------------------------------------------------------------------- the return


@pytest.mark.parametrize("metric", ["gmv", "paid"])
@pytest.mark.parametrize("margin", [0.12, 0.25, 0.6])
def test_it_pays_where_something_is_left(small_shop, reviewed, metric, margin):
    """Return and contribution tell the same, and the interval's ends lie on the same side of what pays."""
    found = reviewed(with_spend(small_shop), metric=metric, margin=margin)
    back, left = found.return_on_cost, found.contribution
    for end in ("value", "ci_lower", "ci_upper"):
        gap = (getattr(back, end) - found.pays_from) * found.setting.kept * found.spent
        assert gap == pytest.approx(getattr(left, end))
    assert "it pays from" in found.sentence("cost")


def test_commission_is_taken_off_the_margin_and_media_are_money_put_in(plain, told):
    assert told.return_on_cost.value == pytest.approx(told.net_incremental_gmv.value / (told.cost.total + 80))
    assert (plain.pays_from, told.pays_from) == (pytest.approx(4.0), pytest.approx(1 / 0.15))


# --------------------------------------------------------------------------------------------------- the planted truth


@pytest.fixture(scope="module")
def planted():
    """What campaigns with coupons truly cost in media and commission, in the book's own world."""
    names = ["ramadan_2026", "thailand_may_2026", "black_friday_2025", "back_to_school_2025"]
    found = world.truth(project().data / "built" / "world.duckdb", plants=[f"campaign:{name}" for name in names])
    return found.pivot_table(index=["entity", "country"], columns="metric", values="value")


def test_media_are_those_of_the_truth(world, planted):
    for (name, country), row in planted.iterrows():
        spend = spend_of(world, find_campaign(world, name, country))
        assert spend.media("usd") == pytest.approx(row["media_cost"], abs=0.005)
        local = spend.media("local")
        assert local * spend.usd_per_unit == pytest.approx(row["media_cost"], abs=0.005)


def test_commission_on_what_was_sold_is_close_to_the_truth(world, planted):
    """The share of all sales in the campaign's days, times what it truly sold, against what creators truly got."""
    guessed = {}
    for (name, country), row in planted.iterrows():
        one = find_campaign(world, name, country)
        rate = commission_rate(world, country, one.timezone, (one.starts_on, one.ends_on))
        guessed[name, country] = rate * row["net_incremental_gmv"]
    true = planted["creator_commission"]
    assert sum(guessed.values()) == pytest.approx(true.sum(), rel=0.1)
    largest = planted["net_incremental_gmv"] > 2_000
    assert largest.sum() >= 4
    for place in planted.index[largest]:
        assert guessed[place] == pytest.approx(true[place], rel=0.15)


def test_a_share_by_hand(world):
    """Commission over sales of a market's days, counted from the lines."""
    one = find_campaign(world, "thailand_may_2026", "TH")
    rows = world.query(world.table("orders").filter(lambda t: t.country == "TH"))
    day = (rows["ordered_at"] + pd.Timedelta(hours=7)).dt.date
    rows = rows[(day >= one.starts_on) & (day <= one.ends_on)]
    sold = (rows["quantity"] * rows["price_local"] - rows["discount_local"]).sum()
    by_hand = rows["commission_local"].sum() / sold
    assert spend_of(world, one).commission == pytest.approx(by_hand)


def test_first_time_buyers_of_a_campaign_for_everybody(world):
    """Of the coupons' money, the part on lines of users whose first order lies in the campaign."""
    found = campaigns.review(world, "thailand_may_2026", country="TH", details=False)
    orders = world.query(world.table("orders").filter(lambda t: t.country == "TH"))
    orders["day"] = (orders["ordered_at"] + pd.Timedelta(hours=7)).dt.date
    first = orders.groupby("user_id")["day"].min()
    ours = orders[orders["coupon_id"] == "thailand_may_2026"]
    is_new = ours["user_id"].map(first) >= found.campaign.starts_on
    share = ours.loc[is_new, "platform_subsidy_local"].sum() / ours["platform_subsidy_local"].sum()
    assert found.cost.new_share == pytest.approx(share, abs=0.01)
    rows = bill(found).set_index("row")["value"]
    assert rows["subsidy_new_buyers"] + rows["subsidy_others"] == pytest.approx(found.cost.total)
