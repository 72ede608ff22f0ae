"""Clocks of phones: events from the future, and from before the user was born to us."""

from __future__ import annotations


def test_an_event_dated_after_it_was_received(shop):
    shop.events({"received_at": "2024-03-10 11:00"}, {"at": "2024-03-10 18:00", "received_at": "2024-03-10 18:00"})
    assert shop.made("sessions")["has_clock_skew"].tolist() == [True, False]
    assert shop.findings()["sessions", "has_clock_skew"] == ("warning", 1)


def test_an_event_long_before_the_sign_up(shop):
    shop.tables["users"] = [{**user, "signed_up_at": "2024-03-12 00:00"} for user in shop.tables["users"]]
    shop.events({"at": "2024-03-10 23:59"}, {"at": "2024-03-11 09:00"})
    assert shop.made("sessions")["has_clock_skew"].tolist() == [True, False]


def test_an_event_without_a_time_is_an_error(shop):
    frame = shop.events({}, {"at": None}).made("sessions")
    assert frame["n_events"].tolist() == [1]
    assert shop.findings()["sessions", "left_out"] == ("error", 1)


def test_an_order_without_a_time_is_an_error(shop):
    frame = shop.lines({}, {"order_id": "o2", "ordered_at": None}).made("order_facts")
    assert frame["order_id"].tolist() == ["o1"]
    assert shop.findings()["order_facts", "left_out"] == ("error", 1)


def test_a_time_of_the_wrong_century_keeps_the_clock_changes_of_the_others(shop):
    """A year of 1970 in one row must not make the expression, or the day of another row, different."""
    shop.events({"at": "1970-01-01 00:00"}, {"at": "2024-07-01 23:30", "user_id": "u0"})
    frame = shop.made("sessions")
    assert sorted(frame["day"].astype(str)) == ["1970-01-01", "2024-07-02"]
