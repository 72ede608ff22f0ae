"""Figures and tables of a market's profile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from analysis_lib.config import PRIVACY_THRESHOLD
from analysis_lib.countries import profile_drawings
from analysis_lib.countries.gaps import BESIDE, FUNNEL
from analysis_lib.results import Exhibit, format_percent, format_range, format_value

if TYPE_CHECKING:
    from analysis_lib.countries.profile_result import CountryProfile


def funnel(one: CountryProfile) -> Exhibit:
    """Each step relative to the peers' median, with the interval and the peers as small dots."""
    import pandas as pd

    rows = []
    for step in FUNNEL:
        own, level = one.gaps.rates[step.name], one.gaps.levels[step.name]
        rows.append((step.title, own.value / level - 1, own.ci_lower / level - 1, own.ci_upper / level - 1))
    frame = pd.DataFrame(rows, columns=["step", "gap", "gap_ci_lower", "gap_ci_upper"])
    dots = one.gaps.of_peers[one.gaps.of_peers["step"].isin([step.name for step in FUNNEL])]
    dots = dots.assign(gap=dots["value"] / dots["step"].map(one.gaps.levels) - 1)
    worst = frame.loc[frame["gap"].idxmin()]
    behind = worst["gap"] < 0
    what = f"furthest behind its peers in {worst['step']}"
    return Exhibit(
        title=f"{one.name} is {what}" if behind else f"{one.name} is behind its peers at no step",
        subtitle=f"Rates against the peers' median, {format_percent(one.level, 0)} intervals; grey: the peers",
        frame=frame, units=dict.fromkeys(frame.columns[1:], "share"),
        draw=partial(profile_drawings.draw_gaps, frame=frame, dots=dots, steps=[step.name for step in FUNNEL]),
        height=0.75,
    )  # fmt: skip


def actions(one: CountryProfile) -> Exhibit:
    """What the peers' level would bring, step by step."""
    import pandas as pd

    rows = []
    for step in (*FUNNEL, *BESIDE):
        if not step.advice:
            continue
        worth = one.gaps.worth[step.name]
        rows.append((step.title, step.owner, worth.value, worth.ci_lower, worth.ci_upper))
    frame = pd.DataFrame(rows, columns=["step", "owner", "worth", "worth_ci_lower", "worth_ci_upper"])
    frame = frame.sort_values("worth", ascending=False, ignore_index=True)
    first = frame.iloc[0]
    title = "There is nothing to gain at the peers' level"
    if first["worth"] > 0:
        title = f"The peers' level in {first['step']} would bring most"
    return Exhibit(
        title=title, subtitle="Sales a month in USD at the peers' level beyond today's, the other steps as they are",
        frame=frame, units=dict.fromkeys(frame.columns[2:], "usd"),
        draw=partial(profile_drawings.draw_worth, frame=frame), height=0.75,
    )  # fmt: skip


def scorecard(one: CountryProfile) -> Exhibit:
    """Rates beside the peers' as a table."""
    import pandas as pd

    rows = []
    for step in (*FUNNEL, *BESIDE):
        own = one.gaps.rates[step.name]
        spread = own.ci_upper - own.ci_lower
        shown = [format_value(value, step.unit, spread=spread) for value in (own.value, one.gaps.levels[step.name])]
        rows.append((step.title, shown[0], format_range(own.ci_lower, own.ci_upper, step.unit), shown[1]))
    names = ", ".join(one.names[code] for code in one.gaps.peers)
    return Exhibit(
        title=f"{one.name} beside {names}", subtitle="Rates of the last weeks; peers: their median",
        frame=pd.DataFrame(rows, columns=["step", "market", "interval", "peers"]), units={},
    )  # fmt: skip


def bridge(one: CountryProfile) -> Exhibit:
    """Growth against a year before."""
    from analysis_lib.countries.growth_exhibits import bridge as drawn

    if one.growth is None:
        return Exhibit("What growth was made of: not shown", note=f"{one.refusal}.")
    return drawn(one.growth, one.country)


def season(one: CountryProfile) -> Exhibit:
    """Sales by month, indexed, beside the peers."""
    table = one.months.pivot(index="month", columns="country", values="gmv").astype(float)
    index = table / table.iloc[: min(12, len(table))].mean()
    kept = index[[code for code in (one.country, *one.gaps.peers) if code in index]]
    best = kept[one.country].idxmax()
    return Exhibit(
        title=f"Its highest month was {best:%B %Y}",
        subtitle="GMV a month in constant USD, the first year's mean = 1; grey: its peers",
        frame=kept.reset_index(), units=dict.fromkeys(kept.columns, ""),
        draw=partial(profile_drawings.draw_season, index=kept, country=one.country), height=0.55,
    )  # fmt: skip


def payments(one: CountryProfile) -> Exhibit:
    """Ways of paying: shares, and what of them comes back."""
    own = one.payments[one.payments["country"] == one.country]
    own = own[own["n_orders"] >= PRIVACY_THRESHOLD].sort_values("share", ascending=False, ignore_index=True)
    if own.empty:
        return Exhibit("Ways of paying: not shown", note=f"Fewer than {PRIVACY_THRESHOLD} orders each.")
    frame = own[["payment_method", "n_orders", "share", "lost"]]
    most = own.loc[own["lost"].idxmax()]
    way = most["payment_method"].replace("_", " ")
    return Exhibit(
        title=f"Of sales paid by {way}, {format_percent(most['lost'], 0)} came back",
        subtitle="Share of orders by way of paying, and share of their sales that was cancelled, refused or sent back",
        frame=frame, units={"n_orders": "", "share": "share", "lost": "share"},
        draw=partial(profile_drawings.draw_payments, frame=frame), height=0.16 * len(frame) + 0.1,
    )  # fmt: skip


EXHIBITS: dict[str, Callable[[CountryProfile], Exhibit]] = {
    "funnel": funnel, "actions": actions, "scorecard": scorecard, "bridge": bridge, "season": season,
    "payments": payments,
}  # fmt: skip
