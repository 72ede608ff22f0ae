"""One world to be made: its settings, its seed, its size, and which plants are left out or forced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.world.draws import Draws
from analysis_lib.world.plants import Campaign, Experiment, Incident, Launch, Plant, Release
from analysis_lib.world.settings import Market, Settings

#: Kinds of plants, by the word that stands before the colon in ``without``.
KINDS = {
    "campaign": "campaigns", "experiment": "experiments", "release": "releases", "launch": "launches",
    "incident": "incidents",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything a world is a function of.

    Attributes
    ----------
    settings : Settings
        ``data/world.yml`` with changes.
    seed : int
        Any whole number from 0.
    scale : float
        Size; 1 is about 150,000 users.
    without : frozenset of str
        Plants left out, as ``kind:name``.
    forced : dict of str to str
        Experiments launched to everyone: name to variant.
    """

    settings: Settings
    seed: int = 1
    scale: float = 1.0
    without: frozenset[str] = frozenset()
    forced: Mapping[str, str] = field(default_factory=dict)

    @property
    def draws(self) -> Draws:
        """The draws of the seed."""
        return Draws(self.seed)

    def leave_out(self, *plants: str) -> Recipe:
        """The same world without these plants."""
        return replace(self, without=self.without | frozenset(plants))

    def launch(self, experiment: str, variant: str) -> Recipe:
        """The same world with one variant of an experiment given to everyone."""
        return replace(self, forced={**self.forced, experiment: variant})

    def markets(self) -> list[tuple[int, Market]]:
        """Markets with their numbers."""
        return list(enumerate(self.settings.markets))

    def numbers(self, countries: tuple[str, ...]) -> list[int]:
        """Numbers of markets."""
        return [number for number, market in self.markets() if market.country in countries]

    def users_of(self, market: Market) -> int:
        """How many users a market has at this scale; never fewer than 20."""
        people, total = self.settings.people, sum(item.users for item in self.settings.markets)
        return max(20, round(people.number * self.scale * market.users / total))

    def sized(self, number: float, market: Market | None = None, least: int = 1) -> int:
        """A number of things at this scale, in all or in one market."""
        share = 1.0
        if market is not None:
            share = market.users / sum(item.users for item in self.settings.markets)
        return max(least, round(number * self.scale * share))

    def _alive(self, kind: str) -> dict[str, Plant]:
        plants = getattr(self.settings, KINDS[kind])
        return {name: plant for name, plant in plants.items() if f"{kind}:{name}" not in self.without}

    @property
    def campaigns(self) -> dict[str, Campaign]:
        """Campaigns that are not left out."""
        return self._alive("campaign")  # type: ignore[return-value]

    @property
    def experiments(self) -> dict[str, Experiment]:
        """Experiments that are not left out."""
        return self._alive("experiment")  # type: ignore[return-value]

    @property
    def releases(self) -> dict[str, Release]:
        """Releases that are not left out, oldest first."""
        alive = self._alive("release")
        return dict(sorted(alive.items(), key=lambda item: item[1].first_day))  # type: ignore[arg-type]

    @property
    def launches(self) -> dict[str, Launch]:
        """Launches that are not left out."""
        return self._alive("launch")  # type: ignore[return-value]

    @property
    def incidents(self) -> dict[str, Incident]:
        """Incidents that are not left out."""
        return self._alive("incident")  # type: ignore[return-value]


def make_recipe(settings: Settings, *, seed: int, scale: float, without: Iterable[str]) -> Recipe:
    """A recipe whose parts are checked.

    Raises
    ------
    InvalidValue
        A negative seed, a scale outside 0.001 to 1,000, a plant not written as ``kind:name``.
    UnknownName
        A plant that the settings do not have; the nearest is named.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InvalidValue(f"seed must be a whole number from 0, not {seed!r}.")
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0.001 <= scale <= 1000:
        raise InvalidValue(f"scale must be between 0.001 and 1000, not {scale!r} (1 is about 150,000 users).")
    if isinstance(without, str):
        raise InvalidValue(f"without must be a list of plants, for example ['{without}'], not a text.")
    known = [f"{kind}:{name}" for kind, group in KINDS.items() for name in getattr(settings, group)]
    for plant in (left_out := tuple(without)):
        if plant not in known:
            raise unknown("plant", plant, known, "data/world.yml (written kind:name)")
    return Recipe(settings, seed, float(scale), frozenset(left_out))
