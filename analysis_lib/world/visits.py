"""Visits: who comes when, through which surface, to which product, and how far before the checkout."""

from __future__ import annotations

from analysis_lib.world.block import Block
from analysis_lib.world.draws import around_median, chosen, literal, text
from analysis_lib.world.levers import Push, among, product
from analysis_lib.world.trials import arm_pushes, arms

#: Versions of the app before any release.
FIRST_VERSION = {"android": "30.0", "ios": "30.0"}


#: Where a visit takes place: the live session or video watched; without one in the market, the shop tab.
_PLACED = """
        SELECT a.*, t.content_id, t.creator_id, t.number AS creator_number, t.k1, t.k2,
            CASE WHEN t.content_id IS NULL AND wanted IN ('live', 'video') THEN 'shop_tab' ELSE wanted END AS surface,
            CASE WHEN t.kind = 0 THEN t.second + floor(u_second * t.duration)::BIGINT
                -- A video of the same day can be watched once it is there.
                WHEN t.kind = 1 AND t.d = a.d AND t.second > clock
                THEN t.second + 1 + floor(u_second * (86398 - lasts - t.second))::BIGINT
                ELSE clock END AS begins
        FROM aimed AS a
        LEFT JOIN w_days AS v ON v.m = a.m AND v.d = a.video_day
        LEFT JOIN (SELECT w_contents.*, k1, k2 FROM w_contents JOIN w_creators USING (m, r)) AS t
            ON t.m = a.m AND t.kind = CASE wanted WHEN 'live' THEN 0 WHEN 'video' THEN 1 END
            AND t.d = CASE wanted WHEN 'live' THEN a.d ELSE a.video_day END
            AND t.rank = CASE WHEN viral THEN 0 WHEN wanted = 'live' THEN floor(a.n_live * u_rank)
                ELSE floor(v.n_video * u_rank) END"""


def seen(block: Block) -> str:
    """Table ``w_seen``: one row per visit, up to the product it is about."""
    flags = "".join(
        f"({block.during(plant, end=block.lasted(plant))} AND {block.reached(name, plant)}) AS on_{name}, "
        for name, plant in block.campaigns().items()
    )
    return f"""CREATE OR REPLACE TEMP TABLE w_seen AS
    WITH arrived AS ({_arrivals(block)}),
    surfaced AS (SELECT *, {_version(block)} AS app_version, {flags}{_surface(block)} AS wanted FROM arrived),
    aimed AS (SELECT *, {_switch(block)} AS turned, {_content_rule(block)} FROM surfaced),
    placed AS ({_PLACED}),
    stocked AS (
        -- A live session sets its own hour, which on the day of the sign-up may lie before it.
        SELECT p.*, {_category(block)} AS c, {_top(block)} AS top FROM placed AS p
        WHERE d > signup OR least(begins, 86399 - lasts) > signup_second),
    found AS (
        SELECT stocked.* EXCLUDE (k1, k2, top), w.n,
            floor(w.n * top * u_product * u_product)::BIGINT AS r,
            coalesce(stocked.creator_id, own.creator_id) AS credited,
            coalesce(stocked.creator_number, own.number) AS maker,
            coalesce(stocked.k1, own.k1) AS k1, coalesce(stocked.k2, own.k2) AS k2
        FROM stocked JOIN w_pools AS w ON w.c = stocked.c AND w.pool = stocked.pool
        LEFT JOIN w_creators AS own
            ON surface = 'showcase' AND own.m = stocked.m AND own.r = floor(own_n / 2 * u_rank))
    SELECT found.*, p.product_id FROM found JOIN w_products AS p USING (pool, c, r)"""


def _arrivals(block: Block) -> str:
    """Candidates, thinned to visits by how busy the day is, how new the user, and what campaigns and incidents do."""
    draws, pause = block.draws, block.recipe.settings.funnel.pause
    # Most candidates stay away: everything but the chance to come is drawn for those who do.
    return f"""
        SELECT * EXCLUDE (u_pause, u_gap, u_cross), least(second, 86399 - lasts)::BIGINT AS clock,
            CASE WHEN is_cross THEN -1 ELSE m END AS pool, u_audience * u_audience * u_audience AS u_rank
        FROM (
            SELECT *, hour_start + quarter AS second, to_view + to_cart + gap + to_pay + 70 AS lasts
            FROM (
                SELECT *, u_cross < {_cross(block)}[m + 1] AS is_cross,
                    CASE WHEN u_pause < {pause!r} THEN 1860 + floor(u_gap * 3540)::BIGINT
                        ELSE 30 + floor(u_gap * 90)::BIGINT END AS gap
                FROM (
                    SELECT a.*, x.n AS own_n, {_visit_draws(block)},
                        20 + {draws.whole("to view", "40")} AS to_view, 30 + {draws.whole("to cart", "240")} AS to_cart,
                        15 + {draws.whole("to pay", "45")} AS to_pay
                    FROM ({_comers(block)}) AS a JOIN w_creator_counts AS x USING (m))))
        WHERE d > signup OR clock > signup_second"""


def _cross(block: Block) -> str:
    return literal([market.cross_border for _, market in block.recipe.markets()])


def _visit_draws(block: Block) -> str:
    names = {
        "u_second": "within", "u_surface": "surface", "u_lag": "lag", "u_audience": "audience", "u_product": "product",
        "u_category": "category", "u_switch": "switch", "u_live": "to live", "u_cross": "cross", "u_pause": "pause",
        "u_gap": "pause length",
    }  # fmt: skip
    draws, clock = block.draws, _hour_seconds(block.recipe.settings.calendar.hours)
    drawn = [f"{draws.uniform(purpose)} AS {name}" for name, purpose in names.items()]
    time = [f"{draws.shaped('second', clock)} AS hour_start", f"{draws.whole('quarter', '900')} AS quarter"]
    return ", ".join([*drawn, *time])


def _comers(block: Block) -> str:
    """Candidates who come: thinned by how busy the day is, how new the user, and what is planted."""
    people, draws = block.recipe.settings.people, block.draws
    pushes = [*_campaign_visits(block), *_incident_visits(block)]
    new = f"signup >= 0 AND d - signup < {people.newcomer_days}"
    return f"""SELECT c.* EXCLUDE (bound, whole, i), w.* EXCLUDE (m, d, visits)
        FROM ({_candidates(block)}) AS c JOIN w_days AS w USING (m, d)
        WHERE d BETWEEN {block.first} AND {block.last} AND d >= signup AND (d < churn OR d >= back)
            AND {draws.uniform("come")} * bound < visits * {product(pushes, "visit")}
                * CASE WHEN {new} THEN {people.newcomer!r} ELSE 1.0 END"""


def _candidates(block: Block) -> str:
    """Visits that could be: each user's number of them in the block, their keys and their days."""
    draws, end = block.draws, block.start + block.length - 1
    return f"""
        SELECT *, ({block.start} + floor({draws.uniform("day")} * {block.length}))::INTEGER AS d
        FROM (
            SELECT *, {draws.child("visit a", "u1", f"{block.number} * 65536 + i")} AS v1,
                {draws.child("visit b", "u2", f"{block.number} * 65536 + i")} AS v2
            FROM (
                SELECT w.*, bound, floor(rate * bound * {round(block.length / 30, 9)!r}
                    + {draws.uniform(f"count {block.number}", "u")})::BIGINT AS whole
                FROM w_users AS w JOIN w_bounds AS b ON b.m = w.m AND b.block = {block.number}
                WHERE {among("w.m", block.markets)} AND signup <= {end} AND (churn > {block.start} OR back <= {end})),
                unnest(range(whole)) AS numbers(i))"""


def _hour_seconds(hours: tuple[float, ...]) -> list[float]:
    """Quarters of an hour, as often as their hour is visited; 240 of them."""
    total, running, found = sum(hours), 0.0, []
    for hour, weight in enumerate(hours):
        running += weight / total
        while len(found) < round(240 * running):
            found.append(hour * 3600.0 + 900.0 * (len(found) % 4))
    return found


def _campaign_visits(block: Block) -> list[Push]:
    """A campaign raises visits while it runs, and the visits that came early are missing afterwards."""
    pushes = []
    for name, plant in block.campaigns(after=True).items():
        last = block.lasted(plant)
        reached = block.reached(name, plant)
        running = f"({block.during(plant, end=last)} AND {reached})"
        pushes.append(Push("visit", running, f"(1.0 + {plant.visits!r} * response)"))
        first = last + 1
        there = among("m", block.recipe.numbers(plant.countries))
        fading = f"({there} AND d BETWEEN {first} AND {last + plant.after} AND {reached})"
        left = f"(1.0 - (d - {first}) / {float(plant.after)!r})"
        pushes.append(Push("visit", fading, f"(1.0 - {plant.pull!r} * least(1.5, response) * {left})"))
    return pushes


def _incident_visits(block: Block) -> list[Push]:
    return [
        Push("visit", block.during(plant), repr(1 + plant.size)) for plant in block.incidents("viral_creator").values()
    ]


def _version(block: Block) -> str:
    """The newest version that a user was offered and has got round to installing."""
    settings, branches = block.recipe.settings, []
    for name, release in reversed(block.recipe.releases.items()):
        day = settings.number(release.first_day)
        if day > block.last:
            continue
        bucket = block.draws.uniform(f"ramp {name}", "u")
        offered = " ".join(f"WHEN {bucket} < {share!r} THEN {day + after}" for after, share in release.ramp)
        waits = f"floor({release.lag} * (1.0 - eager) * (1.0 - eager))"
        branches.append(
            f"WHEN platform = {text(release.platform)} AND d >= {day}"
            f" AND d >= CASE {offered} ELSE 100000 END + {waits} THEN {text(release.version)}"
        )
    first = " ".join(f"WHEN platform = {text(name)} THEN {text(version)}" for name, version in FIRST_VERSION.items())
    return f"CASE {' '.join(branches)} {first} ELSE 'web' END"


def _surface(block: Block) -> str:
    """Where a visit begins: by habit, unless a campaign, a shift of habits or a craze sends it elsewhere."""
    branches = [
        f"WHEN {block.during(plant)} AND u_live < {round(plant.size / (1 + plant.size), 9)!r} THEN 'video'"
        for plant in block.incidents("viral_creator").values()
    ]
    for name, plant in block.campaigns().items():
        if plant.to_live:
            branches.append(f"WHEN on_{name} AND u_live < {plant.to_live!r} * least(1.0, response) THEN 'live'")
    for plant in block.incidents("mix_shift").values():
        first, last = block.window(plant)
        share = f"{plant.size!r} * (d - {first} + 1) / {float(last - first + 1)!r}"
        branches.append(f"WHEN {block.during(plant)} AND u_live < {share} THEN {text(plant.surface or 'video')}")
    habit = chosen("u_surface", block.recipe.settings.funnel.surfaces)
    return f"CASE {' '.join(branches)} ELSE {habit} END" if branches else habit


def _content_rule(block: Block) -> str:
    """Day of the video that is watched, and whether it is the one everybody watches."""
    viral = [
        (block.window(plant)[0], f"({block.during(plant)} AND u_live < {round(plant.size / (1 + plant.size), 9)!r})")
        for plant in block.incidents("viral_creator").values()
    ]
    if not viral:
        return "false AS viral, greatest(0, d - floor(u_lag * u_lag * 14)::INTEGER) AS video_day"
    which = " OR ".join(condition for _, condition in viral)
    days = " ".join(f"WHEN {condition} THEN {day}" for day, condition in viral)
    return f"({which}) AS viral, CASE {days} ELSE greatest(0, d - floor(u_lag * u_lag * 14)::INTEGER) END AS video_day"


def _switch(block: Block) -> str:
    """Number of the campaign whose promoted items a visit turns to, or 0."""
    branches = [
        f"WHEN on_{name} AND u_switch < {plant.switch!r} * least(1.5, response) THEN {number}"
        for number, (name, plant) in enumerate(block.campaigns().items(), start=1)
        if plant.switch
    ]
    return f"CASE {' '.join(branches)} ELSE 0 END" if branches else "0"


def _category(block: Block) -> str:
    settings = block.recipe.settings
    numbers = {str(i): item.popularity for i, item in enumerate(settings.supply.categories.values(), start=1)}
    branches = []
    for number, plant in enumerate(block.campaigns().values(), start=1):
        promoted = block.categories(plant)
        branches.append(f"WHEN {number} THEN {promoted}[1 + floor(u_category * {len(promoted)})::INTEGER]")
    habit = f"{chosen('u_category', numbers)}::INTEGER"
    return f"CASE turned {' '.join(branches)} ELSE {habit} END" if branches else habit


def _top(block: Block) -> str:
    branches = [
        f"WHEN {number} THEN {plant.top_share!r}" for number, plant in enumerate(block.campaigns().values(), start=1)
    ]
    return f"CASE turned {' '.join(branches)} ELSE 1.0 END" if branches else "1.0"


def visits(block: Block) -> str:
    """Table ``w_visits``: ``w_seen`` with how far each visit went before the checkout."""
    settings, draws = block.recipe.settings, block.draws
    funnel, pushes = settings.funnel, _visit_pushes(block)
    surface = " ".join(f"WHEN {text(name)} THEN {factor!r}" for name, factor in funnel.surface_cart.items())
    columns, joins = arms(block, "visit", "w_seen")
    more = [round(funnel.views_more**power, 9) for power in (1, 2, 3)]
    return f"""CREATE OR REPLACE TEMP TABLE w_visits AS
    SELECT *, viewed AND NOT crashed AND u_cart < least(0.97, {funnel.cart!r} * kind_cart * cart
        * {product(pushes, "cart")}
            * CASE surface {surface} ELSE 1.0 END * CASE WHEN is_cross THEN abroad ELSE 1.0 END) AS carted,
        1 + (NOT crashed)::INTEGER * ({" + ".join(f"(u_more < {chance!r})::INTEGER" for chance in more)}) AS n_views
    FROM (
        SELECT w_seen.*, {columns} to_hex(v1 * 4294967296 + v2) AS visit_id,
            utc_start + to_seconds((least(begins, 86399 - lasts) * seconds / 86400.0)::BIGINT) AS began,
            {draws.uniform("view")} < least(0.98, {funnel.view!r} * {product(pushes, "view")}) AS viewed,
            {draws.uniform("crash")} < {funnel.crash!r} * {product(pushes, "crash")} AS crashed,
            round({funnel.start_ms!r} * {draws.shaped("start", around_median(funnel.start_spread))}
                * {product(pushes, "start")}
                * CASE platform WHEN 'web' THEN 1.5 WHEN 'ios' THEN 0.9 ELSE 1.0 END) AS start_ms,
            {draws.uniform("more")} AS u_more, {draws.uniform("cart")} AS u_cart,
                4 + {draws.whole("shown", "17")} AS shown
        FROM w_seen {joins})"""


def _visit_pushes(block: Block) -> list[Push]:
    """What is at work between the opening of the app and the cart."""
    pushes = [*block.release_pushes(), *block.launch_pushes()]
    for name, plant in block.campaigns().items():
        pushes.append(Push("cart", f"on_{name} AND {block.promoted(plant)}", f"(1.0 + {plant.cart!r} * response)"))
    for name, trial in block.experiments("visit").items():
        pushes += arm_pushes(block, name, trial)
    for plant in block.incidents("stock_out", "price_error").values():
        hit = f"{block.incident_day(plant)} AND {block.promoted(plant)}"
        # A price cut brings carts with an elasticity of 0.6: a tenth of the price, four times the carts.
        factor = 1 - plant.size if plant.kind == "stock_out" else plant.size**-0.6
        pushes.append(Push("cart", hit, repr(round(factor, 6))))
    return pushes
