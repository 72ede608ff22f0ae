"""``countries.effects_across``: how an effect differs with what markets are like, and who should get it next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.countries.effects_cells import (
    PRICED,
    Base,
    Moderator,
    Read,
    base_of,
    effects_by_market,
    factor_by_market,
    moderator_of,
)
from analysis_lib.countries.effects_result import EffectsAcross
from analysis_lib.countries.meta_regression import Drawn, MetaRegression, meta_regression
from analysis_lib.errors import InvalidValue, NotEnoughData, check_level, unknown

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.warehouse import Warehouse

#: Fewer markets give no slope, and fewer still not even a spread.
FEWEST_FOR_SLOPE, FEWEST = 4, 3


def effects_across(
    wh: Warehouse, readout: Read, *, variant: str = "", metric: str = "", factor: str = "", live: Sequence[str] = (),
    level: float = 0.95,
) -> EffectsAcross:  # fmt: skip
    """How an experiment's effect differs between markets, and which market should get the change next.

    The effects are those that ``experiments.read`` found in each market, as logarithms of the ratio to control. They
    are laid against one factor that is fixed before they are looked at: the one that is named, or the one that a
    printed rule sets for the metric. Each market that ran the experiment is drawn to the line by how little it says
    itself; for each that did not the line says what to expect, with an interval for how far markets lie from lines. In
    money that is the effect times the sales a month of those who would meet it, for metrics that sales go with.

    A factor that goes with the effect need not be why the effect differs: markets differ in much else.

    Parameters
    ----------
    wh : Warehouse
        From ``warehouse.connect``.
    readout : experiments.Readout
        From ``experiments.read(wh, name, by="country")``.
    variant : str
        The arm; by default the first that is not control.
    metric : str
        One that was read; by default the one that decides.
    factor : str
        Column of ``country_factors``; ``"none"`` for none; empty for the rule's.
    live : sequence of str
        Markets that have it already: not asked about.
    level : float
        Level of all intervals.

    Returns
    -------
    EffectsAcross

    Raises
    ------
    UnknownName
        No such arm, metric, factor or market.
    InvalidValue
        A level out of range, every market has it already, or the experiment was not read by market.
    ContractError
        The source has no ``country_factors``.
    NotEnoughData
        Fewer than three markets have an effect.
    """
    check_level(level)
    metric, variant = metric or readout.primary, variant or readout.trial.treatments[0]
    found = effects_by_market(readout, metric, variant)
    moderator = moderator_of(wh, metric, factor)
    values = factor_by_market(wh, moderator, readout.evidence.start)
    names = wh.query(wh.table("countries").select("country", "name")).set_index("country")["name"].to_dict()
    for code in live:
        if code not in names:
            raise unknown("market", code, list(names), "table countries")
    base = base_of(readout, list(found["country"])) if metric in PRICED else Base({}, {}, 0.0, 0.0)
    evidence = readout.evidence
    return effects_of(
        found, values, moderator, base, names=names, level=level, experiment=readout.trial.name, variant=variant,
        metric=evidence.metrics[metric], passed=bool(readout.health.passed), source=wh.name,
        live=live, window=(evidence.start, evidence.end), data_end=evidence.data_end,
    )  # fmt: skip


def effects_of(
    found: pd.DataFrame, values: dict[str, float], moderator: Moderator, base: Base, *, names: dict[str, str],
    live: Sequence[str] = (), level: float = 0.95, **told: Any,
) -> EffectsAcross:  # fmt: skip
    """As ``effects_across``, of effects that are known.

    Parameters
    ----------
    found : DataFrame
        country, effect (log ratio), se, n_units.
    values : dict of str to float
        The factor by market, those that did not run it among them.
    names : dict of str to str
        Names of all markets.
    live : sequence of str
        Markets that have it already.
    told : Any
        Other attributes of ``EffectsAcross``.

    Raises
    ------
    NotEnoughData
        Fewer than three markets have an effect and, where one is asked for, a factor.
    """
    left_out = {}
    if moderator.name:
        left_out = {str(code): f"{moderator.title} is not known" for code in names if code not in values}
    tested = found[~found["country"].isin(left_out)].reset_index(drop=True)
    if len(tested) < FEWEST:
        raise NotEnoughData(
            f"{len(tested)} markets have an effect: {FEWEST} are needed to tell how markets differ, and"
            f" {FEWEST_FOR_SLOPE} to tell with what"
        )
    kept = {code: value for code, value in values.items() if code in names}
    refusal = _refusal(moderator, [kept.get(code, np.nan) for code in tested["country"]])
    if not {*tested["country"], *names} - {*left_out, *live}:
        raise InvalidValue("every market has it already: nothing is left to decide")
    others = [code for code in names if code not in left_out and code not in set(found["country"])]
    flat = meta_regression(tested["effect"], tested["se"] ** 2, np.ones((len(tested), 1)), level=level)
    fit, centre = flat, 0.0
    if not refusal:
        scaled = moderator.scaled(np.array([kept[code] for code in tested["country"]]))
        centre = float(scaled.mean())
        fit = meta_regression(tested["effect"], tested["se"] ** 2, _design(scaled, centre), level=level)
    table = _table(tested, others, kept, moderator, base, fit, centre)
    return EffectsAcross(
        table=table.assign(name=table["country"].map(names)), fit=fit, flat=flat, centre=centre, moderator=moderator,
        refusal=refusal, base=base, left_out=left_out, live=tuple(live), level=level, **told,
    )  # fmt: skip


def _refusal(moderator: Moderator, values: list[float]) -> str:
    """Why there is no slope; empty if there is one."""
    if not moderator.name:
        return "none was asked for"
    if len(values) < FEWEST_FOR_SLOPE:
        return f"{len(values)} markets ran it, and a line through fewer than {FEWEST_FOR_SLOPE} says nothing"
    if len(set(values)) < 3:
        return f"{moderator.title} takes fewer than three values where it ran"
    return ""


def _design(scaled: np.ndarray, centre: float) -> np.ndarray:
    return np.column_stack([np.ones(len(scaled)), scaled - centre])


def _table(
    tested: pd.DataFrame, others: list[str], values: dict[str, float], moderator: Moderator, base: Base,
    fit: MetaRegression, centre: float,
) -> pd.DataFrame:  # fmt: skip
    """One row a market, as ``EffectsAcross.table``."""
    import pandas as pd

    codes = [*tested["country"], *others]
    own = np.array([values.get(code, np.nan) for code in codes])
    n = len(tested)
    has_slope = fit.design.shape[1] > 1
    elsewhere = own[n:]
    design = _design(moderator.scaled(elsewhere), centre) if has_slope else np.ones((len(others), 1))
    seen, new = fit.seen(), fit.elsewhere(design)
    both = Drawn(*(np.concatenate([getattr(seen, f), getattr(new, f)]) for f in Drawn.__slots__))
    reach = fit_reach(fit.level) * tested["se"]
    blank = np.full(len(others), np.nan)
    frame = pd.DataFrame({
        "country": codes, "ran": [True] * n + [False] * len(others), "factor": own,
        "beyond": has_slope & ((own < np.nanmin(own[:n])) | (own > np.nanmax(own[:n]))) if has_slope else False,
        "raw": np.concatenate([np.expm1(tested["effect"]), blank]),
        "raw_ci_lower": np.concatenate([np.expm1(tested["effect"] - reach), blank]),
        "raw_ci_upper": np.concatenate([np.expm1(tested["effect"] + reach), blank]),
        "effect": np.expm1(both.value), "effect_ci_lower": np.expm1(both.ci_lower),
        "effect_ci_upper": np.expm1(both.ci_upper), "above_zero": both.above_zero,
    })  # fmt: skip
    return _priced(frame, base, fit.level)


def fit_reach(level: float) -> float:
    """Half the width of a normal interval, in standard errors."""
    from scipy.stats import norm  # slow to import

    return float(norm.ppf(0.5 + level / 2))


def _priced(frame: pd.DataFrame, base: Base, level: float) -> pd.DataFrame:
    """The table with money a month; missing where sales do not go with the metric.

    Each side of the interval joins that of the effect and that of the share of sales, which is known only where the
    experiment ran (the square-and-add rule of Zou and Donner 2008, Statistics in Medicine 27(10)).
    """
    month = frame["country"].map(base.month).astype(float)
    gain = month * frame["effect"]
    unsure = np.where(frame["country"].isin(list(base.share)), 0.0, base.spread) * fit_reach(level) * gain.abs()
    below, above = (month * (frame["effect"] - frame[f"effect_ci_{end}"]).abs() for end in ("lower", "upper"))
    return frame.assign(
        base=month,
        gain=gain,
        gain_ci_lower=gain - np.hypot(below, unsure),
        gain_ci_upper=gain + np.hypot(above, unsure),
    )
