"""Who bought for the first time during a campaign, and whether they came back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import ibis
import pandas as pd

from analysis_lib.campaigns.cells import campaign_coupons, promoted_products
from analysis_lib.config import PRIVACY_THRESHOLD
from analysis_lib.results import Result, format_count, format_interval, format_percent

if TYPE_CHECKING:
    from analysis_lib.campaigns.windows import Windows
    from analysis_lib.warehouse import Warehouse

#: Days within which a second purchase counts as having come back.
HORIZONS = (30, 60)


@dataclass(frozen=True, slots=True, eq=False)
class Newcomers(Result):
    """First-time buyers of the campaign's days, by whether the campaign had a part in their first purchase.

    Attributes
    ----------
    rows : pandas.DataFrame
        group (``through``: with a coupon of the campaign or a promoted product; ``beside``), horizon (days), n_users,
        n_back, share, ci_lower, ci_upper (Wilson). A horizon that has not passed for all of them is left out.
    gaps : pandas.DataFrame
        horizon, value (share that came back through the campaign less that beside it), ci_lower, ci_upper (Newcombe).
    level : float
        Level of the intervals.
    """

    rows: pd.DataFrame
    gaps: pd.DataFrame
    level: float

    def to_frame(self) -> pd.DataFrame:
        """Shares by group and horizon."""
        return self.rows.copy()

    @property
    def text(self) -> str:
        """How many there were, and how many more or fewer of them came back."""
        if self.rows.empty:
            return "Whether those who bought for the first time came back is not known yet."
        first = self.rows[self.rows["horizon"] == self.rows["horizon"].min()].set_index("group")["n_users"]
        if int(first.min()) < PRIVACY_THRESHOLD:
            return f"Fewer than {PRIVACY_THRESHOLD} bought for the first time through the campaign, or beside it."
        said = [
            f"within {row.horizon} days {_share(self.rows, row.horizon, 'through')} came back, of the others"
            f" {_share(self.rows, row.horizon, 'beside')}: a difference of"
            f" {format_interval(row.value, row.ci_lower, row.ci_upper, 'share')}"
            for row in self.gaps.itertuples()
        ]
        return (
            f"{format_count(int(first['through']))} bought for the first time through the campaign, "
            f"{format_count(int(first['beside']))} in the same days without it. Of the first, {'; '.join(said)}. They "
            "are different people: this says whom the campaign found, not what it did to them."
        )


def _share(rows: pd.DataFrame, horizon: int, group: str) -> str:
    return format_percent(float(rows[(rows["horizon"] == horizon) & (rows["group"] == group)]["share"].item()), 0)


def newcomers(wh: Warehouse, windows: Windows, *, level: float) -> Newcomers:
    """First-time buyers and whether they bought again; one pass over the market's orders for whole days.

    Coming back is a purchase on a later day, within so many days of the first. Buyers of before the data begin
    are taken for new ones if they buy again only then: early in the data there are too many of them.
    """
    found = wh.query(_counts(wh, windows))
    mature = [days for days in HORIZONS if windows.campaign.ends_on + timedelta(days=days) <= windows.last_day]
    rows = [_row(found, group, days, level) for days in mature for group in ("through", "beside")]
    columns = ["group", "horizon", "n_users", "n_back", "share", "ci_lower", "ci_upper"]
    table = pd.DataFrame([row for row in rows if row is not None], columns=columns)
    # Both groups are needed to compare.
    table = table[table.groupby("horizon")["group"].transform("nunique") == 2].reset_index(drop=True)
    return Newcomers(table, _gaps(table, level), level)


def _counts(wh: Warehouse, windows: Windows) -> ibis.Table:
    """through (0, 1), n_users, and who came back by horizon."""
    campaign = windows.campaign
    orders = wh.table("orders")
    orders = orders.filter(orders.country == campaign.country, orders.user_id.notnull())
    coupons = campaign_coupons(wh, campaign).distinct().mutate(ours=ibis.literal(1))
    promoted = promoted_products(wh, campaign).mutate(promoted=ibis.literal(1))
    firsts = orders.group_by("user_id").agg(first_at=orders.ordered_at.min())
    firsts = firsts.filter(windows.in_campaign(firsts.first_at))
    lines = orders.join(firsts, "user_id").left_join(coupons, "coupon_id").left_join(promoted, "product_id")
    lines = lines.select(
        "user_id", day=windows.day_of(lines.ordered_at), first=windows.day_of(lines.first_at),
        of_it=ibis.greatest(lines.ours.fill_null(0), lines.promoted.fill_null(0)),
    )  # fmt: skip
    since = lines.day.delta(lines.first, unit="day")
    backs = {f"back_{days}": ((since > 0) & (since <= days)).cast("int64").max() for days in HORIZONS}
    users = lines.group_by("user_id").agg(through=((since == 0).cast("int64") * lines.of_it).max(), **backs)
    return users.group_by("through").agg(n_users=users.count(), **{name: users[name].sum() for name in backs})


def _row(found: pd.DataFrame, group: str, days: int, level: float) -> tuple[object, ...] | None:
    from statsmodels.stats.proportion import proportion_confint  # slow to import

    own = found[found["through"] == (1 if group == "through" else 0)]
    if own.empty:
        return None
    n, back = int(own["n_users"].item()), int(own[f"back_{days}"].item())
    low, high = proportion_confint(back, n, alpha=1 - level, method="wilson")
    return group, days, n, back, back / n, float(low), float(high)


def _gaps(table: pd.DataFrame, level: float) -> pd.DataFrame:
    from statsmodels.stats.proportion import confint_proportions_2indep  # slow to import

    rows = []
    for days, own in table.groupby("horizon"):
        through, beside = (own[own["group"] == group].iloc[0] for group in ("through", "beside"))
        low, high = confint_proportions_2indep(
            through["n_back"], through["n_users"], beside["n_back"], beside["n_users"], compare="diff",
            method="newcomb", alpha=1 - level,
        )  # fmt: skip
        rows.append((int(days), through["share"] - beside["share"], float(low), float(high)))
    return pd.DataFrame(rows, columns=["horizon", "value", "ci_lower", "ci_upper"])
