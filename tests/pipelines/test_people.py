"""User days, campaigns and experiments."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest


def test_a_user_day_with_visits_and_orders(shop):
    shop.events({}, {"at": "2024-03-10 12:01", "name": "add_to_cart"}, {"at": "2024-03-10 20:00"}, {"user_id": None})
    shop.lines({}, {"product_id": "p2", "quantity": 1}, {"order_id": "o2", "user_id": "u2", "country": "SG"})
    frame = shop.made("user_days").set_index("user_id")
    row = frame.loc["u1"]
    assert (row["n_sessions"], row["n_views"], row["n_carts"], row["n_orders"], row["n_lines"]) == (2, 2, 1, 1, 2)
    assert (row["gmv_usd"], row["gmv_local"], row["currency"], row["n_units"]) == (37.5, 30.0, "GBP", 3)
    assert frame.loc["u2", "n_sessions"] == 0 and not frame.loc["u2", "has_crash"]


def test_two_currencies_of_a_user_are_not_added(shop):
    shop.lines({}, {"order_id": "o2", "currency": "USD"})
    row = shop.made("user_days").iloc[0]
    assert row["gmv_usd"] == 45.0 and pd.isna(row["gmv_local"]) and pd.isna(row["currency"])


def test_a_user_in_two_markets_has_two_rows(shop):
    shop.lines({}, {"order_id": "o2", "country": "SG", "currency": "SGD"})
    assert shop.made("user_days")[["country", "gmv_local"]].values.tolist() == [["GB", 20.0], ["SG", 20.0]]


@pytest.fixture
def campaign(shop):
    shop.tables["campaigns"] = [
        {"campaign_id": "a", "name": "A", "country": country, "starts_on": "2024-03-09", "ends_on": "2024-03-12",
         "targeting": "holdout"} for country in ("GB", "SG")
    ]  # fmt: skip
    shop.tables["coupons"] = [{"coupon_id": "k", "campaign_id": "a"}, {"coupon_id": "other", "campaign_id": None}]
    shop.tables["campaign_targets"] = [
        {"campaign_id": "a", "user_id": user, "is_holdout": user == "u1"} for user in ("u0", "u1", "u2", "u3")
    ]
    shop.tables["coupon_events"] = [
        {"coupon_id": "k", "user_id": "u0", "at": at, "kind": kind}
        for at, kind in (("2024-03-09", "grant"), ("2024-03-10", "redemption"), ("2024-03-11", "redemption"))
    ]
    return shop


def test_whom_a_campaign_reached(campaign):
    """u3 lives in the US, where the campaign did not run; u2 in Singapore, where it did."""
    campaign.lines(
        {"user_id": "u0", "coupon_id": "k", "platform_subsidy_local": 4.0},
        {"order_id": "o2", "user_id": "u0", "coupon_id": "other"},
        {"order_id": "o3", "user_id": "u0", "ordered_at": "2024-03-13 12:00", "coupon_id": "k"},
        {"order_id": "o4", "user_id": "u1", "coupon_id": "k"},
    )
    campaign.events({"user_id": "u0", "at": "2024-03-08 12:00"}, {"user_id": "u0", "at": "2024-03-09 12:00"})
    frame = campaign.made("campaign_exposure").set_index("user_id")
    assert frame["country"].to_dict() == {"u0": "GB", "u1": "GB", "u2": "SG"}
    row = frame.loc["u0"]
    assert (row["n_redemptions"], row["n_coupon_orders"], row["coupon_gmv_usd"], row["n_orders"]) == (2, 1, 25.0, 2)
    assert (row["coupon_subsidy_usd"], row["gmv_usd"], row["n_sessions"]) == (5.0, 50.0, 1)
    assert row["first_session_at"] == pd.Timestamp("2024-03-09 12:00") and row["day"].date() == date(2024, 3, 9)
    assert frame["is_holdout"].tolist() == [False, True, False]
    assert frame["is_redeemed_by_holdout"].tolist() == [False, True, False]
    assert frame.loc["u2", "n_orders"] == 0
    found = campaign.findings()
    assert found["campaign_exposure", "left_out"] == ("warning", 1)
    assert found["campaign_exposure", "is_redeemed_by_holdout"] == ("warning", 1)
    assert all(severity == "warning" for severity, _ in found.values())


def test_a_campaign_for_all_has_only_those_who_used_it(campaign):
    del campaign.tables["campaign_targets"]
    campaign.tables["campaigns"] = [{**row, "targeting": "all"} for row in campaign.tables["campaigns"]]
    frame = campaign.lines({"user_id": "u1", "coupon_id": "k"}).made("campaign_exposure")
    assert frame["user_id"].tolist() == ["u0", "u1"] and not frame["is_targeted"].any()
    assert frame["is_holdout"].isna().all() and not frame["is_redeemed_untargeted"].any()


def test_somebody_not_chosen_is_flagged(campaign):
    campaign.tables["campaign_targets"] = campaign.tables["campaign_targets"][1:]
    assert campaign.made("campaign_exposure").set_index("user_id").loc["u0", "is_redeemed_untargeted"]


@pytest.fixture
def trial(shop):
    shop.tables["experiments"] = [
        {"experiment_id": "x", "name": "X", "unit": "user", "variant": variant, "planned_share": share,
         "starts_at": "2024-03-05 06:00", "ends_at": "2024-03-20"} for variant, share in (("a", 0.4), ("b", 0.6))
    ]  # fmt: skip
    return shop


def _exposed(trial, *rows):
    trial.tables["exposures"] = [
        {
            "experiment_id": "x",
            "unit_id": "u2",
            "variant": "a",
            "exposed_at": "2024-03-06 17:00",
            "phase": "full",
            **row,
        }
        for row in rows
    ]
    return trial.made("experiment_units").set_index("unit_id")


def test_units_of_an_experiment(trial):
    frame = _exposed(trial, {}, {"unit_id": "u0", "variant": "b"})
    row = frame.loc["u2"]
    assert (row["country"], row["platform"], row["planned_share"]) == ("SG", "ios", 0.4)
    # 17:00 UTC is the next day in Singapore; the partition is the day the experiment began.
    assert row["exposed_day"].date() == date(2024, 3, 7) and row["day"].date() == date(2024, 3, 5)
    assert not frame.filter(like="is_").to_numpy().any()
    assert frame.loc["u0", "planned_share"] == 0.6


@pytest.mark.parametrize(
    ("rows", "flag"),
    [
        ([{}, {"variant": "b", "exposed_at": "2024-03-07"}], "is_in_two_variants"),
        ([{"variant": "z"}], "is_unknown_variant"),
        ([{"exposed_at": "2024-03-01"}], "is_before_start"),
        ([{"exposed_at": "2024-03-21"}], "is_after_end"),
        ([{"experiment_id": "none"}], "is_unknown_variant"),
    ],
)
def test_units_to_doubt(trial, rows, flag):
    frame = _exposed(trial, *rows)
    row = frame.iloc[0]
    assert len(frame) == 1 and row[flag] and row["variant"] == rows[0].get("variant", "a")
    assert trial.findings()["experiment_units", flag] == ("warning", 1)


def test_units_that_are_not_users_have_no_country(trial):
    trial.tables["experiments"] = [{**row, "unit": "session"} for row in trial.tables["experiments"]]
    row = _exposed(trial, {}).iloc[0]
    assert pd.isna(row["country"]) and not row["is_unknown_user"] and row["exposed_day"].date() == date(2024, 3, 6)
