"""Parts of a metric by cell add up to what a query says."""

from __future__ import annotations

import pytest

from analysis_lib import metrics
from analysis_lib.errors import InvalidValue, UnknownName
from analysis_lib.metrics.part_cells import parts

DAYS = {"start": "2026-05-01", "end": "2026-05-14"}


@pytest.mark.parametrize(
    ("name", "counted"),
    [("checkout_rate", True), ("refund_rate", False), ("gmv", False), ("view_to_payment_30m", True)],
)
def test_parts_add_up_to_the_metric(world, name, counted):
    found_parts = parts(world, name, by="country", **DAYS)
    assert found_parts.attrs["counted"] == counted
    sums = found_parts.groupby("country")[["numerator", "denominator"]].sum()
    whole = metrics.query(world, name, by="country", **DAYS).to_frame().set_index("country")[name]
    found = sums["numerator"] if name == "gmv" else sums["numerator"] / sums["denominator"]
    assert found.loc[whole.index].to_numpy() == pytest.approx(whole.to_numpy(), rel=1e-9)
    assert len(found_parts) == 14 * found_parts["country"].nunique()


def test_what_has_no_parts_is_refused(world):
    with pytest.raises(InvalidValue, match="do not add up"):
        parts(world, "delivery_days_p95", by="country")
    with pytest.raises(UnknownName, match="gmv"):
        parts(world, "gvm", by="country")
