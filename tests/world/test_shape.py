"""The world looks like a marketplace, and what is planted in it can be seen in its tables.

Schema ``a`` is the world with every plant, ``b`` the bare one, ``c`` the one with nothing planted.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from scipy import stats

from analysis_lib import world
from analysis_lib.world.recipe import make_recipe
from analysis_lib.world.timeline import market_days, months, rates

LOCAL = "timezone(z.timezone, timezone('UTC', {at}))::DATE"


@pytest.fixture(scope="module")
def days():
    """Factors of every market-day, by country and day."""
    recipe = make_recipe(world.load_settings(), seed=1, scale=0.1, without=())
    found = market_days(recipe, months(recipe, {}), rates(recipe))
    return {(recipe.settings.markets[day.m].country, day.day): day for day in found}


def gini(numbers):
    total, n = sum(numbers), len(numbers)
    return 2 * sum(rank * x for rank, x in enumerate(sorted(numbers), 1)) / (n * total) - (n + 1) / n


# The market place


def test_weekends_are_friday_and_saturday_in_saudi_arabia(days):
    week = [date(2025, 7, 14) + timedelta(days=i) for i in range(7)]  # a Monday; no holiday, no festival, no payday
    busy = {country: [days[country, day].visits for day in week] for country in ("SA", "GB")}
    assert [visits > 1.05 * min(busy["GB"]) for visits in busy["GB"]] == [False] * 5 + [True] * 2
    assert [visits > 1.05 * min(busy["SA"]) for visits in busy["SA"]] == [False] * 4 + [True] * 2 + [False]


def test_festivals_stand_out(days):
    def against_the_month(country, day):
        return days[country, day].visits / days[country, day - timedelta(days=14)].visits

    assert against_the_month("ID", date(2025, 11, 11)) > 1.4
    assert against_the_month("US", date(2025, 11, 28)) > 1.3
    assert against_the_month("US", date(2026, 9, 9)) < 1.15


@pytest.mark.parametrize(
    ("country", "day", "hours"),
    [("GB", date(2026, 3, 29), 23), ("US", date(2025, 11, 2), 25), ("ES", date(2025, 10, 26), 25),
     ("ID", date(2026, 3, 29), 24), ("MX", date(2026, 4, 5), 24)],
)  # fmt: skip
def test_days_of_clock_changes_have_their_length(days, country, day, hours):
    assert days[country, day].seconds == 3600 * hours
    after = days[country, day + timedelta(days=1)]
    assert (after.utc_start - days[country, day].utc_start).total_seconds() == 3600 * hours


def test_the_first_day_is_a_day_like_others(ask):
    """A month of which the data hold one day once counted its creators as if the day were the month."""
    counts = dict(ask("SELECT month, sum(active_creators) FROM country_factors GROUP BY 1"))
    assert counts[date(2024, 10, 1)] > 0.8 * counts[date(2024, 11, 1)]


def test_market_shares_follow_the_settings(ask):
    settings = world.load_settings()
    total = sum(market.users for market in settings.markets)
    found = dict(ask("SELECT country, count(*) / sum(count(*)) OVER () FROM users GROUP BY 1"))
    for market in settings.markets:
        assert found[market.country] == pytest.approx(market.users / total, rel=0.02)


def test_the_funnel_narrows(ask):
    counts = dict(ask("SELECT name, count(DISTINCT session_id) FROM events WHERE user_id IS NOT NULL GROUP BY 1"))
    steps = [counts[n] for n in ("app_start", "product_view", "add_to_cart", "checkout")]
    passed = [after / before for before, after in pairwise(steps)]
    assert passed == pytest.approx([0.62, 0.53, 0.765], abs=0.03)
    (orders,) = ask("SELECT count(DISTINCT order_id) FROM orders")[0]
    assert orders / steps[-1] == pytest.approx(0.96, abs=0.03)


def test_few_do_much(ask):
    orders = ask("""SELECT count(DISTINCT order_id) FROM users LEFT JOIN orders USING (user_id) GROUP BY user_id""")
    views = ask("""SELECT count(e.event_id) FROM creators
        LEFT JOIN (FROM events WHERE name = 'impression') AS e USING (creator_id) GROUP BY creator_id""")
    assert 0.65 < gini([n for (n,) in orders]) < 0.85
    assert 0.4 < gini([n for (n,) in views]) < 0.85


def test_surfaces_have_their_shares_even_in_small_markets(ask):
    """A market of few creators once had days without any live session, and shop tabs in its place."""
    settings = world.load_settings().funnel.surfaces
    for country in ("ES", "ID"):
        found = dict(
            ask(f"""SELECT surface, count(*) / sum(count(*)) OVER () FROM events
            WHERE name = 'impression' AND user_id IS NOT NULL AND country = '{country}' GROUP BY 1""")
        )
        for surface, share in settings.items():
            assert found[surface] == pytest.approx(share, abs=0.09), (country, surface)


def test_money_is_of_a_plausible_size(ask):
    aov = dict(
        ask("""SELECT country, sum((quantity * price_local - discount_local) * usd_per_unit) / count(DISTINCT order_id)
            FROM orders JOIN fx_rates USING (currency) WHERE day = ordered_at::DATE AND currency <> 'MYR' GROUP BY 1""")
    )
    assert all(6 < value < 70 for value in aov.values())
    assert aov["US"] > 2 * aov["ID"]


def test_creators_are_paid_by_their_tier_and_nobody_else_is(ask):
    rates = world.load_settings().supply.commission
    rows = ask("""SELECT coalesce(tier, ''), sum(commission_local), sum(quantity * price_local - discount_local),
            count(*) FILTER (commission_local <> round(commission_local, CASE WHEN o.currency IN ('IDR', 'VND') THEN 0
                ELSE 2 END))
        FROM orders AS o LEFT JOIN creators USING (creator_id)
        GROUP BY 1, o.currency""")
    for tier, paid, sold, unrounded in rows:
        assert paid == pytest.approx(rates.get(tier, 0.0) * sold, rel=0.002)
        assert unrounded == 0
    assert {tier for tier, *_ in rows} == {"", *rates}


def test_media_are_a_share_of_the_budget_or_not_known(ask):
    campaigns = world.load_settings().campaigns
    rows = ask("SELECT campaign_id, budget_usd, media_usd FROM campaigns")
    assert {name for name, _, media in rows if media is None} == {n for n, one in campaigns.items() if not one.media}
    assert all(media == pytest.approx(campaigns[n].media * budget, abs=0.01) for n, budget, media in rows if media)


def test_goods_given_back_come_late_and_in_their_shares(ask):
    (cancelled, refunded, refused) = ask("""
        SELECT avg((status = 'cancelled')::INT), avg((status = 'refunded')::INT),
            avg((status = 'returned')::INT) FILTER (payment_method = 'cod')
        FROM (SELECT DISTINCT order_id, status, payment_method FROM orders WHERE ordered_at < '2026-09-01')""")[0]
    assert cancelled == pytest.approx(0.035, abs=0.008)
    assert refunded == pytest.approx(0.055, abs=0.012)
    assert 0.07 < refused < 0.16
    (slow,) = ask("""SELECT quantile_cont(date_diff('day', ordered_at, u."at"), 0.95) FROM order_updates AS u
        JOIN (SELECT DISTINCT order_id, ordered_at FROM orders) USING (order_id) WHERE u.status = 'refunded'""")[0]
    assert 25 < slow < 60


# Campaigns

IN_CAMPAIGN = f"""SELECT {{columns}} FROM {{world}}.orders AS o JOIN a.countries AS z USING (country)
    JOIN a.campaigns AS k ON k.country = o.country
        AND {LOCAL.format(at="o.ordered_at")} BETWEEN starts_on AND ends_on"""
PROMOTED = """EXISTS (FROM a.campaign_products AS p
    WHERE p.campaign_id = k.campaign_id AND p.country = k.country AND p.product_id = o.product_id)"""


def test_campaigns_lift_orders_and_promoted_goods_most(compare):
    columns = f"count(*) FILTER ({PROMOTED}), count(*) FILTER (NOT {PROMOTED})"
    (promoted, other), (promoted_without, other_without) = (
        compare(IN_CAMPAIGN.format(columns=columns, world=name))[0] for name in "ac"
    )
    assert promoted > 1.3 * promoted_without
    assert promoted + other > 1.15 * (promoted_without + other_without)
    assert promoted / promoted_without > 1.2 * other / other_without


def test_visits_that_came_early_are_missing_afterwards(compare):
    """Nothing but campaigns moves visits here; with the same draws, those after one are a part of those without."""
    day = LOCAL.format(at='"at"')
    after = f"""SELECT session_id FROM {{}}.events AS e JOIN a.countries AS z USING (country)
        WHERE e.name = 'app_start' AND country NOT IN ('SG', 'PH', 'GB', 'ES')
        AND EXISTS (FROM a.campaigns AS k WHERE k.country = e.country AND {day} BETWEEN ends_on + 1 AND ends_on + 28)
        AND NOT EXISTS (FROM a.campaigns AS k WHERE k.country = e.country AND {day} BETWEEN starts_on AND ends_on)"""
    left, came, new = compare(f"""WITH a_ AS ({after.format("a")}), c_ AS ({after.format("c")})
        SELECT (SELECT count(*) FROM a_), (SELECT count(*) FROM c_), (SELECT count(*) FROM a_ ANTI JOIN c_ USING
            (session_id))""")[0]
    assert new == 0
    assert 0.90 * came < left < 0.985 * came


def test_flash_sales_take_their_discount_off(compare):
    (least,) = compare(f"""SELECT min(discount_local / (quantity * price_local)) FROM ({
        IN_CAMPAIGN.format(columns="o.*, k.mechanic, k.targeting", world="a")
    } WHERE k.mechanic = 'flash_sale'
        AND {PROMOTED})""")[0]
    assert least > 0.17


def test_held_out_users_live_as_if_there_were_no_campaign(compare):
    visits = """SELECT user_id, session_id FROM {}.events JOIN a.campaign_targets AS t USING (user_id)
        WHERE campaign_id = 'ramadan_2026' AND is_holdout AND name = 'app_start'
        AND "at" BETWEEN '2026-02-25' AND '2026-03-08'"""
    assert compare(visits.format("a") + " EXCEPT ALL " + visits.format("c")) == []
    assert compare(visits.format("c") + " EXCEPT ALL " + visits.format("a")) == []
    held = "JOIN a.coupons USING (coupon_id) JOIN a.campaign_targets USING (campaign_id, user_id) WHERE is_holdout"
    assert compare(f"FROM a.coupon_events {held}") == []


def test_coupons_are_wasted_on_those_who_would_have_bought(compare):
    used, anyway = compare("""SELECT count(DISTINCT a.order_id), count(DISTINCT c.order_id)
        FROM a.orders AS a JOIN a.coupons USING (coupon_id) LEFT JOIN c.orders AS c ON c.order_id = a.order_id
        WHERE campaign_id IS NOT NULL""")[0]
    assert 0.4 < anyway / used < 0.95


# Experiments


def arm_counts(ask, name):
    return dict(ask(f"SELECT variant, count(*) FROM exposures WHERE experiment_id = '{name}' GROUP BY 1"))


def test_splits_are_as_planned(ask):
    for name, trial in world.load_settings().experiments.items():
        counts = arm_counts(ask, name)
        if trial.phases or trial.dropped:
            continue
        planned = [arm.share * sum(counts.values()) for arm in trial.variants.values()]
        assert stats.chisquare([counts[variant] for variant in trial.variants], planned).pvalue > 1e-4, name


def test_a_ramp_changes_the_split_from_phase_to_phase(ask):
    counts = ask("""SELECT phase, count(*) FILTER (variant = 'treatment'), count(*) FROM exposures
        WHERE experiment_id = 'faster_search' GROUP BY 1""")
    assert {phase for phase, _, _ in counts} == {"5%", "20%", "50%"}
    for phase, treated, total in counts:
        assert stats.binomtest(treated, total, float(phase[:-1]) / 100).pvalue > 1e-4


def test_the_broken_split_loses_old_phones_only(ask):
    """Everybody who came is exposed, but for some on old Android; in a sound test, everybody."""
    missing = f"""SELECT DISTINCT os_version FROM events AS e JOIN countries AS z USING (country)
        WHERE e.name = 'app_start' AND country IN {{}} AND {LOCAL.format(at='"at"')} BETWEEN '{{}}' AND '{{}}'
        AND user_id NOT IN (SELECT unit_id FROM exposures WHERE experiment_id = '{{}}')"""
    broken = missing.format("('TH', 'VN', 'PH', 'MX')", "2026-05-04", "2026-05-24", "video_autoplay")
    sound = missing.format("('ID', 'TH', 'VN')", "2026-02-16", "2026-03-08", "new_icons")
    assert {os for (os,) in ask(broken)} == {"android 9", "android 10", "android 11"}
    assert ask(sound) == []


def test_a_win_is_a_win_for_the_treated_only(compare):
    orders = """SELECT DISTINCT order_id FROM {}.orders AS o JOIN a.exposures AS x
        ON x.unit_id = o.user_id AND x.experiment_id = 'one_page_checkout' AND variant {} 'control'
        JOIN a.users AS u USING (user_id)
        WHERE ordered_at BETWEEN '2026-04-13' AND '2026-05-04' AND platform <> 'ios'"""

    def only(first, second, variant):
        return len(compare(orders.format(first, variant) + " EXCEPT " + orders.format(second, variant)))

    assert only("a", "b", "=") == only("b", "a", "=") == 0
    assert only("b", "a", "<>") == 0 and only("a", "b", "<>") > 10


def test_all_arms_share_one_coupon_budget(ask):
    """About as many coupons a day as the budget has, however many claim them."""
    used = dict(
        ask("""SELECT country, count(*) FROM coupon_events JOIN users USING (user_id)
            WHERE coupon_id = 'daily-coupon_reminder' GROUP BY 1""")
    )
    users = dict(ask("SELECT country, count(*) FROM users GROUP BY 1"))
    for country, n in used.items():
        assert n < 1.6 * users[country] / 1000 * 28 * 1.3


def test_creators_are_the_units_of_their_experiment(ask):
    assert (
        ask("""FROM exposures WHERE experiment_id = 'live_banner'
        AND unit_id NOT IN (SELECT creator_id FROM creators)""")
        == []
    )
    assert sum(arm_counts(ask, "live_banner").values()) > 30


# Releases and incidents


def test_a_release_crashes_on_old_android_and_nowhere_else(ask):
    rate = """SELECT count(*) FILTER (name = 'crash') / count(*) FILTER (name = 'app_start') FROM events
        WHERE platform = 'android' AND {} ({})"""
    hit = "app_version = '33.0' AND os_version IN ('android 9', 'android 10')"
    assert ask(rate.format("", hit))[0][0] > 4 * ask(rate.format("NOT", hit))[0][0]


def test_a_release_is_slow_to_start(ask):
    median = dict(
        ask(
            """SELECT app_version, median(value) FROM events WHERE name = 'app_start' AND platform = 'ios' GROUP BY 1"""
        )
    )
    assert median["33.0"] / median["32.0"] == pytest.approx(1.38, rel=0.06)
    assert median["34.0"] / median["32.0"] == pytest.approx(0.80, rel=0.06)


def test_the_active_install_first(ask):
    early, late = ask("""SELECT avg(n) FROM (
            SELECT u.user_id, min(e."at") FILTER (app_version = '33.0') < '2026-03-26' AS early,
                count(*) FILTER (e."at" BETWEEN '2025-11-01' AND '2026-03-09') AS n
            FROM users AS u JOIN events AS e USING (user_id)
            WHERE u.platform = 'android' AND name = 'app_start' AND u.signed_up_at < '2025-11-01' GROUP BY 1)
        WHERE early IS NOT NULL GROUP BY early ORDER BY early DESC""")
    assert early[0] > 1.3 * late[0]


def test_bots_are_signed_out_in_mexico_for_five_days(ask):
    found = ask("""SELECT country, name, min("at")::DATE, max("at")::DATE, count(*) > 50 FROM events
        WHERE user_id IS NULL GROUP BY ALL ORDER BY ALL""")
    assert [(country, name, many) for country, name, _, _, many in found] == [
        ("MX", "impression", True), ("MX", "product_view", True),
    ]  # fmt: skip
    assert {(first, last) for _, _, first, last, _ in found} == {(date(2026, 6, 3), date(2026, 6, 8))}  # UTC


def test_a_wrong_rate_is_recorded_and_the_true_one_used(compare):
    ratios = compare("""SELECT currency, day, a.usd_per_unit / c.usd_per_unit FROM a.fx_rates AS a
        JOIN c.fx_rates AS c USING (currency, day) WHERE a.usd_per_unit <> c.usd_per_unit ORDER BY day""")
    assert [(currency, day) for currency, day, _ in ratios] == [("MYR", date(2026, 4, 21)), ("MYR", date(2026, 4, 22))]
    assert [ratio for *_, ratio in ratios] == pytest.approx([10, 10])


def test_a_currency_falls_overnight(ask):
    rate = dict(ask("SELECT day, usd_per_unit FROM fx_rates WHERE currency = 'BRL'"))
    assert rate[date(2026, 1, 19)] / rate[date(2026, 1, 18)] == pytest.approx(1 - 0.16, abs=0.03)
    assert len(rate) >= 731 and ask("SELECT DISTINCT usd_per_unit FROM fx_rates WHERE currency = 'USD'") == [(1.0,)]


def test_data_are_late_in_indonesia_for_two_days(ask):
    late = ask(f"""SELECT DISTINCT country, {LOCAL.format(at='"at"')} AS day FROM events
        JOIN countries AS z USING (country)
        WHERE received_at - "at" > INTERVAL 2 DAY ORDER BY day""")
    assert late == [("ID", date(2026, 8, 12)), ("ID", date(2026, 8, 13))]


def test_a_strike_adds_its_days(compare):
    added = compare("""SELECT date_diff('second', c."at", a."at") / 86400, ordered_at::DATE
        FROM a.order_updates AS a JOIN c.order_updates AS c USING (order_id, status)
        JOIN (SELECT DISTINCT order_id, country, ordered_at FROM a.orders) USING (order_id)
        WHERE status = 'delivered' AND abs(date_diff('hour', c."at", a."at")) > 48""")
    assert added and [days for days, _ in added] == pytest.approx([8.0] * len(added), abs=0.15)
    assert {on for _, on in added} <= {date(2025, 12, 7) + timedelta(days=i) for i in range(14)}


def test_a_stock_out_empties_carts(compare):
    carts = """SELECT count(*) FROM {}.events JOIN a.products USING (product_id) WHERE name = 'add_to_cart'
        AND country = 'US' AND category = 'beauty' AND "at" BETWEEN '2026-02-09 05:00' AND '2026-02-16 05:00'"""
    assert compare(carts.format("a"))[0][0] < 0.8 * compare(carts.format("c"))[0][0]


def test_a_creator_goes_viral_and_a_market_moves_to_video(compare):
    videos = """SELECT count(*) FROM {}.events WHERE name = 'impression' AND surface = 'video' AND country = '{}'
        AND "at" BETWEEN '{}' AND '{}'"""
    for where in (("PH", "2026-01-15", "2026-01-19"), ("SG", "2026-07-01", "2026-08-01")):
        assert compare(videos.format("a", *where))[0][0] > 1.3 * compare(videos.format("c", *where))[0][0]


def test_tracking_is_lost_but_orders_are_not(ask):
    silent = ask("""SELECT DISTINCT country, u.platform, ordered_at::DATE BETWEEN '2026-05-25' AND '2026-05-29'
        FROM orders AS o JOIN users AS u USING (user_id, country)
        WHERE 's' || substr(order_id, 2) NOT IN (SELECT session_id FROM events)""")
    assert set(silent) <= {("GB", "ios", True), ("ES", "ios", True)}
    iphones = """SELECT count(*) FROM events WHERE name = 'app_start' AND platform = 'ios' AND country IN ('GB', 'ES')
        AND "at" BETWEEN '{}' AND '{}'"""
    lost, before = (ask(iphones.format(*d))[0][0] for d in (("2026-05-26", "2026-05-29"), ("2026-05-22", "2026-05-25")))
    assert lost < 0.6 * before
