"""One matrix: ``regression.fit`` against statsmodels, pyfixest, linearmodels and R."""

from __future__ import annotations

import warnings

import pandas as pd
import pyfixest
import pytest
import statsmodels.formula.api as smf
from linearmodels import IV2SLS, BetweenOLS, FirstDifferenceOLS, PanelOLS, RandomEffects

from analysis_lib import regression

#: Two solvers of the same equations.
CLOSE = 1e-6

EFFECTS = {"none": [], "market": ["market"], "both": ["market", "week"]}
OUTCOME = {"logit": "chosen", "probit": "chosen", "poisson": "count", "negative_binomial": "count"}
TWO = ["market", "week"]
COMBINATION = ("kind", "variance", "effects", "weights")


def ours(panel: pd.DataFrame, kind: str, variance: str, within: str, weights: str, **more) -> pd.DataFrame:
    """Our coefficients by term."""
    cluster = {"CRV1": "market", "CRV3": "market", "two": TWO}.get(variance)
    given = {"kind": kind, "variance": "CRV1" if variance == "two" else variance, "cluster": cluster}
    if kind == "iv":
        given |= {"endogenous": "x", "instruments": ["outside", "other"]}
    if weights == "weighted":
        given["weights"] = "weight"
    formula = f"{OUTCOME.get(kind, 'y')} ~ x + z"
    found = regression.fit(formula, panel, fixed_effects=EFFECTS[within], **(given | more))
    return found.coefficients.set_index("term")


def same(found: pd.DataFrame, values: dict, errors: dict | None, factor: float = 1.0, close: float = CLOSE) -> None:
    """Coefficients and errors of ``x`` and ``z`` agree; ``factor`` is a known difference of small-sample factors."""
    for term in ("x", "z"):
        assert found.loc[term, "value"] == pytest.approx(values[term], rel=close)
        if errors is not None:
            assert found.loc[term, "se"] == pytest.approx(errors[term] * factor**0.5, rel=close)


# statsmodels ----------------------------------------------------------------------------------------------------------

# Not the robust errors of a probit: statsmodels takes the observed second derivative there, R and pyfixest the expected
# one, as ours does.
STATSMODELS = [
    *[("ols", v, e, w) for v in ("iid", "HC1", "HC3", "CRV1") for e in ("none", "market", "both")
      for w in ("plain", "weighted") if not (v in ("HC3", "CRV1") and e != "none")],
    *[(k, v, "none", w) for k in ("logit", "poisson") for v in ("HC1", "CRV1")
      for w in ("plain", "weighted")],
    *[(k, "iid", "none", "plain") for k in ("logit", "probit", "poisson", "negative_binomial")],
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "variance", "effects", "weights"), STATSMODELS, ids=["-".join(case) for case in STATSMODELS]
)
def test_statsmodels(panel, kind, variance, effects, weights):
    import statsmodels.api as sm

    dummies = "".join(f" + C({name})" for name in EFFECTS[effects])
    formula = f"{OUTCOME.get(kind, 'y')} ~ x + z{dummies}"
    weight = panel["weight"] / panel["weight"].mean() if weights == "weighted" else pd.Series(1.0, panel.index)
    markets = pd.factorize(panel["market"])[0]
    given = {"cov_type": {"iid": "nonrobust", "CRV1": "cluster"}.get(variance, variance)}
    if variance == "CRV1":
        given["cov_kwds"] = {"groups": markets}
    n, k, factor = len(panel), 3, 1.0
    if kind == "ols":
        fit = smf.wls(formula, panel, weights=weight).fit(**given)
    elif kind == "negative_binomial":
        fit = smf.negativebinomial(formula, panel).fit(disp=0, method="newton", start_params=[0.5, 0.3, -0.2, 0.5])
    else:
        family = {
            "logit": sm.families.Binomial(), "poisson": sm.families.Poisson(),
            "probit": sm.families.Binomial(sm.families.links.Probit()),
        }[kind]  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # robust errors with weights are declared experimental
            model = smf.glm(formula, panel, family=family, var_weights=weight)
            fit = model.fit(
                **({} if variance == "iid" else given | {"cov_type": "HC0"} if variance == "HC1" else given)
            )
        factor = n / (n - k) if variance == "HC1" else 1.0
    same(ours(panel, kind, variance, effects, weights), fit.params, fit.bse, factor)


# pyfixest -------------------------------------------------------------------------------------------------------------

PYFIXEST = [
    *[("ols", v, e, w) for v in ("iid", "HC1", "CRV1", "two", "CRV3") for e in ("none", "market", "both")
      for w in ("plain", "weighted")],
    *[("iv", v, e, w) for v in ("iid", "HC1", "CRV1") for e in ("none", "market", "both")
      for w in ("plain", "weighted")],
    *[("poisson", v, e, "plain") for v in ("iid", "HC1", "CRV1") for e in ("none", "market", "both")],
    *[(k, v, "none", "plain") for k in ("logit", "probit") for v in ("HC1", "CRV1")],
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "variance", "effects", "weights"), PYFIXEST, ids=["-".join(case) for case in PYFIXEST]
)
def test_pyfixest(panel, kind, variance, effects, weights):
    from pyfixest.demeaners import MapDemeaner

    named = {"CRV1": {"CRV1": "market"}, "CRV3": {"CRV3": "market"}, "two": {"CRV1": "market + week"}}
    right = f" | {' + '.join(EFFECTS[effects])}" if EFFECTS[effects] else ""
    given = {"vcov": named.get(variance, variance), "ssc": pyfixest.ssc()}
    if variance == "CRV3":
        given["ssc"] = pyfixest.ssc(k_adj=False, G_adj=False)
    formula = f"{OUTCOME.get(kind, 'y')} ~ x + z{right}"
    exact = {"demeaner": MapDemeaner(fixef_tol=1e-12)}
    if weights == "weighted":
        given["weights"] = "weight"
    if kind == "iv":
        fit = pyfixest.feols(f"y ~ z{right} | x ~ outside + other", panel, **given, **exact)
    elif kind == "poisson":
        fit = pyfixest.fepois(formula, panel, iwls_tol=1e-12, **given)
    elif kind == "ols":
        fit = pyfixest.feols(formula, panel, **given, **exact)
    else:
        fit = pyfixest.feglm(formula, panel, family=kind, iwls_tol=1e-12, **given)
    k = {"none": 3, "market": 14, "both": 49}[effects]
    factor = {
        ("ols", "CRV3"): 11 / 12,  # the usual factor of the jackknife
        ("poisson", "iid"): (len(panel) - k) / (len(panel) - 1),  # a likelihood has no such factor
    }.get((kind, variance), 1.0)
    same(ours(panel, kind, variance, effects, weights), fit.coef(), fit.se(), factor)


@pytest.mark.parametrize("effects", ["none", "market"])
@pytest.mark.parametrize("weights", ["plain", "weighted"])
def test_pyfixest_over_time(panel, effects, weights):
    right = f" | {' + '.join(EFFECTS[effects])}" if EFFECTS[effects] else ""
    data = panel.assign(market=pd.factorize(panel["market"])[0])
    given = {"weights": "weight"} if weights == "weighted" else {}
    keys = {"time_id": "week", "panel_id": "market", "lag": 3}
    fit = pyfixest.feols(f"y ~ x + z{right}", data, vcov="DK", vcov_kwargs=keys, **given)
    found = ours(panel, "ols", "driscoll_kraay", effects, weights, time="week", unit="market", lags=3)
    same(found, fit.coef(), fit.se())


@pytest.mark.parametrize("weights", ["plain", "weighted"])
def test_pyfixest_along_a_series(panel, weights):
    series = panel[panel["market"] == "m03"]
    given = {"weights": "weight"} if weights == "weighted" else {}
    fit = pyfixest.feols("y ~ x + z", series, vcov="NW", vcov_kwargs={"time_id": "week", "lag": 3}, **given)
    same(ours(series, "ols", "HAC", "none", weights, time="week", lags=3), fit.coef(), fit.se())


# linearmodels ---------------------------------------------------------------------------------------------------------


def indexed(panel: pd.DataFrame) -> pd.DataFrame:
    return panel.set_index(["market", "week"]).assign(one=1.0)


@pytest.mark.parametrize("weights", ["plain", "weighted"])
@pytest.mark.parametrize("effects", ["none", "market", "both"])
@pytest.mark.parametrize("variance", ["iid", "CRV1"])
def test_linearmodels_panel(panel, variance, effects, weights):
    data = indexed(panel)
    right = ["x", "z"] if effects != "none" else ["one", "x", "z"]
    weight = data["weight"] if weights == "weighted" else None
    flags = {"entity_effects": effects != "none", "time_effects": effects == "both"}
    model = PanelOLS(data["y"], data[right], weights=weight, **flags)
    n = len(panel)
    if variance == "iid":
        fit, factor = model.fit(cov_type="unadjusted", debiased=True), 1.0
    else:
        fit = model.fit(cov_type="clustered", cluster_entity=True, debiased=False, group_debias=True)
        # Coefficients that its factor, and ours, take off: ours counts no effects inside of clusters.
        theirs, nested = {"none": (0, 3), "market": (0, 3), "both": (47, 38)}[effects]
        factor = (n - theirs) / (n - nested)
    same(ours(panel, "ols", variance, effects, weights), fit.params, fit.std_errors, factor)


@pytest.mark.parametrize("variance", ["iid", "HC1", "CRV1"])
def test_linearmodels_random(panel, variance):
    given = {"cov_type": {"iid": "unadjusted", "HC1": "robust", "CRV1": "clustered"}[variance]}
    if variance == "CRV1":
        given |= {"cluster_entity": True, "group_debias": True, "debiased": False}
    data = indexed(panel)
    fit = RandomEffects(data["y"], data[["one", "x", "z"]]).fit(**given)
    more = {"effects": "random", "unit": "market", "time": "week"}
    n = len(panel)
    factor = n / (n - 3) if variance == "CRV1" else 1.0
    same(ours(panel, "panel", variance, "none", "plain", **more), fit.params, fit.std_errors, factor)


@pytest.mark.parametrize("variance", ["iid", "HC1"])
@pytest.mark.parametrize("effects", ["between", "first_differences"])
def test_linearmodels_other_panels(panel, variance, effects):
    data = indexed(panel)
    if effects == "between":
        model = BetweenOLS(data["y"], data[["one", "x", "z"]])
    else:
        model = FirstDifferenceOLS(data["y"], data[["x", "z"]])
    fit = model.fit(cov_type={"iid": "unadjusted", "HC1": "robust"}[variance], debiased=True)
    more = {"effects": effects, "unit": "market", "time": "week"}
    same(ours(panel, "panel", variance, "none", "plain", **more), fit.params, fit.std_errors)


@pytest.mark.parametrize("weights", ["plain", "weighted"])
@pytest.mark.parametrize("variance", ["iid", "HC1", "CRV1"])
def test_linearmodels_instruments(panel, variance, weights):
    weight = panel["weight"] if weights == "weighted" else None
    right = panel.assign(one=1.0)[["one", "z"]]
    given = {"cov_type": {"iid": "unadjusted", "HC1": "robust", "CRV1": "clustered"}[variance], "debiased": True}
    if variance == "CRV1":
        given["clusters"] = pd.factorize(panel["market"])[0]
    fit = IV2SLS(panel["y"], right, panel["x"], panel[["outside", "other"]], weights=weight).fit(**given)
    same(ours(panel, "iv", variance, "none", weights), fit.params, fit.std_errors)


# R --------------------------------------------------------------------------------------------------------------------

R_CASES = [
    *[f"ols {v} none {w}" for v in ("iid", "HC1", "HC3", "CRV1") for w in ("plain", "weighted")],
    *[f"ols {v} {e} {w}" for v in ("iid", "HC1") for e in ("market", "both") for w in ("plain", "weighted")],
    *[
        f"{k} {v} none {w}"
        for k in ("logit", "probit", "poisson")
        for v in ("HC1", "CRV1")
        for w in ("plain", "weighted")
    ],
    *[f"{k} iid none plain" for k in ("logit", "probit", "poisson")],
    *[f"poisson HC1 market {w}" for w in ("plain", "weighted")],
    *[f"iv {v} none {w}" for v in ("iid", "HC1", "CRV1") for w in ("plain", "weighted")],
    *[f"iv iid market {w}" for w in ("plain", "weighted")],
]


@pytest.mark.parametrize("case", R_CASES)
def test_r(panel, reference, case):
    theirs = reference.loc[case]
    same(ours(panel, *case.split()), theirs["value"], theirs["se"])


#: Call, and the known difference of small-sample factors (plm's sandwiches over time have none).
OTHERS = {
    "ols two none plain": ({"cluster": TWO, "variance": "CRV1"}, None),
    "negative_binomial none none plain": ({"kind": "negative_binomial", "variance": "iid"}, None),
    "panel fixed iid": ({"kind": "panel", "variance": "iid"}, 1.0),
    "panel fixed CRV1": ({"kind": "panel", "variance": "CRV1"}, (432 - 2) / (432 - 3)),
    "panel fixed driscoll_kraay 3": ({"kind": "panel", "variance": "driscoll_kraay", "lags": 3}, 36 / 35 * 431 / 418),
    "ols driscoll_kraay 3": ({"variance": "driscoll_kraay", "lags": 3}, 36 / 35 * 431 / 429),
    "panel random iid": ({"kind": "panel", "effects": "random", "variance": "iid"}, 1.0),
    "panel between iid": ({"kind": "panel", "effects": "between", "variance": "iid"}, 1.0),
    "panel first_differences iid": ({"kind": "panel", "effects": "first_differences", "variance": "iid"}, 1.0),
}


@pytest.mark.parametrize("case", OTHERS)
def test_r_packages_with_factors_of_their_own(panel, reference, case):
    given, factor = OTHERS[case]
    outcome = OUTCOME.get(given.get("kind"), "y")
    found = regression.fit(f"{outcome} ~ x + z", panel, unit="market", time="week", **given).coefficients
    theirs = reference.loc[case]
    same(found.set_index("term"), theirs["value"], None if factor is None else theirs["se"], factor or 1.0)


def test_r_along_a_series(panel, reference):
    series = panel[panel["market"] == "m03"]
    theirs = reference.loc["series HAC 3"]
    same(ours(series, "ols", "HAC", "none", "plain", time="week", lags=3), theirs["value"], theirs["se"])


def test_r_mixed(panel, reference):
    found = regression.fit("y ~ x + z", panel, kind="mixed", unit="market").coefficients.set_index("term")
    theirs = reference.loc["mixed"]
    same(found, theirs["value"], theirs["se"], close=1e-4)  # two optimisers of a flat likelihood


def test_the_reference_says_what_made_it(reference):
    assert reference["made_by"].str.fullmatch(r"[A-Za-z0-9]+ [\d.]+ with R [\d.]+").all()
    assert len(R_CASES) + len(OTHERS) + len(STATSMODELS) + len(PYFIXEST) >= 60
