"""Where to go on with a launch: the markets left, in the order of what they are expected to bring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.launches.effect import LaunchEffect
    from analysis_lib.launches.launch import Launch
    from analysis_lib.launches.setting import Setting
    from analysis_lib.launches.worth import Worth

#: Weeks beyond learning that a market must have been live before the one kept back has done its part.
WEEKS_TO_TELL = 4


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """The markets left.

    Attributes
    ----------
    markets : pandas.DataFrame
        rank, country, planned_on, rel_effect, rel_effect_ci_lower, rel_effect_ci_upper (what is to be expected of a
        market that has not had it), chance (of a gain), value, ci_lower, ci_upper (USD in 30 days; missing where the
        metric is not told in money), is_proposed. The best first.
    kept_back : str
        The market that should wait, so that the others can be compared with one; empty if fewer than two are left.
    kept_until : date or None
        When it has done its part.
    """

    markets: pd.DataFrame
    kept_back: str
    kept_until: date | None

    @property
    def proposed(self) -> list[str]:
        """Markets to go on with now, the best first."""
        rows = self.markets
        return [str(name) for name in rows.loc[rows["is_proposed"], "country"] if name != self.kept_back]


def propose(effect: LaunchEffect, worth: Worth | None, launch: Launch, setting: Setting) -> Proposal | None:
    """The markets left, ranked; None if it is live everywhere.

    Ranked by money expected, or by the effect where there is none. Proposed are those whose chance of a gain is at
    least ``setting.sure``. The least promising of them is kept back as the one to compare with.
    """
    rows = effect.markets[effect.markets["country"].isin(launch.left)]
    if rows.empty:
        return None
    sign = setting.sign
    found = rows[["country"]].assign(
        planned_on=rows["country"].map(launch.markets.set_index("country")["live_on"]), rel_effect=rows["shrunk"],
        rel_effect_ci_lower=rows["shrunk_ci_lower"], rel_effect_ci_upper=rows["shrunk_ci_upper"],
        chance=rows["chance"] if sign > 0 else 1 - rows["chance"],
    )  # fmt: skip
    money = ["value", "ci_lower", "ci_upper"]
    if worth is not None:
        found = found.merge(worth.markets[["country", *money]], on="country")
        order = found["value"]
    else:
        found = found.assign(**dict.fromkeys(money, float("nan")))
        order = sign * found["rel_effect"]
    found = found.assign(order=order, is_proposed=found["chance"] >= setting.sure)
    found = found.sort_values("order", ascending=False, ignore_index=True).drop(columns="order")
    found.insert(0, "rank", range(1, len(found) + 1))
    kept = str(found["country"].iloc[-1]) if len(found) > 1 else ""
    until = launch.until + timedelta(weeks=setting.learning_weeks + WEEKS_TO_TELL) if kept else None
    return Proposal(found, kept, until)
