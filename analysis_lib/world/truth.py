"""The exact truth of a world: for every plant, the difference between the world with it and the world without it.

Nothing but ``calibration`` and tests may read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.world.builder import read_recipe
from analysis_lib.world.paired import staged
from analysis_lib.world.recipe import KINDS, Recipe
from analysis_lib.world.truth_campaigns import campaign_truth
from analysis_lib.world.truth_experiments import experiment_truth
from analysis_lib.world.truth_incidents import incident_truth
from analysis_lib.world.truth_launches import launch_truth
from analysis_lib.world.truth_releases import release_truth

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("effect", "entity", "country", "metric", "starts_on", "ends_on", "value", "unit", "segment")

_TELLERS = {
    "campaign": campaign_truth,
    "experiment": experiment_truth,
    "release": release_truth,
    "launch": launch_truth,
    "incident": incident_truth,
}


def truth(
    path: str | Path, *, plants: Iterable[str] | None = None, progress: Callable[[str], None] | None = None
) -> pd.DataFrame:
    """What every plant of a world did, exactly.

    The worlds with and without the plant are played anew over the plant's scope, with the same draws, and
    subtracted; no estimate is involved. All of it takes about twice as long as building the world.

    Parameters
    ----------
    path : str or Path
        A file written by ``build``.
    plants : iterable of str, optional
        Only these, as ``kind:name``, for example ``"campaign:nine_nine_2026"`` or ``"factor:delivery_days"``.
    progress : callable, optional
        Called with each plant as it is begun.

    Returns
    -------
    pandas.DataFrame
        Columns effect (campaign, experiment, release, launch, incident, factor), entity, country (missing: all of the
        plant's markets together), metric, starts_on, ends_on (market-local days, both included), value, unit,
        segment (variant of an experiment, part of a market, weeks of a launch). For a campaign
        ``incremental_gmv``, ``halo_gmv``, ``cannibalised_gmv``, ``pulled_forward_gmv``, ``carried_over_gmv`` and
        ``returned_gmv`` add up to ``net_incremental_gmv``, over the campaign and the 28 days after it;
        ``creator_commission`` is what creators were paid more in these days, after what was given back. For an
        experiment the value is the effect per exposed unit of launching the variant to everyone instead of control.

    Raises
    ------
    SourceError
        The file is missing or is no world.
    UnknownName
        A plant that this world does not have.
    """
    import pandas as pd

    recipe = read_recipe(path)
    chosen = _chosen(recipe, plants)
    rows = [row for kind, name in chosen if kind == "factor" for row in _factor(recipe, name)]
    played = [(kind, name) for kind, name in chosen if kind != "factor"]
    if played:
        rows += _play(recipe, played, progress or (lambda _: None))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _play(recipe: Recipe, plants: list[tuple[str, str]], progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Play every plant's two worlds."""
    rows: list[dict[str, Any]] = []
    with staged(recipe) as stage:
        for kind, name in plants:
            progress(f"{kind} {name}")
            rows += _TELLERS[kind](stage, name)
    return rows


def _chosen(recipe: Recipe, plants: Iterable[str] | None) -> list[tuple[str, str]]:
    alive = {kind: list(getattr(recipe, group)) for kind, group in KINDS.items()}
    known = [(kind, name) for kind, names in alive.items() for name in names]
    known += [("factor", name) for name in recipe.settings.factors]
    if plants is None:
        return known
    if isinstance(plants, str):
        raise InvalidValue(f"plants must be a list, for example ['{plants}'], not a text.")
    by_text = {f"{kind}:{name}": (kind, name) for kind, name in known}
    for plant in (wanted := list(plants)):
        if plant not in by_text:
            raise unknown("plant", plant, by_text, "this world (written kind:name)")
    return [by_text[plant] for plant in wanted]


#: What a factor moves, in the words of the metrics.
_MOVED = {"visits": "visits per user", "cart": "carts per product page", "price": "shelf price"}


def _factor(recipe: Recipe, name: str) -> list[dict[str, Any]]:
    factor = recipe.settings.factors[name]
    per = "log point" if factor.form == "log" else "unit"
    return [
        {
            "effect": "factor", "entity": name, "country": None, "metric": _MOVED[factor.metric],
            "starts_on": recipe.settings.first_day, "ends_on": recipe.settings.last_day, "value": factor.coefficient,
            "unit": f"log points of the metric per {per} of the factor", "segment": None,
        }
    ]  # fmt: skip
