"""Units of experiments, and what each would do under every variant, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.experiments.plan import Plan

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.world.potential import Potential

#: Metrics as sums of a unit: numerator and denominator; a mean over units has none.
COLUMNS = {
    "views_per_user": ("views",),
    "orders_per_user": ("orders",),
    "gmv_per_user": ("gmv",),
    "aov": ("gmv", "orders"),
    "checkout_rate": ("checkouts", "carts"),
    "refund_rate": ("lost", "gmv"),
    "crash_free_rate": ("crash_free", "visits"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Units, and what each would do on each day under each variant.

    Attributes
    ----------
    exposed : numpy.ndarray
        Day of the first exposure, shape (units,).
    country, phase : numpy.ndarray
        Of each unit, shape (units,).
    done : dict
        By variant and column of ``COLUMNS``: sums by unit and day, shape (units, days); 0 before the exposure.
    before : dict
        By column: sums over the days before the exposure, shape (units,).
    """

    exposed: np.ndarray
    country: np.ndarray
    phase: np.ndarray
    done: dict[str, dict[str, np.ndarray]]
    before: dict[str, np.ndarray]

    @property
    def days(self) -> int:
        """Days of the experiment."""
        return next(iter(next(iter(self.done.values())).values())).shape[1]

    def of(self, kept: np.ndarray) -> Crowd:
        """Some of the units."""
        done = {variant: {name: one[kept] for name, one in own.items()} for variant, own in self.done.items()}
        before = {name: one[kept] for name, one in self.before.items()}
        return Crowd(self.exposed[kept], self.country[kept], self.phase[kept], done, before)

    def truth(self, metric: str, variant: str, control: str = "control", *, of: np.ndarray | None = None) -> float:
        """The relative effect of launching a variant to all of these units, or to some of them."""
        rows = slice(None) if of is None else of
        value = {}
        for arm in (control, variant):
            sums = [self.done[arm][name][rows].sum() for name in COLUMNS[metric]]
            value[arm] = sums[0] / (sums[1] if len(sums) > 1 else len(self.exposed[rows]))
        return float(value[variant] / value[control] - 1)


def crowd_of(potential: Potential, names: set[str], *, pre_days: int = 28) -> Crowd:
    """What a world holds, as arrays.

    Parameters
    ----------
    names : set of str
        Metrics that are wanted, of ``COLUMNS``.
    """
    units = potential.units.reset_index(drop=True)
    place = dict(zip(units["unit"], units.index, strict=True))
    rows = potential.outcomes.assign(place=potential.outcomes["unit"].map(place))
    rows = rows.assign(
        crash_free=rows["visits"] - rows["crashes"], since=rows["day"] - rows["place"].map(units["exposed"])
    )
    columns = sorted({column for name in names for column in COLUMNS[name]})
    after = rows[rows["since"] >= 0]
    done = {
        variant: {name: _by_day(own, name, len(units), potential.days) for name in columns}
        for variant, own in after.groupby("variant")
    }
    earlier = rows[(rows["since"] < 0) & (rows["since"] >= -pre_days) & (rows["variant"] == "control")]
    before = {name: np.bincount(earlier["place"], earlier[name], minlength=len(units)) for name in columns}
    return Crowd(
        units["exposed"].to_numpy(), units["country"].to_numpy(), units["phase"].to_numpy(), done, before
    )  # fmt: skip


def _by_day(rows: pd.DataFrame, name: str, n: int, days: int) -> np.ndarray:
    found = np.zeros((n, days))
    np.add.at(found, (rows["place"].to_numpy(), rows["day"].to_numpy()), rows[name].to_numpy())
    return found


def deal(crowd: Crowd, plan: Plan, rng: np.random.Generator) -> np.ndarray:
    """Variants by chance, in the shares of the plan and of its phases: shape (units,)."""
    arms = [plan.control, *plan.treatments]
    uniform, found = rng.random(len(crowd.exposed)), np.empty(len(crowd.exposed), dtype=object)
    for phase in np.unique(crowd.phase):
        shares = plan.phases.get(phase, plan.arms)
        own = crowd.phase == phase
        edges = np.cumsum([shares[arm] for arm in arms])[:-1]
        found[own] = np.array(arms, dtype=object)[np.searchsorted(edges, uniform[own], side="right")]
    return found


def together(crowds: Sequence[Crowd]) -> Crowd:
    """The units of several marketplaces as one crowd."""
    first = crowds[0]
    done = {
        variant: {name: np.concatenate([crowd.done[variant][name] for crowd in crowds]) for name in own}
        for variant, own in first.done.items()
    }
    before = {name: np.concatenate([crowd.before[name] for crowd in crowds]) for name in first.before}
    exposed, country, phase = (
        np.concatenate([getattr(crowd, name) for crowd in crowds]) for name in ("exposed", "country", "phase")
    )
    return Crowd(exposed, country, phase, done, before)
