"""What units would do under each variant: the same as the truth that launching tells."""

from __future__ import annotations

import pytest

from analysis_lib import world
from analysis_lib.errors import UnknownName
from analysis_lib.world.potential import potential_outcomes


@pytest.fixture(scope="module")
def spin(world_path):
    return potential_outcomes(world_path, "daily_spin")


def test_their_difference_is_the_truth_to_the_last_digit(spin, world_path):
    told = world.truth(world_path, plants=["experiment:daily_spin"])
    told = told[told["country"].isna()].set_index("metric")["value"]
    exposed = spin.units.set_index("unit")["exposed"]
    rows = spin.outcomes[spin.outcomes["day"] >= spin.outcomes["unit"].map(exposed)]
    sums = rows.groupby("variant")[["orders", "gmv"]].sum()
    for metric, column in (("orders_per_user", "orders"), ("gmv_per_user", "gmv")):
        per_user = (sums.loc["treatment", column] - sums.loc["control", column]) / len(spin.units)
        assert per_user == pytest.approx(told[metric], rel=1e-6)
    assert told["orders_per_user"] > 0


def test_beforehand_both_variants_do_the_same(spin):
    exposed = spin.units.set_index("unit")["exposed"]
    before = spin.outcomes[spin.outcomes["day"] < spin.outcomes["unit"].map(exposed)]
    sums = before.groupby("variant")[["visits", "orders", "gmv"]].sum()
    assert sums.loc["control"].tolist() == sums.loc["treatment"].tolist()
    assert before["day"].min() == -28


def test_a_ramp_has_its_phases_and_an_unknown_experiment_is_named(world_path):
    found = potential_outcomes(world_path, "faster_search")
    assert set(found.units["phase"]) == {"5%", "20%", "50%"}
    with pytest.raises(UnknownName, match="daily_spin"):
        potential_outcomes(world_path, "daily_spn")
