"""What a campaign that reached everybody changed: its market against others that had none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from analysis_lib.campaigns.market_days import MarketDays
from analysis_lib.causal import OneTreated, one_treated
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    from analysis_lib.campaigns.market_second import SecondOpinion
    from analysis_lib.campaigns.windows import Windows

METHOD = "synthetic difference-in-differences of markets; interval from pseudo-campaigns"


@dataclass(frozen=True, slots=True, eq=False)
class MarketEffect:
    """The effect on a whole market, in USD.

    Attributes
    ----------
    during, whole : OneTreated
        The market against others on the days of the campaign, and on these and the weeks after together.
    effects : dict of str to Estimate
        USD: ``during``, ``after`` (what is left of the total; its interval takes the two for independent, which makes
        it too wide rather than too narrow) and ``total``.
    days : MarketDays
        Sales, and which markets were left out.
    second : SecondOpinion | None
        What the market's own past says; None where it was not asked.
    """

    KIND: ClassVar[str] = "markets"

    during: OneTreated
    whole: OneTreated
    effects: dict[str, Estimate]
    days: MarketDays
    second: SecondOpinion | None = None

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Rows of the ledger, without the total."""
        return tuple(name for name in self.effects if name != "total")

    @property
    def grade_text(self) -> str:
        """How far the interval can be trusted, in one sentence."""
        return (
            "Graded in simulated markets as causal.one_treated; it takes for granted that nothing else happened to this"
            " market alone on these days."
        )

    def total(self, outcome: str, unit: str) -> Estimate:
        """Effect on the market; ``unit`` is USD."""
        return self.effects[outcome].scaled(1.0, unit)


def market_effect(days: MarketDays, windows: Windows, *, level: float) -> MarketEffect:
    """Effects on the market during the campaign, and in all.

    Raises
    ------
    NotEnoughData
        Too few markets or days before, or days on which the market sold nothing.
    """
    during = _against_others(days, windows.campaign.ends_on, level)
    if not windows.weeks_after:
        found = money_of(during.estimate, days.sold(windows.campaign.ends_on))
        return MarketEffect(during, during, {"during": found, "total": found}, days)
    whole = _against_others(days, windows.ends_on, level)
    first = money_of(during.estimate, days.sold(windows.campaign.ends_on))
    total = money_of(whole.estimate, days.sold(windows.ends_on))
    return MarketEffect(during, whole, {"during": first, "after": rest_of(total, first), "total": total}, days)


def _against_others(days: MarketDays, last: date, level: float) -> OneTreated:
    return one_treated(days.long(last), outcome="sold", unit="market", time="day", treated="treated", level=level)


def money_of(share: Estimate, sold: float) -> Estimate:
    """What was sold because of it: of ``sold``, what is not explained by sales without it; ``share`` is of those."""
    value, low, high = (sold * (1 - 1 / (1 + one)) for one in (share.value, share.ci_lower, share.ci_upper))
    se = sold * share.se / (1 + share.value) ** 2
    return Estimate(value, se, low, high, share.level, "usd", share.n, METHOD)


def rest_of(total: Estimate, part: Estimate) -> Estimate:
    """The total less a part; the two are taken for independent."""
    value = total.value - part.value
    below = math.hypot(total.value - total.ci_lower, part.ci_upper - part.value)
    above = math.hypot(total.ci_upper - total.value, part.value - part.ci_lower)
    se = math.hypot(total.se, part.se)
    return Estimate(value, se, value - below, value + above, total.level, total.unit, total.n, METHOD)
