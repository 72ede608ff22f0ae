"""Who was exposed to what: counts by arm, phase, day and part of the traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import NotEnoughData
from analysis_lib.experiments.sample_ratio import planned_by_phase
from analysis_lib.experiments.trial import Trial
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from analysis_lib.warehouse import Warehouse


#: Flags of units, with what they say of them.
FLAGS = {
    "is_in_two_variants": "seen in two variants",
    "is_unknown_variant": "in a variant that the experiment does not have",
    "is_before_start": "exposed before it began",
    "is_after_end": "exposed after it ended",
    "is_unknown_user": "users that nobody knows",
}


@dataclass(frozen=True, slots=True, eq=False)
class Exposures:
    """Who was exposed.

    Attributes
    ----------
    counts : pandas.DataFrame
        variant, phase, exposed_day, country, platform, n: units that count, in arms that the experiment has.
    flagged : dict of str to int
        Units by what is wrong with them, and ``seen``: all.
    planned : dict of str to numpy.ndarray
        Planned shares of the arms by phase, control first.
    """

    counts: pd.DataFrame
    flagged: dict[str, int]
    planned: dict[str, np.ndarray]

    @property
    def is_ramped(self) -> bool:
        """Whether the planned shares changed during the test."""
        shares = list(self.planned.values())
        return any(abs(one - shares[0]).max() > 1e-9 for one in shares[1:])


def exposures_of(
    warehouse: Warehouse,
    trial: Trial,
    *,
    until: date | None = None,
    phases: Mapping[str, Mapping[str, float]] | None = None,
) -> Exposures:
    """Count the units of an experiment.

    Parameters
    ----------
    until : date, optional
        Market-local day: first exposures by then.
    phases : mapping, optional
        Planned shares by phase and arm, where they are known better than the names of the phases say.

    Raises
    ------
    NotEnoughData
        Nobody was exposed.
    """
    counts, flagged = _exposures(warehouse, trial, until)
    kept = counts[counts["variant"].isin(list(trial.arms)) & (counts["n"] > 0)]
    if kept.empty:
        by_then = "" if until is None else f" by {until}"
        raise NotEnoughData(f"nobody was exposed to a variant of '{trial.experiment_id}'{by_then}.")
    return Exposures(kept, flagged, planned_by_phase(trial, sorted(kept["phase"].unique()), phases))


def _exposures(warehouse: Warehouse, trial: Trial, until: date | None) -> tuple[pd.DataFrame, dict[str, int]]:
    """Units by arm, phase, day, market and platform that count; and units by what is wrong with them."""
    import pandas as pd

    table = mart(warehouse, "experiment_units")
    table = table.filter(table.experiment_id == trial.experiment_id)
    if until is not None:
        table = table.filter(table.exposed_day <= until)
    keys = ["variant", "phase", "exposed_day", "country", "platform"]
    flags: dict[str, Any] = {name: table[name].cast("int64").sum() for name in FLAGS}
    kept = (~table.is_in_two_variants & ~table.is_unknown_variant).cast("int64").sum()
    frame = warehouse.query(table.group_by(keys).agg(n=kept, n_seen=table.count(), **flags))
    frame = frame.assign(phase=frame["phase"].fillna("full"), exposed_day=pd.to_datetime(frame["exposed_day"]))
    wrong = {name: int(frame[name].sum()) for name in FLAGS} | {"seen": int(frame["n_seen"].sum())}
    return frame[[*keys, "n"]], wrong
