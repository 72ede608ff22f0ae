"""A launch as it stands in the plans: where it is live since when, and where it is still to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from analysis_lib.errors import ContractError, InvalidValue, unknown

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: Columns of ``launches`` without which nothing can be said.
NEEDED = ("launch_id", "country", "live_on")


@dataclass(frozen=True, slots=True, eq=False)
class Launch:
    """A launch, as known on a day.

    Attributes
    ----------
    launch_id, name : str
        Identifier, and what people call it.
    metric : str
        Metric it was hoped to move; empty where nobody wrote it down.
    until : date
        Last day that is known.
    markets : pandas.DataFrame
        country, announced_on, live_on (missing: not planned, or not announced); one row per market of the source, the
        earliest first.
    """

    launch_id: str
    name: str
    metric: str
    until: date
    markets: pd.DataFrame

    @property
    def live(self) -> list[str]:
        """Markets in which it is live, the earliest first."""
        import pandas as pd

        rows = self.markets[self.markets["live_on"] <= pd.Timestamp(self.until)]
        return [str(country) for country in rows["country"]]

    @property
    def left(self) -> list[str]:
        """Markets in which it is not live: planned first, then the others."""
        live = set(self.live)
        return [str(country) for country in self.markets["country"] if country not in live]

    @property
    def n_waves(self) -> int:
        """Different days on which it went live."""
        return int(self.markets.loc[self.markets["country"].isin(self.live), "live_on"].nunique())

    @property
    def first(self) -> date:
        """The day on which it first went live."""
        return self.markets["live_on"].min().date()

    @property
    def is_announced(self) -> bool:
        """Whether users were told beforehand anywhere."""
        return bool(self.markets["announced_on"].notna().any())


def all_launches(warehouse: Warehouse) -> list[str]:
    """Identifiers of the launches of a source, the earliest first.

    Raises
    ------
    ContractError
        The source has no launches.
    """
    rows = _rows(warehouse)
    return list(dict.fromkeys(rows["launch_id"].astype(str)))


def find_launch(warehouse: Warehouse, launch_id: str, *, until: date) -> Launch:
    """A launch as it stood at the end of a day.

    Raises
    ------
    UnknownName
        There is no such launch; the message names the nearest.
    InvalidValue
        A market has it twice, or it was announced after it went live.
    ContractError
        The source has no launches, or lacks columns of theirs.
    """
    import pandas as pd

    rows = _rows(warehouse)
    if launch_id not in set(rows["launch_id"]):
        names = list(dict.fromkeys(rows["launch_id"].astype(str)))
        raise unknown("launch", str(launch_id), names, f"the launches of source '{warehouse.name}'")
    own = rows[rows["launch_id"] == launch_id]
    twice = own["country"].duplicated()
    if twice.any():
        raise InvalidValue(f"launch '{launch_id}' has two rows for {own.loc[twice, 'country'].iloc[0]}; one is meant")
    late = own["announced_on"] > own["live_on"]
    if late.any():
        raise InvalidValue(
            f"launch '{launch_id}' was announced in {own.loc[late, 'country'].iloc[0]} after it was live"
        )
    countries = warehouse.query(warehouse.table("countries").select("country")).sort_values("country")
    markets = countries.merge(own[["country", "announced_on", "live_on"]], on="country", how="left")
    markets = markets.sort_values(["live_on", "country"], ignore_index=True, na_position="last")
    first = own.iloc[0]
    metric = first.get("metric")
    return Launch(
        str(launch_id), str(first.get("name") or launch_id), "" if pd.isna(metric) else str(metric), until, markets
    )


def require_launches(warehouse: Warehouse) -> None:
    """Raise what is missing, before anything else is read.

    Raises
    ------
    ContractError
        The source has no launches, or lacks columns of theirs.
    """
    table = warehouse.table("launches")
    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        raise ContractError(f"source '{warehouse.name}': launches lacks {', '.join(missing)}.")


def _rows(warehouse: Warehouse) -> pd.DataFrame:
    import pandas as pd

    require_launches(warehouse)
    rows = warehouse.query(warehouse.table("launches"))
    announced = rows.get("announced_on", pd.Series(pd.NaT, index=rows.index))
    rows = rows.assign(announced_on=pd.to_datetime(announced), live_on=pd.to_datetime(rows["live_on"]))
    return rows.sort_values(["live_on", "launch_id", "country"], ignore_index=True)
