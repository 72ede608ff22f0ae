"""The difference in each stage of the ramp, and what mixing the stages would show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from analysis_lib.releases.people import RATES
from analysis_lib.releases.release import Release
from analysis_lib.releases.visits import ALL

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.releases.estimating import Comparison


def by_stage(comparison: Comparison, release: Release, metric: str, *, level: float) -> pd.DataFrame:
    """One rate, stage by stage.

    The difference so far at the end of a stage, less that at its begin, each weighted by what its days tell, is that of
    the stage; its variance is what the stage adds, as if what a user does in one were independent of the others.

    Parameters
    ----------
    metric : str
        One of ``RATES``.

    Returns
    -------
    DataFrame
        stage, first, last, share_new (of visits), plain (difference of all visits of the stage as they come), value,
        ci_lower, ci_upper (like with like), weight (share of the stage in the whole).
    """
    import pandas as pd

    if metric not in RATES:
        return pd.DataFrame()
    cells = comparison.cells
    looks = comparison.looks[(comparison.looks["system"] == ALL) & (comparison.looks["metric"] == metric)]
    told = cells[cells["is_new"]].assign(told=cells["weight"] * cells["n"]).groupby("day")["told"].sum().cumsum()
    looks = looks.assign(told=looks["day"].map(told), stage=looks["day"].map(release.stage))
    rows, before = [], {"told": 0.0, "sum": 0.0, "square": 0.0}
    for stage, own in looks.groupby("stage", sort=False):
        end = own.iloc[-1]
        now = {"told": end["told"], "sum": end["told"] * end["value"], "square": (end["told"] * end["se"]) ** 2}
        step = {name: now[name] - before[name] for name in now}
        before = now
        days = cells[cells["day"].map(release.stage) == stage]
        told = step["told"] if step["told"] > 0 else np.nan
        value = step["sum"] / told
        half = norm.ppf(0.5 + level / 2) * np.sqrt(max(step["square"], 0.0)) / told
        rows.append({
            "stage": stage, "first": own["day"].iloc[0], "last": end["day"], **_plain(days, metric), "value": value,
            "ci_lower": value - half, "ci_upper": value + half, "weight": step["told"],
        })  # fmt: skip
    found = pd.DataFrame(rows)
    return found.assign(weight=found["weight"] / found["weight"].sum()) if len(found) else found


def _plain(days: pd.DataFrame, metric: str) -> dict[str, float]:
    """Share of visits on the new version, and the plain difference."""
    new, old = days[days["is_new"]], days[~days["is_new"]]
    rates = [float(own[metric].sum() / own["n"].sum()) if own["n"].sum() else np.nan for own in (new, old)]
    return {"share_new": float(new["n"].sum() / days["n"].sum()), "plain": rates[0] - rates[1]}
