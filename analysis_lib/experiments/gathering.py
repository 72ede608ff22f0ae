"""Measuring an experiment: each mart is read once for the arms and their segments, once for the looks, and so on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from analysis_lib.errors import InvalidValue
from analysis_lib.experiments.arms import ArmMoments
from analysis_lib.experiments.balancing import balanced_quantiles
from analysis_lib.experiments.beside import (
    LONGEST_SPAN,
    MARKET,
    Asked,
    capped_arms,
    caps_of,
    early_and_late,
    looks_of,
    sales_by_market,
    spans_of,
)
from analysis_lib.experiments.covering import covered_days
from analysis_lib.experiments.evidence import Evidence
from analysis_lib.experiments.exposures import Exposures, exposures_of
from analysis_lib.experiments.health import Health, examine
from analysis_lib.experiments.plan import Plan
from analysis_lib.experiments.trial import Trial
from analysis_lib.metrics import (
    Metric,
    Moments,
    load_metrics,
    moments,
    moments_at,
)
from analysis_lib.metrics.asking import last_whole_day
from analysis_lib.metrics.declaration import Quantile, Retention
from analysis_lib.results import format_percent

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse

#: Money per randomised unit, by unit.
MONEY = {"user": "gmv_per_user", "creator": "gmv_per_creator", "merchant": "gmv_per_merchant"}


def gather(
    warehouse: Warehouse,
    trial: Trial,
    plan: Plan,
    names: Sequence[str],
    *,
    by: Iterable[str],
    covariates: Iterable[str] | str,
    as_of: datetime | None,
    currency: str,
) -> Evidence:
    """Measure an experiment.

    Raises
    ------
    UnknownName, InvalidValue, NotEnoughData, SourceError, ContractError
        As ``metrics.moments``: with the reason why a metric cannot be tested so.
    """
    chosen, money = _chosen(warehouse, trial, names)
    first, last = covered_days(warehouse, list(chosen))
    # Read as it stood: what happened by the last day that was over, as it is known today.
    until = None if as_of is None else min(last, last_whole_day(as_of))
    exposures = exposures_of(warehouse, trial, until=until, phases=plan.phases or None)
    pre_days, notes = _pre_days(plan, trial, first)
    shared = {"unit": trial.unit, "experiment": trial.experiment_id, "currency": currency}
    beside = {**shared, "covariates": covariates if pre_days else (), "pre_days": pre_days}
    # Only users have dimensions of their own at the time of the exposure; others have their market.
    cuts = tuple(name for name in dict.fromkeys(by) if trial.unit == "user" or name == "country")
    asked = Asked(trial, plan, chosen, money, cuts, until or last, exposures.is_ramped, shared, beside)
    groups, too_young = _groups(asked)
    found = _measure(warehouse, asked, groups)
    return _evidence(warehouse, asked, exposures, found, notes + too_young + _uncompared(exposures, trial))


def _chosen(warehouse: Warehouse, trial: Trial, names: Sequence[str]) -> tuple[dict[str, Metric], str]:
    """Metrics by name, and the one of money per unit among them."""
    registry = load_metrics(warehouse.project)
    money = MONEY.get(trial.unit, "")
    money = money if money in registry.names else ""
    return {name: registry.get(name) for name in dict.fromkeys([*names, *([money] if money else [])])}, money


def _evidence(
    warehouse: Warehouse, asked: Asked, exposures: Exposures, found: dict, notes: tuple[str, ...]
) -> Evidence:
    """What was measured, with what is measured beside it."""
    main, arms, ends, plan, trial = found["main"], found["arms"], found["ends"], asked.plan, asked.trial
    health = examine(exposures, trial, _beforehand(arms))
    steps = [n for n in plan.metrics if n in arms and ends[n] == main.end and _adds_up(asked.metrics[n])]
    days, spans = looks_of(plan, main.start, main.end), spans_of(main.start, main.end)
    caps = caps_of(warehouse, asked, arms, main.end, ends)
    return Evidence(
        trial=trial, plan=plan, metrics={name: one for name, one in asked.metrics.items() if name in ends},
        start=main.start, end=main.end, data_end=asked.last, health=health, arms=arms, ends=ends,
        immature={name: _immature(health, end) for name, end in ends.items() if end < main.end},
        by_segment={name: found["by_segment"][name] for name in asked.by}, quantiles=found["quantiles"], caps=caps,
        capped=capped_arms(warehouse, asked, caps, main.end), spans=spans,
        looks=moments_at(warehouse, steps, looks=days, by=asked.arms, **asked.beside) if steps else {},
        **early_and_late(warehouse, asked, [name for name in plan.success if name in steps], spans, main.end),
        money=asked.money if asked.money in ends else "", markets=found["by_segment"][MARKET].get(asked.money, {}),
        sales=sales_by_market(warehouse, asked, main), notes=notes,
    )  # fmt: skip


def _pre_days(plan: Plan, trial: Trial, first: date) -> tuple[int, tuple[str, ...]]:
    """Days beforehand that the data hold, of those that are planned."""
    # A market's day may begin on the day before in UTC.
    there = (trial.starts_at.date() - first).days - 1
    if there >= plan.covariate_days:
        return plan.covariate_days, ()
    if there < LONGEST_SPAN:
        return 0, (f"The data begin {max(there, 0)} days before the test: nothing is adjusted for what was before.",)
    return there, (f"The data begin {there} days before the test; {plan.covariate_days} were planned.",)


def _groups(asked: Asked) -> tuple[dict[date | None, list[str]], tuple[str, ...]]:
    """Metrics by the last day on which they are final; None: the end of the test, which the data hold."""
    found: dict[date | None, list[str]] = {}
    trial, last, notes = asked.trial, asked.last, []
    begun = trial.starts_at.date()
    until = last if trial.ends_at is None else min(last, trial.ends_at.date())
    whole = None if until < last else last
    for name, metric in asked.metrics.items():
        final = last - timedelta(days=metric.maturity_days)
        if final >= until:
            found.setdefault(whole, []).append(name)
        elif final > begun:
            found.setdefault(final, []).append(name)
        else:
            ready = begun + timedelta(days=metric.maturity_days + 2)
            notes.append(f"{metric.title} is not final for any of the units before {ready}: it is left out.")
    if whole not in found:
        wanting = ", ".join(asked.metrics)
        raise InvalidValue(
            f"nothing of {wanting} is final at the end of the data ({last}): name a metric that is final at once."
        )
    return found, tuple(notes)


def _measure(warehouse: Warehouse, asked: Asked, groups: dict[date | None, list[str]]) -> dict:
    """Arms, segments and quantiles: one call for each last day, and one for each quantile."""
    found: dict = {"arms": {}, "by_segment": {name: {} for name in asked.cuts}, "quantiles": {}, "ends": {}}
    for end, names in sorted(groups.items(), key=lambda item: item[0] or date.max, reverse=True):
        means = [name for name in names if not isinstance(asked.metrics[name], Quantile)]
        if means:
            _add_means(warehouse, asked, means, end, found)
        for name in (name for name in names if name not in means):
            got = moments(warehouse, name, by=asked.arms, end=end, **asked.shared)
            found["quantiles"][name] = _quantiles(got, asked)
            found["ends"][name] = got.end
            found.setdefault("main", got)
    return found


def _add_means(warehouse: Warehouse, asked: Asked, names: list[str], end: date | None, found: dict) -> None:
    arms = asked.arms
    cuts = [("variant", name) if name == "phase" else (*arms, name) for name in asked.cuts]
    by = dict.fromkeys([*arms, *asked.cuts])
    got = moments(warehouse, names, by=by, cuts=list(dict.fromkeys([tuple(arms), *cuts])), end=end, **asked.beside)
    found.setdefault("main", got)
    for name in names:
        found["arms"][name] = {key[0]: arm for key, arm in asked.of(got, name).items()}
        found["ends"][name] = got.end
        for dimension in asked.cuts:
            found["by_segment"][dimension][name] = asked.of(got, name, dimension)


def _quantiles(got: Moments, asked: Asked) -> dict[str, tuple[float, float, float]]:
    rows = list(got.to_frame().itertuples())
    if not asked.is_ramped:
        return {row.variant: (row.value, row.se, row.n_units) for row in rows}
    cells = {(row.variant, row.phase): (row.value, row.se, row.n_units) for row in rows}
    return balanced_quantiles(cells, list(asked.trial.arms))


def _beforehand(arms: dict[str, dict[str, ArmMoments]]) -> dict[str, dict[str, ArmMoments]]:
    return {
        name: {arm: one.beforehand() for arm, one in own.items()}
        for name, own in arms.items()
        if all(one.has_covariate for one in own.values())
    }


def _adds_up(metric: Metric | None) -> bool:
    return metric is not None and not isinstance(metric, Retention | Quantile)


def _uncompared(exposures: Exposures, trial: Trial) -> tuple[str, ...]:
    """A sentence about units in phases that lack an arm, where arms are compared phase by phase."""
    if not exposures.is_ramped:
        return ()
    n = exposures.counts.pivot_table(index="phase", columns="variant", values="n", aggfunc="sum", fill_value=0)
    lacking = n[(n.reindex(columns=list(trial.arms), fill_value=0) < 1).any(axis=1)]
    if lacking.empty:
        return ()
    share = lacking.to_numpy().sum() / n.to_numpy().sum()
    names = ", ".join(map(str, lacking.index))
    return (f"In phase {names} an arm had no units: {format_percent(share)} of units have nothing to compare with.",)


def _immature(health: Health, end: date) -> float:
    """Share of units exposed too late for a metric to be final."""
    counts = health.counts
    late = counts.loc[counts["exposed_day"].dt.date > end, "n"].sum()
    return float(late / counts["n"].sum())
