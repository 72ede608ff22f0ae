"""A stretch of days of some markets, and the plants at work in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, sqrt

from analysis_lib.world.draws import Draws, literal
from analysis_lib.world.levers import Push, among, effects
from analysis_lib.world.plants import Campaign, Experiment, Incident, Launch, Plant
from analysis_lib.world.recipe import Recipe

#: Days of a block. A user's candidates for visits are drawn by block, so this is part of the world's definition.
BLOCK_DAYS = 61

#: Visits made at a time, about: what bounds the memory, whatever the scale.
CHUNK_VISITS = 160_000

#: Number of a day that never comes.
NEVER = 1_000_000

#: Weight of a user's activity, against chance, in the score by which a campaign's segment is chosen.
SCORE = 0.6


@dataclass(frozen=True, slots=True)
class Block:
    """Days ``first`` to ``last`` (numbers, both included) within one block, for some or all markets.

    Attributes
    ----------
    recipe : Recipe
        The world.
    number : int
        Number of the block.
    first, last : int
        Days wanted of it.
    markets : tuple of int
        Numbers of the markets wanted.
    """

    recipe: Recipe
    number: int
    first: int
    last: int
    markets: tuple[int, ...]

    @property
    def draws(self) -> Draws:
        """The draws of the world."""
        return self.recipe.draws

    @property
    def start(self) -> int:
        """First day of the whole block."""
        return self.number * BLOCK_DAYS

    @property
    def length(self) -> int:
        """Days of the whole block."""
        return min(BLOCK_DAYS, self.recipe.settings.days - self.start)

    def window(self, plant: Plant, *, after: int = 0, end: int | None = None) -> tuple[int, int]:
        """Numbers of a plant's first and last day, ``after`` days added."""
        number = self.recipe.settings.number
        return number(plant.first_day), (number(plant.last_day) if end is None else end) + after

    def touches(self, plant: Plant, after: int = 0) -> bool:
        """Whether the plant is at work on a day and in a market of this block."""
        first, last = self.window(plant, after=after)
        here = not plant.countries or set(self.recipe.numbers(plant.countries)) & set(self.markets)
        return bool(here) and first <= self.last and last >= self.first

    def campaigns(self, *, after: bool = False) -> dict[str, Campaign]:
        """Campaigns running in the block, or (``after``) running or fading out in it."""
        return {
            name: plant
            for name, plant in self.recipe.campaigns.items()
            if self.touches(plant, plant.after if after else 0)
        }

    def experiments(self, trigger: str | None = None) -> dict[str, Experiment]:
        """Experiments running in the block."""
        found = {name: plant for name, plant in self.recipe.experiments.items() if self.touches(plant)}
        return {name: plant for name, plant in found.items() if trigger in (None, plant.trigger)}

    def incidents(self, *kinds: str) -> dict[str, Incident]:
        """Incidents of these kinds at work in the block."""
        found = {name: plant for name, plant in self.recipe.incidents.items() if self.touches(plant)}
        return {name: plant for name, plant in found.items() if plant.kind in kinds}

    def during(self, plant: Plant, *, end: int | None = None, table: str = "") -> str:
        """SQL condition: in a market of the plant, on one of its days (of columns of ``table``, with its dot)."""
        first, last = self.window(plant, end=end)
        return f"({among(f'{table}m', self.recipe.numbers(plant.countries))} AND {table}d BETWEEN {first} AND {last})"

    def reached(self, name: str, campaign: Campaign) -> str:
        """SQL condition on a user: the campaign is for them and they are not held out."""
        if campaign.targeting == "holdout":
            kept = f"{self.draws.uniform(f'holdout {name}', 'u')} >= {campaign.holdout_share!r}"
            return f"{self.chosen(name, campaign)} AND {kept}"
        return self.chosen(name, campaign)

    def chosen(self, name: str, campaign: Campaign) -> str:
        """SQL condition on a user: the campaign is for them, held out or not."""
        if campaign.targeting == "all":
            return "true"
        # Lists are made, and coupons handed out, the evening before: who signs up later is on none.
        known = f"signup < {self.window(campaign)[0] - 1}"
        if campaign.targeting == "segment":
            score = f"{SCORE} * active + {round(1 - SCORE, 9)} * {self.draws.uniform(f'segment {name}', 'u')}"
            return f"{known} AND {score} > {segment_threshold(campaign.reach)!r}"
        return known

    def lasted(self, campaign: Campaign) -> int:
        """Number of the last day on which the campaign's money lasted."""
        return self.recipe.settings.number(campaign.ran_out_on or campaign.last_day)

    def categories(self, plant: Plant) -> list[int]:
        """Numbers of a plant's categories; all of them if it names none."""
        names = list(self.recipe.settings.supply.categories)
        return [names.index(name) + 1 for name in plant.categories or names]

    def promoted(self, plant: Campaign | Incident) -> str:
        """SQL condition on category ``c``, rank ``r`` and pool size ``n``: the plant is about the product."""
        return f"({among('c', self.categories(plant))} AND r < ceil({plant.top_share!r} * n))"

    def release_pushes(self) -> list[Push]:
        """What the versions of the app change."""
        pushes = []
        for release in self.recipe.releases.values():
            when = f"platform = '{release.platform}' AND app_version = '{release.version}'"
            if release.only:
                when += " AND " + among("os_version", [f"'{name}'" for name in release.only])
            pushes += effects(release.effect, when)
        return pushes

    def launch_pushes(self) -> list[Push]:
        """What launches change: before they are live, where they are announced, and from then on."""
        pushes = []
        for launch in self.recipe.launches.values():
            live = self._live_days(launch)
            if min(live) - launch.announced > self.last:
                continue
            day = f"{literal(live)}[m + 1]"
            waiting = f"d < {day} AND d >= {day} - {launch.announced}"
            pushes += effects(launch.waiting, waiting)
            grown = f"least(1.0, (d - {day} + 1) / {float(launch.grows)!r})" if launch.grows else "1.0"
            levers = dict.fromkeys(lever for one in (launch.effect, *launch.by_country.values()) for lever in one)
            for lever in levers:
                sizes = [launch.change(market.country, lever) for market in self.recipe.settings.markets]
                pushes.append(Push(lever, f"d >= {day}", f"(1.0 + {literal(sizes)}[m + 1] * {grown})"))
        return pushes

    def _live_days(self, launch: Launch) -> list[int]:
        """Number of the day on which a launch is live, one a market; long after the end where it never is."""
        settings = self.recipe.settings
        days = [launch.live_on.get(market.country) for market in settings.markets]
        return [NEVER if day is None else settings.number(day) for day in days]

    def incident_day(self, incident: Incident) -> str:
        """SQL condition: in the market, on the days and in the local hours of an incident."""
        condition = self.during(incident)
        if incident.hours != (0, 24):
            first, last = (hour * 3600 for hour in incident.hours)
            condition = f"({condition} AND begins >= {first} AND begins < {last})"
        return condition


def segment_threshold(reach: float) -> float:
    """Score above which a share ``reach`` of users lies; the score is 0.6 U + 0.4 V of two uniform numbers.

    Examples
    --------
    >>> round(segment_threshold(0.5), 3)
    0.5
    """
    big, small = SCORE, 1 - SCORE
    tail = small / (2 * big)
    if reach <= tail:
        return round(1 - sqrt(2 * big * small * reach), 9)
    if reach <= 1 - tail:
        return round(big * (1 - reach) + small / 2, 9)
    return round(sqrt(2 * big * small * (1 - reach)), 9)


def blocks(
    recipe: Recipe, first: int = 0, last: int | None = None, markets: Iterable[int] | None = None
) -> list[Block]:
    """The blocks that cover days ``first`` to ``last``, in the order of time, in pieces of bearable size.

    A large block is cut by market, and a large market by days; what is made of them is the same either way.
    """
    last = recipe.settings.days - 1 if last is None else min(last, recipe.settings.days - 1)
    chosen = [number for number, _ in recipe.markets()] if markets is None else list(markets)
    found = []
    for number in range(max(first, 0) // BLOCK_DAYS, last // BLOCK_DAYS + 1):
        start = number * BLOCK_DAYS
        whole = max(first, start), min(last, start + BLOCK_DAYS - 1)
        for group in _groups(recipe, chosen):
            pieces = max(1, ceil(_visits(recipe, group) / CHUNK_VISITS))
            days = ceil((whole[1] - whole[0] + 1) / pieces)
            found += [
                Block(recipe, number, begin, min(whole[1], begin + days - 1), tuple(group))
                for begin in range(whole[0], whole[1] + 1, days)
            ]
    return found


def _visits(recipe: Recipe, markets: list[int]) -> float:
    """Visits of markets in a block, about: three in four users come once."""
    return 0.75 * sum(recipe.users_of(recipe.settings.markets[number]) for number in markets)


def _groups(recipe: Recipe, markets: list[int]) -> list[list[int]]:
    """Markets made together: as many as stay within ``CHUNK_VISITS``."""
    groups: list[list[int]] = []
    for number in markets:
        if groups and _visits(recipe, [*groups[-1], number]) <= CHUNK_VISITS:
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups
