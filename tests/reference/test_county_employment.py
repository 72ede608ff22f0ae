"""Minimum wages and teen employment in 500 counties, 2003 to 2007 (log employment).

Data: package moderndid 0.2.0, ``mpdta_long`` (the ``mpdta`` of R's did).
Published: R's did 2.1, vignette "Getting started", never-treated, without covariates; its errors are
bootstrapped, so they move in the fourth decimal.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from analysis_lib.causal import staggered

DYNAMIC, DYNAMIC_SE = -0.0772, 0.0196
BY_GROUP, BY_GROUP_SE = -0.0310, 0.0123
EVENTS = {-3: 0.0305, -2: -0.0006, -1: -0.0245, 0: -0.0199, 1: -0.0510, 2: -0.1373, 3: -0.1008}
GROUPS = {2004: -0.0797, 2006: -0.0229, 2007: -0.0261}

#: Of analytic against bootstrapped errors.
DRAWS = 4e-4


@pytest.fixture(scope="module")
def effect():
    # Found, not imported: the package's own dependencies are not installed.
    package = Path(find_spec("moderndid").origin).parent
    counties = pd.read_pickle(package / "core" / "datasets" / "mpdta_long.pkl.gz")
    return staggered(counties, outcome="lemp", unit="countyreal", time="year", first_treated="first.treat")


def test_effects_by_event_time(effect):
    found = effect.events.set_index("event_time")["value"].round(4).to_dict()
    assert found == EVENTS


def test_effects_by_group(effect):
    assert effect.groups.set_index("group")["value"].round(4).to_dict() == GROUPS


def test_average_by_event_time(effect):
    assert round(effect.averages["event_time"].value, 4) == DYNAMIC
    assert effect.averages["event_time"].se == pytest.approx(DYNAMIC_SE, abs=DRAWS)


def test_average_by_group(effect):
    assert round(effect.averages["group"].value, 4) == BY_GROUP
    assert effect.averages["group"].se == pytest.approx(BY_GROUP_SE, abs=DRAWS)
