"""An experiment as it was planned: arms, unit, days, the metrics that decide."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import ContractError, InvalidValue, unknown

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: The arm that the others are compared with, unless it is named otherwise.
CONTROL = "control"

#: Columns that a source must have; ``hypothesis``, ``primary_metric`` and ``guardrails`` it may leave out.
NEEDED = ("experiment_id", "name", "unit", "variant", "planned_share", "starts_at", "ends_at")


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What was planned.

    Attributes
    ----------
    experiment_id, name, hypothesis : str
        What it is called, and what was expected.
    unit : str
        What was randomised: user, session, creator, merchant, market.
    arms : dict of str to float
        Planned share of each, control first.
    control : str
        The arm that the others are compared with.
    primary : str
        Metric that decides; empty where none is named.
    guardrails : tuple of str
        Metrics that must not get worse.
    starts_at, ends_at : datetime | None
        UTC; without an end while it runs.
    """

    experiment_id: str
    name: str
    hypothesis: str
    unit: str
    arms: dict[str, float]
    control: str
    primary: str
    guardrails: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime | None

    @property
    def treatments(self) -> list[str]:
        """Arms that are not control."""
        return [name for name in self.arms if name != self.control]

    @property
    def days(self) -> int:
        """Planned length; 0 while it is open."""
        return 0 if self.ends_at is None else max(1, round((self.ends_at - self.starts_at).total_seconds() / 86_400))


def find_trial(warehouse: Warehouse, experiment_id: str, *, control: str | None = None) -> Trial:
    """An experiment of a source.

    Parameters
    ----------
    control : str, optional
        Name of the arm that the others are compared with; by default ``control``, or the only arm whose name begins so.

    Raises
    ------
    UnknownName
        There is no such experiment, or it has no such arm; the message names the nearest.
    InvalidValue
        It has one arm only, or none can be told to be the control.
    ContractError
        The source has no experiments.
    """
    rows = _rows(warehouse, experiment_id)
    return _trial(rows, _control(list(rows["variant"]), experiment_id, control))


def all_trials(warehouse: Warehouse) -> list[Trial]:
    """Every experiment of a source whose arms can be compared, in the order of their start.

    One with a single arm, or with none that can be told to be the control, is left out: reading it says why.

    Raises
    ------
    ContractError
        The source has no experiments.
    """
    rows = _rows(warehouse, None)
    found = []
    for name, own in rows.groupby("experiment_id", sort=False):
        try:
            control = _control(list(own["variant"]), str(name), None)
        except InvalidValue:
            continue
        found.append(_trial(own, control))
    return sorted(found, key=lambda trial: (trial.starts_at, trial.experiment_id))


def _rows(warehouse: Warehouse, experiment_id: str | None) -> pd.DataFrame:
    table = warehouse.table("experiments")
    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        raise ContractError(f"source '{warehouse.name}': experiments lacks {', '.join(missing)}.")
    if experiment_id is not None:
        table = table.filter(table.experiment_id == experiment_id)
    rows = warehouse.query(table)
    if rows.empty and experiment_id is not None:
        known = warehouse.values("experiments", "experiment_id")
        raise unknown("experiment", experiment_id, known, f"the experiments of source '{warehouse.name}'")
    return rows


def _control(arms: list[str], experiment_id: str, wanted: str | None) -> str:
    if len(arms) < 2:
        raise InvalidValue(f"'{experiment_id}' has one arm only ({arms[0]}): there is nothing to compare it with.")
    if wanted is not None:
        if wanted not in arms:
            raise unknown("arm", wanted, arms, f"experiment '{experiment_id}'")
        return wanted
    found = [arm for arm in arms if arm.lower().startswith(CONTROL)]
    if len(found) != 1:
        raise InvalidValue(
            f"'{experiment_id}' has the arms {', '.join(arms)}: name the one to compare with, as control='{arms[0]}'."
        )
    return found[0]


def _trial(rows: pd.DataFrame, control: str) -> Trial:
    first = rows.iloc[0]
    shares = dict(zip(rows["variant"], rows["planned_share"].astype(float), strict=True))
    ends = rows["ends_at"].max() if rows["ends_at"].notna().all() else None
    return Trial(
        experiment_id=str(first["experiment_id"]), name=str(first["name"]),
        hypothesis=str(_given(first, "hypothesis") or ""), unit=str(first["unit"]),
        arms={control: shares[control], **{arm: share for arm, share in shares.items() if arm != control}},
        control=control, primary=str(_given(first, "primary_metric") or ""),
        guardrails=_listed(_given(first, "guardrails")), starts_at=rows["starts_at"].min().to_pydatetime(),
        ends_at=None if ends is None else ends.to_pydatetime(),
    )  # fmt: skip


def _given(row: Any, name: str) -> Any:
    value = row[name] if name in row.index else None
    return None if value is None or (isinstance(value, float) and value != value) else value


def _listed(value: Any) -> tuple[str, ...]:
    """A list, as JSON text or as the engine gives it."""
    if value is None:
        return ()
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise InvalidValue(f"guardrails must be a list of metrics, not {value!r}.") from error
    return tuple(str(name) for name in value) if isinstance(value, Iterable) else ()
