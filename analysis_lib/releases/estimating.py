"""From weighted visits on two versions to differences with intervals, for each system and at the end of each day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.errors import NotEnoughData
from analysis_lib.releases.people import RATES
from analysis_lib.releases.visits import ALL, BINS, QUANTILES, Visits, moved, natural
from analysis_lib.releases.weighting import ALIKE, weighted

if TYPE_CHECKING:
    import pandas as pd

#: What a version must not harm, in the order of a page.
METRICS = ("crash_free_rate", *QUANTILES, "conversion")

#: Half the distance of the two quantiles between which a density is taken, by metric.
_SPAN = {"start_ms_p50": 0.1, "start_ms_p95": 0.025}


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Differences between two versions.

    Attributes
    ----------
    cells : pandas.DataFrame
        As ``Visits.cells``, with ``weight``.
    looks : pandas.DataFrame
        system (``all`` for all together), metric, day, value, se, new, old (levels; new less old is the value),
        raw_new (the level on the new version as it is), n_new, n_old (visits that compare, as many as they are worth),
        spread (of crashes over users, 1 if each crash is another user's); one row per
        system, metric and day.
    """

    cells: pd.DataFrame
    looks: pd.DataFrame

    @property
    def share_compared(self) -> float:
        """Share of the visits on the new version for which there are comparable ones on the version before."""
        new = self.cells[self.cells["is_new"]]
        return float(new.loc[new["weight"] > 0, "n"].sum() / new["n"].sum())

    @property
    def balance(self) -> pd.DataFrame:
        """Share of visits by class on the new version, on the one before as it is, and as it is weighted."""
        return _balance(self.cells)


def compare(visits: Visits) -> Comparison:
    """Compare two versions.

    Raises
    ------
    NotEnoughData
        There is no day with comparable visits on both.
    """
    cells = visits.cells()
    cells = weighted(cells) if len(cells) else cells.assign(weight=0.0)
    kept = cells[cells["weight"] != 0].reset_index(drop=True)
    if kept.empty:
        raise NotEnoughData("no day has comparable visits on both versions.")
    starts = visits.starts(kept[["day", "is_new", *ALIKE, "weight"]])
    rates, quantiles = _rates(kept), _quantiles(starts)
    moves = visits.moves(_centred(kept, rates, starts))
    return Comparison(cells, _looks(kept, rates, quantiles, moves))


def _by_look(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Sums by system and day, and for all systems, running over the days."""
    import pandas as pd

    days = sorted(frame["day"].unique())
    own = frame.groupby(["system", "day"])[columns].sum()
    whole = frame.groupby("day")[columns].sum().assign(system=ALL).set_index("system", append=True).swaplevel()
    found = pd.concat([whole, own])
    index = pd.MultiIndex.from_product([found.index.unique(0), days], names=["system", "day"])
    return found.reindex(index, fill_value=0.0).groupby(level=0, sort=False).cumsum()


def _rates(kept: pd.DataFrame) -> pd.DataFrame:
    """Running weighted sums of rates on both versions, by system and day."""
    weight, n, is_new = kept["weight"], kept["n"], kept["is_new"]
    columns = {"new_w": weight * n * is_new, "old_w": -weight * n * ~is_new,
               "new_w2": weight**2 * n * is_new, "old_w2": weight**2 * n * ~is_new}  # fmt: skip
    for name in RATES:
        columns |= {f"new_{name}": weight * kept[name] * is_new, f"old_{name}": -weight * kept[name] * ~is_new}
        gain = kept[f"gain_{name}"]
        columns |= {f"new_gain_{name}": weight * gain * is_new, f"old_gain_{name}": -weight * gain * ~is_new}
    frame = kept[["system", "day"]].assign(**columns)
    return _by_look(frame, list(columns))


def _quantiles(starts: pd.DataFrame) -> dict[tuple[str, object], dict[str, tuple[float, float]]]:
    """Quantiles of start times (new, old) by system and day, over the days so far."""
    days, found = sorted(starts["day"].unique()), {}
    for system, own in [(ALL, starts), *starts.groupby("system")]:
        sides = [_running(own[own["is_new"] == side], days) for side in (True, False)]
        for place, day in enumerate(days):
            found[system, day] = {
                name: tuple(_quantile(bins, running[place], level) for bins, running in sides)
                for name, level in QUANTILES.items()
            }
    return found


def _running(own: pd.DataFrame, days: list) -> tuple[np.ndarray, np.ndarray]:
    """Bins, and their weights over the days so far: shape (days, bins)."""
    table = own.pivot_table(index="day", columns="bin", values="weight", aggfunc="sum", fill_value=0.0)
    table = table.reindex(days, fill_value=0.0).cumsum()
    return table.columns.to_numpy(dtype=float), table.to_numpy()


def _quantile(bins: np.ndarray, weights: np.ndarray, level: float) -> float:
    """A quantile in ms, straight within its bin."""
    whole = weights.sum()
    if not whole > 0:
        return float("nan")
    reached = np.cumsum(weights) / whole
    place = min(int(np.searchsorted(reached, level)), len(bins) - 1)
    below = reached[place - 1] if place else 0.0
    within = (level - below) / max(reached[place] - below, 1e-12)
    return float(np.exp((bins[place] + within) / BINS))


def _centred(kept: pd.DataFrame, rates: pd.DataFrame, starts: pd.DataFrame) -> pd.DataFrame:
    """Weights with what a visit is held against: mean gains, quantiles and densities."""
    last = rates.groupby(level=0).tail(1).droplevel("day")
    found = kept[["day", "is_new", *ALIKE, "weight"]].copy()
    for name in RATES:
        mean = {
            side: last[f"{side}_gain_{name}"] / last[f"{side}_w"].where(last[f"{side}_w"] > 0)
            for side in ("new", "old")
        }
        found[f"centre_{name}"] = np.where(
            found["is_new"], found["system"].map(mean["new"]), found["system"].map(mean["old"])
        )
    keys = list(zip(found["is_new"], found["system"], strict=True))
    for scope in (ALL, "own"):
        for name, level in QUANTILES.items():
            known = _dense(starts, scope, level, _SPAN[name])
            found[f"at_{scope}_{name}"] = [known.get(key, (np.nan, np.nan))[0] for key in keys]
            found[f"dense_{scope}_{name}"] = [known.get(key, (np.nan, np.nan))[1] for key in keys]
    return found


def _dense(starts: pd.DataFrame, scope: str, level: float, span: float) -> dict[tuple, tuple[float, float]]:
    """Quantile and density by version and system."""
    found = {}
    for side in (True, False):
        mine = starts[starts["is_new"] == side]
        whole = _level(mine, level, span)
        for system in starts["system"].unique():
            found[side, system] = whole if scope == ALL else _level(mine[mine["system"] == system], level, span)
    return found


def _level(own: pd.DataFrame, level: float, span: float) -> tuple[float, float]:
    sums = own.groupby("bin")["weight"].sum()
    bins, weights = sums.index.to_numpy(dtype=float), sums.to_numpy()
    at, low, high = (_quantile(bins, weights, share) for share in (level, level - span, level + span))
    return at, 2 * span / (high - low) if high > low else float("nan")


def _looks(kept: pd.DataFrame, rates: pd.DataFrame, quantiles: dict, moves: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    squares = _by_look(moves, moved())
    crashes = _by_look(kept.assign(crashes=(kept["n"] - kept["crash_free_rate"]) * kept["is_new"]), ["crashes"])
    rows = []
    for (system, day), row in rates.iterrows():
        if not (row["new_w"] > 0 and row["old_w"] > 0):
            continue
        square, seen = squares.loc[system, day], float(crashes.loc[(system, day), "crashes"])
        shared = {"system": system, "day": day, "n_new": row["new_w"] ** 2 / row["new_w2"],
                  "n_old": row["old_w"] ** 2 / row["old_w2"],
                  "spread": max(1.0, square["crashes"] / seen) if seen else 1.0}  # fmt: skip
        for name in METRICS:
            new, old, value, moved_by = _at(row, quantiles, system, day, name)
            raw = row[f"new_{name}"] / row["new_w"] if name in RATES else new
            se = np.sqrt(max(float(square[moved_by]), 0.0)) / row["new_w"]
            rows.append(shared | {"metric": name, "value": value, "se": se, "new": new, "old": old, "raw_new": raw})
    return pd.DataFrame(rows).sort_values(["system", "metric", "day"], key=_order, ignore_index=True)


def _at(row: pd.Series, quantiles: dict, system: str, day: object, name: str) -> tuple[float, float, float, str]:
    """Levels, difference, and the name of the squares it varies by."""
    if name in QUANTILES:
        new, old = quantiles.get((system, day), {}).get(name, (np.nan, np.nan))
        return new, old, new - old, f"{ALL if system == ALL else 'own'}_{name}"
    gains = [row[f"{side}_gain_{name}"] / row[f"{side}_w"] for side in ("new", "old")]
    old = row[f"old_{name}"] / row["old_w"]
    # The level without the version: what it is with it, less the difference.
    value = gains[0] - gains[1]
    return old + value, old, value, name


def _order(column: pd.Series) -> pd.Series:
    if column.name == "metric":
        return column.map({name: place for place, name in enumerate(METRICS)})
    if column.name == "system":
        return column.map({name: place for place, name in enumerate(sorted(column.unique(), key=natural))})
    return column


def _balance(cells: pd.DataFrame) -> pd.DataFrame:
    """Shares of visits by class, before and after weighting."""
    import pandas as pd

    kept, rows = cells[cells["weight"] != 0], []
    for what in ALIKE:
        for name in sorted(cells[what].unique()):
            own = kept[kept[what] == name]
            shares = [
                _share(own[own["is_new"]], kept[kept["is_new"]], weighed=True),
                _share(own[~own["is_new"]], kept[~kept["is_new"]], weighed=False),
                _share(own[~own["is_new"]], kept[~kept["is_new"]], weighed=True),
            ]
            rows.append((what, name, *shares))
    return pd.DataFrame(rows, columns=["what", "class", "new", "before", "before_weighted"])


def _share(part: pd.DataFrame, whole: pd.DataFrame, *, weighed: bool) -> float:
    sizes = [float((own["n"] * own["weight"].abs()).sum() if weighed else own["n"].sum()) for own in (part, whole)]
    return sizes[0] / sizes[1] if sizes[1] else float("nan")


def rate_differences(kept: pd.DataFrame) -> dict[str, float]:
    """Differences of the rates from weighted cells, less what the same users did before; no interval."""
    last = _rates(kept).loc[ALL].iloc[-1]
    return {
        name: float(last[f"new_gain_{name}"] / last["new_w"] - last[f"old_gain_{name}"] / last["old_w"])
        for name in RATES
    }
