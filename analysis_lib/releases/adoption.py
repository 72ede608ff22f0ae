"""How a version spread: its share of the visits of each day, and who took it up first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.pipelines import mart
from analysis_lib.releases.people import ACTIVITY, SPEED
from analysis_lib.releases.release import Release
from analysis_lib.releases.visits import natural
from analysis_lib.releases.weighting import ALIKE

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse


def adoption_by_day(warehouse: Warehouse, release: Release) -> pd.DataFrame:
    """Visits on a version by day.

    Returns
    -------
    DataFrame
        day, n_new, n_all (visits of the platform), share, offered (share of users it was offered to; missing where the
        ramp is not known).
    """
    import pandas as pd

    table = mart(warehouse, "release_adoption")
    table = table.filter((table.platform == release.platform) & table.day.between(release.first, release.last))
    is_new = (table.app_version == release.version).cast("int64")
    days = table.group_by("day").agg(n_new=(table.n_sessions * is_new).sum(), n_all=table.n_sessions.sum())
    found = warehouse.query(days)
    found = found.assign(day=pd.to_datetime(found["day"]).dt.date).sort_values("day", ignore_index=True)
    share = found["n_new"] / found["n_all"]
    return found.assign(share=share, offered=[release.offered(day) for day in found["day"]])


def days_until(adoption: pd.DataFrame, share: float) -> int | None:
    """Days from the release until a share of the visits of a day was on it; None if it never came to that."""
    reached = adoption[adoption["share"] >= share]
    return None if reached.empty else (reached["day"].iloc[0] - adoption["day"].iloc[0]).days


def adoption_by_class(cells: pd.DataFrame) -> pd.DataFrame:
    """Who took it up first: share of the visits on the new version while it spread, by class of user.

    Parameters
    ----------
    cells : pandas.DataFrame
        As ``Visits.cells``.

    Returns
    -------
    DataFrame
        what, class, n (visits), share (on the new version, of the visits on both), ratio (to all); of the days on which
        a tenth to nine tenths of the visits of both were on it, or of all days where there are none.
    """
    import pandas as pd

    days = cells.assign(new=cells["n"] * cells["is_new"]).groupby("day")[["new", "n"]].sum()
    share = days["new"] / days["n"]
    spreading = days.index[(share >= 0.1) & (share <= 0.9)]
    own = cells[cells["day"].isin(spreading)] if len(spreading) else cells
    whole = float(own.loc[own["is_new"], "n"].sum() / own["n"].sum())
    rows = []
    for what in ALIKE:
        for name in sorted(own[what].unique(), key=_place):
            part = own[own[what] == name]
            n, new = float(part["n"].sum()), float(part.loc[part["is_new"], "n"].sum())
            rows.append((what, name, n, new / n, new / n / whole if whole else float("nan")))
    return pd.DataFrame(rows, columns=["what", "class", "n", "share", "ratio"])


def _place(name: str) -> tuple:
    """Classes from few to many, systems and markets by name."""
    order = [*ACTIVITY, *SPEED]
    return (order.index(name) if name in order else len(order)), natural(name)


def more_than_offered(adoption: pd.DataFrame) -> pd.DataFrame:
    """Days on which clearly more visits were on the version than users it was offered to.

    On the day a step of the ramp begins a market may be a day ahead, so a day also counts what is offered on the next.
    """
    if adoption["offered"].isna().any() or len(adoption) < 2:
        return adoption.iloc[:0]
    offered = adoption["offered"].astype(float).shift(-1).fillna(adoption["offered"].astype(float))
    noise = 4 * (offered * (1 - offered) / adoption["n_all"]).pow(0.5)
    return adoption[adoption["share"] > offered + noise + 0.005]
