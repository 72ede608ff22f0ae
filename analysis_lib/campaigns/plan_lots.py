"""Lots dealt where there was no campaign: how small an effect one left-out group would have shown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis_lib.campaigns.lot_cells import BEFORE
from analysis_lib.campaigns.lot_effect import FEWEST
from analysis_lib.campaigns.plan_asking import Asked
from analysis_lib.campaigns.plan_users import PastUsers, PastWindow
from analysis_lib.causal import GroupMoments, randomised_difference
from analysis_lib.errors import NotEnoughData
from analysis_lib.results import Estimate

#: Shares to leave out that are tried beside the planned one.
SHARES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class LotPower:
    """What a lot would show.

    Attributes
    ----------
    dealt : pandas.DataFrame
        One row per lot, window, share and length: window (its first day), share, days, gap (the smallest effect per
        reached user that this lot would have told from zero, local money, brought to the planned number of users), se
        (likewise), alarm (whether nothing was taken for something), gap_in_proportion (as gap, if it is the same
        share of what each spends; of the planned design alone).
    spent : pandas.DataFrame
        window, days, n_users, spent (net, per user, local money).
    n_users : int
        Users in the planned lot.
    level, power : float
        Of the intervals; wanted chance to find an effect.
    """

    dealt: pd.DataFrame
    spent: pd.DataFrame
    n_users: int
    level: float
    power: float

    @property
    def reach(self) -> float:
        """Standard errors between nothing and an effect that is found: 2.8 at 95 % and 80 %."""
        return float(norm.ppf(0.5 + self.level / 2) + norm.ppf(self.power))

    @property
    def shares(self) -> list[float]:
        """Shares that could be tried."""
        return sorted(self.dealt["share"].unique())

    @property
    def lengths(self) -> list[int]:
        """Lengths that could be tried."""
        return sorted(int(days) for days in self.dealt["days"].unique())

    @property
    def grid(self) -> pd.DataFrame:
        """Smallest effects, over all lots of all windows.

        Returns
        -------
        DataFrame
            share, days, smallest (per reached user, local money), formula (``reach`` standard errors), alarms (share of
            lots that took nothing for something), n_lots, spent (net spending of a user, mean over the windows).
        """
        return self._summed(["share", "days"], self.dealt)

    def by_window(self, share: float, days: int) -> pd.DataFrame:
        """The same by window of one design: window, n_users, smallest, formula, alarms, n_lots, spent."""
        own = self._summed(["window", "share", "days"], self._of(share, days)).drop(columns="spent")
        return own.merge(self.spent, on=["window", "days"]).sort_values("window", ascending=False, ignore_index=True)

    def smallest(self, share: float, days: int) -> float:
        """Smallest effect per reached user that is found with the wanted chance, local money."""
        return float(self._of(share, days)["gap"].quantile(self.power))

    @property
    def in_proportion(self) -> float:
        """Smallest mean effect of the planned design if each reached user spends the same share more, local money."""
        return float(self.dealt["gap_in_proportion"].dropna().quantile(self.power, interpolation="higher"))

    def chance(self, effect: float, share: float, days: int) -> float:
        """Share of lots that would tell an effect per reached user from zero."""
        return float((self._of(share, days)["gap"] < effect).mean())

    def sales(self, days: int) -> float:
        """Net spending of a user in a campaign of some days and the weeks after, local money."""
        return float(self.spent.loc[self.spent["days"] == days, "spent"].mean())

    def _of(self, share: float, days: int) -> pd.DataFrame:
        return self.dealt[(self.dealt["share"] == share) & (self.dealt["days"] == days)]

    def _summed(self, by: Sequence[str], dealt: pd.DataFrame) -> pd.DataFrame:
        groups = dealt.groupby(list(by))
        found = groups.agg(se=("se", "mean"), alarms=("alarm", "mean"), n_lots=("gap", "size"))
        found = found.assign(smallest=groups["gap"].quantile(self.power), formula=self.reach * found["se"])
        found = found.drop(columns="se").reset_index()
        return found.assign(spent=found["days"].map(self.spent.groupby("days")["spent"].mean()))


def lot_power(users: PastUsers, asked: Asked) -> LotPower:
    """Deal lots in every past window and estimate as the review does.

    Of each lot ever more users are left out, so that shares are compared on the same luck. Windows had another number
    of users than the planned lot; what they show is brought to it by the root of the ratio. The effect is taken to be
    the same for every reached user; one in proportion to what each spends makes them spread more and takes more to be
    seen, which is told of the planned design.

    Raises
    ------
    NotEnoughData
        So few users are known that no lot has ``FEWEST`` in each group.
    """
    rng = np.random.default_rng(asked.seed)
    n = round(asked.audience * users.n_known)
    frames = [_dealt(window, asked, n, rng) for window in users.windows]
    dealt = pd.concat(frames, ignore_index=True)
    if dealt.empty or not ((dealt["share"] == asked.holdout_share) & (dealt["days"] == asked.days)).any():
        raise NotEnoughData(
            f"{n:,} users of {asked.market} are known before {asked.starts_on}, of whom"
            f" {round(asked.holdout_share * n):,} would be left out; {FEWEST} in each group are needed for an interval"
        )
    spent = [
        {"window": window.starts_on, "days": days, "n_users": window.n, "spent": window.spent(days)}
        for window in users.windows for days in window.totals
    ]  # fmt: skip
    return LotPower(dealt, pd.DataFrame(spent), n, asked.level, asked.power)


def _dealt(window: PastWindow, asked: Asked, n_planned: int, rng: np.random.Generator) -> pd.DataFrame:
    """Lots of one window."""
    columns = ["window", "share", "days", "gap", "se", "alarm", "gap_in_proportion"]
    lengths = [days for days, total in window.totals.items() if total.std() > 0]
    shares = [
        share for share in sorted({*SHARES, asked.holdout_share})
        if min(round(share * n) for n in (window.n, n_planned)) >= FEWEST
    ]  # fmt: skip
    if asked.days not in lengths or not shares:
        return pd.DataFrame(columns=columns)
    values = np.column_stack([*(window.totals[days] for days in lengths), window.before])
    names = (*(f"total_{days}" for days in lengths), *BEFORE)
    scale, rows, users = float(np.sqrt(window.n / n_planned)), [], centred(values)
    planned = (asked.holdout_share, asked.days)
    for _ in range(asked.lots):
        for share, groups in zip(shares, deal(users, shares, rng, names), strict=True):
            # Other lengths are asked of two shares alone: the planned one, and the largest.
            tried = lengths if share in (asked.holdout_share, SHARES[-1]) else [asked.days]
            for days, one in estimates(*groups, tried, asked.level).items():
                gap, other = one.ci_upper - 2 * one.value, float("nan")
                if (share, days) == planned:
                    other = gap_in_proportion(*groups, days, window.spent(days), asked.level)
                found = (gap * scale, one.se * scale, one.excludes_zero, other * scale)
                rows.append((window.starts_on, share, days, *found))
    return pd.DataFrame(rows, columns=columns)


def centred(values: np.ndarray) -> np.ndarray:
    """Less the mean of each column: sums of squares of groups keep their figures."""
    return values - values.mean(axis=0)


def deal(
    users: np.ndarray, shares: Sequence[float], rng: np.random.Generator, names: tuple[str, ...]
) -> Iterator[tuple[GroupMoments, GroupMoments]]:
    """One lot: the reached and the left out, for every share, of which each holds those before it.

    Parameters
    ----------
    users : numpy.ndarray
        Values of each user, less their means; (users, names).
    shares : sequence of float
        Shares to leave out, the smallest first.
    """
    cuts = [round(share * len(users)) for share in shares]
    drawn = users[rng.permutation(len(users))[: cuts[-1]]]
    total, squares = users.sum(axis=0), users.T @ users
    held, held_squares, first = np.zeros_like(total), np.zeros_like(squares), 0
    for cut in cuts:
        held = held + drawn[first:cut].sum(axis=0)
        held_squares = held_squares + drawn[first:cut].T @ drawn[first:cut]
        first = cut
        rest = _group(len(users) - cut, total - held, squares - held_squares, names)
        yield rest, _group(cut, held, held_squares, names)


def _group(n: int, total: np.ndarray, squares: np.ndarray, names: tuple[str, ...]) -> GroupMoments:
    mean = total / n
    return GroupMoments(n, names, mean, (squares - n * np.outer(mean, mean)) / (n - 1))


def estimates(
    reached: GroupMoments, held_out: GroupMoments, lengths: Sequence[int], level: float
) -> dict[int, Estimate]:
    """What the review would say of the totals of some lengths."""
    outcomes = {days: (f"total_{days}",) for days in lengths}
    return randomised_difference(
        reached, held_out, outcomes=outcomes, covariates=BEFORE, level=level, unit="", fewest=FEWEST, pooled=True
    )


def gap_in_proportion(reached: GroupMoments, held_out: GroupMoments, days: int, spent: float, level: float) -> float:
    """Smallest mean effect that a lot would have told from zero, if each reached user spends the same share more.

    In the share the estimate is a line and its variance a parabola, which three of its values settle; where the lot
    finds as much as chance would, one root of their quadratic tells. Infinite where no share is large enough.

    Parameters
    ----------
    reached, held_out : GroupMoments
        As dealt, less the means of all.
    spent : float
        Mean of all of what is scaled.
    """
    tried = [estimates(_more(reached, days, spent, share), held_out, [days], level)[days] for share in (0.0, 1.0, 2.0)]
    start, slope = tried[0].value, tried[1].value - tried[0].value
    reaches = [(one.ci_upper - one.value) ** 2 for one in tried]
    bend = (reaches[2] - 2 * reaches[1] + reaches[0]) / 2
    rise = reaches[1] - reaches[0] - bend
    roots = np.roots([slope**2 - bend, 2 * start * slope - rise, start**2 - reaches[0]])
    fits = [root.real for root in roots if abs(root.imag) < 1e-9 and start + slope * root.real > 0]
    return min(fits) * spent if fits and slope**2 > bend else math.inf


def _more(group: GroupMoments, days: int, spent: float, share: float) -> GroupMoments:
    """The group with a share more spent by each; its means stay less those of all."""
    (place,) = group.places([f"total_{days}"])
    factors = np.ones(len(group.names))
    factors[place] += share
    mean = group.mean.copy()
    mean[place] += share * (mean[place] + spent)
    return GroupMoments(group.n, group.names, mean, group.cov * np.outer(factors, factors))
