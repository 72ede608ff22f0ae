"""Why a metric changed: exact parts, named rests, intervals, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib import metrics
from analysis_lib.errors import InvalidValue, NotEnoughData, ShopbookError

BEFORE, AFTER = ("2024-03-06", "2024-03-08"), ("2024-03-10", "2024-03-12")
CASES = [
    ("gmv", ()), ("gmv", ("country",)), ("gmv", ("surface", "country")), ("net_gmv", ("country",)), ("lost_gmv", ()),
    ("orders", ("country",)), ("buyers", ()), ("units", ("category",)), ("aov", ("country",)), ("aov", ()),
    ("gmv_per_buyer", ()), ("refund_rate", ("country", "surface")), ("visit_conversion", ("platform",)),
    ("payment_success_rate", ("surface",)), ("view_to_payment_30m", ("country",)),
    ("crash_free_rate", ("app_version",)), ("gmv_of_creators", ("country",)), ("subsidy", ("country",)),
    ("sessions", ("country",)), ("videos_published", ()), ("delivery_days", ("country",)), ("live_gmv", ("country",)),
    ("app_crashes", ("app_version",)), ("discount_rate", ()),
]  # fmt: skip


@pytest.fixture(scope="module")
def explain(drawn):
    """``explain(name, ...)`` of the drawn shop."""
    return lambda name, before=BEFORE, after=AFTER, **options: metrics.explain(
        drawn.warehouse, name, before=before, after=after, **options
    )


@pytest.mark.parametrize(("name", "by"), CASES, ids=lambda case: case if isinstance(case, str) else "-".join(case))
def test_parts_add_up_to_what_query_says(explain, drawn, name, by):
    found = explain(name, by=by)
    then, now = (drawn.value(name, start=days[0], end=days[1]) for days in (BEFORE, AFTER))
    assert (found.value_before, found.value_after) == pytest.approx((then, now), rel=1e-9)
    size = max(abs(then), abs(now))
    levels = ["part", "cell", "segment"] if by else ["part", "cell"]
    for level in levels:
        assert found.to_frame(level)["contribution"].sum() == pytest.approx(now - then, rel=1e-9, abs=1e-12 * size)
    assert found.change.value == pytest.approx(now - then, rel=1e-12, abs=1e-12 * size)
    assert found.text and all(found.exhibit(kind).title for kind in ("waterfall", "table"))


def test_a_segment_is_its_own_change(explain, drawn):
    found = explain("gmv", by="country").segments.set_index("country")["contribution"]
    frames = [drawn.frame("gmv", by="country", start=a, end=b).set_index("country")["gmv"] for a, b in (BEFORE, AFTER)]
    pd.testing.assert_series_equal(found, frames[1] - frames[0], check_names=False, rtol=1e-9)


def test_the_factors_are_the_chain(explain):
    parts = explain("gmv").parts
    assert parts["part"].tolist() == [
        "Visitors", "Buyers per visitor", "Orders per buyer", "Average order value", "Exchange rates",
    ]  # fmt: skip
    assert parts["kind"].tolist() == ["factor"] * 4 + ["given"]


def test_what_cannot_be_cut_is_left_out_of_the_chain_and_said(explain):
    found = explain("gmv", by="surface")
    assert found.parts["part"].tolist()[:2] == ["Buyers", "Orders per buyer"]
    assert "Left out of the parts: Visitors (cannot be cut by surface)." in found.text
    assert explain("gmv", where={"surface": "live"}).parts["part"].tolist()[0] == "Buyers"


def test_longer_periods_are_a_part_of_their_own(explain):
    found = explain("gmv", before=("2024-03-06", "2024-03-07"), after=("2024-03-08", "2024-03-11"))
    assert found.parts["part"].tolist()[:2] == ["Days in the period", "Visitors per day"]
    assert found.parts["contribution"].iloc[0] > 0
    # The length of a period is no accident.
    assert found.parts["contribution"].sum() == pytest.approx(found.change.value, rel=1e-9)


def test_exchange_rates_are_no_part_in_constant_money(explain, drawn):
    in_usd, constant = explain("gmv"), explain("gmv", currency="constant_usd")
    assert "Exchange rates" not in constant.parts["part"].tolist()
    rates = in_usd.parts.set_index("part")["contribution"]["Exchange rates"]
    assert rates != 0 and explain("gmv", where={"country": "US"}).parts["contribution"].iloc[-1] == 0
    local = explain("gmv", currency="local", where={"country": "GB"})
    assert local.money_unit == "local_money" and "Exchange rates" not in local.parts["part"].tolist()


def test_rates_are_told_apart_from_mix(explain):
    kinds = explain("refund_rate", by="country").parts["kind"].tolist()
    assert kinds == ["factor", "mix", "interaction"]


def test_intervals_hold_the_estimate_and_those_of_the_whole_are_narrower_than_the_sum(explain):
    found = explain("gmv", by="country")
    for frame in (found.parts, found.segments, found.cells):
        told = frame.dropna()
        assert (told["contribution_ci_lower"] <= told["contribution"]).all()
        assert (told["contribution"] <= told["contribution_ci_upper"]).all()
    assert found.unit == "user" and found.change.ci_lower < found.change.value < found.change.ci_upper


def test_with_few_units_a_segment_gets_no_interval(explain):
    # 25 users in all: no segment has the 30 groups that an interval needs.
    assert explain("gmv", by="country").cells["contribution_ci_lower"].isna().all()


def test_without_units_there_is_no_interval_and_the_text_says_so(explain):
    found = explain("app_crashes", by="app_version")
    assert found.unit == "" and np.isnan(found.change.se) and "There is no interval" in found.text
    assert found.decision.action == "Cannot tell"


def test_a_thing_that_several_units_share_is_not_counted_by_units(drawn):
    # Creators are not nested in users: the interval is made by creator.
    found = metrics.explain(drawn.warehouse, "gmv_of_creators", before=BEFORE, after=AFTER)
    assert found.unit == "creator"


def test_new_and_gone_segments_are_named(shop_of):
    days = {"gone": "2024-03-10 12:00", "new": "2024-03-12 12:00"}
    lines = [
        {"order_id": "a", "ordered_at": days["gone"], "surface": "live"},
        {"order_id": "b", "ordered_at": days["new"], "surface": "video", "quantity": 3},
        {"order_id": "c", "ordered_at": days["gone"], "surface": "search"},
        {"order_id": "d", "ordered_at": days["new"], "surface": "search", "quantity": 4},
    ]
    found = shop_of(*lines)
    one = metrics.explain(found, "gmv", before=("2024-03-10",) * 2, after=("2024-03-12",) * 2, by="surface")
    parts = one.cells[one.cells["contribution"] != 0].set_index(["surface", "kind"])["contribution"]
    assert parts["live", "gone"] == -25 and parts["video", "new"] == 37.5
    assert parts["search"].sum() == pytest.approx(25)
    assert one.parts["part"].tolist()[-2:] == ["New, nothing before", "Gone, nothing after"]


def test_where_nobody_was_seen_the_rest_is_named(shop_of):
    """Orders without any visit on record: visitors cannot tell why they rose."""
    found = shop_of({"order_id": "a"}, {"order_id": "b", "ordered_at": "2024-03-12 12:00", "quantity": 4}, events=[
        {"at": "2024-03-12 12:00", "name": "product_view"}, {"at": "2024-03-10 12:00", "name": "product_view",
                                                             "country": "SG", "user_id": "u2"},
    ])  # fmt: skip
    one = metrics.explain(found, "gmv", before=("2024-03-10",) * 2, after=("2024-03-12",) * 2, by="country")
    rest = one.parts.set_index("kind")["contribution"]["rest"]
    assert rest == pytest.approx(25) and "Not told apart" in one.parts["part"].tolist()


@pytest.fixture
def shop_of(equipped, counter_of):
    """``shop_of(*lines, events=...)``: the open warehouse of a shop with these order lines."""

    def make(*lines, events=({"at": "2024-03-10 12:00"}, {"at": "2024-03-12 12:00"})):
        equipped.lines(*lines).events(*events)
        return counter_of(equipped).warehouse

    return make


# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("gvm", {}, "Did you mean 'gmv'"),
        ("gmv", {"by": "platform"}, "cannot be cut by 'platform'"),
        ("gmv", {"before": ("2024-03-08", "2024-03-06")}, "exchange them"),
        ("gmv", {"before": ("2024-03-06", "2024-03-10")}, "share days"),
        ("gmv", {"before": ("2023-03-06", "2023-03-08")}, "outside of the data"),
        ("gmv", {"before": "2024-03-06"}, "a first and a last day"),
        ("gmv", {"before": ("2024-03-06", None)}, "needs both"),
        ("gmv", {"before": ("x", "2024-03-06")}, "is no date"),
        ("gmv", {"level": 95}, "between 0.5 and 0.999"),
        ("gmv", {"currency": "local"}, "mix currencies"),
        ("gmv", {"where": {"country": "FR"}}, "country 'FR' is not in"),
        ("start_ms_p50", {}, "its parts do not add up"),
        ("week_one_retention", {}, "its parts do not add up"),
        ("gmv_month_to_date", {}, "explain 'gmv'"),
    ],
)
def test_what_cannot_be_explained_is_refused(explain, name, options, says):
    with pytest.raises(ShopbookError) as caught:
        explain(name, **options)
    assert says in str(caught.value)


def test_nothing_at_all_is_not_explained(shop_of):
    found = shop_of({"order_id": "a"}, {"order_id": "b", "ordered_at": "2024-03-14 12:00"})
    with pytest.raises(NotEnoughData, match="nothing was counted"):
        metrics.explain(found, "units", before=("2024-03-11",) * 2, after=("2024-03-12",) * 2, by="surface")


def test_levels_that_are_not_there(explain):
    found = explain("gmv")
    with pytest.raises(InvalidValue, match="with `by`"):
        found.to_frame("segment")
    with pytest.raises(ShopbookError, match="Did you mean 'cell'"):
        found.to_frame("cells")
    for ask in (found.exhibit, found.sentence):
        with pytest.raises(ShopbookError, match="explanation"):
            ask("nothing")
    assert found.exhibit("segments").note and found.exhibit("cells").note


# ------------------------------------------------------------------------------------------------ words and decision


def test_a_drop_is_looked_into_where_it_went_wrong(world):
    """Brazil's card payments failed from the 17th to the 20th of March 2026."""
    found = metrics.explain(
        world, "visit_conversion", before=("2026-03-10", "2026-03-13"), after=("2026-03-17", "2026-03-20"),
        where={"country": "BR"},
    )  # fmt: skip
    worst = found.parts.loc[found.parts["contribution"].idxmin()]
    assert worst["part"] == "Of these with a payment" and worst["contribution_ci_upper"] < 0
    assert found.decision.action == "Look into" and "Of these with a payment" in found.decision.reason
    assert found.sentence("change").startswith("Visit conversion in BR rose by")


def test_a_change_that_stands_out_is_never_left_alone(world):
    """Bots in Mexico: no part of a platform stands out by itself."""
    found = metrics.explain(
        world, "visit_conversion", before=("2026-05-27", "2026-05-31"), after=("2026-06-03", "2026-06-07"),
        by="platform", where={"country": "MX"},
    )  # fmt: skip
    assert found.change.ci_upper < 0 and found.decision.action == "Look into"


def test_what_exchange_rates_did_is_nobodys_to_look_into(world):
    """Brazil's currency lost a sixth in January 2026; nothing else stands out."""
    found = metrics.explain(
        world, "gmv", before=("2025-12-15", "2026-01-11"), after=("2026-01-26", "2026-02-22"), where={"country": "BR"}
    )  # fmt: skip
    rates = found.parts.set_index("part").loc["Exchange rates"]
    assert rates["contribution_ci_upper"] < 0 and found.decision.action == "Leave alone"
    assert found.own_change.value == pytest.approx(found.change.value - rates["contribution"])


def test_a_change_within_chance_is_left_alone(world):
    found = metrics.explain(
        world, "aov", before=("2026-03-02", "2026-03-04"), after=("2026-03-09", "2026-03-11"), where={"country": "SG"}
    )  # fmt: skip
    assert found.decision.action == "Leave alone" and "no more than chance allows" in found.text


def test_the_first_screen(world):
    found = metrics.explain(world, "gmv", before=("2026-04-01", "2026-04-30"), after=("2026-05-01", "2026-05-31"))
    answer = found.answer(world)
    assert (
        answer.title == ("Why did gross merchandise value change from 1–30 Apr 2026 to 1–31 May 2026?")
        and answer.number is found.change
    )
    assert answer.source == "world" and answer.window == "1–30 Apr 2026 against 1–31 May 2026"


def test_what_is_not_final_is_said(world):
    found = metrics.explain(world, "net_gmv", before=("2026-09-01", "2026-09-10"), after=("2026-10-20", "2026-10-29"))
    assert "not final before 2026-12-13" in found.sentence("notes")
