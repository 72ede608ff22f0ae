"""The review on real data: counts by plain SQL, refusals, and a snapshot."""

from __future__ import annotations

import pytest

from analysis_lib import campaigns

LOCAL = "(({} AT TIME ZONE 'UTC') AT TIME ZONE 'America/New_York')::DATE"


@pytest.fixture(scope="module")
def eighteen(complete_journey):
    return campaigns.review(complete_journey, "18", weeks_before=26, weeks_after=1)


@pytest.fixture
def ask(complete_journey):
    return lambda sql: complete_journey.connection.execute(sql).fetchall()[0][0]


def test_funnel_equals_plain_sql(eighteen, ask):
    bought = """
        SELECT count(DISTINCT o.user_id) FROM orders AS o JOIN campaign_targets AS t USING (user_id), campaigns AS c
        WHERE t.campaign_id = '18' AND c.campaign_id = '18' AND {} BETWEEN c.starts_on AND c.ends_on
        AND o.quantity * o.price_local - o.discount_local > 0 {}"""
    promoted = """AND o.product_id IN (
        SELECT product_id FROM coupon_products JOIN coupons USING (coupon_id) WHERE campaign_id = '18')"""
    steps = eighteen.reach.steps["n_users"].tolist()
    assert steps[0] == ask("SELECT count(*) FROM campaign_targets WHERE campaign_id = '18'") == 1_133
    assert steps[2] == ask(bought.format(LOCAL.format("o.ordered_at"), ""))
    assert steps[3] == ask(bought.format(LOCAL.format("o.ordered_at"), promoted))
    redeemers = "SELECT count(DISTINCT e.user_id) FROM coupon_events AS e JOIN coupons USING (coupon_id)"
    assert steps[4] == ask(redeemers + " WHERE campaign_id = '18' AND kind = 'redemption'") == 214


def test_bill_equals_plain_sql(eighteen, ask):
    events = "FROM coupon_events JOIN coupons USING (coupon_id) WHERE campaign_id = '18' AND kind = 'redemption'"
    assert eighteen.cost.n_redemptions == ask(f"SELECT count(*) {events}") == 653
    recorded = ask(
        "SELECT sum(platform_subsidy_local) FROM orders AS o WHERE (user_id, coupon_id) IN "
        f"(SELECT (user_id, coupon_id) {events})"
    )
    assert eighteen.cost.recorded == pytest.approx(recorded)


def test_all_parts_are_there(eighteen):
    assert eighteen.missing == ()
    assert eighteen.effect.weights.worst_after < 0.01
    assert eighteen.ledger["value"].iloc[:-1].sum() == pytest.approx(eighteen.ledger["value"].iloc[-1])
    assert "1,133 households were targeted" in eighteen.sentence("reach")
    assert "learning only" in eighteen.sentence("caveat")


def test_a_campaign_at_the_start_of_the_year_is_refused(complete_journey):
    review = campaigns.review(complete_journey, "27")
    assert review.decision.action == "Cannot tell"
    assert "5 whole weeks before the campaign" in review.missing[0]


def test_snapshot_of_the_headline(eighteen):
    """Our own output, not a reference: a change of it must be meant."""
    assert eighteen.effect.plain.effects["total"].value == pytest.approx(25.04, abs=0.05)
    assert eighteen.effect.plain.effects["total"].se == pytest.approx(24.0, abs=8.0)
    assert eighteen.decision.action == "Cannot tell"


def test_campaign_windows_of_other_campaigns_are_not_called_free(complete_journey):
    """Campaign 8 has too little history for windows of its own; the borrowed ones keep clear of it."""
    review = campaigns.review(complete_journey, "8", weeks_after=1)
    runs = review.effect.placebos
    assert (runs["week"].abs() >= 8).all()
