"""Growth of markets told apart into parts that add up to it, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib.metrics.splitting import interval, replicates, split_sum

if TYPE_CHECKING:
    from analysis_lib.countries.growth_cells import GrowthCells

#: The factors whose product the sales of a category on ordinary days are: name, above, below.
FACTORS = (
    ("users", "visitors", ""), ("conversion", "buyers", "visitors"), ("frequency", "orders", "buyers"),
    ("basket", "all_units", "orders"), ("mix", "units", "all_units"), ("price", "list_local", "units"),
    ("discount", "gmv_local", "list_local"), ("currency", "gmv_usd", "gmv_local"),
)  # fmt: skip

#: What appears, disappears, or cannot be divided; and what festivals and campaigns brought beyond an ordinary day.
ASSORTMENT, OCCASIONS = "assortment", "occasions"

PARTS = (*(name for name, _, _ in FACTORS), ASSORTMENT, OCCASIONS)

#: Parts that are no doing of the market's own buyers and goods.
NOT_ORGANIC = ("currency", OCCASIONS)


@dataclass(frozen=True, slots=True, eq=False)
class GrowthParts:
    """Contributions in USD, by replicate; the first replicate is the data as they are.

    Attributes
    ----------
    values : numpy.ndarray
        Shape (1 + groups, markets, parts), parts as ``PARTS``.
    before, after : numpy.ndarray
        Sales of each period, shape (1 + groups, markets).
    """

    values: np.ndarray
    before: np.ndarray
    after: np.ndarray

    @property
    def remainder(self) -> float:
        """What the parts fail to add up to, at most over the markets, USD."""
        return float(np.abs(self.values[0].sum(axis=-1) - (self.after - self.before)[0]).max())

    def bounds(self, values: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Standard error and interval of something made from the replicates."""
        return interval(values, level)


def growth_parts(cells: GrowthCells) -> GrowthParts:
    """Tell growth apart, exactly.

    Sales on ordinary days, brought to all days of the period, are visitors × buyers per visitor × orders per buyer ×
    units per order × the category's share of units × price per unit × share kept after discounts × exchange rate, in
    each category; the change is split by log-means (``metrics.splitting.split_sum``), which leaves no remainder.
    Categories that appear or disappear are the assortment. What the other days sold beyond ordinary ones are the
    occasions. Intervals say how far parts would vary with other, equally drawn users in the same days.

    References
    ----------
    Ang (2004), "Decomposition analysis for policymaking in energy", Energy Policy 32(9): the additive log-mean Divisia
    index.
    """
    people = {name: replicates(by_group) for name, by_group in cells.people.items()}
    goods = {name: replicates(by_group) for name, by_group in cells.goods.items()}
    special = replicates(cells.special_usd)
    # To all days of the period, so that a month with more festivals is no smaller for it.
    scale = cells.n_days / np.maximum(cells.n_ordinary, 1)
    ordinary = goods["gmv_usd"].sum(axis=-1)
    extra = special - ordinary * (scale - 1.0)
    shape = goods["units"].shape
    quantities = {name: np.broadcast_to((values * (scale if name == "visitors" else 1.0))[..., None], shape)
                  for name, values in people.items()}  # fmt: skip
    quantities |= {"all_units": np.broadcast_to(goods["units"].sum(axis=-1, keepdims=True), shape)}
    # The scale stands in the first factor; the quotients after it are of ordinary days as they are.
    for name in ("buyers", "orders"):
        quantities[name] = quantities[name] * scale[..., None]
    quantities["all_units"] = quantities["all_units"] * scale[..., None]
    quantities |= {name: values * scale[..., None] for name, values in goods.items()}
    values = np.stack([_of_market(quantities, place) for place in range(len(cells.markets))], axis=1)
    occasions = extra[:, 1] - extra[:, 0]
    total = ordinary + special
    return GrowthParts(np.concatenate([values, occasions[..., None]], axis=-1), total[:, 0], total[:, 1])


def _of_market(quantities: dict[str, np.ndarray], place: int) -> np.ndarray:
    """Contributions of one market, shape (replicates, parts but the occasions)."""
    own = {name: values[:, :, place] for name, values in quantities.items()}
    split = split_sum(own, [(above, below) for _, above, below in FACTORS], "gmv_usd")
    by_part = split.values.sum(axis=1)
    n = len(FACTORS)
    return np.concatenate([by_part[:, :n], by_part[:, n:].sum(axis=1, keepdims=True)], axis=1)
