"""A pre-analysis plan: what will decide, written down before anybody can see what it would say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from analysis_lib import config
from analysis_lib.errors import InvalidValue
from analysis_lib.experiments.trial import Trial
from analysis_lib.metrics import Registry

#: Where plans are kept, below the data folder: one file per experiment.
FOLDER = "plans"

#: Without a plan a guardrail may get worse by this many times the smallest change worth noticing.
ASSUMED_MARGIN = 2.0

#: A planned share and one of the data differ when they are further apart than this.
_SHARE = 0.005


class Plan(BaseModel):
    """What was decided before the start.

    Attributes
    ----------
    experiment, title, hypothesis : str
        Which test, and what is expected of it.
    written_on : date
        When it was written; a plan from after the start binds nobody.
    unit, control : str
        What is randomised, and the arm that others are compared with.
    arms : dict of str to float
        Share of each.
    days : int
        Planned length.
    success : list of str
        Metrics of which one must get better.
    guardrails : dict of str to float
        Metrics that must not get worse by more than this share of control.
    smallest : float
        Smallest relative effect on a success metric that is worth shipping for.
    alpha, power : float
        Two-sided error of all success metrics and arms together; chance to find ``smallest``.
    looks : str
        How it may be looked at early: ``fixed`` (not at all), ``hybrid`` (stopped early for harm only),
        ``group_sequential`` or ``confidence_sequence`` (stopped early for success, too).
    look_days : int
        Days between looks.
    late_days_decide : bool
        Whether an effect counts for what is left of it late: the first success metric is judged by the days from about
        the middle of a unit's time in the test on.
    segments : list of str
        Dimensions by which effects may differ.
    covariate_days : int
        Days beforehand over which covariates are measured; 0: none.
    units : int | None
        Planned units of all arms together.
    phases : dict
        Share of each arm by phase, where a ramp is planned.
    owner : str
        Who decides.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    experiment: str
    title: str = ""
    hypothesis: str = ""
    written_on: date | None = None
    unit: Literal["user", "session", "creator", "merchant", "market"] = "user"
    control: str = "control"
    arms: dict[str, float] = Field(min_length=2)
    days: int = Field(ge=1)
    success: list[str] = Field(min_length=1)
    guardrails: dict[str, float] = {}
    smallest: float = Field(gt=0, lt=1)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    power: float = Field(default=0.8, gt=0, lt=1)
    looks: Literal["fixed", "hybrid", "group_sequential", "confidence_sequence"] = "hybrid"
    look_days: int = Field(default=7, ge=1)
    late_days_decide: bool = False
    segments: list[str] = ["country", "platform"]
    covariate_days: int = Field(default=28, ge=0)
    units: int | None = Field(default=None, ge=1)
    phases: dict[str, dict[str, float]] = {}
    owner: str = ""

    @model_validator(mode="after")
    def _fits_together(self) -> Plan:
        if self.control not in self.arms:
            raise ValueError(f"control '{self.control}' is not among the arms {', '.join(self.arms)}")
        for name, shares in (("arms", self.arms), *((f"phase {phase}", own) for phase, own in self.phases.items())):
            if min(shares.values()) < 0 or abs(sum(shares.values()) - 1) > 0.001:
                raise ValueError(f"shares of {name} must add up to 1, not {sum(shares.values()):g}")
        wrong = [f"{name} {margin:g}" for name, margin in self.guardrails.items() if not 0 < margin < 1]
        if wrong:
            raise ValueError(f"a guardrail's margin is a share between 0 and 1, not {', '.join(wrong)}")
        both = sorted(set(self.success) & set(self.guardrails))
        if both:
            raise ValueError(f"{', '.join(both)} cannot be a success metric and a guardrail at once")
        return self

    @property
    def level(self) -> float:
        """Level of two-sided intervals."""
        return 1 - self.alpha

    @property
    def treatments(self) -> list[str]:
        """Arms that are not control."""
        return [name for name in self.arms if name != self.control]

    @property
    def metrics(self) -> list[str]:
        """Success metrics and guardrails."""
        return [*self.success, *self.guardrails]

    def to_yaml(self) -> str:
        """The plan as a file: what ``load_plan`` reads again."""
        written = self.model_dump(mode="json", exclude_defaults=True)
        return yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=100)

    def save(self, *, project: config.Project | None = None) -> Path:
        """Write the plan to ``data/plans/<experiment>.yml``; one that is there is not written over.

        Raises
        ------
        InvalidValue
            There is a plan already, and it says something else.
        """
        path = plan_path(self.experiment, project)
        if path.exists() and load_plan(self.experiment, project=project) != self:
            raise InvalidValue(
                f"{path.name} holds another plan of '{self.experiment}': a plan is not changed, delete it."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.to_yaml(), encoding="utf-8")
        return path


def plan_path(experiment: str, project: config.Project | None = None) -> Path:
    """Where the plan of an experiment is kept."""
    return (project or config.project()).data / FOLDER / f"{experiment}.yml"


def load_plan(experiment: str, *, project: config.Project | None = None) -> Plan | None:
    """The plan of an experiment; None if none was written.

    Raises
    ------
    InvalidValue
        The file is not a plan.
    """
    path = plan_path(experiment, project)
    return read_plan(path) if path.exists() else None


def read_plan(path: Path | str) -> Plan:
    """A plan from a file.

    Raises
    ------
    InvalidValue
        There is no such file, or it is not a plan; the message says in which field.
    """
    path = Path(path)
    try:
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidValue(f"plan {path.name} cannot be read: {error}") from error
    return plan_of(held, path.name)


def plan_of(held: Any, name: str) -> Plan:
    """A plan from what a file holds.

    Raises
    ------
    InvalidValue
        As ``read_plan``.
    """
    if not isinstance(held, dict):
        raise InvalidValue(f"plan {name} must be a mapping of fields, not {type(held).__name__}.")
    try:
        return Plan.model_validate(held)
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'plan'}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        )
        raise InvalidValue(f"plan {name}: {told}.") from error


def assumed_plan(trial: Trial, registry: Registry) -> Plan:
    """What is taken where no plan was written: the experiment's own metrics, the margins of the metrics file.

    Raises
    ------
    InvalidValue
        The experiment names no metric that decides.
    UnknownName
        It names one that is not in the metrics file.
    """
    if not trial.primary:
        raise InvalidValue(
            f"'{trial.experiment_id}' names no metric that decides: give a plan"
            f" (data/{FOLDER}/{trial.experiment_id}.yml)."
        )
    margins = {name: ASSUMED_MARGIN * registry.get(name).min_detectable_rel for name in trial.guardrails}
    return Plan(
        experiment=trial.experiment_id, title=trial.name, hypothesis=trial.hypothesis, unit=trial.unit,
        control=trial.control, arms=_normed(trial.arms), days=max(trial.days, 1), success=[trial.primary],
        guardrails=margins, smallest=registry.get(trial.primary).min_detectable_rel,
    )  # fmt: skip


def _normed(shares: dict[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {name: round(share / total, 12) for name, share in shares.items()}


def hold_to(plan: Plan, trial: Trial, registry: Registry) -> None:
    """Make sure that a plan is about the experiment that the data hold.

    Raises
    ------
    InvalidValue
        It contradicts the data; every contradiction is named.
    UnknownName
        It names a metric that is not in the metrics file.
    """
    for name in plan.metrics:
        registry.get(name)
    told = list(_contradictions(plan, trial, registry))
    if told:
        raise InvalidValue(f"the plan of '{plan.experiment}' contradicts the data: {'; '.join(told)}.")


def _contradictions(plan: Plan, trial: Trial, registry: Registry) -> Iterable[str]:
    if plan.experiment != trial.experiment_id:
        yield f"it is the plan of '{plan.experiment}', and '{trial.experiment_id}' is read"
    if plan.unit != trial.unit:
        yield f"it randomises by {plan.unit}, the data by {trial.unit}"
    arms = _normed(trial.arms)
    if set(plan.arms) != set(arms):
        yield f"its arms are {', '.join(plan.arms)}, those of the data {', '.join(arms)}"
    else:
        for name, share in _normed(dict(plan.arms)).items():
            if abs(share - arms[name]) > _SHARE:
                yield f"it plans {share:.0%} of units for {name}, the data {arms[name]:.0%}"
    if trial.primary and trial.primary not in plan.success:
        yield f"it decides by {', '.join(plan.success)}, the data by {trial.primary}"
    for name in plan.guardrails:
        if registry.get(name).better == "neither":
            yield f"guardrail {name} can get no worse: neither more nor less of it is better"
