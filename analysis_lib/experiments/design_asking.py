"""What is asked of a design, checked before anything is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.experiments.design_power import LOOKS, WEEK
from analysis_lib.experiments.plan import ASSUMED_MARGIN
from analysis_lib.experiments.trial import CONTROL
from analysis_lib.metrics.units import UNITS, unit_of

if TYPE_CHECKING:
    from analysis_lib.metrics import Metric, Registry

#: Longest horizon in days, unless another is asked for.
HORIZON = 56

#: Smallest share of the units that an arm may get.
_SMALLEST_SHARE = 0.001


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is asked of a design.

    Attributes
    ----------
    metric : Metric
        The metric that is to decide.
    mde, days : float | None, int | None
        Wanted effect as a share, or wanted length; at most one of them.
    population : float | None
        Up to 1: share of the units that take part; above: their largest number.
    by : str
        Dimension of segments; empty: none.
    where : dict
        Values that dimensions of the marts may have.
    alpha, power : float
        Two-sided error of all arms together; chance to find the effect.
    arms : dict of str to float
        Share of each, control first.
    unit : str
        What is randomised.
    sequential : str
        How it may be looked at early.
    cuped_days : int
        Days beforehand that values are adjusted for; 0: none.
    guardrails : dict of str to float
        Margins as shares, by metric.
    start : date | None
        Planned first day; None: the day after the data end.
    horizon : int
        Longest length that is considered, in days.
    currency : str
        usd or constant_usd.
    period : int | None
        Days of a period of a switchback; None: the best.
    carry_over : float
        Days after a switch in which the arm before is still felt.
    """

    metric: Metric
    mde: float | None
    days: int | None
    population: float | None
    by: str
    where: dict[str, Any]
    alpha: float
    power: float
    arms: dict[str, float]
    unit: str
    sequential: str
    cuped_days: int
    guardrails: dict[str, float]
    start: date | None
    horizon: int
    currency: str
    period: int | None
    carry_over: float

    @property
    def shares(self) -> list[float]:
        """Shares of the arms, control first."""
        return list(self.arms.values())

    @property
    def variants(self) -> int:
        """Treatments."""
        return len(self.arms) - 1

    @property
    def wanted(self) -> float:
        """The effect to be found: the one asked for, or the smallest that the metrics file calls worth looking for."""
        return self.metric.min_detectable_rel if self.mde is None else self.mde

    def reached(self, n: float) -> float:
        """Units that take part, of those that come."""
        if self.population is None:
            return n
        return n * self.population if self.population <= 1 else min(n, self.population)


def asked_of(registry: Registry, name: str, options: Mapping[str, Any]) -> Asked:
    """What is asked, checked; the options are those of ``experiments.design``.

    Raises
    ------
    UnknownName
        A metric or unit that does not exist.
    InvalidValue
        A value that is not allowed, two that exclude each other, or a metric that cannot be measured by the unit.
    """
    metric, unit = registry.get(name), options["unit"]
    margins = margins_of(registry, options["guardrails"])
    if name in margins:
        raise InvalidValue(f"'{name}' cannot decide and be a guardrail at once.")
    if unit not in UNITS:
        raise unknown("unit", str(unit), UNITS, "the units of randomisation")
    unit_of(registry, [registry.get(one) for one in (name, *margins)], unit)
    _check_numbers(options)
    _check_unit(options)
    kept = ("mde", "days", "population", "alpha", "power", "unit", "sequential", "cuped_days", "currency", "period",
            "carry_over")  # fmt: skip
    return Asked(
        metric=metric, by=_dimension(options["by"]), where=dict(options["where"] or {}), guardrails=margins,
        arms=arms_of(options["variants"], options["split"]), start=_day(options["start"]),
        horizon=options["horizon"] or max(HORIZON, options["days"] or 0), **{name: options[name] for name in kept},
    )  # fmt: skip


def arms_of(variants: int, split: Mapping[str, float] | Sequence[float] | None) -> dict[str, float]:
    """Arms with their shares, control first.

    Parameters
    ----------
    variants : int
        Treatments.
    split : mapping or sequence of float, optional
        Shares by arm, or of control and of each treatment; by default all the same.

    Raises
    ------
    InvalidValue
        Fewer than one treatment, another number of shares, or shares that do not add up to 1.

    Examples
    --------
    >>> arms_of(1, None), arms_of(2, [0.5, 0.25, 0.25])
    ({'control': 0.5, 'treatment': 0.5}, {'control': 0.5, 'treatment_1': 0.25, 'treatment_2': 0.25})
    """
    if isinstance(variants, bool) or not isinstance(variants, int) or variants < 1:
        raise InvalidValue(f"variants={variants!r}: a whole number of treatments, 1 or more, is needed.")
    names = [CONTROL, *(["treatment"] if variants == 1 else [f"treatment_{k + 1}" for k in range(variants)])]
    if split is None:
        return dict.fromkeys(names, 1 / len(names))
    arms = dict(split) if isinstance(split, Mapping) else dict(zip(names, split, strict=False))
    if len(arms) != len(names) or len(split) != len(names):
        raise InvalidValue(f"split has {len(split)} shares; control and {variants} treatments need {len(names)}.")
    if CONTROL not in arms:
        raise InvalidValue(f"split has the arms {', '.join(arms)}: one of them must be called '{CONTROL}'.")
    if min(arms.values()) < _SMALLEST_SHARE or abs(sum(arms.values()) - 1) > 0.001:
        told = " + ".join(f"{share:g}" for share in arms.values())
        raise InvalidValue(f"split {told} = {sum(arms.values()):g}: positive shares that add up to 1 are needed.")
    return {CONTROL: arms[CONTROL], **{name: share for name, share in arms.items() if name != CONTROL}}


def margins_of(
    registry: Registry, guardrails: Mapping[str, float | None] | Iterable[str] | str | None
) -> dict[str, float]:
    """Margins of guardrails; where none is given, a multiple of the smallest change worth noticing.

    Raises
    ------
    UnknownName
        A metric that does not exist.
    InvalidValue
        A margin that is no share, or a metric that can get no worse.
    """
    given = [guardrails] if isinstance(guardrails, str) else guardrails or {}
    given = given if isinstance(given, Mapping) else dict.fromkeys(given)
    found = {}
    for name, margin in given.items():
        metric = registry.get(name)
        if metric.better == "neither":
            raise InvalidValue(f"guardrail '{name}' can get no worse: neither more nor less of it is better.")
        found[name] = ASSUMED_MARGIN * metric.min_detectable_rel if margin is None else margin
        _between("margin of " + name, found[name], 0, 1)
    return found


def _check_numbers(options: Mapping[str, Any]) -> None:
    mde, days, population = options["mde"], options["days"], options["population"]
    if mde is not None and days is not None:
        raise InvalidValue("give mde (days are asked) or days (the effect is asked), not both.")
    for name, low, high in (("mde", 0, 1), ("alpha", 0, 0.5), ("power", 0.5, 1)):
        if options[name] is not None:
            _between(name, options[name], low, high)
    for name, least in (("days", WEEK), ("horizon", WEEK), ("cuped_days", 0), ("period", 1)):
        value = options[name]
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            raise InvalidValue(f"{name}={value!r}: a whole number of days, {least} or more, is needed.")
    if days is not None and options["horizon"] is not None and days > options["horizon"]:
        raise InvalidValue(f"days={days} lie beyond the horizon of {options['horizon']} days: choose a longer one.")
    if population is not None and not population > 0:
        raise InvalidValue(f"population={population!r}: a share up to 1, or a number of units, is needed.")
    if options["sequential"] not in LOOKS:
        raise unknown("sequential", str(options["sequential"]), LOOKS, "the ways to look early")


def _between(name: str, value: float, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low < value < high:
        raise InvalidValue(f"{name}={value!r}: a number between {low} and {high} is needed, for example 0.02."
                           if name not in ("power", "alpha") else
                           f"{name}={value!r}: a number between {low} and {high} is needed.")  # fmt: skip


def _check_unit(options: Mapping[str, Any]) -> None:
    """What fits markets that are switched, and what does not."""
    if options["unit"] == "market":
        if options["population"] is not None or options["by"]:
            raise InvalidValue("markets are switched as a whole: leave out population and by, or name them in where.")
        if not 0 <= options["carry_over"] < (options["period"] or 1):
            raise InvalidValue(
                f"carry_over={options['carry_over']!r}: days from 0 to below a period's"
                f" ({options['period'] or 1}) are needed."
            )
    elif options["period"] is not None:
        raise InvalidValue(f"period is for markets that are switched (unit='market'), not for {options['unit']}s.")


def _dimension(by: Iterable[str] | str) -> str:
    names = [by] if isinstance(by, str) else list(by)
    names = [name for name in names if name]
    if len(names) > 1:
        raise InvalidValue(f"by={', '.join(names)}: segments of one dimension at a time.")
    return names[0] if names else ""


def _day(start: date | str | None) -> date | None:
    if start is None or isinstance(start, date):
        return start
    try:
        return date.fromisoformat(start)
    except (TypeError, ValueError) as error:
        raise InvalidValue(f"start={start!r}: a day such as 2026-11-02 is needed.") from error
