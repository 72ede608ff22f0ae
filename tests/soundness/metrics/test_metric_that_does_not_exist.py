"""A metric that does not exist is named with the nearest that does."""

from __future__ import annotations

import pytest

from analysis_lib.errors import UnknownName


@pytest.mark.parametrize("asked", ["gvm", ["gmv", "gvm"], ["Gmv"]])
def test_the_nearest_metric_is_named(counter, asked):
    refusal = counter.refusal(asked)
    assert "is not in" in refusal and "metrics.yml" in refusal and "Did you mean 'gmv'?" in refusal


def test_no_metric_at_all(counter):
    assert "no metric is named" in counter.refusal([])


def test_it_is_a_key_error_for_programs(counter):
    with pytest.raises(KeyError) as caught:
        counter.result("nothing_like_it")
    assert isinstance(caught.value, UnknownName)


@pytest.mark.parametrize(("option", "value"), [("grain", "weekly"), ("currency", "eur"), ("compare", "last_years")])
def test_other_names_likewise(counter, option, value):
    assert "is not in what" in counter.refusal("gmv", **{option: value})
