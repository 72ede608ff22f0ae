"""``relations.relate``: from names of metrics to what goes together with one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import metrics, regression
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.relations.cells import Cells, cells_of
from analysis_lib.relations.result import Found, Relation
from analysis_lib.relations.setting import PERIOD, Setting, checked

if TYPE_CHECKING:
    from analysis_lib.warehouse import Warehouse

#: Regressors beside the first that may be left out; more are always kept.
MOST_OPTIONAL = 5

#: A regressor must vary by this part of the step that is told; else the step lies far outside of what was seen.
LEAST_STEP = 0.02

#: Units that are left out one at a time: the largest.
MOST_LEFT_OUT = 12


def relate(
    warehouse: Warehouse, outcome: str, regressors: Iterable[str], *, by: str = "country", grain: str = "week",
    fixed_effects: Iterable[str] | None = None, start: str | None = None, end: str | None = None,
    currency: str = "usd", as_of: str | None = None, matters: float = 0.02, level: float = 0.95,
) -> Relation:  # fmt: skip
    """How a metric differs with others, unit against itself and period against period.

    Parameters
    ----------
    warehouse : Warehouse
        An open source with marts.
    outcome : str
        A metric of 0 or more; its relative differences are told (in logarithms; by a Poisson regression if some
        cells are 0).
    regressors : iterable of str
        Metrics, or columns of country_factors. The answer is about the first; the others are held alike. Amounts are
        told per 10 % more, shares per percentage point.
    by : str
        Dimension whose values are compared: ``country``, ``category``, ``store_id``, …
    grain : str
        ``day``, ``week`` or ``month``.
    fixed_effects : iterable of str, optional
        ``by`` (each unit against itself) and ``period`` (what all share is taken out); by default both.
    start, end : ISO text, optional
        Market-local days.
    currency : str
        ``usd``, ``constant_usd`` or ``local``.
    as_of : ISO text, optional
        UTC: only what was known by then.
    matters : float
        Relative difference of the outcome from which on it is worth a look.
    level : float
        Level of all intervals.

    Returns
    -------
    Relation
        ``.decision``, ``.text``, ``.table``, ``.exhibit(name)``, ``.plot()``; where nothing can be told, the reason.

    Raises
    ------
    UnknownName
        A metric, factor or dimension that does not exist; the message names the nearest.
    InvalidValue
        A setting that makes no sense.
    SourceError, ContractError
        The source cannot be read.
    """
    registry = metrics.load_metrics(warehouse.project)
    effects = (by, PERIOD) if fixed_effects is None else tuple(fixed_effects)
    setting = checked(Setting(registry.get(outcome), tuple(regressors), by, grain, effects, matters, level))
    cells = cells_of(warehouse, setting, start=start, end=end, currency=currency, as_of=as_of)
    try:
        return Relation(setting, cells, _found(cells, setting), "")
    except NotEnoughData as lack:
        reason = str(lack)
        for term in cells.terms:
            reason = reason.replace(term.name, term.title)
        return Relation(setting, cells, None, reason)


def _found(cells: Cells, setting: Setting) -> Found:
    """The regression and what may speak against it."""
    frame = cells.frame.dropna(subset=["outcome"]).reset_index(drop=True)
    if not len(frame):
        raise NotEnoughData(f"{setting.outcome.name} is known in no cell")
    names = _varying(frame, cells, setting)
    given = _given(frame, setting, cells.is_positive)
    left = "log(outcome)" if cells.is_positive else "outcome"
    formula = f"{left} ~ {' + '.join(names)}"
    fit = regression.fit(formula, frame, fixed_effects=setting.fixed_effects, **given)
    if names[0] not in fit.solved.sample.names:
        raise NotEnoughData(f"{cells.terms[0].title} does not vary beside what is held alike; ask with less of that")
    raw = regression.fit(formula, frame, fixed_effects=(), **given)
    alone = regression.fit(f"{left} ~ {names[0]}", frame, fixed_effects=setting.fixed_effects, **given)
    curve = _curve(left, names, frame, setting, given)
    return Found(
        fit=fit, others={"nothing held alike": raw, "alone": alone, "all": fit}, curve=curve,
        influence=_influence(fit, names[0], setting), diagnosis=_diagnosis(fit, setting),
    )  # fmt: skip


def _varying(frame, cells: Cells, setting: Setting) -> list[str]:
    """Terms that move beside what is held alike, the first among them.

    Raises
    ------
    NotEnoughData
        The first hardly does.
    """
    import pandas as pd

    from analysis_lib.regression.collinear import demeaned

    names = [term.name for term in cells.terms]
    whole = frame.dropna(subset=names)
    if not len(whole):
        raise NotEnoughData("no cell has all regressors")
    codes = np.array([pd.factorize(whole[name])[0] for name in setting.fixed_effects], dtype=int)
    codes = codes.reshape(len(setting.fixed_effects), len(whole)).T
    own = demeaned(whole[names].to_numpy(dtype=float), codes, np.ones(len(whole))).std(axis=0)
    if own[0] < LEAST_STEP:
        first = cells.terms[0]
        raise NotEnoughData(
            f"{first.title} hardly varies beside what is held alike (by {own[0]:.1g} of '{first.more}'); hold "
            "less alike, with fixed_effects=, or ask for what differs more"
        )
    return [name for name, size in zip(names, own, strict=True) if size >= LEAST_STEP]


def _given(frame, setting: Setting, is_positive: bool) -> dict[str, object]:
    """Arguments that all regressions share: few units are left to errors over time."""
    n_units = frame[setting.by].nunique()
    given: dict[str, object] = {"kind": "ols" if is_positive else "poisson", "level": setting.level}
    return given | ({"cluster": setting.by} if n_units >= 6 else {"unit": setting.by, "time": PERIOD})


def _curve(left: str, names: list[str], frame, setting: Setting, given: dict[str, object]):
    always = [names[0], *names[1 + MOST_OPTIONAL :]]
    sets = dict.fromkeys([(), tuple(setting.fixed_effects), *((name,) for name in setting.fixed_effects)])
    middle = frame[PERIOD].sort_values().iloc[len(frame) // 2]
    halves: dict[str, np.ndarray] = {
        "first half": (frame[PERIOD] < middle).to_numpy(), "second half": (frame[PERIOD] >= middle).to_numpy()
    }  # fmt: skip
    return regression.specification_curve(
        f"{left} ~ {' + '.join(always)}", frame, term=names[0], controls=names[1 : 1 + MOST_OPTIONAL],
        fixed_effects=list(sets), samples=halves, **given,
    )  # fmt: skip


def _influence(fit: regression.Fit, term: str, setting: Setting) -> regression.Check | None:
    """The first coefficient without each of the largest units."""
    frame = fit.frame
    largest = frame.groupby(setting.by)["outcome"].sum().nlargest(MOST_LEFT_OUT).index
    kept = frame[setting.by].where(frame[setting.by].isin(largest), "all others")
    marked = replace(fit, frame=frame.assign(left_out=kept))
    try:
        return regression.influence(marked, term, "left_out", keep=("all others",))
    except (NotEnoughData, InvalidValue):
        return None


def _diagnosis(fit: regression.Fit, setting: Setting) -> regression.Diagnosis:
    request = replace(fit.request, unit=setting.by, time=PERIOD)
    from analysis_lib.regression.fitting import fit_request

    try:
        timed = replace(fit_request(request, fit.frame), errors=fit.errors)
    except NotEnoughData:
        timed = fit
    return regression.diagnose(timed, groups=False)
