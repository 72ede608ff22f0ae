"""Outcome and regressors by unit and period: metrics and country factors, on scales that can be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import metrics
from analysis_lib.errors import InvalidValue, NotEnoughData, unknown
from analysis_lib.relations.setting import PERIOD, Setting

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: How much more of a regressor is told: of amounts, and of shares.
GROWTH, POINT = 0.10, 0.01

#: Flags of a cell that is not whole.
UNFINISHED = ("is_partial", "is_incomplete", "is_immature")


@dataclass(frozen=True, slots=True)
class Term:
    """A regressor on its scale.

    Attributes
    ----------
    name : str
        Its column, divided so that 1 is what ``more`` says.
    title : str
        In words.
    more : str
        How much more of it is told: "10 % more", "1 pp more".
    """

    name: str
    title: str
    more: str


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """One row a unit and period.

    Attributes
    ----------
    frame : pandas.DataFrame
        The dimension, period (its first day), outcome, log_outcome where it is always above 0, and a column a term.
    terms : tuple of Term
        In the order of the regressors.
    unfinished : int
        Rows left out because their period was not whole.
    start, end : date
        Days that were read.
    """

    frame: pd.DataFrame
    terms: tuple[Term, ...]
    unfinished: int
    start: date
    end: date

    @property
    def is_positive(self) -> bool:
        """Whether the outcome is above 0 in every row that has one."""
        return bool((self.frame["outcome"].dropna() > 0).all())


def cells_of(
    warehouse: Warehouse, setting: Setting, *, start: str | None, end: str | None, currency: str, as_of: str | None
) -> Cells:
    """The cells of a setting.

    Raises
    ------
    UnknownName
        A regressor that is neither a metric nor a country factor.
    InvalidValue
        A country factor where units are no markets; an outcome below 0.
    NotEnoughData
        No whole period.
    """
    import pandas as pd

    registry = metrics.load_metrics(warehouse.project)
    known = [name for name in setting.regressors if name in registry.names]
    factors = [name for name in setting.regressors if name not in known]
    table = _factors(warehouse, factors, setting, registry.names) if factors else None
    found = metrics.query(
        warehouse, [setting.outcome.name, *known], by=setting.by, grain=setting.grain, start=start, end=end,
        currency=currency, as_of=as_of,
    )  # fmt: skip
    rows = found.to_frame()
    whole = ~rows[[name for name in UNFINISHED if name in rows]].any(axis=1)
    frame = rows.loc[whole].rename(columns={"period_start": PERIOD}).reset_index(drop=True)
    if frame.empty:
        raise NotEnoughData(f"no {setting.grain} from {found.start} to {found.end} is whole")
    if table is not None:
        month = pd.to_datetime(frame[PERIOD]).dt.to_period("M").dt.to_timestamp()
        frame = frame.assign(month=month).merge(table, on=[setting.by, "month"], how="left").drop(columns="month")
    units = {name: registry.get(name).unit for name in known}
    titles = {name: lowered(registry.get(name).title) for name in known}
    made = [_scaled(frame[name], name, units.get(name, ""), titles.get(name, "")) for name in setting.regressors]
    outcome = frame[setting.outcome.name].astype(float)
    if (outcome < 0).any():
        raise InvalidValue(
            f"'{setting.outcome.name}' is below 0 in {int((outcome < 0).sum())} cells: relative changes fail"
        )
    columns = {term.name: values for term, values in made}
    shown = frame[[setting.by, PERIOD]].assign(outcome=outcome, **columns)
    return Cells(shown, tuple(term for term, _ in made), int((~whole).sum()), found.start, found.end)


def _factors(warehouse: Warehouse, names: list[str], setting: Setting, measured: list[str]) -> pd.DataFrame:
    """Country factors by market and month."""
    import pandas as pd

    has = "country_factors" in warehouse.tables()
    table = warehouse.table("country_factors") if has else None
    known = [] if table is None else [column for column in table.columns if column not in ("country", "month")]
    for name in names:
        if name not in known:
            raise unknown(
                "regressor", name, [*measured, *known], "data/metrics.yml or the country factors of the source"
            )
    if setting.by != "country":
        raise InvalidValue(f"'{names[0]}' is a country factor: ask by='country', not by='{setting.by}'")
    rows = warehouse.query(table.select("country", "month", *names))
    return rows.assign(month=pd.to_datetime(rows["month"]))


def _scaled(values: pd.Series, name: str, unit: str, title: str) -> tuple[Term, pd.Series]:
    """A regressor divided so that 1 is a step that can be told."""
    values = values.astype(float)
    title = title or name.replace("_", " ")
    is_share = unit == "share" or (not unit and name.endswith(("_share", "_rate")))
    if is_share:
        return Term(f"{name}_points", title, "1 pp more"), values / POINT
    if (values.dropna() > 0).all():
        return Term(f"{name}_tenths", title, "10 % more"), np.log(values) / np.log1p(GROWTH)
    spread = float(values.std())
    return Term(f"{name}_spreads", title, "one standard deviation more"), values / (spread if spread > 0 else 1.0)


def lowered(title: str) -> str:
    """A title inside of a sentence; GMV stays GMV."""
    return title if title[:2].isupper() else f"{title[:1].lower()}{title[1:]}"
