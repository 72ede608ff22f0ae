"""How much each market buys from abroad, held against what its supply and delivery let expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.countries.gravity_cells import FlowCells, sides
from analysis_lib.errors import NotEnoughData

if TYPE_CHECKING:
    import pandas as pd

#: What is taken from shares before they are compared.
EXPECTED_BY = ("log_merchants", "log_days")

#: Degrees of freedom that must be left, without the market that is judged.
FEWEST_LEFT = 4


def abroad_shares(cells: FlowCells) -> pd.DataFrame:
    """Sales from abroad of each market.

    Returns
    -------
    DataFrame
        country, rel_abroad (share of sales in USD), log_odds, log_merchants (those at home in the market, a month),
        log_days (delivery from abroad against that at home).
    """
    import pandas as pd

    both = sides(cells).groupby(["country", "is_abroad"])[["gmv_usd", "n_delivered", "delivery_days"]].sum()
    wide = both.unstack("is_abroad", fill_value=0.0)
    money, days = wide["gmv_usd"], wide["delivery_days"] / wide["n_delivered"].where(wide["n_delivered"] > 0)
    active = cells.merchants.groupby("origin")["n_merchants"].mean().reindex(money.index)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(money[True] / money[False])
        found = pd.DataFrame({
            "rel_abroad": money[True] / money.sum(axis=1), "log_odds": odds, "log_merchants": np.log(active),
            "log_days": np.log(days[True] / days[False]),
        })  # fmt: skip
    return found.rename_axis("country").reset_index()


def expected_shares(table: pd.DataFrame, level: float) -> pd.DataFrame:
    """What the other markets let expect of each, with its prediction interval.

    Within a market and month, Poisson gravity with destination effects is a logit of shares. So the log odds of buying
    abroad are regressed on merchants at home and on relative days of delivery, each market without itself, and each is
    held against its prediction.

    Parameters
    ----------
    table : pandas.DataFrame
        From ``abroad_shares``.
    level : float
        Of the intervals: a market as the others would lie inside so often.

    Returns
    -------
    DataFrame
        country, rel_abroad, expected, expected_ci_lower, expected_ci_upper (shares), residual, residual_ci_lower,
        residual_ci_upper (log odds above what is expected).

    Raises
    ------
    NotEnoughData
        Too few markets that trade both ways.
    """
    from scipy.stats import t  # slow to import

    numbers = ["log_odds", *EXPECTED_BY]
    kept = table[np.isfinite(table[numbers].to_numpy(float)).all(axis=1)].reset_index(drop=True)
    left = len(kept) - 1 - len(EXPECTED_BY) - 1
    if left < FEWEST_LEFT:
        raise NotEnoughData(
            f"{len(kept)} markets buy at home and abroad with known days of delivery: "
            f"{FEWEST_LEFT + len(EXPECTED_BY) + 2} are needed to say what one should buy from the others"
        )
    design = np.column_stack([np.ones(len(kept)), *(kept[name] for name in EXPECTED_BY)])
    predicted, error = _without_itself(design, kept["log_odds"].to_numpy(float), left)
    reach = t.ppf(0.5 + level / 2, left) * error
    residual = kept["log_odds"].to_numpy(float) - predicted
    found = kept[["country", "rel_abroad"]].copy()
    for end, shift in (("", 0.0), ("_ci_lower", -reach), ("_ci_upper", reach)):
        found[f"expected{end}"] = 1 / (1 + np.exp(-(predicted + shift)))
    for end, shift in (("", 0.0), ("_ci_lower", -reach), ("_ci_upper", reach)):
        found[f"residual{end}"] = residual + shift
    return found


def _without_itself(design: np.ndarray, outcome: np.ndarray, left: int) -> tuple[np.ndarray, np.ndarray]:
    """Prediction of each row from the others and its standard error."""
    predicted, error = np.empty(len(outcome)), np.empty(len(outcome))
    for place in range(len(outcome)):
        others = np.arange(len(outcome)) != place
        x, row = design[others], design[place]
        if np.linalg.matrix_rank(x) < x.shape[1]:
            raise NotEnoughData("markets do not differ in merchants and delivery: nothing can be expected of one")
        values = np.linalg.lstsq(x, outcome[others], rcond=None)[0]
        spread = ((outcome[others] - x @ values) ** 2).sum() / left
        predicted[place] = row @ values
        error[place] = np.sqrt(spread * (1 + row @ np.linalg.solve(x.T @ x, row)))
    return predicted, error
