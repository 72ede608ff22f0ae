"""Experiments at work: who is exposed when, to which variant, and what that changes."""

from __future__ import annotations

from analysis_lib.world.block import Block
from analysis_lib.world.draws import text
from analysis_lib.world.levers import Push, among
from analysis_lib.world.plants import Experiment

#: First exposures so far; filled block by block, in the order of time.
EXPOSURES = """CREATE OR REPLACE TEMP TABLE w_exposures (
    experiment VARCHAR, unit BIGINT, unit_id VARCHAR, m TINYINT, arm INTEGER, d INTEGER, "at" TIMESTAMP,
    phase VARCHAR, os_version VARCHAR, v1 UBIGINT, v2 UBIGINT)"""

#: What users on old Android are, for a split that breaks there.
OLD_ANDROID = ("android 9", "android 10", "android 11")


def expose(block: Block, trigger: str) -> list[str]:
    """Statements that add units exposed in this block to ``w_exposures``.

    A user's variant is settled at the first exposure, by the shares of that day, and stays; a creator's is
    settled from the start.
    """
    table, condition = ("w_seen", "true") if trigger == "visit" else ("w_visits", "carted")
    return [_expose(block, name, trial, table, condition) for name, trial in block.experiments(trigger).items()]


def _expose(block: Block, name: str, trial: Experiment, table: str, condition: str) -> str:
    creators = trial.unit == "creator"
    unit, unit_id, owner = ("maker", "credited", "k") if creators else ("idx", "user_id", "u")
    # The earliest visit of the unit; ties are settled by the visit's keys, not by the order of rows.
    known = {
        "m": "m", "d": "d", "second": "begins", "o": "os_version", "a": f"{owner}1", "b": f"{owner}2", "v1": "v1",
        "v2": "v2", "utc": "utc_start", "s": "seconds", "l": "lasts",
    }  # fmt: skip
    packed = ", ".join(f"{name} := {column}" for name, column in known.items())
    first = f"arg_min(struct_pack({packed}), struct_pack(d := d, t := begins, v1 := v1, v2 := v2))"
    return f"""INSERT INTO w_exposures
        SELECT {text(name)}, unit, unit_id, f.m, {_arm(block, name, trial, "x")}, d,
            f.utc + to_seconds((least(f.second, 86399 - f.l) * f.s / 86400.0)::BIGINT), {_phase(block, trial)}, f.o,
                f.v1, f.v2
        FROM (SELECT *, f.d AS d, f.a AS x1, f.b AS x2 FROM (
            SELECT {unit} AS unit, any_value({unit_id}) AS unit_id, {first} AS f FROM {table}
            WHERE {condition} AND {block.during(trial)} AND {unit} IS NOT NULL
                AND {unit} NOT IN (SELECT unit FROM w_exposures WHERE experiment = {text(name)})
            GROUP BY {unit}))"""


def _arm(block: Block, name: str, trial: Experiment, entity: str) -> str:
    """SQL of the number of the variant that a unit gets on day ``d``."""
    variants = list(trial.variants)
    if name in block.recipe.forced:
        return str(variants.index(block.recipe.forced[name]))
    uniform = block.draws.uniform(f"arm {name}", entity)
    if trial.phases:
        start = block.window(trial)[0]
        later = " ".join(f"WHEN d >= {start + after} THEN {share!r}" for after, share in reversed(trial.phases))
        return f"({uniform} < CASE {later} END)::INTEGER"
    running, branches = 0.0, []
    for number, arm in enumerate(trial.variants.values()):
        running += arm.share
        branches.append(f"WHEN {uniform} < {round(running, 9)!r} THEN {number}")
    return f"CASE {' '.join(branches[:-1])} ELSE {len(variants) - 1} END"


def _phase(block: Block, trial: Experiment) -> str:
    if not trial.phases:
        return "'full'"
    start = block.window(trial)[0]
    later = [f"WHEN d >= {start + after} THEN {text(f'{share:.0%}')}" for after, share in reversed(trial.phases)]
    return f"CASE {' '.join(later)} END"


def arms(block: Block, trigger: str, table: str) -> tuple[str, str]:
    """Columns ``x_name`` (number of the variant, null where there is none) and ``s_name`` (days since exposure).

    Returns
    -------
    tuple of str
        SQL of the columns, each followed by a comma, and of the joins behind ``table``.
    """
    columns: list[str] = []
    joins: list[str] = []
    for name, trial in block.experiments(trigger).items():
        if trial.unit == "creator":
            arm = _arm(block, name, trial, "k")
            columns.append(
                f"CASE WHEN {block.during(trial, table=f'{table}.')} AND maker IS NOT NULL THEN {arm} END AS x_{name},"
                f" 0 AS s_{name},"
            )
            continue
        running = block.during(trial, table=f"{table}.")
        columns.append(f"e_{name}.arm AS x_{name}, {table}.d - e_{name}.since AS s_{name},")
        mine = f"SELECT unit, arm, d AS since FROM w_exposures WHERE experiment = {text(name)}"
        joins.append(
            f"LEFT JOIN ({mine}) AS e_{name} ON e_{name}.unit = {table}.idx AND e_{name}.since <= {table}.d"
            f" AND {running}"
        )
    return " ".join(columns), " ".join(joins)


def arm_pushes(block: Block, name: str, trial: Experiment) -> list[Push]:
    """What the variants of an experiment change, from ``x_name`` and ``s_name``."""
    pushes = []
    for number, arm in enumerate(trial.variants.values()):
        weight = "1.0"
        if arm.fades:
            fall = f"{round(1 - arm.lasting, 9)!r} * s_{name} / {float(arm.fades)!r}"
            weight = f"greatest({arm.lasting!r}, 1.0 - {fall})"
        own = {block.recipe.numbers((country,))[0]: effect for country, effect in arm.by_country.items()}
        others = [m for m in block.recipe.numbers(trial.countries) if m not in own]
        scopes = [*((among("m", [m]), effect) for m, effect in own.items()), (among("m", others), arm.effect)]
        for where, effect in scopes:
            for lever, change in effect.items():
                pushes.append(Push(lever, f"x_{name} = {number} AND {where}", f"(1.0 + {change!r} * {weight})"))
    if trial.spillover:
        lost = round(1 - trial.spillover * _treated_share(block, name, trial), 9)
        pushes.append(Push("cart", f"x_{name} IS NOT NULL", repr(lost)))
    return pushes


def _treated_share(block: Block, name: str, trial: Experiment) -> float:
    """Share of units that are in a treatment, in this world."""
    if name in block.recipe.forced:
        return float(block.recipe.forced[name] != "control")
    return sum(trial.variants[arm].share for arm in trial.treatments)
