"""What an experiment found in each market, what the market is like, and what it sells, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from analysis_lib.countries.market_panel import LINEAR
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, unknown

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: Without one.
NONE = "none"

#: The factor that is asked about by metric, set before any effect was read: cash on delivery is what is refused at the
#: door, and where payments fail a better checkout has more to mend.
FACTOR_OF = {
    "refund_rate": "cod_share", "return_rate": "cod_share", "checkout_rate": "payment_success_rate",
    "payment_success_rate": "payment_success_rate", "gmv_per_creator": "active_creators",
}  # fmt: skip

#: For all other metrics income: what people can choose from elsewhere, and what an order is to them, goes with it.
USUAL_FACTOR = "gdp_per_capita_ppp"

#: Metrics that sales are in proportion to.
PRICED = ("orders_per_user", "gmv_per_user", "net_gmv_per_user", "visit_conversion", "aov", "gmv_per_creator")

#: Months before the experiment that a factor is the mean of: the experiment itself does not move it.
MONTHS = 12

DAYS_OF_A_MONTH = 30.0


class Read(Protocol):
    """What is used of ``experiments.Readout``; countries and experiments stand on one floor and do not import."""

    trial: Any
    evidence: Any
    health: Any
    by_segment: pd.DataFrame
    primary: str
    level: float


@dataclass(frozen=True, slots=True)
class Moderator:
    """What effects are laid against.

    Attributes
    ----------
    name, unit : str
        Column of ``country_factors`` and its unit; empty without one.
    is_log : bool
        Its logarithm is taken.
    is_asked : bool
        Named by who asked, not by the rule.
    """

    name: str
    unit: str
    is_log: bool
    is_asked: bool

    @property
    def title(self) -> str:
        """In words."""
        return {"gdp_per_capita_ppp": "income per head"}.get(self.name, self.name.replace("_", " "))

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Values on the scale that is used."""
        return np.log(values) if self.is_log else np.asarray(values, float)

    @property
    def step(self) -> tuple[float, str]:
        """A step that can be imagined, on the scale that is used, and in words."""
        if self.is_log:
            return float(np.log(2.0)), f"where {self.title} is twice as high"
        if self.unit == "share":
            return 0.1, f"where {self.title} is ten percentage points higher"
        return 1.0, f"where {self.title} is one day longer" if self.unit == "days" else f"with one more {self.title}"


def effects_by_market(readout: Read, metric: str, variant: str) -> pd.DataFrame:
    """Effects of an arm in each market, as the experiment was read.

    Returns
    -------
    DataFrame
        country, effect (logarithm of the ratio to control), se, n_units.

    Raises
    ------
    UnknownName
        The experiment has no such arm, or the metric was not read.
    InvalidValue
        Markets were not among the segments that were read.
    """
    import pandas as pd
    from scipy.stats import norm  # slow to import

    if variant not in readout.trial.treatments:
        raise unknown("variant", variant, readout.trial.treatments, f"the arms of '{readout.trial.experiment_id}'")
    table = readout.by_segment
    own = table[table["segment"].str.startswith("country=")] if len(table) else table
    if not len(own):
        raise InvalidValue("no effect by market: read the experiment with by='country'")
    if metric not in set(own["metric"]):
        raise unknown("metric", metric, sorted(set(own["metric"])), "what the experiment was read by")
    own = own[(own["metric"] == metric) & (own["variant"] == variant)]
    ends = np.log1p(own[["rel_effect_ci_lower", "rel_effect_ci_upper"]].to_numpy(float))
    reach = 2 * norm.ppf(0.5 + readout.level / 2)
    frame = pd.DataFrame({
        "country": own["segment"].str.removeprefix("country=").to_numpy(),
        "effect": ends.mean(axis=1), "se": (ends[:, 1] - ends[:, 0]) / reach,
        "n_units": (own["n_control"] + own["n_treatment"]).to_numpy(int),
    })  # fmt: skip
    return frame[np.isfinite(frame["effect"]) & (frame["se"] > 0)].sort_values("country", ignore_index=True)


def moderator_of(wh: Warehouse, metric: str, asked: str) -> Moderator:
    """The factor that is asked for, or the one that the rule sets for a metric.

    Raises
    ------
    UnknownName
        No such column.
    ContractError
        The source has no ``country_factors``.
    """
    if asked == NONE:
        return Moderator("", "", False, True)
    if not wh.has("country_factors", "country", "month"):
        raise ContractError(f"source '{wh.name}' has no table country_factors by country and month")
    units = {column.name: column.unit or "" for column in wh.contract["country_factors"].columns}
    known = [name for name in wh.table("country_factors").columns if units.get(name)]
    name = asked or FACTOR_OF.get(metric, USUAL_FACTOR)
    if name not in known:
        raise unknown("factor", name, [*known, NONE], "the numbers in country_factors")
    return Moderator(name, units[name], units[name] not in LINEAR, bool(asked))


def factor_by_market(wh: Warehouse, moderator: Moderator, until: Any) -> dict[str, float]:
    """Mean of a factor in each market over the whole months before a day.

    Raises
    ------
    NotEnoughData
        No month before that day.
    """
    import pandas as pd

    if not moderator.name:
        return {}
    table = wh.query(wh.table("country_factors").select("country", "month", moderator.name)).dropna()
    month = pd.to_datetime(table["month"])
    first = pd.Timestamp(until).replace(day=1)
    own = table[(month < first) & (month >= first - pd.DateOffset(months=MONTHS))]
    own = own[own[moderator.name] > 0] if moderator.is_log else own
    if own.empty:
        raise NotEnoughData(f"{moderator.title} is not known for any month before {first:%B %Y}")
    return {str(name): float(value) for name, value in own.groupby("country")[moderator.name].mean().items()}


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """Sales that an effect is a share of.

    Attributes
    ----------
    month : dict of str to float
        USD in 30 days of users who meet the change, by market.
    share : dict of str to float
        What they are of all that the market sells, in markets that ran it.
    typical : float
        The share elsewhere; 0 where it is not known.
    spread : float
        Standard error of the logarithm of the share of a market that did not run it.
    """

    month: dict[str, float]
    share: dict[str, float]
    typical: float
    spread: float


def base_of(readout: Read, tested: list[str]) -> Base:
    """Sales a month of those who meet the change: control's money per unit times units, and elsewhere by their share.

    In a market that did not run it, those who would meet it are taken to make the same share of sales as where it ran.
    """
    evidence, control = readout.evidence, readout.trial.control
    sales: Mapping[str, float] = evidence.sales
    share = {}
    for country in tested:
        own = evidence.markets.get((control, country))
        n = sum(arm.n for (_, code), arm in evidence.markets.items() if code == country)
        if own is not None and sales.get(country, 0.0) > 0 and own.value > 0:
            share[country] = min(1.0, float(own.value * n / sales[country]))
    if not share:
        return Base({}, {}, 0.0, 0.0)
    logs = np.log(list(share.values()))
    spread = float(np.std(logs, ddof=1) * np.sqrt(1 + 1 / len(logs))) if len(logs) > 1 else 1.0
    typical = float(np.exp(logs.mean()))
    a_month = DAYS_OF_A_MONTH / evidence.days
    month = {country: sold * share.get(country, typical) * a_month for country, sold in sales.items() if sold > 0}
    return Base(month, share, typical, spread)
