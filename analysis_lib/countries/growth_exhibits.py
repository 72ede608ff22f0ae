"""Figures and tables of a growth account."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from analysis_lib.countries import growth_drawings
from analysis_lib.countries.growth_parts import PARTS
from analysis_lib.countries.growth_text import TITLES, losses
from analysis_lib.drawings import draw_rows
from analysis_lib.results import Exhibit, format_count, format_percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.countries.growth_result import CountryGrowth


def growth(one: CountryGrowth) -> Exhibit:
    """Organic growth by market with intervals; as reported as a small dot."""
    import pandas as pd

    rows = []
    for code, name in one.markets.items():
        organic, reported = one.organic(code), one.reported(code)
        rows.append((name, organic.value, organic.ci_lower, organic.ci_upper, reported.value))
    frame = pd.DataFrame(rows, columns=["market", "organic", "organic_ci_lower", "organic_ci_upper", "reported"])
    frame = frame.sort_values("organic", ascending=False, ignore_index=True)
    apart = (frame["organic"] - frame["reported"]).abs().max()
    level = format_percent(one.level, 0)
    return Exhibit(
        title=f"Growth as reported and of the market's own differ by up to {format_percent(apart, 0)} of sales",
        subtitle=f"Organic growth of GMV in constant currency, {level} intervals; grey dots: in USD as reported",
        frame=frame, units=dict.fromkeys(frame.columns[1:], "share"),
        draw=partial(draw_rows, frame=frame),
        height=0.11 * len(frame) + 0.12,
    )  # fmt: skip


def parts(one: CountryGrowth) -> Exhibit:
    """Parts of the growth of each market, as a coloured table."""
    wide = _wide(one)
    named = wide.rename(columns=TITLES)
    first = wide.mean().idxmax()
    many = int((wide.idxmax(axis=1) == first).sum())
    return Exhibit(
        title=f"In {many} of {format_count(len(wide))} markets most growth came from {TITLES[first]}",
        subtitle="Contribution to the growth of GMV in USD, per cent of the market's GMV before; rows add up to it",
        frame=named.reset_index(names="market"), units=dict.fromkeys(named.columns, "share"),
        draw=partial(growth_drawings.draw_parts, wide=named), height=0.085 * len(wide) + 0.4,
    )  # fmt: skip


def bridge(one: CountryGrowth, market: str = "all") -> Exhibit:
    """From the sales before to those after."""
    import pandas as pd

    from analysis_lib.countries.growth_result import ALL

    rows = [(TITLES[name], *_ends(one.part(name, market, relative=False))) for name in PARTS]
    frame = pd.DataFrame(rows, columns=["part", "value", "ci_lower", "ci_upper"])
    whole = one.parts.before[0], one.parts.after[0]
    place = None if market == ALL else list(one.markets).index(market)
    before, after = (float(side.sum() if place is None else side[place]) for side in whole)
    frame = frame[frame["value"].abs() > 0].reset_index(drop=True)
    largest = frame.loc[frame["value"].idxmax()]
    return Exhibit(
        title=f"The largest step up is {largest['part']}",
        subtitle="GMV before and after in USD, and what each part added or took away, with intervals",
        frame=frame, units=dict.fromkeys(("value", "ci_lower", "ci_upper"), "usd"),
        draw=partial(growth_drawings.draw_bridge, frame=frame, before=before, after=after), height=0.75,
    )  # fmt: skip


def tiles(one: CountryGrowth) -> Exhibit:
    """Markets by region, coloured by organic growth."""
    import pandas as pd

    frame = pd.DataFrame(
        {"country": list(one.markets), "organic": [one.organic(code).value for code in one.markets]}
    ).sort_values("organic", ascending=False, ignore_index=True)  # fmt: skip
    best = one.markets[frame["country"].iloc[0]]
    return Exhibit(
        title=f"{best} grows fastest by itself",
        subtitle="Organic growth of GMV in constant currency; tiles lie about where the markets do",
        frame=frame, units={"organic": "share"}, draw=partial(growth_drawings.draw_tiles, frame=frame), height=0.5,
    )  # fmt: skip


def to_look_into(one: CountryGrowth) -> Exhibit:
    """Parts that took sales away beyond doubt."""
    import pandas as pd

    found = losses(one)
    if not found:
        return Exhibit("Nothing to look into", note="No part took sales away in any market beyond doubt.")
    rows = [(one.markets[code], TITLES[name], *_ends(money)) for code, name, money in found]
    frame = pd.DataFrame(rows, columns=["market", "part", "value", "ci_lower", "ci_upper"])
    return Exhibit(
        title=f"{rows[0][1].capitalize()} in {rows[0][0]} took most away",
        subtitle=f"USD over {one.cells.n_days} days against a year before, with intervals of each",
        frame=frame, units=dict.fromkeys(("value", "ci_lower", "ci_upper"), "usd"),
    )  # fmt: skip


def _wide(one: CountryGrowth) -> pd.DataFrame:
    """Relative contributions, markets by parts, the fastest growing first; parts that are nowhere are left out."""
    table = one.table.pivot(index="country", columns="part", values="rel_contribution")[list(PARTS)]
    table = table.loc[table.sum(axis=1).sort_values(ascending=False).index].rename(index=one.markets)
    return table.loc[:, table.abs().max() > 0]


def _ends(estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.ci_lower, estimate.ci_upper


EXHIBITS: dict[str, Callable[[CountryGrowth], Exhibit]] = {
    "growth": growth, "parts": parts, "bridge": bridge, "tiles": tiles, "to_look_into": to_look_into,
}  # fmt: skip
