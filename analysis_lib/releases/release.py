"""A version of the app: when it came out, to whom it was offered, and which version it took over from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, unknown
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: Columns of ``app_releases`` without which nothing can be said.
NEEDED = ("platform", "version", "released_at")

#: Days over which a version is compared with the one before, unless the next one comes first.
DAYS = 28


@dataclass(frozen=True, slots=True)
class Release:
    """A version, and what it is compared with.

    Attributes
    ----------
    platform, version : str
        Which.
    before : str
        The version of the platform that was released before it.
    first : date
        First market-local day with a visit on it.
    last : date
        Last day on which it is compared: ``DAYS`` days, or less if the data end or the next version comes.
    before_since : date or None
        First day of the version before; None where the data do not show it.
    ramp : tuple of (int, float)
        Share of users it was offered to, by day since ``first``; empty where it is not known.
    is_followed : bool
        Whether the next version cut it short.
    """

    platform: str
    version: str
    before: str
    first: date
    last: date
    before_since: date | None
    ramp: tuple[tuple[int, float], ...] = ()
    is_followed: bool = False

    @property
    def days(self) -> int:
        """Days compared."""
        return (self.last - self.first).days + 1

    @property
    def name(self) -> str:
        """Platform and version, as people say it: ``Android 33.0``."""
        return f"{'iOS' if self.platform == 'ios' else self.platform.capitalize()} {self.version}"

    def is_over(self, until: date) -> bool:
        """Whether no more days will be compared."""
        return self.is_followed or (until - self.first).days + 1 >= DAYS

    def offered(self, day: date) -> float | None:
        """Share of users it was offered to on a day; None where the ramp is not known."""
        since = (day - self.first).days
        shares = [share for after, share in self.ramp if after <= since]
        return (shares[-1] if shares else 0.0) if self.ramp else None

    def stage(self, day: date) -> str:
        """The step of the ramp that a day belongs to, in words."""
        share = self.offered(day)
        if share is None:
            return f"week {(day - self.first).days // 7 + 1}"
        return "offered to all" if share >= 1 else f"offered to {share:.0%}"


def all_releases(warehouse: Warehouse) -> list[tuple[str, str]]:
    """Platform and version of every release of a source, the oldest first.

    Raises
    ------
    ContractError
        The source has no releases.
    """
    rows = _rows(warehouse)
    return [(str(row.platform), str(row.version)) for row in rows.itertuples()]


def find_release(warehouse: Warehouse, platform: str, version: str, *, until: date) -> Release:
    """A version of a source as it stood at the end of a day.

    Raises
    ------
    UnknownName
        There is no such platform or version; the message names the nearest.
    NotEnoughData
        Nobody has used it by then, or no version came before it.
    """
    rows = _rows(warehouse)
    platforms = sorted(set(rows["platform"]))
    if platform not in platforms:
        raise unknown("platform", platform, platforms, f"the releases of source '{warehouse.name}'")
    own = rows[rows["platform"] == platform].reset_index(drop=True)
    if version not in set(own["version"]):
        raise unknown("version", version, list(own["version"]), f"the releases of {platform}")
    seen = _seen(warehouse, platform, until)
    place = int(own.index[own["version"] == version][0])
    first = _first(seen, own.iloc[place])
    if first is None:
        raise NotEnoughData(f"{platform} {version} has no visit by {until:%-d %b %Y}.")
    before, since = _before(seen, own, place, first)
    later = [_first(seen, own.iloc[other]) for other in range(place + 1, len(own))]
    cut = min((day for day in later if day is not None), default=None)
    last = min(first + timedelta(days=DAYS - 1), until)
    is_followed = cut is not None and cut <= last
    return Release(
        platform, version, before, first, cut - timedelta(days=1) if cut is not None and is_followed else last, since,
        _ramp(own.iloc[place]), is_followed,
    )  # fmt: skip


def require_releases(warehouse: Warehouse) -> None:
    """Raise what is missing, before anything else is read.

    Raises
    ------
    ContractError
        The source has no releases, or lacks columns of theirs.
    """
    table = warehouse.table("app_releases")
    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        raise ContractError(f"source '{warehouse.name}': app_releases lacks {', '.join(missing)}.")


def _rows(warehouse: Warehouse) -> pd.DataFrame:
    require_releases(warehouse)
    return warehouse.query(warehouse.table("app_releases")).sort_values(["released_at", "platform"], ignore_index=True)


def _seen(warehouse: Warehouse, platform: str, until: date) -> pd.DataFrame:
    """First day, last day and visits of each version of a platform."""
    table = mart(warehouse, "release_adoption")
    table = table.filter((table.platform == platform) & (table.day <= until))
    days = table.group_by("app_version", "day").agg(n=table.n_sessions.sum())
    return warehouse.query(days).sort_values("day", ignore_index=True)


def _first(seen: pd.DataFrame, row: pd.Series) -> date | None:
    """The first day of a version: visits from before its release are those of testers."""
    # A release goes out when its day begins in the first market, which may be the day after in UTC.
    own = seen[(seen["app_version"] == row["version"]) & (_days(seen) >= row["released_at"].date())]
    return None if own.empty else _days(own).min()


def _days(frame: pd.DataFrame) -> pd.Series:
    import pandas as pd

    return pd.to_datetime(frame["day"]).dt.date


def _before(seen: pd.DataFrame, own: pd.DataFrame, place: int, first: date) -> tuple[str, date | None]:
    """The version that was replaced, and its first day where it was released in sight."""
    if place > 0:
        row = own.iloc[place - 1]
        return str(row["version"]), _first(seen, row)
    earlier = seen[(_days(seen) < first) & (_days(seen) >= first - timedelta(days=DAYS))]
    if earlier.empty:
        raise NotEnoughData(f"No version came before {own.iloc[place]['version']}: there is nothing to compare with.")
    return str(earlier.groupby("app_version")["n"].sum().idxmax()), None


def _ramp(row: pd.Series) -> tuple[tuple[int, float], ...]:
    """The ramp, as JSON text or as the engine gives it."""
    given: Any = row.get("ramp")
    if given is None or (isinstance(given, float) and given != given):
        return ()
    try:
        steps = json.loads(given) if isinstance(given, str) else given
        found = sorted((int(step["day"]), float(step["share"])) for step in steps if isinstance(steps, Iterable))
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidValue(f"ramp must be a list of day and share, not {given!r}.") from error
    return tuple(found)
