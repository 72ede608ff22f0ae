"""Users of two arms redeem coupons out of one budget or out of two: what does a reminder do to what they redeem?

A reminder raises how readily a user redeems. Once a budget is gone, nobody who draws on it redeems. Where both arms
draw on one budget, the reminded arm empties it for the other, and the difference between them is not what reminding
everybody would bring. Redemptions happen in continuous time and in their order; no step is approximated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_lib.errors import InvalidValue

#: Who pays for the coupons of the two arms.
DESIGNS = ("shared", "split")


@dataclass(frozen=True, slots=True)
class CouponWorld:
    """What the blocks (market-days, campaigns) are made of.

    Attributes
    ----------
    n_blocks, n_users : int
        Blocks; mean users a block, whose true number varies by a Poisson draw.
    days : float
        Length of a block.
    appetite : float
        Redemptions a user and day while there is budget, without a reminder; each user redeems once at most.
    lift : float
        Factor of the reminder on that.
    appetite_spread : float
        Standard deviation of the logarithm of appetite between blocks.
    coupon_usd, coupon_spread : float
        Mean cost of a redemption, and standard deviation of its logarithm.
    budget_usd : float
        Budget a block, per mean user.
    """

    n_blocks: int = 30
    n_users: int = 2000
    days: float = 7.0
    appetite: float = 0.05
    lift: float = 1.3
    appetite_spread: float = 0.25
    coupon_usd: float = 4.0
    coupon_spread: float = 0.4
    budget_usd: float = 1.2

    def __post_init__(self) -> None:
        for name in ("n_blocks", "n_users", "days", "appetite", "lift", "coupon_usd", "budget_usd"):
            if not getattr(self, name) > 0:
                raise InvalidValue(f"{name} must be above 0, not {getattr(self, name)!r}.")
        if min(self.appetite_spread, self.coupon_spread) < 0:
            raise InvalidValue("appetite_spread and coupon_spread must be 0 or more.")


def simulate(world: CouponWorld, *, design: str, share: float = 0.5, seed: int) -> dict[str, np.ndarray]:
    """Sums by block and arm of an experiment; arm 1 is reminded.

    Parameters
    ----------
    world : CouponWorld
        The blocks.
    design : str
        ``shared``: both arms draw on the block's budget; ``split``: each on its part, in proportion to its users.
    share : float
        Share of users reminded, 0 to 1.
    seed : int
        Runs with one seed share users, appetites and coupons (common random numbers).

    Returns
    -------
    dict of numpy.ndarray
        block, arm, users, budget_usd (what the arm draws on), spend_usd, orders, ran_out_at (days into the block, NaN
        if never); a row for each block and arm that has users.
    """
    if design not in DESIGNS:
        raise InvalidValue(f"design '{design}' is not known: choose {' or '.join(DESIGNS)}.")
    if not 0 <= share <= 1:
        raise InvalidValue(f"a share treated must lie between 0 and 1, not {share!r}.")
    rows = [row for block in range(world.n_blocks) for row in _block(world, design, share, seed, block)]
    names = ("block", "arm", "users", "budget_usd", "spend_usd", "orders", "ran_out_at")
    return {name: np.array(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}


def _block(world: CouponWorld, design: str, share: float, seed: int, block: int) -> list[tuple[float, ...]]:
    """The rows of one block."""
    rng = np.random.default_rng([seed, block])
    n = max(1, rng.poisson(world.n_users))
    appetite = world.appetite * np.exp(world.appetite_spread * rng.standard_normal() - world.appetite_spread**2 / 2)
    cost = world.coupon_usd * np.exp(world.coupon_spread * rng.standard_normal(n) - world.coupon_spread**2 / 2)
    at, arm = rng.standard_exponential(n) / appetite, (rng.random(n) < share).astype(int)
    at = np.where(arm == 1, at / world.lift, at)
    budget = world.budget_usd * world.n_users
    if design == "shared":
        redeemed, end = _redeemed(at, cost, budget, world.days)
        return [_row(block, a, arm == a, budget, cost, redeemed, end) for a in (0, 1) if np.any(arm == a)]
    rows = []
    for a in (0, 1):
        own = arm == a
        if own.any():
            part = budget * own.mean()
            redeemed, end = _redeemed(np.where(own, at, np.inf), cost, part, world.days)
            rows.append(_row(block, a, own, part, cost, redeemed, end))
    return rows


def _row(
    block: int, arm: int, own: np.ndarray, budget: float, cost: np.ndarray, redeemed: np.ndarray, end: float
) -> tuple[float, ...]:
    kept = redeemed & own
    return block, arm, int(own.sum()), budget, float(cost[kept].sum()), int(kept.sum()), end


def _redeemed(at: np.ndarray, cost: np.ndarray, budget: float, days: float) -> tuple[np.ndarray, float]:
    """Who redeems, and when the budget ran out: in the order of time, until the first coupon that it cannot pay."""
    order = np.argsort(at)
    wanted = at[order] <= days
    paid = wanted & (np.cumsum(np.where(wanted, cost[order], 0.0)) <= budget)
    redeemed = np.zeros(len(at), dtype=bool)
    redeemed[order] = paid
    refused = wanted & ~paid
    return redeemed, float(at[order][refused].min()) if refused.any() else float("nan")


def true_effect(world: CouponWorld, *, total: str = "orders", seed: int) -> float:
    """Orders (or spend_usd) per user if all were reminded minus if none were, under the same whole budgets."""
    if total not in ("orders", "spend_usd"):
        raise InvalidValue(f"total '{total}' is not known: choose orders or spend_usd.")
    treated, none = (simulate(world, design="shared", share=share, seed=seed) for share in (1.0, 0.0))
    return float((treated[total].sum() - none[total].sum()) / treated["users"].sum())
