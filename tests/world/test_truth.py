"""The truth is the difference of two worlds: told by ``truth``, and found again in two files built apart."""

from __future__ import annotations

import ast
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from analysis_lib import world
from analysis_lib.errors import InvalidValue, SourceError, UnknownName

SCALE = 0.02
CAMPAIGN = "campaign:thailand_may_2026"
LIBRARY = Path(world.__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return world.build(tmp_path_factory.mktemp("truth") / "whole.duckdb", scale=SCALE, seed=3)


@pytest.fixture(scope="module")
def without(tmp_path_factory) -> Path:
    """Plants of different markets left out together: none of them reaches into another's scope."""
    left_out = [CAMPAIGN, "incident:stock_out_us", "incident:tracking_loss_ios"]
    return world.build(tmp_path_factory.mktemp("truth") / "without.duckdb", scale=SCALE, seed=3, without=left_out)


def rows(path: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


def values(frame, **where) -> dict[str, float]:
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return dict(zip(frame["metric"], frame["value"], strict=True))


def local_day(column: str) -> str:
    """SQL of the market-local day of a UTC time, by the time zones of the engine: a second way to get it."""
    return f"(({column} AT TIME ZONE 'UTC') AT TIME ZONE timezone)::DATE"


def lines(country: str, first: date, last: date) -> str:
    """Order lines in US dollars at the recorded rate of their day, which is the true one for these markets."""
    return f"""SELECT o.*, (quantity * price_local - discount_local) * usd_per_unit AS gmv,
            platform_subsidy_local * usd_per_unit AS subsidy, commission_local * usd_per_unit AS commission
        FROM (SELECT *, {local_day("ordered_at")} AS local_day
              FROM orders JOIN countries USING (country, currency) WHERE country = '{country}') AS o
        JOIN fx_rates AS f ON f.currency = o.currency AND f.day = local_day
        WHERE local_day BETWEEN DATE '{first}' AND DATE '{last}'"""


def test_a_campaigns_cells_are_found_in_the_files(whole, without):
    told = values(world.truth(whole, plants=[CAMPAIGN]), country="TH")
    first, last = date(2026, 5, 11), date(2026, 5, 24)
    # The world without the campaign has no list of what it promotes: the products are the same ones.
    listed = rows(whole, "SELECT product_id FROM campaign_products WHERE campaign_id = 'thailand_may_2026'")
    promoted = f"product_id IN ({', '.join(repr(product) for (product,) in listed)})"
    during = f"local_day <= DATE '{last}'"
    cells = f"""SELECT coalesce(sum(gmv) FILTER ({during} AND {promoted}), 0), coalesce(sum(gmv) FILTER ({during}), 0),
            coalesce(sum(gmv) FILTER (NOT {during}), 0), count(DISTINCT order_id) FILTER ({during}),
            count(DISTINCT user_id) FILTER ({during}),
            coalesce(sum(subsidy) FILTER (coupon_id = 'thailand_may_2026'), 0)
        FROM ({lines("TH", first, last + timedelta(days=28))})"""
    pairs = zip(rows(whole, cells)[0], rows(without, cells)[0], strict=True)
    on_promoted, on_all, after, orders, buyers, subsidy = (float(a) - float(b) for a, b in pairs)
    assert told["incremental_gmv"] == pytest.approx(on_promoted, abs=0.01)
    assert told["incremental_gmv"] + told["halo_gmv"] + told["cannibalised_gmv"] == pytest.approx(on_all, abs=0.01)
    assert told["pulled_forward_gmv"] + told["carried_over_gmv"] == pytest.approx(after, abs=0.01)
    assert (told["incremental_orders"], told["incremental_buyers"]) == (orders, buyers)
    assert told["subsidy_total"] == pytest.approx(subsidy, abs=0.01)
    assert orders > 0


def test_what_creators_are_paid_through_a_campaign_is_found_in_the_files(whole, without):
    """Commission on what was sold with it less without it, what was given back taken off; media are as planned."""
    told = values(world.truth(whole, plants=[CAMPAIGN]), country="TH")
    first, last = date(2026, 5, 11), date(2026, 5, 24) + timedelta(days=28)
    fates = """SELECT order_id, bool_or(status = 'cancelled') OR
                bool_or(status = 'returned') AND NOT bool_or(status = 'delivered') AS gone,
            sum(amount_local) FILTER (status = 'refunded') AS refunded FROM order_updates GROUP BY 1"""
    paid = f"""SELECT sum(commission * (1 - CASE WHEN gone THEN 1 ELSE coalesce(refunded / goods, 0) END))
        FROM ({lines("TH", first, last)}) AS l LEFT JOIN ({fates}) AS f USING (order_id)
        JOIN (SELECT order_id, sum(quantity * price_local - discount_local - platform_subsidy_local) AS goods
              FROM orders GROUP BY 1) USING (order_id)"""
    with_it, without_it = (float(rows(path, paid)[0][0]) for path in (whole, without))
    assert told["creator_commission"] == pytest.approx(with_it - without_it, abs=0.01)
    assert told["creator_commission"] > 0
    media = rows(whole, "SELECT media_usd FROM campaigns WHERE campaign_id = 'thailand_may_2026'")[0][0]
    assert told["media_cost"] == pytest.approx(media, abs=1e-6) and media > 0
    assert values(world.truth(whole, plants=["campaign:britain_summer_2026"]))["media_cost"] == 0


def test_a_campaigns_cells_add_up_and_have_their_signs(whole):
    frame = world.truth(whole, plants=[CAMPAIGN, "campaign:nine_nine_2025"])
    cells = ["incremental_gmv", "halo_gmv", "cannibalised_gmv", "pulled_forward_gmv", "carried_over_gmv"]
    wide = frame.pivot(index=["entity", "country"], columns="metric", values="value")
    assert (wide[[*cells, "returned_gmv"]].sum(axis=1) - wide["net_incremental_gmv"]).abs().max() < 1e-4
    assert (wide[["halo_gmv", "carried_over_gmv"]] >= 0).all(axis=None)
    assert (wide[["cannibalised_gmv", "pulled_forward_gmv"]] <= 0).all(axis=None)
    assert (wide["subsidy_always_buyers"] <= wide["subsidy_total"] + 1e-9).all()
    assert len(wide.loc["nine_nine_2025"]) == 6


def test_an_incident_is_the_difference_in_the_files(whole, without):
    told = values(world.truth(whole, plants=["incident:stock_out_us"]))
    counted = f"""SELECT coalesce(sum(gmv), 0), count(DISTINCT order_id)
        FROM ({lines("US", date(2026, 2, 9), date(2026, 2, 15))})"""
    (gmv, orders), (gmv_without, orders_without) = rows(whole, counted)[0], rows(without, counted)[0]
    assert told["lost_gmv"] == pytest.approx(gmv_without - gmv, abs=0.01)
    assert told["lost_orders"] == orders_without - orders


def test_lost_events_are_the_ones_missing_in_the_file(whole, without):
    told = world.truth(whole, plants=["incident:tracking_loss_ios"])
    told = told[told["metric"] == "lost_events"].set_index("country")["value"]
    counted = f"""SELECT country, count(*) FROM events JOIN countries USING (country)
        WHERE {local_day('"at"')} BETWEEN DATE '2026-05-26' AND DATE '2026-05-28' GROUP BY 1"""
    before, after = dict(rows(whole, counted)), dict(rows(without, counted))
    assert {country: after[country] - before[country] for country in ("GB", "ES")} == told.astype(int).to_dict()
    assert told["GB"] > 0


def test_a_release_is_told_from_the_same_visits_on_both_versions(whole, tmp_path):
    without = world.build(tmp_path / "before.duckdb", scale=SCALE, seed=3, without=["release:ios_33"])
    told = values(world.truth(whole, plants=["release:ios_33"]))
    starts = f"""SELECT session_id, value, app_version FROM events JOIN countries USING (country)
        WHERE events.name = 'app_start' AND platform = 'ios'
            AND {local_day('"at"')} BETWEEN DATE '2026-03-23' AND DATE '2026-04-19'"""
    on_it = {session: value for session, value, version in rows(whole, starts) if version == "33.0"}
    before = {session: value for session, value, _ in rows(without, starts) if session in on_it}
    assert on_it.keys() == before.keys()
    medians = [
        duckdb.execute("SELECT median(x) FROM (SELECT unnest(?) AS x)", [list(side.values())]).fetchall()[0][0]
        for side in (on_it, before)
    ]
    assert told["start_ms_p50"] == pytest.approx(medians[0] - medians[1])
    assert told["start_ms_p50"] > 300


def test_an_experiments_truth_is_what_launching_does(whole, tmp_path):
    """Worlds in which all but one user in a billion get one variant: their difference is the effect of launching."""
    orders_per_user = f"""
        SELECT count(order_id) / count(DISTINCT x.unit_id) FROM exposures AS x
        JOIN users AS u ON u.user_id = x.unit_id JOIN countries USING (country)
        LEFT JOIN (SELECT DISTINCT order_id, user_id, ordered_at FROM orders) AS o ON o.user_id = x.unit_id
            AND {local_day("ordered_at")} BETWEEN {local_day("exposed_at")} AND DATE '2026-07-19'
        WHERE experiment_id = 'daily_spin'"""
    found = {}
    for everyone in ("treatment", "control"):
        shares = {name: {"share": 1 - 1e-9 if name == everyone else 1e-9} for name in ("treatment", "control")}
        settings = {"experiments": {"daily_spin": {"variants": shares}}}
        path = world.build(tmp_path / f"{everyone}.duckdb", scale=SCALE, seed=3, settings=settings)
        found[everyone] = rows(path, orders_per_user)[0][0]
    frame = world.truth(whole, plants=["experiment:daily_spin"])
    told = frame[frame["country"].isna() & (frame["metric"] == "orders_per_user")]["value"].item()
    assert told == pytest.approx(found["treatment"] - found["control"], abs=1e-9)
    assert told > 0.01


def test_nulls_have_no_effect_and_harm_is_harm(whole):
    frame = world.truth(whole, plants=["experiment:aa_home", "experiment:new_icons", "experiment:full_screen_offers"])
    nulls = frame[frame["entity"].isin(["aa_home", "new_icons"])]
    assert (nulls["value"] == 0).all()
    assert set(nulls["metric"]) == {"orders_per_user", "views_per_user"}
    harmed = frame[(frame["entity"] == "full_screen_offers") & frame["country"].isna()].set_index("metric")["value"]
    assert harmed["orders_per_user"] < 0
    assert harmed["views_per_user"] < 0


def test_factors_are_told_as_they_are_set(whole):
    frame = world.truth(whole, plants=["factor:delivery_days", "factor:active_creators"])
    factors = world.load_settings().factors
    told = dict(zip(frame["entity"], frame["value"], strict=True))
    assert told == {name: factors[name].coefficient for name in ("delivery_days", "active_creators")}


def test_plants_that_were_left_out_have_no_truth(without):
    with pytest.raises(UnknownName, match="thailand_may_2026"):
        world.truth(without, plants=[CAMPAIGN])
    with pytest.raises(InvalidValue, match="must be a list"):
        world.truth(without, plants="factor:delivery_days")


def test_a_file_that_is_no_world_has_no_truth(complete_journey):
    with pytest.raises(SourceError, match="no world"):
        world.truth(complete_journey.path)


def readers_of_the_world() -> set[str]:
    """Packages that import it anywhere, inside functions too."""
    found = set()
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{name.name}" for name in node.names)]
            if any(name.startswith("analysis_lib.world") for name in names):
                found.add(path.relative_to(LIBRARY).parts[0].removesuffix(".py"))
    return found - {"world"}


def test_only_the_grades_read_the_truth():
    """Estimators and notebooks know the world by its tables; the book and the command line describe its settings."""
    assert readers_of_the_world() <= {"calibration", "publishing", "cli"}
    for package in ("publishing", "cli"):
        for path in (LIBRARY / package).glob("*.py"):
            assert "truth(" not in path.read_text(encoding="utf-8"), path.name
    for notebook in (LIBRARY.parent / "notebooks").glob("*.ipynb"):
        text = notebook.read_text(encoding="utf-8")
        assert "analysis_lib.world" not in text
        assert "world.truth" not in text
        assert "import world" not in text
