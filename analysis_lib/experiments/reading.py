"""``experiments.read``: from the name of an experiment to its readout."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.experiments.belief import learn_prior
from analysis_lib.experiments.gathering import gather
from analysis_lib.experiments.judging import judge
from analysis_lib.experiments.past import past_effects
from analysis_lib.experiments.plan import Plan, assumed_plan, hold_to, load_plan, read_plan
from analysis_lib.experiments.readout import Readout
from analysis_lib.experiments.trial import Trial, find_trial
from analysis_lib.metrics import load_metrics
from analysis_lib.metrics.asking import instant
from analysis_lib.metrics.preparing import OWN

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse

#: Dimensions of exposed units by which effects may be cut.
SEGMENTS = ("country", "platform", "phase")


def read(
    warehouse: Warehouse,
    experiment_id: str,
    *,
    metrics: Iterable[str] | str = (),
    by: Iterable[str] | str | None = None,
    level: float | None = None,
    covariates: Iterable[str] | str = OWN,
    as_of: datetime | str | None = None,
    plan: Plan | Path | str | None = None,
    control: str | None = None,
    currency: str = "usd",
) -> Readout:
    """Read an experiment: its health, its effects, and what to do.

    Parameters
    ----------
    warehouse : Warehouse
        An open source with marts.
    experiment_id : str
        One of its experiments.
    metrics : iterable of str, optional
        Metrics to explore, beside those that the plan decides by.
    by : iterable of str, optional
        Dimensions by which effects may differ, among ``SEGMENTS``; by default those of the plan.
    level : float, optional
        Level of all intervals; by default, and with a plan always, one less the plan's error.
    covariates : iterable of str, or ``"own"``
        Metrics measured before the exposure that values are adjusted for; ``"own"``: each for itself; empty: none.
    as_of : datetime or ISO text, optional
        UTC: read what had happened by the last day that was over then, as it is known today.
    plan : Plan or path, optional
        What was decided before; by default ``data/plans/<experiment>.yml``, or else what the experiment itself names.
    control : str, optional
        The arm that others are compared with, where none is called so.
    currency : {"usd", "constant_usd"}
        Money of the answer.

    Returns
    -------
    Readout
        ``.decision``, ``.text``, ``.to_frame()``, ``.exhibit(name)``, ``.plot()``.

    Raises
    ------
    UnknownName
        An experiment, metric, dimension or arm that does not exist; the message names the nearest.
    InvalidValue
        One arm only, a plan that contradicts the data or this call, or a metric that cannot be tested at the unit that
        was randomised, with the reason.
    NotEnoughData
        Nobody was exposed.
    SourceError, ContractError
        The source cannot be read, or lacks what is needed.

    Examples
    --------
    >>> readout = experiments.read(wh, "one_page_checkout")  # doctest: +SKIP
    >>> readout.decision.action  # doctest: +SKIP
    'Ship'
    """
    moment = instant(as_of)
    trial = find_trial(warehouse, experiment_id, control=control)
    held, is_planned = _plan(warehouse, trial, plan)
    _check_level(held, level, is_planned)
    explored = (metrics,) if isinstance(metrics, str) else tuple(metrics)
    evidence = gather(
        warehouse, trial, held, list(dict.fromkeys([*held.metrics, *explored])), by=_dimensions(held, by),
        covariates=covariates, as_of=moment, currency=currency,
    )  # fmt: skip
    prior = learn_prior([past.effect for past in past_effects(warehouse, trial, as_of=moment)])
    return judge(evidence, level=level or held.level, prior=prior, is_planned=is_planned)


def _plan(warehouse: Warehouse, trial: Trial, plan: Plan | Path | str | None) -> tuple[Plan, bool]:
    """The plan that binds, and whether it was written before the start."""
    registry = load_metrics(warehouse.project)
    if plan is None:
        found = load_plan(trial.experiment_id, project=warehouse.project)
    else:
        found = plan if isinstance(plan, Plan) else read_plan(plan)
    if found is None:
        return assumed_plan(trial, registry), False
    hold_to(found, trial, registry)
    return found, found.written_on is None or found.written_on <= trial.starts_at.date()


def _check_level(plan: Plan, level: float | None, is_planned: bool) -> None:
    if level is None:
        return
    if not 0.5 <= level < 1:
        raise InvalidValue(f"level={level}: a share from 0.5 to below 1 is needed, for example 0.95.")
    if is_planned and abs(level - plan.level) > 1e-9:
        raise InvalidValue(f"level={level}: the plan of '{plan.experiment}' says {plan.level:g}; leave it out.")


def _dimensions(plan: Plan, by: Iterable[str] | str | None) -> tuple[str, ...]:
    chosen = plan.segments if by is None else ((by,) if isinstance(by, str) else by)
    for name in chosen:
        if name not in SEGMENTS:
            raise unknown("dimension", name, SEGMENTS, "what exposed units can be cut by")
    return tuple(dict.fromkeys(chosen))
