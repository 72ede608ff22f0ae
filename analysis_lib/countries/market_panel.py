"""A metric and what may explain it, by market and month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import metrics
from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, unknown

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: Units whose values are taken as they are; of the others logarithms are.
LINEAR = ("share", "days", "years")

#: A factor with less movement of its own than this share of its whole spread moves alike in all markets, or not at all.
OWN_MOVEMENT = 0.05

#: A factor of which one month holds more than this share of the movement tells of that month alone.
ONE_MONTH = 0.9

#: Typical deviations beyond which a month is odd.
FAR = 8.0

#: Fewer months of a market say nothing of its own path; fewer markets have no errors that can be told.
FEWEST_MONTHS, FEWEST_MARKETS = 6, 6


@dataclass(frozen=True, slots=True)
class Factor:
    """What may explain a metric.

    Attributes
    ----------
    name : str
        Column of ``country_factors``.
    unit : str
        As the contract says.
    is_log : bool
        Its logarithm is taken.
    own : float
        Standard deviation of its own movement, after what market and month have in common, on the scale that is used.
    total : float
        Standard deviation over all rows.
    """

    name: str
    unit: str
    is_log: bool
    own: float
    total: float

    @property
    def title(self) -> str:
        """In words."""
        return self.name.replace("_", " ")

    @property
    def moves(self) -> bool:
        """Whether it has a path of its own within markets."""
        return self.own > OWN_MOVEMENT * self.total


@dataclass(frozen=True, slots=True)
class Called:
    """What the rows of a panel are called in sentences, and how their time is written."""

    one: str
    many: str
    period: str
    periods: str
    written: str


MARKETS = Called("market", "markets", "month", "months", "%b %Y")
STATES = Called("state", "states", "year", "years", "%Y")
NATIONS = Called("country", "countries", "year", "years", "%Y")


@dataclass(frozen=True, slots=True, eq=False)
class MarketPanel:
    """Rows by market and month.

    Attributes
    ----------
    frame : pandas.DataFrame
        country, month, outcome (logarithm), and each factor on the scale that is used.
    metric : Metric
        What is explained.
    factors : tuple of Factor
        Those with movement of their own first.
    left_out : dict of str to str
        Factors and markets that are not in it, with the reason.
    n_missing : int
        Market-months without a value of the metric or of a factor: left out.
    called : Called
        What its rows are called.
    """

    frame: pd.DataFrame
    metric: object
    factors: tuple[Factor, ...]
    left_out: dict[str, str]
    n_missing: int
    called: Called = field(default_factory=lambda: MARKETS)

    @property
    def moving(self) -> list[Factor]:
        """Factors that can be told from market and month."""
        return [factor for factor in self.factors if factor.moves]

    @property
    def n_markets(self) -> int:
        """Markets in it."""
        return int(self.frame["country"].nunique())

    @property
    def n_months(self) -> int:
        """Months in it."""
        return int(self.frame["month"].nunique())


def market_panel(wh: Warehouse, outcome: str, factors: Sequence[str] = ()) -> MarketPanel:
    """The panel of a metric; whole months only.

    Parameters
    ----------
    outcome : str
        A metric that is positive: a sum, count, ratio or conversion.
    factors : sequence of str
        Columns of ``country_factors``; empty for all numbers in it.

    Raises
    ------
    UnknownName
        A metric or factor that does not exist.
    InvalidValue
        A metric that is not positive, or that the factor itself is.
    ContractError
        The source has no ``country_factors``.
    NotEnoughData
        Too few markets or months.
    """
    import pandas as pd

    metric = metrics.load_metrics(wh.project).get(outcome)
    if not wh.has("country_factors", "country", "month"):
        raise ContractError(f"source '{wh.name}' has no table country_factors by country and month")
    values = metrics.query(wh, outcome, by="country", grain="month").to_frame()
    values = values[~values["is_partial"].astype(bool)].rename(columns={outcome: "outcome", "period_start": "month"})
    values["month"] = pd.to_datetime(values["month"])
    if (values["outcome"] <= 0).any():
        raise InvalidValue(f"{outcome} is not positive in every market and month: its logarithm is not defined")
    table, units = _factor_table(wh, factors, outcome)
    frame = values[["country", "month", "outcome"]].merge(table, on=["country", "month"], how="left")
    whole = frame.dropna()
    counted = whole.groupby("country")["month"].transform("size")
    few = sorted(whole.loc[counted < FEWEST_MONTHS, "country"].unique())
    whole = whole[counted >= FEWEST_MONTHS]
    if whole["country"].nunique() < FEWEST_MARKETS:
        raise NotEnoughData(
            f"{whole['country'].nunique()} markets have {FEWEST_MONTHS} months of {outcome} and of all factors;"
            f" {FEWEST_MARKETS} are needed"
        )
    left_out = dict.fromkeys(few, f"fewer than {FEWEST_MONTHS} months")
    return panel_of(whole, units, metric, left_out, len(frame) - len(frame.dropna()))


def _factor_table(wh: Warehouse, asked: Sequence[str], outcome: str) -> tuple[pd.DataFrame, dict[str, str]]:
    import pandas as pd

    columns = {column.name: column.unit or "" for column in wh.contract["country_factors"].columns}
    table = wh.query(wh.table("country_factors"))
    known = [name for name in table.columns if name in columns and pd.api.types.is_numeric_dtype(table[name])]
    for name in asked:
        if name not in known:
            raise unknown("factor", name, known, "the numbers in country_factors")
    # A factor that is the metric explains it by being it.
    chosen = [name for name in (asked or known) if name != outcome]
    if not chosen:
        raise InvalidValue("no factor is left to explain the metric with")
    table = table[["country", "month", *chosen]].assign(month=pd.to_datetime(table["month"]))
    return table, {name: columns[name] for name in chosen}


def panel_of(
    frame: pd.DataFrame, units: dict[str, str], metric: object, left_out: dict[str, str], n_missing: int,
    called: Called = MARKETS,
) -> MarketPanel:  # fmt: skip
    """The panel of rows without missing values: logarithms taken, months that stand out left out.

    Parameters
    ----------
    frame : pandas.DataFrame
        country, month, outcome (positive), and a column for each factor.
    units : dict of str to str
        Unit of each factor.
    left_out, n_missing, called
        As in ``MarketPanel``.
    """
    frame = frame.assign(outcome=np.log(frame["outcome"].astype(float)))
    odd = stands_out(frame)
    for row in frame[odd].itertuples():
        when = row.month.strftime(called.written)
        left_out[f"{row.country} {when}"] = f"it stands out from its {called.one} and {called.period} as by an incident"
    frame = frame[~odd].reset_index(drop=True)
    factors = []
    for name, unit in units.items():
        column = frame[name].astype(float)
        is_log = unit not in LINEAR and bool((column > 0).all())
        frame[name] = np.log(column) if is_log else column
        total = float(frame[name].std())
        if total == 0:
            left_out[name] = "the same everywhere"
            continue
        moved = within(frame, [name])[:, 0]
        by_month = frame.assign(moved=np.square(moved)).groupby("month")["moved"].sum()
        if by_month.max() > ONE_MONTH * by_month.sum():
            left_out[name] = f"all it moves, it moves in one {called.period}"
            continue
        own = float(moved.std())
        factors.append(Factor(name, unit, is_log, own, total))
    frame = frame.drop(columns=[name for name in left_out if name in frame.columns])
    ranked = sorted(factors, key=lambda factor: not factor.moves)
    return MarketPanel(frame.reset_index(drop=True), metric, tuple(ranked), left_out, n_missing, called)


def stands_out(frame: pd.DataFrame) -> np.ndarray:
    """Market-months far from what market and month let expect: an outage or a slip in the record, nothing that lasts.

    Medians of market and month are taken off in turn (Tukey's median polish), so that one odd month does not hide
    itself; what lies more than ``FAR`` typical deviations away is odd.
    """
    wide = frame.pivot(index="month", columns="country", values="outcome")
    left = wide.copy()
    for _ in range(10):
        left = left.sub(left.median(axis=0), axis=1)
        left = left.sub(left.median(axis=1), axis=0)
    typical = float(np.nanmedian(left.abs())) / 0.6745
    far = left.abs() > FAR * typical if typical > 0 else left.abs() > np.inf
    keys = list(zip(frame["month"], frame["country"], strict=True))
    return far.stack().reindex(keys, fill_value=False).to_numpy(bool)


def within(frame: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Columns without what a market and what a month have in common."""
    from analysis_lib.regression.collinear import demeaned

    codes = np.column_stack([frame[name].astype("category").cat.codes.to_numpy() for name in ("country", "month")])
    return demeaned(frame[columns].to_numpy(float), codes, np.ones(len(frame)))


def alone(panel: MarketPanel, factor: str, others: list[str]) -> pd.DataFrame:
    """Outcome and a factor with market, month and the other factors taken out (Frisch, Waugh and Lovell)."""
    left = within(panel.frame, ["outcome", factor, *others])
    y, x, rest = left[:, 0], left[:, 1], left[:, 2:]
    if rest.shape[1]:
        y, x = (side - rest @ np.linalg.lstsq(rest, side, rcond=None)[0] for side in (y, x))
    return panel.frame[["country", "month"]].assign(y=y, x=x)
