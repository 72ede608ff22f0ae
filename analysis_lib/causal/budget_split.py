"""What does a treatment do per user when both arms draw on a budget that can run out?

Two arms of one budget take from each other: the arm that spends faster leaves less for the other, and their difference
shows an effect that treating everybody cannot have. Under the split each arm has a budget of its own, in proportion to
its users, and is a small copy of the whole market.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis_lib.errors import InvalidValue, NotEnoughData, unknown
from analysis_lib.results import Estimate, Result
from analysis_lib.results.formatter import format_percent

#: Intervals from fewer blocks do not cover, or say nothing.
FEWEST_BLOCKS = 6

#: Budgets per user may differ by so much between arms (they are rounded, and users are counted afterwards).
ROUNDING = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class BudgetEffect(Result):
    """The effect per user of a treatment under a budget.

    Attributes
    ----------
    effect : Estimate
        Treated minus control, in the total's unit per user.
    mean_treated, mean_control : float
        Total per user by arm, over the same blocks.
    rel_ran_out_treated, rel_ran_out_control : float
        Share of blocks in which the arm's budget ran out.
    n_blocks : int
        Blocks.
    """

    effect: Estimate
    mean_treated: float
    mean_control: float
    rel_ran_out_treated: float
    rel_ran_out_control: float
    n_blocks: int

    @property
    def text(self) -> str:
        """The effect, and how often the budgets ran out."""
        treated, control = (format_percent(x, 0) for x in (self.rel_ran_out_treated, self.rel_ran_out_control))
        return (
            f"Per user: {self.effect.text}, from {self.n_blocks} blocks ({self.effect.method}); the budget ran out in "
            f"{treated} of them for the treated and in {control} for the control arm."
        )


def budget_split(
    frame: pd.DataFrame, *, block: str, arm: str, users: str, total: str, budget: str, ran_out_at: str,
    unit: str, level: float = 0.95,
) -> BudgetEffect:  # fmt: skip
    """Treated minus control per user where each arm had its own budget, paired by block.

    Blocks count by their users; the interval is Student's over blocks. An arm copies the whole only if it is large:
    what is left of an emptied budget is about half a coupon, which weighs more on the smaller arm.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a block (market-day or campaign) and arm.
    block, arm, users, total, budget, ran_out_at : str
        Columns: the block; 1 for treated and 0 for control; users; spend or orders; the budget the arm drew on; when it
        ran out, missing if it lasted.
    unit : str
        Unit of the total, for the formatter.
    level : float
        Level of the interval.

    Raises
    ------
    InvalidValue
        If budgets are not in proportion to users within ``ROUNDING``, or a number is negative.
    NotEnoughData
        If there are fewer than ``FEWEST_BLOCKS`` blocks, or one lacks an arm.

    References
    ----------
    Liu, Mao and Kang (2021), "Trustworthy and powerful online marketplace experimentation with budget-split design",
    KDD '21, arXiv 2012.08724.
    """
    wide = _wide(frame, block, arm, {"users": users, "total": total, "budget": budget, "gone": ran_out_at})
    per_user = wide["budget"] / wide["users"]
    if np.any(np.abs(per_user[:, 1] / per_user[:, 0] - 1) > ROUNDING):
        raise InvalidValue(
            "budgets are not in proportion to users: a split gives each arm its part. See shared_budget."
        )
    return _paired(wide, unit, level, "own budgets, paired by block")


def shared_budget(
    frame: pd.DataFrame, *, block: str, arm: str, users: str, total: str, budget: str, ran_out_at: str,
    unit: str, level: float = 0.95,
) -> BudgetEffect:  # fmt: skip
    """The same difference where both arms drew on one budget; biased by what they took from each other.

    Where the budget does not run out it is right; where it does, it is the naive estimate to set beside
    ``budget_split``, whose parameters it has.

    Raises
    ------
    InvalidValue
        If the arms of a block name different budgets, or a number is negative.
    NotEnoughData
        As ``budget_split``.
    """
    wide = _wide(frame, block, arm, {"users": users, "total": total, "budget": budget, "gone": ran_out_at})
    if not np.allclose(wide["budget"][:, 0], wide["budget"][:, 1]):
        raise InvalidValue("the arms of a block drew on different budgets: use budget_split.")
    return _paired(wide, unit, level, "one budget, paired by block")


def _wide(frame: pd.DataFrame, block: str, arm: str, columns: dict[str, str]) -> dict[str, np.ndarray]:
    """Each quantity by block and arm, control first; (blocks, 2)."""
    for name in (block, arm, *columns.values()):
        if name not in frame:
            raise unknown("column", name, list(frame.columns), "the frame of blocks")
    if not set(frame[arm]) <= {0, 1}:
        raise InvalidValue(f"{arm} must be 1 for treated and 0 for control, not {sorted(set(frame[arm]))!r}.")
    if frame.duplicated([block, arm]).any():
        raise InvalidValue("a block has more than one row of an arm: sum them first.")
    n = frame[block].nunique()
    if n < FEWEST_BLOCKS:
        raise NotEnoughData(f"{n} blocks came; an interval needs {FEWEST_BLOCKS}.")
    if len(frame) != 2 * n:
        raise NotEnoughData("a block lacks an arm: each needs treated and control users.")
    for quantity in ("users", "budget", "total"):
        values = frame[columns[quantity]]
        if not ((values >= 0) if quantity == "total" else (values > 0)).all():
            raise InvalidValue(f"{columns[quantity]} holds a number that is missing or too small.")
    ordered = frame.assign(**{columns["gone"]: frame[columns["gone"]].notna()}).sort_values([block, arm])
    return {name: ordered[column].to_numpy(dtype=float).reshape(n, 2) for name, column in columns.items()}


def _paired(wide: dict[str, np.ndarray], unit: str, level: float, method: str) -> BudgetEffect:
    """The difference per user, blocks weighted by users, with the error of a weighted mean."""
    if not 0 < level < 1:
        raise InvalidValue(f"level must lie between 0 and 1, not {level!r}.")
    users, per_user = wide["users"], wide["total"] / wide["users"]
    weight, n = users.sum(axis=1) / users.sum(), len(users)
    control, treated = weight @ per_user
    gaps = per_user[:, 1] - per_user[:, 0] - (treated - control)
    se = float(np.sqrt(n / (n - 1) * np.sum((weight * gaps) ** 2)))
    value, reach = float(treated - control), float(student.ppf(0.5 + level / 2, n - 1)) * se
    effect = Estimate(
        value=value, se=se, ci_lower=value - reach, ci_upper=value + reach, level=level, unit=unit, n=n, method=method
    )
    gone_control, gone_treated = wide["gone"].mean(axis=0)
    return BudgetEffect(
        effect=effect, mean_treated=float(treated), mean_control=float(control),
        rel_ran_out_treated=float(gone_treated), rel_ran_out_control=float(gone_control), n_blocks=n,
    )  # fmt: skip
