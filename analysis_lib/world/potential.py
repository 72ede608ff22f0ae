"""What every unit of an experiment would do under each variant: for grades, which deal the variants out anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis_lib.errors import unknown
from analysis_lib.world.block import Block
from analysis_lib.world.builder import read_recipe
from analysis_lib.world.draws import text
from analysis_lib.world.paired import Scope, play_pair, staged
from analysis_lib.world.plants import Experiment
from analysis_lib.world.stage import Stage
from analysis_lib.world.truth_experiments import SUMS, done_by_unit, unit_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Potential:
    """Units of an experiment and what they would do.

    Attributes
    ----------
    units : pandas.DataFrame
        unit, country, exposed (day of the first exposure, the first day of the experiment being 0), phase.
    outcomes : pandas.DataFrame
        variant, unit, day (negative: beforehand) and ``truth_experiments.SUMS``: one row per variant, unit and day with
        a visit.
    days : int
        Days of the experiment.
    """

    units: pd.DataFrame
    outcomes: pd.DataFrame
    days: int


def potential_outcomes(path: str | Path, name: str, *, pre_days: int = 28) -> Potential:
    """What every unit of an experiment would do if its variant were launched to everybody.

    Only for experiments whose units leave each other alone: no shared budget, no spillover.

    Parameters
    ----------
    path : str or Path
        A file written by ``build``.
    name : str
        One of its experiments.
    pre_days : int
        Days before the first day that are kept too.

    Raises
    ------
    SourceError
        The file is missing or is no world.
    UnknownName
        An experiment that this world does not have.
    """
    recipe = read_recipe(path)
    if name not in recipe.experiments:
        raise unknown("experiment", name, recipe.experiments, "this world")
    with staged(recipe) as stage:
        return _played(stage, name, pre_days)


def _played(stage: Stage, name: str, pre_days: int) -> Potential:
    import pandas as pd

    recipe = stage.recipe
    trial, number = recipe.experiments[name], recipe.settings.number
    first, last = number(trial.first_day), number(trial.last_day)
    scope = Scope(tuple(recipe.numbers(trial.countries)), max(0, first - pre_days), last)
    frames, units = [], None
    for treatment in trial.treatments:
        worlds = recipe.launch(name, treatment), recipe.launch(name, "control")
        play_pair(stage, scope, worlds, lambda block: _kept(block, name, trial))
        rows = _rows(stage, treatment, first)
        # What control does is the same whatever it is compared with.
        frames.append(rows if not frames else rows[rows["variant"] != "control"])
        units = _units(stage, first) if units is None else units
    stage.renew(recipe)
    return Potential(units, pd.concat(frames, ignore_index=True), last - first + 1)


def _kept(block: Block, name: str, trial: Experiment) -> dict[str, str]:
    return {
        "exposed": f"SELECT unit, m, d, phase FROM w_exposures WHERE experiment = {text(name)}"
        f" AND d BETWEEN {block.first} AND {block.last}",
        "done": done_by_unit(unit_of(trial)),
    }


def _rows(stage: Stage, treatment: str, first: int) -> pd.DataFrame:
    import pandas as pd

    sums = ", ".join(f"sum({name})::DOUBLE" for name in SUMS)
    found = stage.engine.rows(
        f"SELECT CASE side WHEN 1 THEN {text(treatment)} ELSE 'control' END, unit, d - {first}, {sums} FROM w_done"
        " WHERE unit IN (SELECT unit FROM w_exposed WHERE side = 0) GROUP BY ALL ORDER BY ALL"
    )
    return pd.DataFrame(found, columns=["variant", "unit", "day", *SUMS])


def _units(stage: Stage, first: int) -> pd.DataFrame:
    import pandas as pd

    found = stage.engine.rows(
        f"SELECT unit, any_value(m), min(d) - {first}, arg_min(phase, d) FROM w_exposed WHERE side = 0"
        " GROUP BY unit ORDER BY unit"
    )
    frame = pd.DataFrame(found, columns=["unit", "m", "exposed", "phase"])
    names = {m: market.country for m, market in enumerate(stage.recipe.settings.markets)}
    return frame.assign(country=frame["m"].map(names)).drop(columns="m")


def activity(path: str | Path) -> pd.DataFrame:
    """How active every user of a world is by nature, which no table tells: campaigns of a segment are aimed by it.

    Returns
    -------
    pandas.DataFrame
        user_id, active (0 to 1, the rank among all).
    """
    import pandas as pd

    with staged(read_recipe(path)) as stage:
        return pd.DataFrame(stage.engine.rows("SELECT user_id, active FROM w_users"), columns=["user_id", "active"])
