"""What an effect on those who were exposed is worth: of all that is sold, and in money per month, market by market."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from analysis_lib.errors import NotEnoughData
from analysis_lib.experiments.arms import ArmMoments, pooled
from analysis_lib.experiments.effects import effect_of
from analysis_lib.results import Estimate, Result, format_count

if TYPE_CHECKING:
    import pandas as pd

DAYS_OF_A_MONTH = 30.0

#: Markets that are too small to be told apart.
OTHERS = "others"

#: Units of no market, as creators are here.
ALL = "all markets"


@dataclass(frozen=True, slots=True, eq=False)
class Worth(Result):
    """Money per 30 days if all who were exposed had the arm, against all having control.

    Attributes
    ----------
    variant : str
        Which arm.
    frame : pandas.DataFrame
        One row per market: country, n_units, effect (USD per unit), money_per_month, money_per_month_ci_lower,
        money_per_month_ci_upper, share_of_sales (of all that is sold in the market).
    per_month : Estimate
        All markets together.
    share_of_sales : Estimate
        The same as a share of all that was sold in these markets, those included who never met the test.
    """

    variant: str
    frame: pd.DataFrame
    per_month: Estimate
    share_of_sales: Estimate

    @property
    def text(self) -> str:
        """Money per month, and what it is of everything."""
        return (
            f"For everybody who meets it, that is {self.per_month.short} a month:"
            f" {self.share_of_sales.short} of all that is sold in {format_count(len(self.frame), 'markets')}."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per market."""
        return self.frame.copy()


def worth_of(
    cells: Mapping[tuple, ArmMoments],
    *,
    control: str,
    variant: str,
    days: int,
    sales: Mapping[str, float],
    level: float,
) -> Worth:
    """The worth of an arm, from money per exposed unit by (arm, market).

    Parameters
    ----------
    cells : mapping of tuple to ArmMoments
        By (arm, market); all arms.
    days : int
        Days in which the units were exposed and followed.
    sales : mapping of str to float
        USD sold in the same days, by market.

    Raises
    ------
    NotEnoughData
        No market, and not all of them together, has enough units.

    Notes
    -----
    The effect per unit is that of the days from a unit's exposure to the end of the test; all units together make it
    once in ``days`` days. Markets are independent of each other.
    """
    import pandas as pd

    rows, gains, variances = [], [], []
    for country, pair, n, sold in _markets(cells, control, variant, sales):
        found = effect_of(*pair, level=level, unit="usd_per_user")
        scale = n * DAYS_OF_A_MONTH / days
        money = found.effect.scaled(scale, "usd")
        # What the treated units brought already is in the sales.
        base = (sold - found.effect.value * pair[1].n) * DAYS_OF_A_MONTH / days
        share = money.value / base if base > 0 else np.nan
        rows.append((country, int(n), found.effect.value, money.value, money.ci_lower, money.ci_upper, share))
        gains.append((money.value, base))
        variances.append(money.se**2)
    columns = ["country", "n_units", "effect", "money_per_month", "money_per_month_ci_lower",
               "money_per_month_ci_upper", "share_of_sales"]  # fmt: skip
    total, base = np.sum(gains, axis=0)
    se, n_all = float(np.sqrt(np.sum(variances))), int(sum(row[1] for row in rows))
    reach = norm.ppf(0.5 + level / 2) * se
    method = "money per unit by market, added up over units"
    month = Estimate(float(total), se, float(total - reach), float(total + reach), level, "usd", n_all, method)
    share = month.scaled(1 / base, "share") if base > 0 else month.scaled(float("nan"), "share")
    frame = pd.DataFrame(rows, columns=columns).sort_values("money_per_month", ascending=False, ignore_index=True)
    return Worth(variant, frame, month, share)


def _markets(cells: Mapping[tuple, ArmMoments], control: str, variant: str, sales: Mapping[str, float]) -> list[tuple]:
    """Markets with enough units, and the others as one: name, both arms, units of all arms, USD sold."""
    found, small = [], []
    for country in sorted({key[1] for key in cells}, key=str):
        pair = cells.get((control, country)), cells.get((variant, country))
        n = sum(arm.n for (_, own), arm in cells.items() if own == country)
        try:
            if None in pair:
                raise NotEnoughData("an arm is empty")
            effect_of(*pair, level=0.95, unit="")  # type: ignore[arg-type]
        except NotEnoughData:
            small.append((country, pair, n))
            continue
        name, sold = (country, sales[country]) if country in sales else (ALL, sum(sales.values()))
        found.append((name, pair, n, sold))
    if small:
        sides = [[pair[side] for _, pair, _ in small if pair[side] is not None] for side in (0, 1)]
        if all(sides):
            both = tuple(pooled(own) for own in sides)
            try:
                effect_of(*both, level=0.95, unit="")
                sold = sum(sales.get(country, 0.0) for country, _, _ in small)
                found.append((OTHERS, both, sum(n for _, _, n in small), sold))
            except NotEnoughData:
                pass
    if not found:
        raise NotEnoughData("no market has enough units to say what the arm is worth")
    return found
