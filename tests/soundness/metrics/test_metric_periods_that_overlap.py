"""A day that is both before and after would be subtracted from itself."""

from __future__ import annotations

import pytest

from analysis_lib import metrics
from analysis_lib.errors import InvalidValue


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("2024-03-10", "2024-03-12"), ("2024-03-12", "2024-03-14")),
        (("2024-03-10", "2024-03-14"), ("2024-03-11", "2024-03-12")),
        (("2024-03-12", "2024-03-14"), ("2024-03-10", "2024-03-12")),
    ],
)
def test_periods_that_share_a_day_are_refused(counter, before, after):
    with pytest.raises(InvalidValue, match="share days"):
        metrics.explain(counter.warehouse, "gmv", before=before, after=after)


def test_periods_of_different_length_say_so_in_a_part(counter):
    found = metrics.explain(
        counter.warehouse, "gmv", before=("2024-03-10", "2024-03-10"), after=("2024-03-11", "2024-03-12")
    )
    assert found.parts["part"].iloc[0] == "Days in the period"
