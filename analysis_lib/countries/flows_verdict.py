"""Whether to speed up parcels from abroad, by a printed rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries.flows_levers import SLOWER
from analysis_lib.results import Decision, Estimate, format_percent, format_value

if TYPE_CHECKING:
    from analysis_lib.countries.flows_result import CountryFlows

#: Share of a market's sales from abroad that a faster lane must be able to bring.
SMALL = 0.01

OWNER = "Logistics lead"

RULE = (
    "Look into: in a market whose parcels from abroad take half a day longer than those of its peers or more, the level"
    " of the peers would bring money beyond doubt, returns and demand together, all such markets taken together; of"
    " several the one with most. Leave alone: no market is slower, or the most that it could bring anywhere is under"
    f" {format_percent(SMALL, 0)} of its sales from abroad. Cannot tell: otherwise."
)


def worth_of(one: CountryFlows, row: int, way: str) -> Estimate | None:
    """USD a month of one slower market, by ``returns``, ``demand`` or in ``total``; None where it is not told."""
    values = one.levers.worth.iloc[row]
    ends = [float(values[f"{way}_usd{end}"]) for end in ("", "_ci_lower", "_ci_upper")]
    if not np.isfinite(ends).all():
        return None
    from scipy.stats import norm  # slow to import

    se = (ends[2] - ends[1]) / 2 / float(norm.ppf(0.5 + one.level / 2))
    return Estimate(*ends[:1], se, *ends[1:], one.level, "usd", len(one.markets), f"level of peers, {way}")


def decide(one: CountryFlows) -> Decision:
    """The verdict."""
    table = one.levers.worth
    if table.empty:
        nothing = f"No market waits {format_value(SLOWER)} days longer for parcels from abroad than its peers."
        return Decision("Leave alone", RULE, nothing, None, OWNER, "Look again in three months.")
    totals = {place: worth_of(one, place, "total") for place in range(len(table))}
    if any(total is None for total in totals.values()):
        return _untold(one)
    sure = [place for place, total in totals.items() if _beyond_doubt(total, len(table))]
    if sure:
        return _look_into(one, max(sure, key=lambda place: totals[place].value), totals)
    most = [total.ci_upper / money for total, money in zip(totals.values(), table["monthly_usd"], strict=True)]
    if max(most) < SMALL:
        return _leave(one, totals[0], max(most))
    return _cannot_tell(one, totals[0])


def _beyond_doubt(total: Estimate, tries: int) -> bool:
    """Bonferroni over the markets that are slower: the lower bound is moved out as a normal's would be."""
    from scipy.stats import norm  # slow to import

    usual, stricter = (norm.ppf(1 - (1 - total.level) / 2 / n) for n in (1, tries))
    return total.value - (total.value - total.ci_lower) * stricter / usual > 0


def _named(one: CountryFlows, row: int) -> str:
    values = one.levers.worth.iloc[row]
    return (
        f"In {one.markets[values['country']]} parcels from abroad take {format_value(values['days'])} days, those of"
        f" its peers {format_value(values['peer_days'])}"
    )


def _look_into(one: CountryFlows, row: int, totals: dict[int, Estimate]) -> Decision:
    code = one.levers.worth["country"].iloc[row]
    return Decision(
        "Look into", RULE, f"{_named(one, row)}; that level would bring {totals[row].short} a month.", totals[row],
        OWNER,
        f"Ask the carriers of {one.markets[code]} what a lane at the peers' speed costs a month.",
    )  # fmt: skip


def _leave(one: CountryFlows, total: Estimate, most: float) -> Decision:
    reason = f"The level of peers could bring at most {format_percent(most)} of a market's sales from abroad."
    return Decision("Leave alone", RULE, reason, total, OWNER, "Look again in three months.")


def _cannot_tell(one: CountryFlows, total: Estimate) -> Decision:
    saved = worth_of(one, 0, "returns")
    kept = f"; of it {saved.short} is returns, which are known" if saved is not None and saved.excludes_zero else ""
    reason = (
        f"{_named(one, 0)}; that level would bring {total.short} a month{kept}. What faster delivery does to demand is"
        " not known well enough."
    )
    code = one.levers.worth["country"].iloc[0]
    return Decision(
        "Cannot tell", RULE, reason, total, OWNER,
        f"Ship half of the parcels to {one.markets[code]} by a faster lane, drawn by buyer, for eight weeks, and read"
        " reorders and returns.",
    )  # fmt: skip


def _untold(one: CountryFlows) -> Decision:
    missing = "; ".join(dict.fromkeys(one.refused[n] for n in ("units", "delivery", "returns") if n in one.refused))
    return Decision(
        "Cannot tell", RULE, f"{_named(one, 0)}; what that costs is not told: {missing}.",
        worth_of(one, 0, "returns"), OWNER, "Take more markets, or bring days of delivery by order line.",
    )  # fmt: skip
