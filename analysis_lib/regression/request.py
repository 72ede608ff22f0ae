"""What is asked of a regression, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis_lib.errors import InvalidValue, unknown

#: Kinds of regression.
KINDS = ("ols", "logit", "probit", "poisson", "negative_binomial", "quantile", "iv", "panel", "mixed")

#: Ways to use a panel.
EFFECTS = ("fixed", "random", "between", "first_differences")

#: Ways to measure errors; by default one is chosen by rule.
VARIANCES = ("iid", "HC1", "HC3", "CRV1", "CRV3", "wild", "HAC", "driscoll_kraay", "model")

#: Kinds that are linear in the outcome, whose coefficients come from cross-products.
LINEAR = ("ols", "iv", "panel")

#: Which errors a kind has beside those that all have (HC1, CRV1).
_EXTRA = {
    "ols": ("iid", "HC3", "CRV3", "wild", "HAC", "driscoll_kraay"),
    "panel": ("iid", "HC3", "CRV3", "wild", "HAC", "driscoll_kraay"),
    "iv": ("iid", "CRV3", "HAC", "driscoll_kraay"),
    "logit": ("iid", "CRV3", "HAC", "driscoll_kraay"),
    "probit": ("iid", "CRV3", "HAC", "driscoll_kraay"),
    "poisson": ("iid", "CRV3", "HAC", "driscoll_kraay"),
    "negative_binomial": ("iid", "CRV3"),
    "quantile": (),
}


@dataclass(frozen=True, slots=True)
class Request:
    """A regression as asked for; the fields are the arguments of ``fit``."""

    formula: str
    kind: str
    fixed_effects: tuple[str, ...]
    cluster: tuple[str, ...]
    weights: str | None
    variance: str | None
    endogenous: tuple[str, ...]
    instruments: tuple[str, ...]
    unit: str | None
    time: str | None
    effects: str
    quantile: float
    lags: int | None
    assigned: str | None
    level: float
    seed: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns used beside those of the formula."""
        single = [name for name in (self.weights, self.unit, self.time, self.assigned) if name is not None]
        return tuple(dict.fromkeys([*self.fixed_effects, *self.cluster, *self.endogenous, *self.instruments, *single]))


def names_of(given: str | Sequence[str] | None) -> tuple[str, ...]:
    """One name, several or none, as a tuple."""
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def checked(request: Request) -> Request:
    """The request, if it makes sense.

    Raises
    ------
    UnknownName
        A kind, a way to use a panel or a variance that is not known.
    InvalidValue
        Arguments that do not go together, or a number outside of its range.
    """
    for word, given, known in (
        ("kind", request.kind, KINDS), ("effects", request.effects, EFFECTS), ("variance", request.variance, VARIANCES)
    ):  # fmt: skip
        if given is not None and given not in known:
            raise unknown(word, given, known, "what `regression.fit` knows")
    if "~" not in request.formula or "|" in request.formula:
        raise InvalidValue(
            f"formula '{request.formula}': outcome ~ regressors is needed; fixed effects are given as "
            "fixed_effects=[…], instruments as instruments=[…]"
        )
    for name, value in (("level", request.level), ("quantile", request.quantile)):
        if not 0 < value < 1:
            raise InvalidValue(f"{name}={value}: a share between 0 and 1 is needed, for example 0.95")
    if len(set(request.cluster)) < len(request.cluster):
        raise InvalidValue(f"cluster={list(request.cluster)} names one column twice")
    if len(request.cluster) > 2:
        raise InvalidValue(f"{len(request.cluster)} cluster columns: one or two are possible; name the coarser ones")
    if request.lags is not None and request.lags < 0:
        raise InvalidValue(f"lags={request.lags}: 0 or more are needed; leave it out for the rule of thumb")
    _check_kind(request)
    _check_variance(request)
    return request


def _check_kind(request: Request) -> None:
    kind = request.kind
    if kind == "iv" and len(request.instruments) < max(len(request.endogenous), 1):
        raise InvalidValue(
            f"kind='iv' needs endogenous=[…] and at least as many instruments=[…]; came {len(request.endogenous)} and "
            f"{len(request.instruments)}"
        )
    if kind == "iv" and not request.endogenous:
        raise InvalidValue("kind='iv' needs endogenous=[…]: the regressors that the instruments move")
    if kind != "iv" and (request.instruments or request.endogenous):
        raise InvalidValue(f"kind='{kind}' has no instruments: use kind='iv'")
    if kind in ("panel", "mixed") and request.unit is None:
        raise InvalidValue(f"kind='{kind}' needs unit=: the column that says whose row it is")
    if kind == "panel" and request.effects == "first_differences" and request.time is None:
        raise InvalidValue("effects='first_differences' needs time=: the column of periods")
    if request.fixed_effects and (kind not in ("ols", "iv", "poisson", "panel") or _own_effects(request)):
        raise InvalidValue(
            f"kind='{kind}' takes no fixed_effects: with many levels its coefficients would be wrong (each level's own "
            "is badly known); for few levels write C(name) in the formula, for many take kind='ols' or 'poisson'"
        )
    if request.weights and kind in ("negative_binomial", "quantile", "mixed"):
        raise InvalidValue(f"kind='{kind}' takes no weights; take kind='poisson' or 'ols'")


def _own_effects(request: Request) -> bool:
    return request.kind == "panel" and request.effects in ("random", "between")


def _check_variance(request: Request) -> None:
    variance = request.variance
    if request.kind == "mixed":
        if variance not in (None, "model") or request.cluster:
            raise InvalidValue("kind='mixed' has the variance of its own model: leave out variance and cluster")
        return
    allowed = ("HC1", "CRV1", *_EXTRA[request.kind])
    if variance is not None and variance not in allowed:
        raise InvalidValue(f"variance='{variance}' does not go with kind='{request.kind}'; it has {', '.join(allowed)}")
    if variance in ("CRV1", "CRV3", "wild") and not request.cluster and request.unit is None:
        raise InvalidValue(f"variance='{variance}' needs cluster=: the column in which errors go together")
    if variance in ("HAC", "driscoll_kraay") and request.time is None:
        raise InvalidValue(f"variance='{variance}' needs time=: the column of periods")
    if variance == "wild" and len(request.cluster) == 2:
        raise InvalidValue("variance='wild' takes one cluster column; name the one with fewer clusters")
    if variance == "HC3" and (request.fixed_effects or (request.kind == "panel" and request.effects != "between")):
        raise InvalidValue("variance='HC3' goes with no fixed effects: use 'HC1', or cluster")
    if variance in ("HC1", "HC3", "iid", "HAC", "driscoll_kraay") and request.cluster:
        raise InvalidValue(f"variance='{variance}' ignores clusters: leave out cluster=, or use 'CRV1' or 'CRV3'")
