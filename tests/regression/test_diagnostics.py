"""Each question put to a regression: silent where nothing is wrong, loud where something is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from statsmodels.stats.diagnostic import acorr_breusch_godfrey, het_breuschpagan, het_white
from statsmodels.stats.outliers_influence import OLSInfluence, variance_inflation_factor

from analysis_lib import regression
from analysis_lib.errors import InvalidValue, NotEnoughData, UnknownName

N = 300


def made(seed: int = 0, **wrong: bool) -> pd.DataFrame:
    """A line, with one thing wrong."""
    rng = np.random.default_rng(seed)
    x, z, e = rng.normal(size=(3, N))
    if wrong.get("lasting"):
        for at in range(1, N):
            e[at] += 0.7 * e[at - 1]
    if wrong.get("uneven"):
        e = e * np.exp(x)
    y = 1 + x - z + e + (0.8 * x**2 if wrong.get("curved") else 0)
    return pd.DataFrame({"y": y, "x": x, "z": z, "t": np.arange(N), "near": x + 0.05 * rng.normal(size=N),
                         "group": np.arange(N) % 10})  # fmt: skip


def test_as_statsmodels_has_them():
    frame = made(uneven=True)
    fit, theirs = regression.fit("y ~ x + z", frame, variance="iid"), smf.ols("y ~ x + z", frame).fit()
    for squares, test in ((False, het_breuschpagan), (True, het_white)):
        one = regression.heteroskedasticity(fit, squares=squares)
        assert (one.statistic, one.pvalue) == pytest.approx(test(theirs.resid, theirs.model.exog)[:2], rel=1e-6)
    timed = regression.fit("y ~ x + z", frame, time="t")
    one = regression.serial_correlation(timed, lags=2)
    known = acorr_breusch_godfrey(theirs, nlags=2, result_object=False)
    assert (one.statistic, one.pvalue) == pytest.approx(known[:2], rel=1e-6)
    inflation = regression.collinearity(fit).frame.set_index("term")["inflation"]
    assert inflation["x"] == pytest.approx(variance_inflation_factor(theirs.model.exog, 1))
    far = regression.leverage(fit).frame
    cooks = OLSInfluence(theirs).cooks_distance[0]
    assert far["row"][0] == np.argmax(cooks)
    assert far["distance"][0] == pytest.approx(np.max(cooks))


@pytest.mark.parametrize(("wrong", "given", "check"), [
    ("curved", {}, "functional_form"), ("uneven", {"variance": "iid"}, "heteroskedasticity"),
    ("lasting", {"time": "t", "variance": "iid"}, "serial_correlation"), ("uneven", {}, "residuals"),
])  # fmt: skip
def test_loud_where_it_should_be(wrong, given, check):
    ask = getattr(regression, check)
    bad = ask(regression.fit("y ~ x + z", made(**{wrong: True}), **given))
    good = ask(regression.fit("y ~ x + z", made(), **given))
    assert not bad.is_fine
    assert good.is_fine
    assert bad.text != good.text


def test_errors_that_allow_for_it_are_fine():
    frame = made(uneven=True)
    assert "the errors allow for that" in regression.heteroskedasticity(regression.fit("y ~ x + z", frame)).text
    lasting = regression.serial_correlation(regression.fit("y ~ x + z", made(lasting=True), time="t"))
    assert lasting.is_fine
    assert "allow for that" in lasting.text


def test_the_form_is_asked_with_the_errors_of_the_regression():
    """Size of the test in clusters that go together: near 5 %."""
    rng, loud = np.random.default_rng(1), 0
    group = np.repeat(np.arange(40), 8)
    for _ in range(60):
        x = rng.normal(size=40)[group]
        frame = pd.DataFrame({"x": x, "y": x + rng.normal(size=40)[group], "group": group})
        loud += not regression.functional_form(regression.fit("y ~ x", frame, cluster="group")).is_fine
    assert loud <= 12


def test_terms_that_others_nearly_tell():
    found = regression.collinearity(regression.fit("y ~ x + z + near", made()))
    assert not found.is_fine
    assert "nearly told by the other terms" in found.text
    assert set(found.frame["term"][:2]) == {"x", "near"}


def test_a_group_that_decides():
    frame = made()
    odd = frame["group"] == 3
    frame.loc[odd, "y"] += 8 * frame.loc[odd, "x"]
    found = regression.influence(regression.fit("y ~ x + z", frame), "x", "group")
    assert not found.is_fine
    assert found.text.startswith("Without 3, x would be ")
    assert len(found.frame) == 10
    assert regression.influence(regression.fit("y ~ x + z", made()), "x", "group").is_fine
    rest = frame[~odd]
    assert found.frame.set_index("group").loc[3, "value"] == pytest.approx(
        regression.fit("y ~ x + z", rest).fit_of("x").value
    )


def test_a_group_that_alone_tells_a_term():
    frame = made()
    frame["x"] *= frame["group"] == 2
    found = regression.influence(regression.fit("y ~ x + z", frame), "x", "group")
    assert found.text == "Without 2 the coefficient of x cannot be told at all."


def test_what_lasts_in_a_panel(panel):
    fit = regression.fit("y ~ x + z", panel, kind="panel", unit="market", time="week", variance="HC1")
    assert regression.serial_correlation(fit).is_fine
    lasting = panel.copy()
    rng = np.random.default_rng(0)
    lasting["y"] += rng.normal(size=len(panel)).cumsum()
    one = regression.serial_correlation(
        regression.fit("y ~ x + z", lasting, kind="panel", unit="market", time="week", variance="HC1")
    )
    assert not one.is_fine
    assert "use others" in one.text


def test_overlap():
    frame = made()
    rng = np.random.default_rng(0)
    frame["even"] = (rng.random(N) < 0.5).astype(int)
    frame["apart"] = (frame["x"] + 0.2 * rng.normal(size=N) > 0).astype(int)
    frame["sure"] = (frame["x"] > 0).astype(int)
    assert regression.overlap(regression.fit("y ~ even + x", frame), "even").is_fine
    assert not regression.overlap(regression.fit("y ~ apart + x", frame), "apart").is_fine
    assert "nobody to compare with" in regression.overlap(regression.fit("y ~ sure + x", frame), "sure").text
    with pytest.raises(InvalidValue, match="of 0 and 1"):
        regression.overlap(regression.fit("y ~ even + x", frame), "x")


def test_what_cannot_be_asked_is_refused_with_the_reason(panel):
    logit = regression.fit("chosen ~ x", panel, kind="logit")
    for ask in (regression.heteroskedasticity, regression.functional_form, regression.leverage):
        with pytest.raises(InvalidValue):
            ask(logit)
    fit = regression.fit("y ~ x", panel)
    with pytest.raises(InvalidValue, match="needs time="):
        regression.serial_correlation(fit)
    with pytest.raises(UnknownName, match="Did you mean 'market'"):
        regression.influence(fit, "x", "markt")
    with pytest.raises(NotEnoughData, match="2 groups"):
        regression.influence(fit, "x", "chosen")
    between = regression.fit("y ~ x", panel, kind="panel", unit="market", time="week", effects="between")
    with pytest.raises(InvalidValue, match="no residuals by period"):
        regression.serial_correlation(between)


def test_all_at_once(panel):
    fit = regression.fit("y ~ x + z", panel, fixed_effects="market", cluster="market", unit="market", time="week")
    found = regression.diagnose(fit)
    frame = found.to_frame()
    assert list(frame.columns) == ["check", "verdict", "in_words", "statistic", "pvalue"]
    assert set(frame["check"]) == {
        "residuals", "collinearity", "functional form", "equal variances", "lasting residuals", "influence",
    }  # fmt: skip
    assert list(found.not_asked) == ["leverage"]
    assert found.text


def test_chance_alone_seldom_speaks_against_a_line():
    loud = [
        not one.is_fine
        for seed in range(25)
        for one in regression.diagnose(regression.fit("y ~ x + z", made(seed=seed), variance="iid", time="t")).checks
    ]
    assert np.mean(loud) < 0.08
