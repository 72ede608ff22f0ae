from __future__ import annotations

from datetime import date

import pandas as pd


def test_a_pause_of_half_an_hour_belongs_to_the_session_a_longer_one_ends_it(shop):
    shop.events({"at": "2024-03-10 12:00:00"}, {"at": "2024-03-10 12:30:00"}, {"at": "2024-03-10 13:00:01"})
    frame = shop.made("sessions")
    assert frame["n_events"].tolist() == [2, 1]
    assert frame["duration_s"].tolist() == [1800, 0]
    assert frame["session_key"].tolist() == ["u:u1/GB/2024-03-10/1", "u:u1/GB/2024-03-10/2"]


def test_midnight_of_the_market_ends_a_session(shop):
    """16:00 UTC is midnight in Singapore; in London it is the middle of the session."""
    for country, sessions in (("SG", 2), ("GB", 1)):
        shop.events({"at": "2024-03-10 15:59", "country": country}, {"at": "2024-03-10 16:01", "country": country})
        shop.path.unlink(missing_ok=True)
        frame = shop.made("sessions")
        assert len(frame) == sessions
    assert frame["day"].dt.date.tolist() == [date(2024, 3, 10)]


def test_days_follow_the_change_of_clocks(shop):
    """London is an hour ahead of UTC from 31 March: 23:30 UTC is already the next day."""
    shop.events({"at": "2024-03-30 23:30"}, {"at": "2024-03-31 23:30"})
    assert shop.made("sessions")["day"].dt.date.tolist() == [date(2024, 3, 30), date(2024, 4, 1)]


def test_what_a_session_tells(shop):
    shop.events(
        {"at": "2024-03-10 12:00", "name": "app_start", "surface": None, "value": 800.0, "platform": None},
        {"at": "2024-03-10 12:01", "name": "impression", "surface": "video", "value": 6.0},
        {"at": "2024-03-10 12:02", "name": "app_start", "surface": None, "value": 900.0, "app_version": "9.9"},
        {"at": "2024-03-10 12:03", "name": "impression", "surface": "live"},
        {"at": "2024-03-10 12:04", "name": "payment_attempt", "value": 0.0},
        {"at": "2024-03-10 12:05", "name": "payment_attempt", "value": 1.0},
        {"at": "2024-03-10 12:06", "name": "crash", "surface": None},
    )
    row = shop.made("sessions").iloc[0]
    assert (row["start_ms"], row["platform"], row["app_version"], row["entry_surface"]) == (
        800.0,
        "ios",
        "1.0",
        "video",
    )
    assert (row["n_impressions"], row["n_payment_attempts"], row["n_payments_ok"], row["n_surfaces"]) == (7, 2, 1, 2)
    assert row["has_crash"] and row["has_payment"] and row["is_signed_in"] and row["is_home_market"]
    assert not row["has_clock_skew"]


def test_strangers_are_not_one_visitor(shop):
    """Signed-out events without a session id are lone visitors; with one, that session's."""
    nobody = {"user_id": None, "session_id": None}
    shop.events(nobody, nobody, {"user_id": None, "session_id": "s9"}, {"user_id": None, "session_id": "s9"})
    frame = shop.made("sessions")
    assert sorted(frame["n_events"]) == [1, 1, 2] and not frame["is_signed_in"].any()
    assert frame["is_home_market"].isna().all()


def test_the_funnel_by_surface(shop):
    shop.events(
        {"at": "2024-03-10 12:00", "name": "impression", "surface": "video", "value": 3.0, "content_id": None},
        {"at": "2024-03-10 12:01", "name": "product_view", "surface": "video", "content_id": "v2", "creator_id": "c2"},
        {"at": "2024-03-10 12:02", "name": "product_view", "surface": "video", "content_id": "v1"},
        {"at": "2024-03-10 12:03", "name": "add_to_cart", "surface": "search"},
        {"at": "2024-03-10 12:04", "name": "payment_attempt", "surface": None, "value": 1.0},
    )
    frame = shop.made("funnel_steps").set_index("surface")
    assert frame.index.tolist() == ["none", "search", "video"]
    video = frame.loc["video"]
    assert (video["n_impressions"], video["n_views"], video["has_cart"]) == (3, 2, False)
    assert (video["first_content_id"], video["first_creator_id"]) == ("v2", "c2")
    assert video["first_view_at"] == pd.Timestamp("2024-03-10 12:01")
    assert frame["has_payment"].tolist() == [True, False, False]
    assert frame["has_cart"].tolist() == [False, True, False]


def test_versions_in_buckets(shop):
    shop.events(
        *({"at": f"2024-03-10 {hour}:00", "name": "app_start", "value": ms, "user_id": f"u{hour % 2}"}
          for hour, ms in ((10, 249.0), (11, 250.0), (12, 20_000.0))),
        {"at": "2024-03-10 15:00", "name": "crash", "app_version": None},
    )  # fmt: skip
    frame = shop.made("release_adoption").set_index("app_version")
    row = frame.loc["1.0"]
    counted = [row["n_starts_below_250_ms"], row["n_starts_below_500_ms"], row["n_starts_from_10000_ms"]]
    assert counted == [1, 1, 1] and row["n_starts"] == 3 and row["start_ms_sum"] == 20_499.0 and row["n_users"] == 2
    assert frame.loc["unknown", "n_sessions_crashed"] == 1


def test_contents_and_creators(shop):
    shop.tables["contents"] = [
        {"content_id": "v1", "kind": "live", "creator_id": "c1", "country": "GB", "started_at": "2024-03-10 20:00"}
    ]
    inside = {"content_id": "v1", "creator_id": "c1"}
    shop.events(inside, {**inside, "user_id": "u2"}, {**inside, "name": "add_to_cart"}, {"content_id": "lost"})
    shop.lines({"creator_id": "c1"}, {"order_id": "o2", "creator_id": "c9", "ordered_at": "2024-03-12 12:00"})
    frame = shop.made("content_performance").set_index("content_id")
    assert frame.loc["v1", ["n_views", "n_viewers", "n_carts", "kind"]].tolist() == [2, 2, 1, "live"]
    assert frame["is_unknown_content"].to_dict() == {"v1": False, "lost": True}
    creators = shop.mart("creator_days").set_index("creator_id")
    assert creators.loc["c1", ["n_lives", "n_videos", "n_views", "n_orders"]].tolist() == [1, 0, 2, 1]
    assert creators.loc["c1", "gmv_usd"] == 25.0 and creators.loc["c9", "n_views"] == 0
    assert creators["is_unknown_creator"].tolist() == [False, True]
