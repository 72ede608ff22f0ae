"""What the engine says of a campaign that left some out by lot: moments of the reached and of the held out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.campaigns.cells import campaign_coupons, promoted_products, settled_value
from analysis_lib.campaigns.windows import Windows
from analysis_lib.causal import GroupMoments
from analysis_lib.errors import ContractError, NotEnoughData
from analysis_lib.metrics.cells import SEP
from analysis_lib.metrics.unit_tables import COV, MEAN, moments_of
from analysis_lib.pipelines import mart

if TYPE_CHECKING:
    import ibis
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: What a user's money is told apart by; the parts add up to the net of all. Windows are those of the truth: the
#: campaign's days, and the weeks after.
PARTS = ("promoted", "same_category", "other_categories", "after", "returned")

#: What users did before, which outcomes are adjusted for.
BEFORE = ("recent", "earlier", "log_before", "orders_before")

#: Whether a user bought during the campaign, and what it cost in coupons of the campaign.
BOUGHT, SUBSIDY = "bought", "subsidy"

#: Whether a user bought before the start, and something promoted during the campaign: only counted.
FLAGS = ("bought_before", "bought_promoted")

#: Lines without a value, by the ending under which moments add them up.
WORTHLESS = f"lines{SEP}unpriced"

#: Weeks before the start whose differences are shown.
WEEKS_SHOWN = 8


@dataclass(frozen=True, slots=True, eq=False)
class LotCells:
    """Moments of both groups.

    Attributes
    ----------
    reached, held_out : GroupMoments
        Of ``PARTS``, ``BEFORE``, ``BOUGHT``, ``SUBSIDY``, ``FLAGS`` (means only) and the columns of ``weeks``, per
        user; money in the market's currency.
    weeks : dict of int to str
        Column of what was spent in each week from the campaign's first day.
    """

    reached: GroupMoments
    held_out: GroupMoments
    weeks: dict[int, str]


def lot_cells(wh: Warehouse, windows: Windows, measure: str, users: ibis.Table | None = None) -> LotCells:
    """Moments of the reached and of the held out.

    Parameters
    ----------
    measure : str
        ``gmv`` or ``paid``.
    users : ibis.Table, optional
        ``lot_users`` of the same, where it has been worked out already.

    Raises
    ------
    NotEnoughData
        Nobody was held out, or nobody reached.
    ContractError
        Orders without a value.
    """
    weeks = weeks_of(windows)
    users = lot_users(wh, windows, measure, weeks) if users is None else users
    columns = columns_of(weeks)
    pairs = _pairs(list(weeks.values()))
    found = wh.query(moments_of(users, ["is_holdout"], columns, pairs)).set_index("is_holdout")
    if lines := int(found[WORTHLESS].sum()):
        raise ContractError(
            f"{lines:,} order lines of {windows.campaign.country} in source '{wh.name}' have no value in the market's"
            f" currency. Run `shopbook data check {wh.name}` and mend them there"
        )
    for side, what in ((False, "reached"), (True, "held out")):
        if side not in found.index:
            raise NotEnoughData(f"no user of {windows.campaign.market} was {what}: there is nobody to compare")
    groups = [_group(found.loc[side], columns, pairs) for side in (False, True)]
    return LotCells(*groups, weeks)


def weeks_of(windows: Windows) -> dict[int, str]:
    """Column of each whole week, from some before the start to the last that the windows hold."""
    last = (windows.campaign.n_days + 7 * windows.weeks_after) // 7 - 1
    return {week: f"week_{week}" for week in range(-WEEKS_SHOWN, last + 1)}


def columns_of(weeks: dict[int, str]) -> list[str]:
    """Columns of ``lot_users`` that moments are taken of."""
    return [*PARTS, *BEFORE, BOUGHT, SUBSIDY, *FLAGS, *weeks.values()]


def lot_users(wh: Warehouse, windows: Windows, measure: str, weeks: dict[int, str]) -> ibis.Table:
    """One row per user of the lot: zeros for those who bought nothing."""
    campaign = windows.campaign
    targets, users = wh.table("campaign_targets"), wh.table("users")
    users = users.filter(users.country == campaign.country).select("user_id")
    lot = targets.filter(targets.campaign_id == campaign.campaign_id).semi_join(users, "user_id")
    lot = lot.group_by("user_id").agg(is_holdout=lot.is_holdout.cast("boolean").max())
    lines = _lines(wh, windows, measure)
    spent = lines.group_by("user_id").agg(**_sums(lines, windows, weeks)).rename(buyer="user_id")
    table = lot.left_join(spent, lot.user_id == spent.buyer).drop("buyer")
    filled = {name: table[name].fill_null(0.0) for name in table.columns if name not in ("user_id", "is_holdout")}
    table = table.mutate(**filled)
    return table.mutate(log_before=_log(table.recent + table.earlier))


def _log(value: Any) -> Any:
    import ibis

    return (ibis.greatest(value, ibis.literal(0.0)) + 1.0).ln()


def _lines(wh: Warehouse, windows: Windows, measure: str) -> ibis.Table:
    """Order lines of the market with their day from the start, what they are worth, and what they promote."""
    import ibis

    campaign, facts = windows.campaign, mart(wh, "order_facts")
    first = min(windows.starts_on, campaign.starts_on - timedelta(weeks=WEEKS_SHOWN))
    facts = facts.filter(
        facts.country == campaign.country, facts.user_id.notnull(), facts.day.between(first, windows.ends_on)
    )
    promoted = promoted_products(wh, campaign)
    products = wh.table("products").semi_join(promoted, "product_id")
    categories = products.select("category").distinct().mutate(of_it=ibis.literal(True))
    coupons = campaign_coupons(wh, campaign).distinct()
    facts = facts.left_join(promoted.mutate(is_promoted=ibis.literal(True)), "product_id")
    facts = facts.left_join(categories, facts.category == categories.category)
    facts = facts.left_join(coupons.mutate(is_ours=ibis.literal(True)), "coupon_id")
    worth, lost = settled_value(facts, measure)
    return facts.select(
        "user_id", "order_id", since=facts.day.delta(ibis.literal(campaign.starts_on), unit="day"), worth=worth,
        lost=lost, given=facts.subsidy_local.cast("float64"),
        is_promoted=facts.is_promoted.fill_null(False), of_it=facts.of_it.fill_null(False),
        is_ours=facts.is_ours.fill_null(False),
    )  # fmt: skip


def _sums(lines: ibis.Table, windows: Windows, weeks: dict[int, str]) -> dict[str, Any]:
    """What a user adds to each column."""
    since, worth = lines.since, lines.worth
    n_days, after = windows.campaign.n_days, windows.campaign.n_days + 7 * windows.weeks_after
    during, later = (since >= 0) & (since < n_days), (since >= n_days) & (since < after)
    other = during & ~lines.is_promoted

    def total(condition: Any, value: Any = worth) -> Any:
        return (value.fill_null(0.0) * condition.cast("float64")).sum()

    found = {
        "promoted": total(during & lines.is_promoted),
        "same_category": total(other & lines.of_it),
        "other_categories": total(other & ~lines.of_it),
        "after": total(later),
        "returned": -total(during | later, lines.lost),
        "recent": total((since < 0) & (since >= -28)),
        "earlier": total(since < -28),
        "orders_before": (since < 0).ifelse(lines.order_id, None).nunique().cast("float64"),
        "bought_before": (since < 0).cast("float64").max(),
        "bought_promoted": (during & lines.is_promoted).cast("float64").max(),
        BOUGHT: during.cast("float64").max(),
        SUBSIDY: total(during & lines.is_ours, lines.given),
        WORTHLESS: worth.isnull().cast("float64").sum(),
    }
    weekly = {name: total((since >= 7 * week) & (since < 7 * week + 7)) for week, name in weeks.items()}
    return found | weekly


def _pairs(weeks: list[str]) -> list[tuple[str, str]]:
    """Columns whose covariance is wanted: parts and history with each other, a week with itself and with history."""
    core = [*PARTS, *BEFORE, BOUGHT, SUBSIDY]
    pairs = [(one, other) for place, one in enumerate(core) for other in core[place:]]
    pairs += [(week, name) for week in weeks for name in (week, *BEFORE)]
    # Weeks before the start are tested together.
    early = weeks[:WEEKS_SHOWN]
    return pairs + [(one, other) for place, one in enumerate(early) for other in early[place + 1 :]]


def _group(row: pd.Series, columns: list[str], pairs: list[tuple[str, str]]) -> GroupMoments:
    place = {name: number for number, name in enumerate(columns)}
    cov = np.full((len(columns), len(columns)), 0.0)
    for one, other in pairs:
        spread = float(row[f"{COV}{SEP}{one}{SEP}{other}"] or 0.0)
        cov[place[one], place[other]] = cov[place[other], place[one]] = spread
    mean = np.array([float(row[f"{MEAN}{SEP}{name}"]) for name in columns])
    return GroupMoments(int(row["n"]), tuple(columns), mean, np.nan_to_num(cov))
