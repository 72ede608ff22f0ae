"""A metric by market and week: whole weeks, and what is left out with its reason."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from analysis_lib.errors import NotEnoughData
from analysis_lib.launches.launch import find_launch
from analysis_lib.launches.odd_weeks import odd_weeks
from analysis_lib.launches.weeks import market_weeks

END = date(2026, 1, 4)


def weeks_of(wh, launch, **changes):
    options = {"weeks_before": 20, "without_campaigns": True, "as_of": None, **changes}
    return market_weeks(wh, launch, "checkout_rate", **options)


def test_only_whole_weeks_count(launch, days, handed):
    frame = days()
    handed(frame[frame["period_start"] <= pd.Timestamp("2025-12-31")].reset_index(drop=True).pipe(keep, frame))
    found = weeks_of(*launch)
    assert found.last == date(2025, 12, 28)
    assert found.first == date(2025, 7, 7) - timedelta(weeks=20)
    assert (pd.to_datetime(found.frame["week"]).dt.weekday == 0).all()
    assert found.n_markets == 8


def keep(frame: pd.DataFrame, source: pd.DataFrame) -> pd.DataFrame:
    frame.attrs.update(source.attrs)
    return frame


def test_the_outcome_is_the_logarithm_of_the_weeks_share(launch, days, handed):
    frame = days()
    handed(frame)
    found = weeks_of(*launch).frame
    row = found[(found["country"] == "HH") & (found["week"] == pd.Timestamp("2025-09-01"))].iloc[0]
    own = frame[(frame["country"] == "HH") & frame["period_start"].between("2025-09-01", "2025-09-07")]
    above, below = own["numerator"].sum(), own["denominator"].sum()
    assert row["outcome"] == pytest.approx(np.log((above + 0.5) / (below + 0.5)))
    assert row["noise"] == pytest.approx((1 / 0.6 - 1) / below, rel=0.15)


def test_days_of_a_campaign_are_left_out_in_its_market_only(opened, plan, days, handed):
    frame = days()
    hit = (frame["country"] == "HH") & frame["period_start"].between("2025-09-02", "2025-09-04")
    handed(keep(frame.assign(numerator=frame["numerator"].mask(hit, 0.0)), frame))
    campaigns = pd.DataFrame([{"campaign_id": "c", "name": "C", "country": "HH", "starts_on": date(2025, 9, 2),
                               "ends_on": date(2025, 9, 4)}])  # fmt: skip
    wh = opened(plan(), campaigns=campaigns)
    found = find_launch(wh, "gift_notes", until=END)
    without, kept = weeks_of(wh, found), weeks_of(wh, found, without_campaigns=False)
    place = (without.frame["country"] == "HH") & (without.frame["week"] == pd.Timestamp("2025-09-01"))
    assert (without.n_campaign_days, kept.n_campaign_days) == (3, 0)
    assert without.frame.loc[place, "outcome"].item() > -0.7
    assert kept.odd == (("HH", date(2025, 9, 1)),), "kept, the week stands out"


def test_the_week_in_which_it_goes_live_is_neither_before_nor_after(opened, plan, days, handed):
    handed(days())
    wh = opened(plan(live_on=["2025-07-09", "2025-07-07", "2025-08-18", "2025-08-18", "2025-09-29"]))
    frame = weeks_of(wh, find_launch(wh, "gift_notes", until=END)).frame.set_index(["country", "week"])
    assert np.isnan(frame.loc[("AA", "2025-07-07"), "outcome"])
    assert frame.loc[("AA", "2025-07-14"), "first_live"] == pd.Timestamp("2025-07-14")
    assert np.isfinite(frame.loc[("BB", "2025-07-07"), "outcome"])


def test_weeks_after_an_announcement_are_affected_and_not_yet_live(opened, plan, days, handed):
    handed(days())
    told = [str(pd.Timestamp(day).date() - timedelta(days=14)) for day in plan()["live_on"]]
    wh = opened(plan(announced_on=told))
    frame = weeks_of(wh, find_launch(wh, "gift_notes", until=END)).frame.set_index("country")
    gap = (frame["first_live"] - frame["first_affected"]).groupby(level=0).first()
    assert (gap.loc[["AA", "CC", "EE"]] == pd.Timedelta(days=14)).all()
    assert gap.loc["HH"] is pd.NaT


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda f, own: f.assign(numerator=f["numerator"].mask(own, 0.0)), "nothing to count"),
        (lambda f, own: f.assign(numerator=f["numerator"].mask(own, 0.2)), "counted a week: too few"),
        (lambda f, own: f.assign(
            numerator=f["numerator"].mask(own & (f["period_start"] > "2025-06-01"), 0.0),
            denominator=f["denominator"].mask(own & (f["period_start"] > "2025-06-01"), 0.0),
        ), "weeks only"),
    ],
)  # fmt: skip
def test_a_market_that_cannot_be_told_is_left_out_with_the_reason(launch, days, handed, change, reason):
    frame = days()
    handed(keep(change(frame, frame["country"] == "GG"), frame))
    found = weeks_of(*launch)
    assert list(found.left_out) == ["GG"]
    assert reason in found.left_out["GG"]
    assert found.n_markets == 7


def test_an_outcome_that_is_always_zero_is_refused(launch, days, handed):
    frame = days()
    handed(keep(frame.assign(numerator=0.0), frame))
    with pytest.raises(NotEnoughData, match="AA has nothing to count in any week"):
        weeks_of(*launch)


def test_sums_are_taken_by_day(launch, days, handed):
    frame = days().assign(denominator=1.0)
    frame.attrs["counted"] = False
    handed(frame)
    found = weeks_of(*launch).frame
    assert found["outcome"].mean() == pytest.approx(np.log(180), abs=0.1)
    assert (found["noise"] > 0).all()


def test_a_week_that_stands_out_is_odd_and_a_launch_is_not(launch, days, handed):
    frame = days(effect=0.5)
    bots = (frame["country"] == "FF") & frame["period_start"].between("2025-05-05", "2025-05-11")
    handed(keep(frame.assign(denominator=frame["denominator"].mask(bots, frame["denominator"] * 4)), frame))
    found = weeks_of(*launch)
    assert found.odd == (("FF", date(2025, 5, 5)),)


def test_nothing_is_odd_where_nothing_moves():
    weeks = pd.date_range("2025-01-06", periods=20, freq="7D")
    names = np.repeat(["AA", "BB"], 20)
    frame = pd.DataFrame({"country": names, "week": [*weeks, *weeks], "outcome": 1.0, "noise": 1.0})
    assert not odd_weeks(frame).any()
    assert not odd_weeks(frame.assign(outcome=np.nan)).any()
