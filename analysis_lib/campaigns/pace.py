"""Whether a campaign ran as it was written down: its coupons by day, from redemptions and grants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis_lib.campaigns.cells import campaign_coupons
from analysis_lib.campaigns.spend import rate_of
from analysis_lib.config import PRIVACY_THRESHOLD
from analysis_lib.results import Result, format_count, format_percent
from analysis_lib.warehouse.instants import falls_on

if TYPE_CHECKING:
    from analysis_lib.campaigns.windows import Windows
    from analysis_lib.warehouse import Warehouse

#: Days before the start and after the end that are looked at.
DAYS_BEFORE, DAYS_AFTER = 3, 14

#: A silence this unlikely at the pace before it was not chance.
SILENCE = 0.001

#: Pace on the last day over that on the first, where coupons are used less and less.
FADING = 0.1

#: From this share of its budget on, the money is what ended it.
SPENT = 0.9

#: Coupons used after the last day, or handed out late: fewer than this share are stragglers.
STRAGGLERS = 0.05

#: Days from the first grant within which a list is handed out.
HANDING_OUT = 3


@dataclass(frozen=True, slots=True, eq=False)
class Pace(Result):
    """Coupons of a campaign by market-local day.

    Attributes
    ----------
    days : pandas.DataFrame
        day, redeemed, granted (counts), given (discount on order lines, local currency); days without any are zeros.
    starts_on, ends_on : datetime.date
        The campaign's days as written down.
    budget : float
        Money set aside, local currency; missing where that is not known.
    """

    days: pd.DataFrame
    starts_on: date
    ends_on: date
    budget: float

    @property
    def n_days(self) -> int:
        """Days written down."""
        return (self.ends_on - self.starts_on).days + 1

    @property
    def during(self) -> pd.DataFrame:
        """The campaign's days that the data hold."""
        return self.days[self.days["day"].between(pd.Timestamp(self.starts_on), pd.Timestamp(self.ends_on))]

    @property
    def lasted(self) -> int:
        """Days until the last redemption before a silence that chance does not explain; all days if there is none.

        Coupons are used less as time goes by: were the pace on the last day a tenth of that on the first, and falling
        evenly in between, all redemptions must lie so early with a chance below ``SILENCE``, over all days on which the
        silence could have begun.
        """
        redeemed = self.during["redeemed"].to_numpy()
        active = int(max(np.flatnonzero(redeemed), default=-1)) + 1
        if not active or active == len(redeemed):
            return self.n_days
        pace = FADING ** (np.arange(len(redeemed)) / (len(redeemed) - 1))
        chance = (pace[:active].sum() / pace.sum()) ** redeemed.sum() * len(redeemed)
        return active if chance < SILENCE else self.n_days

    @property
    def is_short(self) -> bool:
        """Its coupons stopped before its last day."""
        return self.lasted < self.n_days

    @property
    def ran_out(self) -> bool:
        """It stopped because its money was gone: most of the budget was spent by then."""
        return self.is_short and float(self.during["given"].sum()) >= SPENT * self.budget

    @property
    def n_late(self) -> int:
        """Redemptions after the last day, if they are more than stragglers."""
        late = int(self.days.loc[self.days["day"] > pd.Timestamp(self.ends_on), "redeemed"].sum())
        return late if late > STRAGGLERS * self.days["redeemed"].sum() else 0

    @property
    def widened_on(self) -> pd.Timestamp | None:
        """Day on which most of the coupons were handed out that came after the first list; None if few did."""
        granted = self.days[self.days["granted"] > 0]
        if granted.empty:
            return None
        later = granted[granted["day"] >= granted["day"].min() + pd.Timedelta(days=HANDING_OUT)]
        if later["granted"].sum() <= STRAGGLERS * granted["granted"].sum():
            return None
        return later.loc[later["granted"].idxmax(), "day"]

    @property
    def late_share(self) -> float:
        """Share of the coupons that were handed out after the first list."""
        first = self.days.loc[self.days["granted"] > 0, "day"].min()
        later = self.days["day"] >= first + pd.Timedelta(days=HANDING_OUT)
        return float(self.days.loc[later, "granted"].sum() / self.days["granted"].sum())

    @property
    def is_told(self) -> bool:
        """Whether days may be shown: where redemptions are few, people are."""
        return int(self.days["redeemed"].sum()) >= PRIVACY_THRESHOLD

    @property
    def used(self) -> pd.DataFrame:
        """day, share_used: of all coupons used, those used until then."""
        return pd.DataFrame(
            {"day": self.days["day"], "share_used": self.days["redeemed"].cumsum() / self.days["redeemed"].sum()}
        )

    def to_frame(self) -> pd.DataFrame:
        """Counts by day."""
        return self.days.copy()

    @property
    def text(self) -> str:
        """What was not as written down, in a sentence each; or that nothing was."""
        if not self.days["redeemed"].sum():
            return "No coupon of it was redeemed, so its pace cannot be told."
        said = [sentence for sentence in (self._short(), self._late(), self._widened()) if sentence]
        if said:
            return " ".join(said)
        return "Its coupons were used over all its days and hardly after them: it ran as written down."

    def _short(self) -> str:
        if not self.is_short:
            return ""
        why = "its budget was spent by then" if self.ran_out else "before its budget was spent, so somebody ended it"
        if self.budget != self.budget:
            why = "whether its money was gone or somebody ended it, the data do not say"
        return (
            f"Its coupons were used on its first {format_count(self.lasted, 'days')} only, of"
            f" {format_count(self.n_days)}; {why}. The effect is still that of all its days, as written down."
        )

    def _late(self) -> str:
        if not self.n_late:
            return ""
        share = format_percent(self.n_late / float(self.days["redeemed"].sum()), 0)
        return (
            f"It went on after its last day: {share} of its coupons were used in the {DAYS_AFTER} days after. What"
            " they sold stands under the weeks after."
        )

    def _widened(self) -> str:
        if self.widened_on is None:
            return ""
        return (
            f"Whom it was for changed on the way: {format_percent(self.late_share, 0)} of the coupons were handed out"
            f" after the first list, most on {self.widened_on:%-d %B}. Who got one late counts as targeted from the"
            " first day, so the effect on those who had it is larger than the one shown."
        )


def pace(wh: Warehouse, windows: Windows) -> Pace | None:
    """Redemptions, grants and discounts by day; None where the campaign had no coupons.

    Parameters
    ----------
    windows : Windows
        As planned, the campaign in its market's own currency.
    """
    campaign = windows.campaign
    first = campaign.starts_on - timedelta(days=DAYS_BEFORE)
    last = min(campaign.ends_on + timedelta(days=DAYS_AFTER), windows.last_day)
    coupons = campaign_coupons(wh, campaign).distinct()
    if not int(wh.query(coupons.aggregate(n=coupons.count()))["n"].item()):
        return None
    users = wh.table("users")
    users = users.filter(users.country == campaign.country).select("user_id")
    events = wh.table("coupon_events").semi_join(coupons, "coupon_id").semi_join(users, "user_id")
    events = events.filter(falls_on(events.at, first, last, campaign.timezone))
    events = events.select("kind", day=windows.day_of(events.at))
    counts = wh.query(events.group_by("day", "kind").aggregate(n=events.count()))
    orders = wh.table("orders")
    lines = orders.filter(orders.country == campaign.country, orders.coupon_id.notnull())
    lines = lines.filter(falls_on(lines.ordered_at, first, last, campaign.timezone)).semi_join(coupons, "coupon_id")
    lines = lines.select(given="platform_subsidy_local", day=windows.day_of(lines.ordered_at))
    given = wh.query(lines.group_by("day").aggregate(given=lines.given.sum()))
    # In the market's money; missing where the source tells no budget, or no rate for it.
    rate = rate_of(wh, campaign) if campaign.budget_usd > 0 else float("nan")
    return Pace(_by_day(counts, given, first, last), campaign.starts_on, campaign.ends_on, campaign.budget_usd / rate)


def _by_day(counts: pd.DataFrame, given: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    days = pd.date_range(first, last)
    counts = counts.assign(day=pd.to_datetime(counts["day"]))
    by_kind = counts.pivot_table(index="day", columns="kind", values="n", aggfunc="sum", fill_value=0)
    by_kind = by_kind.reindex(index=days, columns=["redemption", "grant"], fill_value=0).astype(int)
    money = given.assign(day=pd.to_datetime(given["day"])).set_index("day")["given"].astype(float)
    return pd.DataFrame(
        {
            "day": days, "redeemed": by_kind["redemption"].to_numpy(), "granted": by_kind["grant"].to_numpy(),
            "given": money.reindex(days).fillna(0.0).to_numpy(),
        }
    )  # fmt: skip
