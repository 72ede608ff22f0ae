"""For which users a campaign paid, where some were left out by lot: what each kind of user earned after its coupons."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis_lib.campaigns.lot_cells import BEFORE, PARTS, SUBSIDY, lot_users, weeks_of
from analysis_lib.causal import GroupMoments, beyond_doubt, drawn_effects, randomised_difference
from analysis_lib.errors import NotEnoughData
from analysis_lib.metrics.cells import SEP
from analysis_lib.metrics.unit_tables import COV, MEAN, moments_of
from analysis_lib.results import Estimate, Result, format_interval, format_percent

if TYPE_CHECKING:
    import ibis

    from analysis_lib.campaigns.result import Setting
    from analysis_lib.campaigns.windows import Windows
    from analysis_lib.warehouse import Warehouse

#: What users are told apart by, all known before the start, and what that is called.
DIMENSIONS = {"history": "what they bought before", "platform": "platform", "channel": "how they came"}

#: Users that each group of a segment must have.
FEWEST = 50

#: A user's margin on everything, less what creators and coupons cost: what the segments are compared by.
EARNED = "earned"

METHOD = "difference of groups made by lot within the kind of user, drawn to the mean of all kinds"


@dataclass(frozen=True, slots=True, eq=False)
class Segments(Result):
    """What a campaign earned by kind of user.

    Attributes
    ----------
    rows : pandas.DataFrame
        dimension, segment, n_users (reached), value, ci_lower, ci_upper (margin on net additional sales less coupons
        and creators, over the reached of the segment), drawn, drawn_lower, drawn_upper (the same, each user's drawn to
        the mean of the dimension by how much segments differ).
    alike : dict of str to float
        By dimension, how often chance alone makes segments differ as much per user.
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
        """Dimensions whose segments differ by more than chance makes them, the tests held to the level together."""
        return beyond_doubt(self.alike, self.level)

    @property
    def losing(self) -> pd.DataFrame:
        """Segments of dimensions that differ whose whole drawn interval lies below zero."""
        told = self.rows["dimension"].isin(self.differing) & (self.rows["drawn_upper"] < 0)
        return self.rows[told].sort_values("drawn")

    def worth_leaving_out(self, row: Any) -> Estimate:
        """What leaving a segment out saves in a campaign like this one."""
        value, low, high = -row.drawn, -row.drawn_upper, -row.drawn_lower
        se = (high - low) / (2 * NormalDist().inv_cdf(0.5 + self.level / 2))
        return Estimate(value, se, low, high, self.level, self.unit, int(row.n_users), METHOD)

    def to_frame(self) -> pd.DataFrame:
        """All segments."""
        return self.rows.copy()

    @property
    def text(self) -> str:
        """Which segments paid and which did not; or that none can be told apart."""
        chances = ", ".join(f"{DIMENSIONS[name]} {format_percent(p, 0)}" for name, p in self.alike.items())
        if not self.alike:
            return "For whom it paid cannot be told: no two kinds of users are large enough."
        if not self.differing:
            return (
                "For whom it paid more cannot be told: kinds of users differ by no more than chance makes them (as much"
                f" or more in {chances} of lots)."
            )
        said = []
        for name in self.differing:
            own = self.rows[self.rows["dimension"] == name].sort_values("value")
            ends = [
                f"{row.segment} {format_interval(row.value, row.ci_lower, row.ci_upper, self.unit)}"
                for row in (own.iloc[-1], own.iloc[0])
            ]
            said.append(f"by {DIMENSIONS[name]}, best {ends[0]}, worst {ends[1]}")
        return f"Kinds of users differ by more than chance makes them: {'; '.join(said)}. Chance alone: {chances}."


def segments(wh: Warehouse, windows: Windows, setting: Setting, users: ibis.Table | None = None) -> Segments:
    """What a campaign earned by kind of user; one query.

    Parameters
    ----------
    windows : Windows
        As planned.
    setting : Setting
        Measure, level, margin, creators' share and the cost of reaching a user; media are nobody's in particular.
    users : ibis.Table, optional
        ``lot_users`` of the same, where it has been worked out already.

    Raises
    ------
    NotEnoughData
        No two segments of any dimension have enough users in both groups.
    """
    if users is None:
        users = lot_users(wh, windows, setting.measure, weeks_of(windows))
    users = _users(wh, users, setting)
    columns = [EARNED, *BEFORE]
    pairs = [(one, other) for place, one in enumerate(columns) for other in columns[place:]]
    found = wh.query(moments_of(users, ["is_holdout", *DIMENSIONS], columns, pairs))
    rows = []
    for dimension in DIMENSIONS:
        for segment, own in found.dropna(subset=[dimension]).groupby(dimension, sort=True):
            groups = [_pooled(own[own["is_holdout"] == side], columns) for side in (False, True)]
            if all(group is not None and group.n >= FEWEST for group in groups):
                rows.append((dimension, str(segment), groups[0].n, _effect(groups, setting, windows)))
    frame = pd.DataFrame(rows, columns=["dimension", "segment", "n_users", "effect"])
    frame = frame[frame.groupby("dimension")["dimension"].transform("size") > 1].reset_index(drop=True)
    if frame.empty:
        raise NotEnoughData(f"no two kinds of users have {FEWEST} reached and {FEWEST} left out by lot each")
    pieces = [_together(own, setting.level) for _, own in frame.groupby("dimension", sort=False)]
    alike = dict(zip(frame["dimension"].unique(), (chance for _, chance in pieces), strict=True))
    table = pd.concat([piece for piece, _ in pieces], ignore_index=True)
    return Segments(table, alike, setting.level, windows.campaign.currency)


def _users(wh: Warehouse, table: ibis.Table, setting: Setting) -> ibis.Table:
    """Users of the lot with what they earned and the kinds they are of."""
    import ibis

    net = sum(table[part] for part in PARTS)
    table = table.mutate(**{EARNED: setting.kept * net - table[SUBSIDY]})
    traits = wh.table("users")
    traits = traits.select(who="user_id", **{name: _trait(traits, name) for name in ("platform", "channel")})
    table = table.left_join(traits, table.user_id == traits.who)
    orders = table.orders_before
    history = ibis.cases((orders == 0, "none before"), (orders <= 2, "one or two orders before"), else_="more before")
    return table.select("is_holdout", EARNED, *BEFORE, "platform", "channel", history=history)


def _trait(users: ibis.Table, name: str) -> Any:
    import ibis

    column = {"channel": "acquisition_channel"}.get(name, name)
    return users[column].cast("string") if column in users.columns else ibis.null("string")


def _pooled(cells: pd.DataFrame, columns: list[str]) -> GroupMoments | None:
    """Moments of several cells together: of within and between them."""
    n = cells["n"].to_numpy(float)
    if n.sum() < 2:
        return None
    means = cells[[f"{MEAN}{SEP}{name}" for name in columns]].to_numpy(float)
    mean = n @ means / n.sum()
    square = np.zeros((len(columns), len(columns)))
    for row, one in enumerate(columns):
        for column, other in enumerate(columns[row:], start=row):
            cov = cells[f"{COV}{SEP}{one}{SEP}{other}"].fillna(0.0).to_numpy(float)
            square[row, column] = square[column, row] = float((n - 1) @ cov)
    square += (n[:, None] * (means - mean)).T @ (means - mean)
    return GroupMoments(int(n.sum()), tuple(columns), mean, square / (n.sum() - 1))


def _effect(groups: list[GroupMoments | None], setting: Setting, windows: Windows) -> Estimate:
    found = randomised_difference(
        *groups, outcomes={EARNED: (EARNED,)}, covariates=BEFORE, level=setting.level,
        unit=windows.campaign.currency, pooled=True,
    )  # fmt: skip
    return found[EARNED].shifted(-setting.contact_cost)


def _together(own: pd.DataFrame, level: float) -> tuple[pd.DataFrame, float]:
    """Rows of a dimension with their effects drawn to its mean, and the chance of differing as much."""
    from statsmodels.stats.meta_analysis import combine_effects  # slow to import

    value = np.array([effect.value for effect in own["effect"]])
    variance = np.array([effect.se**2 for effect in own["effect"]])
    chance = float(combine_effects(value, variance).test_homogeneity().pvalue)
    drawn = drawn_effects(value, variance, level=level)
    n = own["n_users"].to_numpy(float)
    table = own.drop(columns="effect").assign(
        value=value * n, ci_lower=[effect.ci_lower for effect in own["effect"]] * n,
        ci_upper=[effect.ci_upper for effect in own["effect"]] * n,
        drawn=drawn.value * n, drawn_lower=drawn.ci_lower * n, drawn_upper=drawn.ci_upper * n,
    )  # fmt: skip
    return table, chance
