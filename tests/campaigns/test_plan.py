"""Planned campaigns: lots dealt on real history, effects planted there, what pays, which markets stand, the verdict."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from analysis_lib import campaigns
from analysis_lib.campaigns.lot_cells import BEFORE, BOUGHT, FLAGS, PARTS, SUBSIDY, LotCells
from analysis_lib.campaigns.lot_effect import lot_effect
from analysis_lib.campaigns.plan_lots import centred, deal, estimates, lot_power
from analysis_lib.campaigns.plan_markets import _read, campaign_rows, market_sales
from analysis_lib.campaigns.plan_money import money_of, past_coupon_shares
from analysis_lib.campaigns.plan_users import past_users
from analysis_lib.campaigns.spend import commission_rate
from analysis_lib.causal import GroupMoments
from analysis_lib.errors import InvalidValue, NotEnoughData, ShopbookError, UnknownName
from analysis_lib.pipelines import mart

STARTS = date(2026, 8, 17)
CAMPAIGN = {"starts_on": "2026-08-17", "budget_usd": 260.0, "campaign_id": "brazil_august_2026"}

#: Of some hundred lots: the 80 % point of what they find is known to about a tenth.
CLOSE = 0.12


@pytest.fixture(scope="module")
def brazil(world):
    return campaigns.plan(world, "BR", **CAMPAIGN, lots=60)


@pytest.fixture(scope="module")
def users(world, brazil):
    return past_users(world, brazil.asked)


# ------------------------------------------------------------------------------------------------------------ the past


def test_only_days_before_the_start_are_looked_at(brazil, users):
    asked = brazil.asked
    assert asked.last_day < STARTS
    for window in users.windows:
        longest = max(window.totals) + 7 * asked.weeks_after
        assert window.starts_on + timedelta(days=longest) <= STARTS
        assert window.starts_on >= asked.first_day + timedelta(days=28)
    assert STARTS - timedelta(days=364) in {window.starts_on for window in users.windows}


def test_a_window_is_that_by_hand(world, brazil, users):
    window, asked = users.windows[0], brazil.asked
    facts = mart(world, "order_facts")
    rows = world.query(
        facts.filter(facts.country == "BR").select("user_id", "order_id", "day", "gmv_local", "lost_local")
    )
    known = world.table("users")
    signed = world.query(known.filter(known.country == "BR").select("user_id", "signed_up_at"))
    # Three hours west of Greenwich.
    local = (pd.to_datetime(signed["signed_up_at"]) - pd.Timedelta(hours=3)).dt.date
    rows = rows[rows["user_id"].isin(signed.loc[local < window.starts_on, "user_id"])]
    since = (pd.to_datetime(rows["day"]) - pd.Timestamp(window.starts_on)).dt.days
    inside = since.between(0, asked.span - 1)
    net = rows["gmv_local"].astype(float) - rows["lost_local"].astype(float).fillna(0.0)
    assert window.n == int((local < window.starts_on).sum())
    assert window.totals[asked.days].sum() == pytest.approx(net[inside].sum())
    recent, earlier, _, orders = window.before.sum(axis=0)
    assert recent == pytest.approx(rows.loc[since.between(-28, -1), "gmv_local"].astype(float).sum())
    assert earlier == pytest.approx(rows.loc[since.between(-112, -29), "gmv_local"].astype(float).sum())
    assert orders == rows.loc[since.between(-112, -1)].groupby("user_id")["order_id"].nunique().sum()


# ------------------------------------------------------------------------------------------------------------ the lots


def test_a_lot_is_read_as_the_review_reads_it():
    """The same users and the same lot through both: the same number and the same interval."""
    rng = np.random.default_rng(3)
    names = (*PARTS, *BEFORE, BOUGHT, SUBSIDY, *FLAGS, *(f"week_{week}" for week in range(-8, 6)))
    rows = rng.exponential(size=(2_000, len(names)))
    mixed = rows[np.random.default_rng(5).permutation(len(rows))]
    groups = [GroupMoments(len(own), names, own.mean(axis=0), np.cov(own, rowvar=False))
              for own in (mixed[200:], mixed[:200])]  # fmt: skip
    weeks = {week: f"week_{week}" for week in range(-8, 6)}
    reviewed = lot_effect(LotCells(*groups, weeks), planned_share=0.1, level=0.95, unit="usd").effects["total"]
    history = rows[:, [names.index(name) for name in BEFORE]]
    users = centred(np.column_stack([rows[:, : len(PARTS)].sum(axis=1), history]))
    (dealt,) = deal(users, [0.1], np.random.default_rng(5), ("total_14", *BEFORE))
    one = estimates(*dealt, [14], 0.95)[14]
    assert (one.value, one.ci_lower, one.ci_upper) == pytest.approx(
        (reviewed.value, reviewed.ci_lower, reviewed.ci_upper), rel=1e-9
    )


def test_larger_shares_leave_out_those_of_smaller_ones():
    users = centred(np.random.default_rng(1).exponential(size=(500, 5)))
    found = list(deal(users, [0.2, 0.5], np.random.default_rng(2), ("total_14", *BEFORE)))
    order = np.random.default_rng(2).permutation(500)
    for (reached, held_out), n in zip(found, (100, 250), strict=True):
        assert held_out.mean == pytest.approx(users[order[:n]].mean(axis=0))
        assert reached.cov == pytest.approx(np.cov(users[order[n:]], rowvar=False))


def test_the_lots_agree_with_the_formula(brazil):
    grid = brazil.lots.grid
    assert brazil.lots.reach == pytest.approx(2.80, abs=0.005)
    planned = grid[grid["days"] == brazil.asked.days]
    assert planned["smallest"].to_numpy() == pytest.approx(planned["formula"].to_numpy(), rel=CLOSE)
    assert planned["alarms"].mean() < 0.09, "nothing is there to be found"
    assert planned.sort_values("share")["formula"].is_monotonic_decreasing


@pytest.mark.parametrize("way", ["the same for all", "in proportion"])
def test_an_effect_planted_in_real_history_is_found_as_often_as_promised(brazil, users, way):
    """Lots of other random numbers than the plan's; the smallest effect is put on the reached."""
    share, days, found = brazil.asked.holdout_share, brazil.asked.days, []
    rng, names = np.random.default_rng(77), (f"total_{days}", *BEFORE)
    same = way == "the same for all"
    smallest = brazil.lots.smallest(share, days) if same else brazil.lots.in_proportion
    for window in users.windows:
        effect = smallest * math.sqrt(brazil.lots.n_users / window.n)
        total = window.totals[days]
        for _ in range(40):
            order = rng.permutation(window.n)
            reached = np.ones(window.n, dtype=bool)
            reached[order[: round(share * window.n)]] = False
            more = effect if same else total * effect / total.mean()
            values = np.column_stack([total + reached * more, window.before])
            groups = [GroupMoments(len(own), names, own.mean(axis=0), np.cov(own, rowvar=False))
                      for own in (values[reached], values[~reached])]  # fmt: skip
            found.append(estimates(*groups, [days], 0.95)[days].ci_lower > 0)
    assert 0.72 < np.mean(found) < 0.88
    assert brazil.lots.in_proportion > brazil.lots.smallest(share, days), "it spreads the reached"


def test_what_was_planned_is_what_the_review_can_see(world, brazil):
    """Planned before its start; the interval of the campaign that ran is as wide as the plan said."""
    review = campaigns.review(world, "brazil_august_2026", country="BR")
    planned = brazil.smallest() * brazil.reached(0.1) / brazil.usd_per_unit
    assert planned == pytest.approx(2.8 * review.net_incremental_gmv.se, rel=0.2)
    assert brazil.lots.n_users == pytest.approx(review.effect.n_targeted + review.effect.n_held_out, rel=0.01)


def test_the_same_seed_deals_the_same_lots(brazil, users):
    one, again, other = (lot_power(users, replace(brazil.asked, lots=20, seed=seed)) for seed in (1, 1, 2))
    assert one.dealt.equals(again.dealt) and not one.dealt.equals(other.dealt)
    assert other.smallest(0.1, 14) == pytest.approx(brazil.lots.smallest(0.1, 14), rel=0.2)


# ----------------------------------------------------------------------------------------------------------- the money


def test_what_pays_is_the_cost_over_the_margin(brazil):
    pays = 260 / (0.25 - brazil.money.creators)
    assert brazil.money.pays(0.1, 14) == pytest.approx(pays)
    assert brazil.money.pays(0.1, 28) == pytest.approx(2 * pays), "as much is spent a day"
    assert brazil.pays() == pytest.approx(pays / brazil.reached(0.1))
    paid = replace(brazil.money, asked=replace(brazil.asked, metric="paid"))
    assert paid.pays(0.1, 14) == pytest.approx(pays - 260), "what buyers paid is short of the coupons already"
    assert replace(brazil.money, creators=0.0).pays(0.1, 14) == pytest.approx(1040), "where creators are not known"
    row = brazil.by_share.set_index("share").loc[0.1]
    assert row["forgone_usd"] == pytest.approx(brazil.pays() * 0.1 * brazil.lots.n_users)


def test_creators_have_what_they_had_of_the_last_weeks(world, brazil):
    last = brazil.asked.last_day
    rate = commission_rate(world, "BR", brazil.asked.timezone, (last - timedelta(days=27), last))
    assert brazil.money.creators == pytest.approx(rate) and 0.03 < rate < 0.09
    assert f"of which creators have {100 * rate:.1f} % of sales" in brazil.sentence("break_even")
    with pytest.raises(InvalidValue, match="no campaign pays"):
        campaigns.plan(world, "BR", **CAMPAIGN, lots=20, margin=0.04)


def test_media_of_past_campaigns_are_part_of_what_it_costs(world):
    one = campaigns.plan(world, "ID", mechanic="platform_coupon", lots=20)
    sales, _ = market_sales(world, one.asked)
    shares = past_coupon_shares(world, one.asked, sales, campaign_rows(world))
    assert (shares["media"] > 0).all() and set(shares["country"]) == {"ID"}
    cost = (shares["share"].median() + shares["media"].median()) * one.money.sales_usd
    assert one.money.cost_usd == pytest.approx(cost) and "and media of" in one.money.how


def test_coupons_say_what_it_costs_where_no_budget_does(world, brazil):
    (sales, _), rows = market_sales(world, brazil.asked), campaign_rows(world)
    free = replace(brazil.asked, budget_usd=None)
    coupons = money_of(world, replace(free, coupon_share=0.05), sales, rows)
    assert coupons.cost(0.2, 14) == pytest.approx(0.8 * 0.05 * coupons.sales_usd)
    past = money_of(world, free, sales, rows)
    assert past.how.startswith("coupons of") and "brazil_welcome_2025" in past.how
    assert "brazil_august_2026" not in past.how, "it has not run yet"
    shares = past_coupon_shares(world, replace(free, country="XX"), sales, rows)
    assert set(shares["country"]) > {"BR", "ID"}, "a market without campaigns borrows those of others"
    assert money_of(world, replace(free, mechanic="flash_sale"), sales, rows).cost_usd is None


@pytest.mark.parametrize(
    ("cost", "action", "said"),
    [(20_000.0, "Run", "an effect that pays can be seen"), (1_100.0, "Change", "left out"), (1.0, "Hold", "a dozen"),
     (None, "Cannot tell", "nothing says what it costs")],
)  # fmt: skip
def test_the_verdict_follows_what_pays(brazil, cost, action, said):
    one = replace(brazil, money=replace(brazil.money, cost_usd=cost))
    assert one.decision.action == action and said in one.decision.reason
    assert one.title and one.headline and one.answer.text and one.text and len(one.table) == 3
    for name in one.SENTENCES:
        assert one.sentence(name) and "nan" not in one.sentence(name).lower()
    for name in one.EXHIBITS:
        assert one.exhibit(name).title


def test_campaigns_are_pooled_where_one_is_too_small(brazil):
    n, share = brazil.pooled()
    assert n == math.ceil((brazil.smallest(share) / brazil.pays(share)) ** 2)
    cost = brazil.money.cost_usd * 0.9 * brazil.smallest(0.5) / brazil.pays(0.5)
    short = replace(brazil, money=replace(brazil.money, cost_usd=cost), lots=replace(
        brazil.lots, dealt=brazil.lots.dealt[brazil.lots.dealt["days"] == 14]))  # fmt: skip
    assert "read them together" in short.decision.next_step and "2 campaigns" in short.decision.next_step


# --------------------------------------------------------------------------------------------------------- the markets


def test_pretended_campaigns_are_read_as_the_review_reads_one(world):
    review = campaigns.review(world, "thailand_may_2026", country="TH", weeks_after=1)
    one = campaigns.plan(world, "TH", weeks_after=1, budget_usd=100.0, lots=20)
    sales, _ = market_sales(world, one.asked)
    clean, effect, *_ = _read(one.asked, sales, campaign_rows(world), date(2026, 5, 11))
    assert effect == pytest.approx(review.effect.whole.estimate.value) and not clean
    assert 0.05 < one.markets.smallest < 1
    assert one.markets.smallest == pytest.approx(one.markets.formula, rel=0.6)
    assert one.markets.pretended["alarm"].mean() < 0.3


@pytest.mark.parametrize(
    ("country", "options", "reason"),
    [
        ("TH", {"starts_on": "2026-12-07", "days": 7}, "12.12 falls on its days"),
        ("BR", {"starts_on": "2026-08-10"}, "August coupons"),
        ("GB", {"starts_on": "2026-10-26", "days": 1}, "a single day"),
    ],
)
def test_markets_are_refused_for_the_reasons_of_the_review(world, country, options, reason):
    one = campaigns.plan(world, country, **options, budget_usd=200.0, lots=20)
    assert reason.lower() in " ".join(one.markets.reasons).lower()
    assert "cannot tell" in one.sentence("markets")
    with pytest.raises(InvalidValue, match="no plan by other markets"):
        one.plan("x", way="markets")


def test_a_market_stands_only_without_campaign_and_festival(brazil):
    controls = brazil.markets.controls.set_index("market")
    assert "BR" not in controls.index
    assert (controls["why"] == "").equals(controls["stands"])
    assert "9.9" in controls.loc["VN", "why"] and not controls.loc["VN", "stands"], "its campaign is in the weeks after"
    assert not any("brazil" in reason.lower() for reason in brazil.markets.reasons), "not in its own way"


# ------------------------------------------------------------------------------------------------------ what is refused


def test_a_handful_of_users_is_refused(world):
    one = campaigns.plan(world, "BR", starts_on="2026-08-17", budget_usd=10.0, audience=0.05, lots=20)
    assert one.lots is None and "50 in each group" in one.missing[0]
    assert one.decision.action == "Cannot tell" and one.answer.number is None
    for name in one.SENTENCES:
        assert one.sentence(name)
    for name in one.EXHIBITS:
        assert one.exhibit(name).title
    with pytest.raises(NotEnoughData, match="50 in each group"):
        one.smallest()
    with pytest.raises(InvalidValue, match="no plan by lot"):
        one.plan("x")


def test_a_short_history_is_refused(world):
    one = campaigns.plan(world, "ID", starts_on="2024-11-20", budget_usd=10.0, lots=20)
    assert one.lots is None and "before 2024-11-20" in one.missing[0]
    with pytest.raises(NotEnoughData, match="nothing is known before"):
        campaigns.plan(world, "ID", starts_on="2020-01-01")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"country": "XX"}, UnknownName, "country"),
        ({"days": 0}, InvalidValue, "days=0"),
        ({"days": True}, InvalidValue, "days=True"),
        ({"days": 14.0}, InvalidValue, "whole number"),
        ({"weeks_after": -1}, InvalidValue, "weeks_after"),
        ({"holdout_share": 0.6}, InvalidValue, "holdout_share=0.6"),
        ({"holdout_share": float("nan")}, InvalidValue, "holdout_share=nan"),
        ({"holdout_share": "a tenth"}, InvalidValue, "a tenth"),
        ({"margin": 0}, InvalidValue, "margin"),
        ({"power": 1.0}, InvalidValue, "power"),
        ({"level": 0.2}, InvalidValue, "level"),
        ({"lift": float("inf")}, InvalidValue, "lift"),
        ({"lots": 3}, InvalidValue, "lots"),
        ({"budget_usd": -1.0}, InvalidValue, "budget_usd"),
        ({"budget_usd": float("nan")}, InvalidValue, "budget_usd"),
        ({"budget_usd": 1.0, "coupon_share": 0.1}, InvalidValue, "not both"),
        ({"coupon_share": 1.5}, InvalidValue, "coupon_share"),
        ({"metric": "gvm"}, UnknownName, "gmv"),
        ({"mechanic": "free_shiping"}, UnknownName, "free_shipping"),
        ({"campaign_id": "brazil_agust_2026"}, UnknownName, "brazil_august_2026"),
        ({"starts_on": "next week"}, InvalidValue, "a day such as"),
        ({"starts_on": "2026-13-01"}, InvalidValue, "a day such as"),
    ],
)
def test_what_is_not_allowed_is_named(world, options, error, said):
    with pytest.raises(error, match=said) as caught:
        campaigns.plan(world, **{"country": "BR", **options})
    assert isinstance(caught.value, ShopbookError)


def test_it_draws(brazil):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    assert brazil.plot(axes) is axes
    for name in ("days", "pretended"):
        brazil.exhibit(name).draw(figure.add_subplot())
    plt.close(figure)
    with pytest.raises(UnknownName, match="shares"):
        brazil.exhibit("share")
