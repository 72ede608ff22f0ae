"""A day of 23 hours sells less than its neighbours: it is flagged, and orders near midnight fall on the right day."""

from __future__ import annotations


def test_the_day_is_flagged_where_the_clocks_change(counter):
    # 10 March 2024: in New York; not in London, never in Singapore.
    frame = counter.frame("gmv", by="country", grain="day").set_index(["country", "period_start"])
    flagged = frame[frame["is_clock_change"]].index.tolist()
    assert [(country, str(day.date())) for country, day in flagged] == [("US", "2024-03-10")]
    assert counter.frame("gmv", grain="day")["is_clock_change"].tolist() == [True] + [False] * 10
    assert not counter.frame("gmv", grain="day", where={"country": "GB"})["is_clock_change"].any()
    assert not counter.frame("gmv", grain="week")["is_clock_change"].any()


def test_orders_near_midnight(equipped, counter_of):
    sold = {"country": "US", "currency": "USD", "user_id": "u3"}
    # 23:30 on the 9th in winter time, 23:30 on the 10th and 00:30 on the 11th in summer time.
    times = ("2024-03-10 04:30", "2024-03-11 03:30", "2024-03-11 04:30")
    equipped.lines(*({"order_id": f"o{i}", "ordered_at": at, **sold} for i, at in enumerate(times)))
    frame = counter_of(equipped).frame("orders", grain="day")
    assert frame["orders"].tolist() == [1, 1, 1]
    assert frame["is_clock_change"].tolist() == [False, True, False]
