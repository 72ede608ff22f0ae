"""Write a world as a warehouse with every contract table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis_lib import config
from analysis_lib.errors import SourceError
from analysis_lib.warehouse import build_file
from analysis_lib.warehouse.opening import open_path
from analysis_lib.warehouse.rows import first_row
from analysis_lib.world.aftermath import UPDATES
from analysis_lib.world.block import Block
from analysis_lib.world.draws import text
from analysis_lib.world.engine import Engine
from analysis_lib.world.levers import among
from analysis_lib.world.plans import fill_plans
from analysis_lib.world.recipe import Recipe, make_recipe
from analysis_lib.world.schema import columns, create_tables
from analysis_lib.world.settings import Settings, load_settings
from analysis_lib.world.spending import commission
from analysis_lib.world.stage import Stage
from analysis_lib.world.traces import events
from analysis_lib.world.trials import OLD_ANDROID

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str], None]


#: Raised when the same settings give another world.
VERSION = "2"

#: Bytes of a world at scale 1, about; and what it may use of the memory.
EXPECTED_BYTES = 260_000_000
MEMORY_LIMIT = "1500MB"

#: Table of a world's file that says what it was made from; no contract table, and no estimator reads it.
RECIPE_TABLE = "_shopbook_world"


def build(
    path: str | Path,
    *,
    seed: int = 1,
    scale: float = 1.0,
    settings: Mapping[str, Any] | None = None,
    without: Iterable[str] = (),
    threads: int | None = None,
    memory_limit: str = MEMORY_LIMIT,
    progress: Progress | None = None,
) -> Path:
    """Write a world as a DuckDB file with every contract table.

    The same arguments give the same rows on every machine and for any number of threads. A world built
    ``without`` a plant equals the world with it in everything that the plant does not touch.

    Parameters
    ----------
    path : str or Path
        The file; one that is there is replaced when the new one is whole.
    seed : int
        Any whole number from 0.
    scale : float
        0.001 to 1,000; 1 is about 150,000 users, 5 million events, 300,000 orders, 240 MB.
    settings : mapping, optional
        Changes to ``data/world.yml``, laid over it key by key.
    without : sequence of str
        Plants to leave out, for example ``["campaign:nine_nine_2026", "incident:strike_europe"]``.
    threads : int, optional
        Threads of the engine.
    memory_limit : str
        Memory of the engine; beyond it, it spills beside the file.
    progress : callable, optional
        Called with a few words as each part is begun.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidValue
        A seed, scale or setting that is not allowed; an unknown key of the settings.
    UnknownName
        A plant that the settings do not have.
    BuildFailed
        No space or no permission; what was there before is as it was.
    """
    recipe = make_recipe(load_settings(settings), seed=seed, scale=scale, without=without)
    options: dict[str, Any] = {"memory_limit": memory_limit} | ({"threads": threads} if threads else {})
    target, expected = Path(path).expanduser(), max(2_000_000, round(EXPECTED_BYTES * scale))
    signature = ("world", VERSION, package_version())
    return build_file(
        target, partial(write_world, recipe=recipe), signature, expected, progress=progress, settings=options
    )


def fill(connection: duckdb.DuckDBPyConnection, progress: Progress) -> dict[str, Any]:
    """Fill an empty database with the book's own world: seed 1, scale 1, ``data/world.yml`` as it is."""
    return write_world(connection, progress, recipe=make_recipe(load_settings(), seed=1, scale=1.0, without=()))


def package_version(project: config.Project | None = None) -> str:
    """Digest of what a world is made from, the settings and this package: another digest, another world."""
    folder = (project or config.project()).data
    digest = hashlib.sha256()
    for file in (folder / "world.yml", folder / "calendar.yml", *sorted(Path(__file__).parent.glob("*.py"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def read_recipe(path: str | Path) -> Recipe:
    """What a world's file was made from.

    Raises
    ------
    SourceError
        The file is missing, or is no world.
    """
    import duckdb

    connection = open_path(Path(path).expanduser(), (), "Build it with world.build.")
    try:
        found = first_row(connection.execute(f"SELECT seed, scale, without, settings FROM {RECIPE_TABLE}"))
    except duckdb.Error as error:
        raise SourceError(f"{Path(path).name} is no world: it does not say what it was made from.") from error
    finally:
        connection.close()
    seed, scale, without, settings = found
    return Recipe(Settings.model_validate_json(settings), seed, scale, frozenset(json.loads(without)))


def write_world(connection: duckdb.DuckDBPyConnection, progress: Progress, *, recipe: Recipe) -> dict[str, Any]:
    """Fill an empty database with a world.

    Returns
    -------
    dict
        Rows of the largest tables, for people.
    """
    create_tables(connection)
    _keep_recipe(connection, recipe)
    progress("people, goods and days")
    # Rows are written in the order of time, whatever the number of threads.
    connection.execute("SET preserve_insertion_order = true")
    engine = Engine(connection)
    stage = Stage(engine, recipe)
    for statement in _dimensions(recipe):
        engine.run(statement)
    _fill_known(stage)
    fill_plans(engine, recipe)
    parts = stage.blocks()
    for part in parts:
        progress(f"days {part.first} to {part.last} of {recipe.settings.days}")
        stage.play(part)
        for statement in _facts(part):
            engine.run(statement)
    progress("statuses and exposures")
    for statement in _endings(recipe):
        engine.run(statement)
    return _counts(connection)


def _keep_recipe(connection: duckdb.DuckDBPyConnection, recipe: Recipe) -> None:
    connection.execute(f"CREATE TABLE {RECIPE_TABLE} (seed BIGINT, scale DOUBLE, without VARCHAR, settings VARCHAR)")
    kept = [
        recipe.seed,
        recipe.scale,
        json.dumps(sorted(recipe.without)),
        recipe.settings.model_dump_json(by_alias=True),
    ]
    connection.execute(f"INSERT INTO {RECIPE_TABLE} VALUES (?, ?, ?, ?)", kept)


def _dimensions(recipe: Recipe) -> list[str]:
    first = f"DATE '{recipe.settings.first_day}'"
    born = f"{first}::TIMESTAMP + to_days(signup) + to_seconds(signup_second) - INTERVAL 12 HOUR"
    return [
        "INSERT INTO users BY NAME SELECT user_id, country,"
        f" coalesce(w.utc_start + to_seconds(signup_second * w.seconds // 86400), {born}) AS signed_up_at,"
        " platform, channel AS acquisition_channel FROM w_users AS u"
        " LEFT JOIN w_days AS w ON w.m = u.m AND w.d = u.signup"
        f" WHERE signup < {recipe.settings.days} ORDER BY idx",
        "INSERT INTO merchants BY NAME SELECT merchant_id, home_country, pool < 0 AS is_cross_border, category,"
        f" {first} + joined AS joined_on FROM w_merchants ORDER BY number",
        f"INSERT INTO creators BY NAME SELECT creator_id, country, tier, {first} + joined AS joined_on"
        " FROM w_creators ORDER BY number",
        "INSERT INTO products BY NAME SELECT product_id, merchant_id, category, list_price_usd"
        " FROM w_products ORDER BY number",
        "INSERT INTO contents BY NAME SELECT content_id, CASE kind WHEN 0 THEN 'live' ELSE 'video' END AS kind,"
        " creator_id, t.country,"
        ' w.utc_start + to_seconds((t.second * w.seconds / 86400.0)::BIGINT) AS started_at,'
        " round(duration * w.seconds / 86400.0) AS duration_s"
        " FROM w_contents AS t JOIN w_days AS w USING (m, d) ORDER BY started_at, content_id",
    ]  # fmt: skip


def _fill_known(stage: Stage) -> None:
    import pandas as pd

    settings, names = stage.recipe.settings, columns("country_factors")
    countries = [(m.country, m.name, m.region, m.currency, m.timezone, m.launched_on) for m in settings.markets]
    recorded = [(currency, day, rate) for currency, day, _, rate in stage.rates]
    factors = [[getattr(month, name) for name in names] for month in stage.months]
    stage.engine.insert("countries", pd.DataFrame(countries, columns=columns("countries")))
    stage.engine.insert("fx_rates", pd.DataFrame(recorded, columns=columns("fx_rates")))
    stage.engine.insert("country_factors", pd.DataFrame(factors, columns=names))


def _facts(block: Block) -> list[str]:
    return [
        f"INSERT INTO events BY NAME {events(block)}",
        f'INSERT INTO order_updates BY NAME {UPDATES} ORDER BY "at", order_id, status',
        f"INSERT INTO orders BY NAME {_order_rows(block)}",
        'INSERT INTO coupon_events BY NAME SELECT DISTINCT coupon_id, user_id, ordered_at AS "at",'
        " 'redemption' AS kind"
        " FROM w_lines JOIN w_fates USING (order_id) WHERE coupon_id IS NOT NULL ORDER BY ordered_at, user_id",
    ]


def _order_rows(block: Block) -> str:
    """Order lines with the status that their order has when the data end."""
    currencies = "[" + ", ".join(text(market.currency) for market in block.recipe.settings.markets) + "]"
    return f"""
        SELECT l.order_id, ordered_at, user_id, merchant_id, product_id, credited AS creator_id, surface, country,
            quantity, price_local, {currencies}[l.m + 1] AS currency, discount_local, coupon_id,
                platform_subsidy_local,
            shipping_local, {commission(block.recipe, "l", "tier")} AS commission_local, payment_method,
            reached_at AS received_at,
            CASE WHEN cancelled AND cancelled_at < ends_at THEN 'cancelled' WHEN returned
                AND refunded_at < ends_at THEN 'refunded'
                WHEN returned AND returned_at < ends_at OR refused AND delivered_at < ends_at THEN 'returned'
                WHEN NOT cancelled AND NOT refused AND delivered_at < ends_at THEN 'delivered'
                WHEN NOT cancelled AND shipped_at < ends_at THEN 'shipped' WHEN at_door THEN 'created' ELSE 'paid'
                    END AS status
        FROM w_lines AS l JOIN (FROM w_fates SELECT * EXCLUDE (m, gmv_local, product_id)) AS f USING (order_id)
            JOIN w_ends AS e ON e.m = l.m
            LEFT JOIN (SELECT creator_id AS credited, tier FROM w_creators) USING (credited)
        ORDER BY ordered_at, l.order_id, line"""


def _endings(recipe: Recipe) -> list[str]:
    logged = []
    for name, trial in recipe.experiments.items():
        names = "[" + ", ".join(text(variant) for variant in trial.variants) + "]"
        dropped = "true"
        if trial.dropped:
            lost = recipe.draws.uniform(f"dropped {name}")
            old = among("os_version", [text(version) for version in OLD_ANDROID])
            dropped = f"(arm > 0 AND {old} AND {lost} < {trial.dropped!r}) IS NOT TRUE"
        logged.append(
            f"INSERT INTO exposures BY NAME SELECT experiment AS experiment_id, unit_id, {names}[arm + 1] AS variant,"
            f' "at" AS exposed_at, phase FROM w_exposures WHERE experiment = {text(name)} AND {dropped}'
            ' ORDER BY "at", unit_id'
        )
    return logged


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    tables = ("users", "events", "orders", "order_updates")
    counts = {f"rows of {name}": first_row(connection.execute(f"SELECT count(*) FROM {name}"))[0] for name in tables}
    counts["orders"] = first_row(connection.execute("SELECT count(DISTINCT order_id) FROM orders"))[0]
    return counts
