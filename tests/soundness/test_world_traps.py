"""Silent wrong answers that the simulated marketplace once gave, or that its shape invites."""

from __future__ import annotations

import duckdb
import pytest

from analysis_lib import world


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    path = world.build(tmp_path_factory.mktemp("traps") / "world.duckdb", seed=4, scale=0.02, threads=2)
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield lambda sql: connection.execute(sql).fetchall()


def test_nobody_acts_before_signing_up(ask):
    """A live session sets its own hour: visits of the day of the sign-up once began before it."""
    assert ask('FROM events JOIN users USING (user_id) WHERE "at" < signed_up_at') == []


def test_nobody_signs_up_before_the_launch(ask):
    assert ask("FROM users JOIN countries USING (country) WHERE signed_up_at < launched_on") == []


def test_nothing_is_watched_before_it_is_there(ask):
    """Videos of the same day were once watched hours before they were published."""
    assert ask('FROM events JOIN contents USING (content_id) WHERE "at" < started_at') == []


def test_content_is_of_its_creator_and_market(ask):
    assert (
        ask("""FROM events AS e JOIN contents AS t USING (content_id)
        WHERE e.creator_id IS DISTINCT FROM t.creator_id OR e.country <> t.country OR e.surface <> t.kind""")
        == []
    )


def test_every_order_is_a_payment_that_succeeded(ask):
    """But for the days on which tracking was lost: there, orders without events are the trap."""
    assert (
        ask("""SELECT DISTINCT u.platform, o.country FROM orders AS o JOIN users AS u USING (user_id)
        WHERE NOT EXISTS (FROM events AS e WHERE e.session_id = 's' || substr(o.order_id, 2) AND e."at" = o.ordered_at
            AND e.name = 'payment_attempt' AND e.value = 1)
        AND NOT (u.platform = 'ios' AND o.country IN ('GB', 'ES')
            AND o.ordered_at BETWEEN '2026-05-25 22:00' AND '2026-05-29')""")
        == []
    )
    assert (
        ask("""FROM events WHERE name = 'payment_attempt' AND value = 1
        AND 'o' || substr(session_id, 2) NOT IN (SELECT order_id FROM orders)""")
        == []
    )


def test_no_visit_crosses_midnight(ask):
    """A visit in two market-days would be counted in both."""
    assert (
        ask("""SELECT session_id FROM (SELECT session_id, timezone(timezone, timezone('UTC', "at"))::DATE AS day
        FROM events JOIN countries USING (country)) GROUP BY 1 HAVING count(DISTINCT day) > 1""")
        == []
    )


def test_nothing_follows_a_crash(ask):
    assert (
        ask("""FROM events AS e JOIN (FROM events WHERE name = 'crash') AS c USING (session_id)
        WHERE e."at" > c."at" """)
        == []
    )


def test_the_status_of_an_order_is_its_last_update(ask):
    """Cash on delivery was once booked seconds after the delivery, so that delivered orders ended as paid."""
    assert (
        ask("""SELECT status, last FROM (SELECT DISTINCT order_id, status FROM orders)
        JOIN (SELECT order_id, arg_max(status, "at") AS last FROM order_updates GROUP BY 1) USING (order_id)
        WHERE status <> last""")
        == []
    )
    assert ask("SELECT DISTINCT status FROM orders WHERE order_id NOT IN (SELECT order_id FROM order_updates)") in (
        [], [("created",)],
    )  # fmt: skip


def test_no_refund_exceeds_what_was_paid_for_the_goods(ask):
    """Coupon money is the platform's: given back to the buyer it would make refunds larger than payments."""
    assert (
        ask("""FROM (SELECT order_id, sum(quantity * price_local - discount_local - platform_subsidy_local) AS goods
            FROM orders GROUP BY 1)
        JOIN order_updates AS u USING (order_id) WHERE u.status = 'refunded' AND amount_local > goods + 0.01""")
        == []
    )


def test_what_is_paid_adds_up_over_the_lines(ask):
    """One payment an order: joined to its lines it is counted once a line."""
    assert (
        ask("""FROM (SELECT order_id, sum(quantity * price_local - discount_local - platform_subsidy_local
                + shipping_local) AS due FROM orders GROUP BY 1)
        JOIN order_updates AS u USING (order_id) WHERE u.status = 'paid' AND abs(amount_local - due) > 0.01""")
        == []
    )
    assert ask("SELECT count(*) > count(DISTINCT order_id) FROM orders") == [(True,)]


def test_a_coupon_is_paid_for_and_dated_within_its_campaign(ask):
    assert ask("FROM orders WHERE coupon_id IS NULL AND platform_subsidy_local > 0") == []
    assert (
        ask("""FROM coupon_events AS e JOIN coupons USING (coupon_id) JOIN users USING (user_id)
        JOIN countries AS z USING (country) LEFT JOIN campaigns AS k
            ON k.campaign_id = coupons.campaign_id AND k.country = users.country
        WHERE e.kind = 'redemption' AND coupons.campaign_id IS NOT NULL AND NOT coalesce(
            timezone(z.timezone, timezone('UTC', e."at"))::DATE BETWEEN k.starts_on AND k.ends_on, false)""")
        == []
    )


def test_pooling_a_ramp_turns_a_gain_into_a_loss(ask):
    """Those exposed early are mostly control and have more days to buy in: only phases may be compared (Simpson)."""
    pooled, shares = ask("""SELECT avg(n) FILTER (variant = 'treatment') / avg(n) FILTER (variant = 'control'),
            count(*) FILTER (variant = 'treatment') / count(*)
        FROM (SELECT unit_id, variant, count(DISTINCT order_id) AS n FROM exposures LEFT JOIN orders
            ON user_id = unit_id AND ordered_at BETWEEN exposed_at AND '2026-09-13'
            WHERE experiment_id = 'faster_search' GROUP BY ALL)""")[0]
    assert pooled < 0.97 and shares < 0.35
