"""Parts of a metric by cell add up to what a query says."""

from __future__ import annotations

import pytest

from analysis_lib import metrics
from analysis_lib.errors import InvalidValue, UnknownName

DAYS = {"start": "2026-05-01", "end": "2026-05-14"}


@pytest.mark.parametrize(
    ("name", "counted"),
    [("checkout_rate", True), ("refund_rate", False), ("gmv", False), ("view_to_payment_30m", True)],
)
def test_parts_add_up_to_the_metric(world, name, counted):
    parts = metrics.parts(world, name, by="country", **DAYS)
    assert parts.attrs["counted"] == counted
    sums = parts.groupby("country")[["numerator", "denominator"]].sum()
    whole = metrics.query(world, name, by="country", **DAYS).to_frame().set_index("country")[name]
    found = sums["numerator"] if name == "gmv" else sums["numerator"] / sums["denominator"]
    assert found.loc[whole.index].to_numpy() == pytest.approx(whole.to_numpy(), rel=1e-9)
    assert len(parts) == 14 * parts["country"].nunique()


def test_what_has_no_parts_is_refused(world):
    with pytest.raises(InvalidValue, match="do not add up"):
        metrics.parts(world, "delivery_days_p95", by="country")
    with pytest.raises(UnknownName, match="gmv"):
        metrics.parts(world, "gvm", by="country")
