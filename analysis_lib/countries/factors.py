"""``countries.factors``: what goes with a metric from market to market and month to month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.config import LEVEL
from analysis_lib.countries.convergence import convergence
from analysis_lib.countries.factors_result import CountryFactors
from analysis_lib.countries.market_panel import MarketPanel, market_panel, within
from analysis_lib.countries.slopes import slopes_by_market
from analysis_lib.errors import NotEnoughData, check_level

if TYPE_CHECKING:
    from analysis_lib.regression import DoubleLasso, Fit, ModelAverage
    from analysis_lib.warehouse import Warehouse

FIXED = ("country", "month")


def factors(
    wh: Warehouse, outcome: str = "cart_rate", *, factors: Sequence[str] = (), level: float = LEVEL
) -> CountryFactors:
    """What a metric goes with, within markets.

    The estimand of each factor is by how many log points the metric is higher in months in which the market's factor
    is one unit higher than that market and that month would let expect, the other factors held fixed. Market effects
    take away all that does not change, month effects all that markets share: what is left to compare is small, and
    factors that move alike everywhere (national income, say) cannot be told at all. It is an effect only if nothing
    else that is the market's own moves with the factor.

    Errors are clustered by market, with the small-cluster correction that ``regression.fit`` chooses. Beside the joint
    regression stand double lasso for each factor, and averaging over all models, in which rows of a market count as
    fewer than they are.

    Parameters
    ----------
    wh : Warehouse
        From ``warehouse.connect``.
    outcome : str
        A positive metric.
    factors : sequence of str
        Columns of ``country_factors``; empty for all.
    level : float
        Level of all intervals.

    Returns
    -------
    CountryFactors

    Raises
    ------
    UnknownName, InvalidValue, ContractError
        As ``market_panel``.
    NotEnoughData
        Fewer than six markets, or no factor with a path of its own.
    """
    check_level(level)
    panel = market_panel(wh, outcome, factors)
    return factors_of(panel, level=level, source=wh.name, gmv=_gmv(wh, panel))


def factors_of(
    panel: MarketPanel, *, level: float = LEVEL, source: str = "", gmv: dict[str, float] | None = None
) -> CountryFactors:
    """As ``factors``, of any panel of markets or countries.

    Parameters
    ----------
    panel : MarketPanel
        From ``market_panel.panel_of``.
    source : str
        What it is called.
    gmv : dict of str to float, optional
        Dollars sold in a month, by market.

    Raises
    ------
    NotEnoughData
        No factor with a path of its own.
    """
    if not panel.moving:
        raise NotEnoughData("no factor has a path of its own within markets: all move alike, or not at all")
    fit = joint(panel, level)
    pooled = slopes_by_market(panel, level)
    table = fit.coefficients
    surest = str(table.loc[(table["value"] / table["se"]).abs().idxmax(), "term"])
    return CountryFactors(
        panel=panel, fit=fit, lassos=_lassos(panel, level), average=averaged(panel, fit),
        slopes=pooled.get(surest), pooled=pooled,
        convergence=convergence(panel.frame, level=level, called=panel.called), level=level,
        source=source, gmv=gmv or {},
    )  # fmt: skip


def joint(panel: MarketPanel, level: float) -> Fit:
    """All factors at once, with effects of market and month, errors by the rule for few markets."""
    from analysis_lib.regression import fit

    names = " + ".join(factor.name for factor in panel.moving)
    return fit(f"outcome ~ {names}", panel.frame, fixed_effects=FIXED, cluster="country", level=level)


def _lassos(panel: MarketPanel, level: float) -> dict[str, DoubleLasso]:
    """Each factor beside those of the others that belong there."""
    from analysis_lib.regression import double_lasso

    names = [factor.name for factor in panel.moving]
    if len(names) < 2:
        return {}
    return {
        name: double_lasso(
            panel.frame, outcome="outcome", regressor=name, controls=[other for other in names if other != name],
            fixed_effects=FIXED, cluster="country", level=level,
        )
        for name in names
    }  # fmt: skip


def averaged(panel: MarketPanel, fit: Fit) -> ModelAverage:
    """All models of the factors, of what is left of them within markets and months."""
    import pandas as pd

    from analysis_lib.regression import average_models
    from analysis_lib.regression import fit as regress

    names = [factor.name for factor in panel.moving]
    left = pd.DataFrame(within(panel.frame, ["outcome", *names]), columns=["outcome", *names])
    plain = regress(fit.request.formula, panel.frame, fixed_effects=FIXED, variance="iid")
    # Clustering widens errors as if there were fewer rows; chance may also make it narrow them, which is not believed.
    widened = float(np.median((fit.coefficients["se"] / plain.coefficients["se"]) ** 2))
    absorbed = panel.n_markets + panel.n_months - 2
    rows = (len(left) - absorbed) / max(1.0, widened)
    return average_models(left, outcome="outcome", candidates=names, n_effective=max(rows, len(names) + 3.0))


def _gmv(wh: Warehouse, panel: MarketPanel) -> dict[str, float]:
    """Dollars sold in the last whole month, by market."""
    from analysis_lib import metrics

    month = panel.frame["month"].max()
    frame = metrics.query(wh, "gmv", by="country", grain="month").to_frame()
    own = frame[frame["period_start"].astype("datetime64[ns]") == month]
    return {str(row.country): float(row.gmv) for row in own.itertuples()}
