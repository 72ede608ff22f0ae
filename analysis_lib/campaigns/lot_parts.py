"""Where a campaign's additional sales came from: by surface, category and tier of creator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from analysis_lib.campaigns.cells import settled_value
from analysis_lib.causal import GroupMoments, beyond_doubt, randomised_difference
from analysis_lib.pipelines import mart
from analysis_lib.results import Result, format_interval, format_percent

if TYPE_CHECKING:
    from analysis_lib.campaigns.windows import Windows
    from analysis_lib.warehouse import Warehouse

#: What sales are told apart by, and what that is called.
DIMENSIONS = {"surface": "surface", "category": "category", "tier": "tier of the creator"}

#: The largest parts of each; the rest are not shown one by one.
MOST_PARTS = 8

#: What is called so in the data has no creator.
NO_CREATOR = "no creator"


@dataclass(frozen=True, slots=True, eq=False)
class LotParts(Result):
    """Additional sales during the campaign by part, and whether parts differ at all.

    Attributes
    ----------
    rows : pandas.DataFrame
        dimension, part, value, ci_lower, ci_upper (money over the reached), sold (the held out's sales of it, brought
        to the number of the reached).
    alike : dict of str to float
        By dimension, how often chance alone makes relative effects of its parts differ as much.
    level : float
        Level of the intervals.
    unit : str
        Currency.
    """

    rows: pd.DataFrame
    alike: dict[str, float]
    level: float
    unit: str

    @property
    def differing(self) -> list[str]:
        """Dimensions whose parts differ by more than chance makes them, the tests held to the level together."""
        return beyond_doubt(self.alike, self.level)

    def to_frame(self) -> pd.DataFrame:
        """All parts."""
        return self.rows.copy()

    @property
    def text(self) -> str:
        """Which dimensions tell parts apart, with the largest part of each; or that none does."""
        chances = ", ".join(f"{DIMENSIONS[name]} {format_percent(p, 0)}" for name, p in self.alike.items())
        if not self.differing:
            return (
                "Where it worked better cannot be told: parts differ by no more than chance makes them (as much or"
                f" more in {chances} of lots)."
            )
        said = []
        for name in self.differing:
            own = self.rows[self.rows["dimension"] == name]
            best = own.loc[own["value"].idxmax()]
            shown = format_interval(best["value"], best["ci_lower"], best["ci_upper"], self.unit)
            said.append(f"by {DIMENSIONS[name]}, most came from {best['part']} ({shown})")
        return f"Parts differ by more than chance makes them: {'; '.join(said)}. Chance alone: {chances}."


def lot_parts(wh: Warehouse, windows: Windows, measure: str, *, level: float) -> LotParts:
    """Additional sales of the reached by part, during the campaign; two queries on the order facts."""
    lines = _lines(wh, windows, measure)
    places = _places(wh, lines)
    found = wh.query(_moments(wh, windows, lines, places)).set_index("is_holdout")
    reached, held_out = (_group(found.loc[side], len(places)) for side in (False, True))
    effects = randomised_difference(
        reached, held_out, outcomes={name: (name,) for name in reached.names}, level=level,
        unit=windows.campaign.currency, pooled=True,
    )  # fmt: skip
    rows = []
    for (dimension, part), name in zip(places, reached.names, strict=True):
        one = effects[name].scaled(reached.n)
        sold = float(held_out.mean[held_out.names.index(name)]) * reached.n
        rows.append((dimension, part, one.value, one.ci_lower, one.ci_upper, one.se, sold))
    frame = pd.DataFrame(rows, columns=["dimension", "part", "value", "ci_lower", "ci_upper", "se", "sold"])
    alike = {name: _alike(frame[frame["dimension"] == name]) for name in DIMENSIONS}
    told = {name: chance for name, chance in alike.items() if chance is not None}
    return LotParts(frame.drop(columns="se"), told, level, windows.campaign.currency)


def _lines(wh: Warehouse, windows: Windows, measure: str) -> ibis.Table:
    """Order lines of the campaign's days: user_id, worth, and the dimensions."""
    campaign, facts = windows.campaign, mart(wh, "order_facts")
    facts = facts.filter(facts.country == campaign.country, facts.user_id.notnull())
    facts = facts.filter(facts.day.between(campaign.starts_on, campaign.ends_on))
    worth, _ = settled_value(facts, measure)
    facts = facts.mutate(worth=worth)
    if "creators" in wh.tables():
        creators = wh.table("creators")
        facts = facts.left_join(creators.select("creator_id", "tier"), "creator_id")
    else:
        facts = facts.mutate(tier=ibis.null("string"))
    return facts.select("user_id", "worth", "surface", "category", tier=facts.tier.fill_null(NO_CREATOR))


def _places(wh: Warehouse, lines: ibis.Table) -> list[tuple[str, str]]:
    """Dimension and part, the parts that sold most first."""
    found = wh.query(lines.group_by(*DIMENSIONS).agg(worth=lines.worth.sum()))
    places = []
    for name in DIMENSIONS:
        sold = found.dropna(subset=[name]).groupby(name)["worth"].sum().sort_values(ascending=False)
        # A single part is the whole.
        if len(sold) > 1:
            places += [(name, str(part)) for part in sold.index[:MOST_PARTS]]
    return places


def _moments(wh: Warehouse, windows: Windows, lines: ibis.Table, places: list[tuple[str, str]]) -> ibis.Table:
    """Means and variances per user of the lot by part; zeros for those who bought nothing."""
    campaign = windows.campaign
    targets, users = wh.table("campaign_targets"), wh.table("users")
    users = users.filter(users.country == campaign.country).select("user_id")
    lot = targets.filter(targets.campaign_id == campaign.campaign_id).semi_join(users, "user_id")
    lot = lot.group_by("user_id").agg(is_holdout=lot.is_holdout.cast("boolean").max())
    sums = {
        f"part_{place}": (lines.worth.fill_null(0.0) * (lines[name] == part).fill_null(False).cast("float64")).sum()
        for place, (name, part) in enumerate(places)
    }
    spent = lines.group_by("user_id").agg(**sums).rename(buyer="user_id")
    table = lot.left_join(spent, lot.user_id == spent.buyer)
    table = table.select("is_holdout", **{name: table[name].fill_null(0.0) for name in sums})
    numbers = {f"mean_{name}": table[name].mean() for name in sums}
    numbers |= {f"var_{name}": table[name].var(how="sample") for name in sums}
    return table.group_by("is_holdout").agg(n=table.count(), **numbers)


def _group(row: pd.Series, parts: int) -> GroupMoments:
    names = tuple(f"part_{place}" for place in range(parts))
    mean, spread = (np.array([float(row[f"{kind}_{name}"] or 0.0) for name in names]) for kind in ("mean", "var"))
    return GroupMoments(int(row["n"]), names, mean, np.diag(spread))


def _alike(own: pd.DataFrame) -> float | None:
    """Chance that relative effects of parts differ as much where they are the same; None with fewer than two parts."""
    from statsmodels.stats.meta_analysis import combine_effects  # slow to import

    told = own[(own["sold"] > 0) & (own["se"] > 0)]
    if len(told) < 2:
        return None
    found = combine_effects((told["value"] / told["sold"]).to_numpy(), np.square(told["se"] / told["sold"]).to_numpy())
    return float(found.test_homogeneity().pvalue)
