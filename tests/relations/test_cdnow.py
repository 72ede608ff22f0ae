"""A real shop by itself: one unit, many weeks, errors that last over time."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.formula.api as smf

from analysis_lib import relations
from analysis_lib.errors import InvalidValue

#: After the last newcomer.
SINCE = "1997-04-01"


def of(cdnow, outcome, regressors, **more):
    return relations.relate(cdnow, outcome, regressors, fixed_effects=[], start=SINCE, **more)


@pytest.mark.parametrize(("outcome", "regressors"), [
    ("gmv_per_buyer", ["orders_per_buyer", "gmv_per_unit"]), ("units_per_order", ["gmv_per_unit"]),
])  # fmt: skip
def test_it_is_the_newey_west_regression_of_statsmodels(cdnow, outcome, regressors):
    found = of(cdnow, outcome, regressors)
    frame, names = found.cells.frame, [term.name for term in found.cells.terms]
    assert len(frame) == 64 and frame["country"].nunique() == 1
    lags = round(1.3 * np.sqrt(len(frame)))
    theirs = smf.ols(f"np.log(outcome) ~ {' + '.join(names)}", frame).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=True
    )
    for name in names:
        ours = found.found.fit.fit_of(name)
        assert (ours.value, ours.se) == (pytest.approx(theirs.params[name]), pytest.approx(theirs.bse[name], rel=0.02))
    assert "lasts over time" in found.sentence("errors")


def test_what_is_part_of_the_metric_goes_with_it(cdnow):
    """A tenth dearer, a tenth more is spent, as orders hold no fewer: by definition, and the interval holds it."""
    price = of(cdnow, "gmv_per_buyer", ["gmv_per_unit", "orders_per_buyer"]).estimate
    assert price.ci_lower < 0.10 < price.ci_upper and price.excludes_zero


def test_dearer_cds_do_not_show_in_smaller_orders(cdnow):
    found = of(cdnow, "units_per_order", ["gmv_per_unit"])
    assert found.decision.action == "Cannot tell"
    assert found.exhibit("influence").note


def test_one_shop_in_one_week_leaves_nothing_to_tell(cdnow):
    found = of(cdnow, "units_per_order", ["gmv_per_unit"], end="1997-04-14")
    assert found.estimate is None


def test_a_factor_of_markets_is_refused_where_there_is_none(cdnow):
    with pytest.raises((InvalidValue, KeyError), match="gdp_per_capita"):
        of(cdnow, "units_per_order", ["gdp_per_capita"])
