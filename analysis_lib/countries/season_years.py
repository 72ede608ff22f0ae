"""A festival's year against the year before, by festival and by date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from analysis_lib.countries.season_lift import days_together
from analysis_lib.countries.season_markets import MarketSeason
from analysis_lib.countries.season_windows import Occasion
from analysis_lib.results import Estimate

#: Days of a comparison by date: whole weeks, so that weekdays are the same.
YEAR = 364

#: Draws of single days' chance.
DRAWS = 4000

METHOD = "sums over the same days of the festival; chance of single days only"


@dataclass(frozen=True, slots=True, eq=False)
class YearOnYear:
    """This year's festival against last year's, all days counted, campaigns too.

    Attributes
    ----------
    country : str
        Market.
    this, last : Occasion
        The latest occasion with one a year before it, and that one; for paydays the first of each year's.
    n_days : int
        Days compared on either side.
    aligned : Estimate
        Growth over the same days of the festival, a share.
    naive : Estimate
        Growth over the same weekdays 52 weeks before.
    gap : Estimate
        Naive less aligned, a difference of shares.
    misstated : Estimate
        By how much the naive base of last year lies above the festival's own, in the metric's unit, added up over the
        days: what the naive comparison expects too much of this year.
    n_shared : int
        Days of the naive base that were of last year's festival.
    """

    country: str
    this: Occasion
    last: Occasion
    n_days: int
    aligned: Estimate
    naive: Estimate
    gap: Estimate
    misstated: Estimate
    n_shared: int


def year_on_year(one: MarketSeason) -> YearOnYear | None:
    """The latest occasion that has one a year before it; None where none has."""
    pairs = _pairs(one)
    if not pairs:
        return None
    sides = {"this": [], "last": [], "naive": []}
    for this, last in pairs:
        for day in range(min(this.n_days, last.n_days)):
            sides["this"].append(one.position(this.first) + day)
            sides["last"].append(one.position(last.first) + day)
            sides["naive"].append(one.position(this.first) + day - YEAR)
    places = {name: np.array(chosen) for name, chosen in sides.items()}
    finite = np.isfinite([one.series.values[chosen] for chosen in places.values()]).all(axis=0)
    places = {name: chosen[finite] for name, chosen in places.items()}
    if not finite.any() or any(one.series.values[places[name]].sum() <= 0 for name in ("last", "naive")):
        return None
    return _compared(one, pairs[0], places)


def _pairs(one: MarketSeason) -> list[tuple[Occasion, Occasion]]:
    known = one.calendar.occasions
    if one.is_payday:
        end = one.first_day + timedelta(days=len(one.series.values) - 1)
        middle, start = end - timedelta(days=YEAR), end - timedelta(days=2 * YEAR)
        this = [item for item in known if item.first > middle]
        last = [item for item in known if start < item.first <= middle]
        n = min(len(this), len(last))
        return list(zip(this[len(this) - n :], last[len(last) - n :], strict=True))
    by_year = {item.year: item for item in known}
    years = [year for year in sorted(by_year) if year - 1 in by_year]
    inside = [year for year in years if one.position(by_year[year].first) >= YEAR]
    return [(by_year[inside[-1]], by_year[inside[-1] - 1])] if inside else []


def _compared(one: MarketSeason, pair: tuple[Occasion, Occasion], places: dict[str, np.ndarray]) -> YearOnYear:
    values = np.nan_to_num(one.series.values)
    onto = {name: np.zeros(len(values)) for name in places}
    for name, chosen in places.items():
        np.add.at(onto[name], chosen, 1.0)
    sums = {name: float(weights @ values) for name, weights in onto.items()}
    this, last, naive = (sums[name] for name in ("this", "last", "naive"))
    drawn = _drawn(one, onto, sums)
    n = len(places["this"])

    def told(value: float, draws: np.ndarray, unit: str) -> Estimate:
        tail = (1 - one.level) / 2
        low, high = (float(np.quantile(draws, chance)) for chance in (tail, 1 - tail))
        return Estimate(value, float(draws.std()), low, high, one.level, unit, n, METHOD)

    own = np.intersect1d(places["last"], places["naive"])
    return YearOnYear(
        one.calendar.country, *pair, n, told(this / last - 1, drawn["this"] / drawn["last"] - 1, "share"),
        told(this / naive - 1, drawn["this"] / drawn["naive"] - 1, "share"),
        told(this / naive - this / last, drawn["this"] / drawn["naive"] - drawn["this"] / drawn["last"], "pp"),
        told(naive - last, drawn["naive"] - drawn["last"], one.unit), len(own),
    )  # fmt: skip


def _drawn(one: MarketSeason, onto: dict[str, np.ndarray], sums: dict[str, float]) -> dict[str, np.ndarray]:
    """Sums of the three sides as single days' chance makes them: together, and never below none."""
    names = list(onto)
    relative = {name: weights / sums[name] for name, weights in onto.items()}
    # Days of a festival that sells double scatter more than usual ones of their weeks.
    fitted = np.maximum(one.series.fitted, 1e-12)
    scale = fitted.copy()
    for name in names:
        on = onto[name] > 0
        scale[on] = np.maximum(scale[on], fitted[on] * sums[name] / float(fitted[on].sum()))

    def variance(weights: np.ndarray) -> float:
        return days_together(weights, scale, one.series.covariances)

    single = {name: variance(relative[name]) for name in names}
    both = np.array([
        [(variance(relative[a] + relative[b]) - single[a] - single[b]) / 2 if a != b else single[a] for b in names]
        for a in names
    ])  # fmt: skip
    values, vectors = np.linalg.eigh(both)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    logs = np.random.default_rng(1).standard_normal((DRAWS, len(names))) @ root.T
    return {name: sums[name] * np.exp(logs[:, k]) for k, name in enumerate(names)}
