"""Mankiw, Romer and Weil: their tables, second computations of what they do not print, and refusals.

Published: Mankiw, Romer and Weil (1992), "A contribution to the empirics of economic growth", Quarterly Journal of
Economics 107(2), tables I and II; of III and V the slopes of income at first.
"""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import statsmodels.formula.api as smf

from analysis_lib import config, countries
from analysis_lib.countries.solow import logarithms
from analysis_lib.countries.solow_print import MODELS, PRINTED, SAMPLES, moved_by_rounding
from analysis_lib.errors import InvalidValue, SourceError, UnknownName

module = importlib.import_module("analysis_lib.countries.solow")  # the package has a function of that name

#: Data are printed to one decimal: of the printed error of a coefficient, so much is lost at most; and of the error
#: itself a fiftieth, or its last digit.
OF_ITS_ERROR = 0.08


@pytest.fixture(scope="module", params=list(SAMPLES))
def each(request):
    return countries.solow(request.param)


@pytest.fixture(scope="module")
def found():
    return countries.solow()


def frame_of(sample):
    table = module._table()
    return logarithms(table[table[sample] == "yes"])


def test_every_printed_coefficient_comes_of_a_table_that_prints_alike(found):
    table = found.table
    assert len(table) == 21 == sum(len(terms) for terms in PRINTED.values())
    assert table["within"].all()
    assert ((table["value"] - table["printed"]).abs() <= OF_ITS_ERROR * table["printed_se"]).all()
    assert table["se"].to_numpy() == pytest.approx(table["printed_se"].to_numpy(), rel=0.02, abs=0.006)


@pytest.mark.parametrize(("sample", "n"), [("non_oil", 98), ("intermediate", 75), ("oecd", 22)])
def test_countries_are_those_of_print(found, sample, n):
    assert {found.models[sample, name].usual.n for name in MODELS} == {n}


@pytest.mark.parametrize(("sample", "model", "r2"), [
    ("non_oil", "textbook", 0.59), ("intermediate", "textbook", 0.59), ("oecd", "textbook", 0.01),
    ("non_oil", "schooling", 0.78), ("intermediate", "schooling", 0.77), ("oecd", "schooling", 0.24),
])  # fmt: skip
def test_as_much_is_explained_as_in_print(found, sample, model, r2):
    """They print R² corrected for the number of terms."""
    one = found.models[sample, model].usual
    terms = len(MODELS[model])
    corrected = 1 - (1 - one.facts["r2"]) * (one.n - 1) / (one.n - terms - 1)
    assert corrected == pytest.approx(r2, abs=0.0065)


def test_the_share_of_capital_is_that_of_print(found):
    share = found.of("textbook").usual_shares["invested"]
    assert (round(share.value, 2), round(share.se, 2)) == (0.60, 0.02)


@pytest.mark.parametrize("sample", SAMPLES)
def test_shares_and_the_sum_of_slopes_are_those_of_statsmodels(found, sample):
    frame, model = frame_of(sample), found.models[sample, "schooling"]
    held = smf.ols("income ~ I(invested - grown) + I(schooled - grown)", frame).fit(cov_type="HC3", use_t=True)
    a, b = held.params.iloc[1:]
    slopes = np.array([1 + b, -a]) / (1 + a + b) ** 2
    se = np.sqrt(slopes @ held.cov_params().to_numpy()[1:, 1:] @ slopes)
    share = model.shares["invested"]
    assert (share.value, share.se) == (pytest.approx(a / (1 + a + b)), pytest.approx(se))
    assert model.shares["schooled"].value == pytest.approx(b / (1 + a + b))
    free = smf.ols("income ~ invested + grown + schooled", frame).fit(cov_type="HC3", use_t=True)
    tested = free.t_test("invested + grown + schooled = 0")
    assert (model.apart.value, model.apart.se) == (pytest.approx(tested.effect[0]), pytest.approx(tested.sd[0, 0]))


def test_without_one_is_what_runs_without_each_give(found):
    frame = frame_of("oecd")
    shares = []
    for row in frame.index:
        a, b = smf.ols("income ~ I(invested - grown) + I(schooled - grown)", frame.drop(row)).fit().params.iloc[1:]
        shares.append(a / (1 + a + b))
    assert found.models["oecd", "schooling"].without_one == pytest.approx((min(shares), max(shares)))


@pytest.mark.parametrize(("sample", "alone", "alike"), [
    ("non_oil", 0.0943, -0.289), ("intermediate", -0.00423, -0.366), ("oecd", -0.341, -0.398),
])  # fmt: skip
def test_catching_up_is_that_of_print(sample, alone, alike):
    one = countries.solow(sample)
    assert (one.alone.value, one.alike.value) == (pytest.approx(alone, abs=6e-4), pytest.approx(alike, abs=2e-3))


def test_rounding_moves_nothing_where_nothing_is_rounded(monkeypatch):
    for name in ("HALF_OF_INCOME", "HALF_OF_SHARE"):
        monkeypatch.setattr(f"analysis_lib.countries.solow_print.{name}", 0.0)
    for low, high in moved_by_rounding(frame_of("oecd"), MODELS["schooling"]).values():
        assert low == pytest.approx(high)


def test_a_model_that_is_true_is_found_again(monkeypatch):
    """Incomes made by the model with shares of 0.3 and 0.25."""
    table = module._table()
    logs = logarithms(table)
    rest = 1 - 0.3 - 0.25
    made = 7 + (0.3 * logs["invested"] + 0.25 * logs["schooled"] - 0.55 * logs["grown"]) / rest
    noise = np.random.default_rng(3).normal(0, 0.05, len(table))
    monkeypatch.setattr(module, "_table", lambda: table.assign(gdp85=np.exp(made + noise)))
    shares = countries.solow().of("schooling").shares
    for name, truth in (("invested", 0.3), ("schooled", 0.25)):
        assert abs(shares[name].value - truth) < 4 * shares[name].se < 0.1


def test_the_answer_says_when_it_cannot_tell():
    said = countries.solow("oecd")
    assert "too wide to tell" in said.sentence("headline")
    assert "too few to tell" in said.exhibit("shares").title


def test_every_sentence_and_exhibit_is_there(each):
    for name in each.SENTENCES:
        assert each.sentence(name).endswith(".")
        assert "nan" not in each.sentence(name)
    for name in each.EXHIBITS:
        exhibit = each.exhibit(name)
        assert len(exhibit.frame) and exhibit.title
    assert each.answer.decision.action == "Leave alone"
    assert each.plot() is not None


def test_mistakes_are_refused():
    with pytest.raises(UnknownName, match="oecd"):
        countries.solow("oced")
    with pytest.raises(InvalidValue, match="level"):
        countries.solow(level=2.0)


def test_a_missing_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(config.ROOT_VARIABLE, str(tmp_path))
    with pytest.raises(SourceError, match="mankiw_romer_weil"):
        countries.solow()
