"""The grade of ``campaigns.review``: campaigns by lot or for a segment, drawn again and again in the same worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import campaigns, config
from analysis_lib.calibration.lots_beside_markets import Beside, beside_of
from analysis_lib.calibration.paired_campaigns import Pair, lots_of, pair_of, segments_of
from analysis_lib.calibration.scoring import DRAWS, RIGHT, draw_of
from analysis_lib.campaigns.dollars import usd_per_unit
from analysis_lib.campaigns.lot_effect import OUTCOMES, lot_effect
from analysis_lib.campaigns.picked_effect import picked_effect
from analysis_lib.errors import NotEnoughData
from analysis_lib.warehouse import connect

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.campaigns.effect import PickedEffect
    from analysis_lib.campaigns.lot_effect import LotEffect

HOW = (
    "Worlds (three tenths of the marketplace each) are built from different seeds, each twice: once with two campaigns"
    " that reach every user in all markets, once with the same campaigns doing nothing. Then lots are drawn, and"
    " segments picked: the reached do what they do in the one world, the others what they do in the other. The truth is"
    " what the reached do more in the one than in the other. In the draws without effect everybody does what they do"
    " where the campaigns do nothing. Segments are picked as the marketplace does it: by how active users are by"
    " nature, which no table tells, with much chance in it. Windows without a campaign are judged by those that do not"
    " overlap them. Beside a lot, the market is held against the eleven others, which have no campaign: both should say"
    " the same (markets that sell nothing on some days are refused). Campaigns for everybody are graded as"
    " causal.one_treated."
)

#: Size of a world.
SCALE = 0.3

#: A campaign that leaves a share of users out by lot, and one for a segment; far enough apart not to touch.
LOT, LEFT_OUT = "brazil_august_2026", 0.1
SEGMENT, REACH = "black_friday_2025", 0.5

#: Segments are compared in dozens of windows each, lots in one: so many lots are drawn for one segment.
LOTS_PER_SEGMENT = 3

#: Campaigns of a shop that exists, with weeks before and after: those with room for windows that lie apart.
REAL = (("18", 16, 1), ("17", 16, 1), ("17", 16, 2), ("16", 16, 1), ("16", 16, 2), ("9", 16, 1), ("9", 16, 2))

#: What is asked of a lot and of other markets.
AGREE = "the difference holds zero"

#: Rows of the ledger, in words.
NAMED = {
    "promoted_during": "promoted products, during", "same_category": "same categories, during",
    "other_categories": "other categories, during", "other_during": "other products, during",
    "after": "weeks after", "returned": "returned", "total": "net incremental GMV",
}  # fmt: skip


def simulate(worlds: int, draws: int, seed: int, progress: Callable[[str], None]) -> pd.DataFrame:
    """Reviews of every campaign in every world, with effects and without.

    Parameters
    ----------
    worlds : int
        Seeds.
    draws : int
        Segments picked in each market of each world, with effect and without; ``LOTS_PER_SEGMENT`` times as many lots
        are drawn.
    seed : int
        Of the first world.
    progress : callable
        Called as each part is begun.

    Returns
    -------
    DataFrame
        Columns ``scoring.DRAWS``; money in dollars.
    """
    import pandas as pd

    progress("campaigns of The Complete Journey")
    rows: list[tuple[object, ...]] = list(_real())
    for number in range(seed, seed + worlds):
        progress(f"world {number - seed + 1} of {worlds}")
        with pair_of((LOT, SEGMENT), seed=number, scale=SCALE) as pair:
            rng = np.random.default_rng(number)
            for country in pair.countries:
                progress(f"world {number - seed + 1} of {worlds}: {country}")
                rows += _lots(pair, country, draws * LOTS_PER_SEGMENT, rng)
                rows += _segments(pair, country, draws, rng)
    return pd.DataFrame(rows, columns=[*DRAWS, RIGHT])


def _lots(pair: Pair, country: str, draws: int, rng: np.random.Generator) -> Iterator[tuple[object, ...]]:
    lots, scale = lots_of(pair, LOT, country), _scale(pair, country)
    market = beside_of(pair, LOT, country, lots.left.index)
    for _ in range(draws):
        held_out = rng.random(len(lots.left)) < LEFT_OUT
        for works in (True, False):
            truth = {part: lots.changed(columns, held_out) if works else 0.0 for part, columns in OUTCOMES.items()}
            drawn = lots.drawn(held_out, works=works)
            try:
                effect = lot_effect(drawn, planned_share=LEFT_OUT, level=config.LEVEL, unit="usd")
            except NotEnoughData:
                effect = None
            yield from _rows(_named("by lot", works), _place(pair, country), effect, truth, scale)
            if effect is not None:
                yield _beside(pair, country, market, effect, held_out, works)


def _beside(
    pair: Pair, country: str, market: Beside, effect: LotEffect, held_out: np.ndarray, works: bool
) -> tuple[object, ...]:
    """Whether the lot and other markets agree: the interval of their difference holds zero."""
    named = _named("other markets beside the lot", works)
    try:
        gap = market.told(effect, held_out, works=works, level=config.LEVEL).gap
    except NotEnoughData:
        return (*draw_of(named, AGREE, _place(pair, country), None, 0.0), float("nan"))
    return named, AGREE, _place(pair, country), *(float("nan"),) * 4, False, float(not gap.excludes_zero)


def _segments(pair: Pair, country: str, draws: int, rng: np.random.Generator) -> Iterator[tuple[object, ...]]:
    """Every other segment is picked for a campaign that does nothing."""
    segments, scale = segments_of(pair, SEGMENT, country), _scale(pair, country)
    for place in range(2 * draws):
        works, picked = place % 2 == 0, segments.picked(REACH, rng)
        changed = segments.changed(picked)
        panel, seen = segments.aimed(picked, works=works)
        try:
            effect = picked_effect(panel, seen, segments.windows, level=config.LEVEL)
        except NotEnoughData:
            effect = None
        truth = changed if works else dict.fromkeys(changed, 0.0)
        yield from _rows(_named("by picking", works), _place(pair, country), effect, truth, scale)
        yield from _windows("windows without a campaign", _place(pair, country), effect)


def _named(way: str, works: bool) -> str:
    return f"{way}, {'with effects' if works else 'without any effect'}"


def _place(pair: Pair, country: str) -> str:
    """What draws have in common: users of a market in a world."""
    return f"world {pair.seed}, {country}"


def _rows(
    scenario: str, place: str, effect: LotEffect | PickedEffect | None, truth: Mapping[str, float], scale: float
) -> Iterator[tuple[object, ...]]:
    """One row an outcome, in dollars; refused where there is no effect."""
    for part, true in truth.items():
        # Where the campaign promotes all products of a category there are no others of it.
        if effect is None or part in (*effect.outcomes, "total"):
            found = None if effect is None else effect.total(part, "usd").scaled(scale, "usd")
            yield (*draw_of(scenario, NAMED[part], place, found, true * scale), float("nan"))


def _windows(name: str, place: str, effect: PickedEffect | None) -> Iterator[tuple[object, ...]]:
    """How often windows without the campaign, each judged by those apart from it, are rightly found empty."""
    judged, wrong = (0, 0) if effect is None else effect.grade
    if judged:
        nothing = (float("nan"),) * 4
        yield name, "found empty", place, *nothing, False, 1 - wrong / judged


def _real() -> Iterator[tuple[object, ...]]:
    """Windows without a campaign in a shop that exists."""
    with connect("complete_journey") as shop:
        for campaign, before, after in REAL:
            review = campaigns.review(shop, campaign, weeks_before=before, weeks_after=after)
            yield from _windows("windows without a campaign, Complete Journey", campaign, review.effect)


def _scale(pair: Pair, country: str) -> float:
    """The mean rate of the market's currency: markets are added up."""
    countries = pair.left.table("countries")
    code = pair.left.query(countries.filter(countries.country == country).select("currency"))["currency"].item()
    return usd_per_unit(pair.left, code)
