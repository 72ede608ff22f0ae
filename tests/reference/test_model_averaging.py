"""Crime in 47 American states in 1960: the standard example of averaging over models.

Data: ``UScrime`` of R's MASS (Ehrlich 1973, Journal of Political Economy 81(3); Vandaele 1978), logarithms of all but
the indicator. Values: R's BMS 0.3.5 over all 32,768 models, by ``model_averaging/crime.R``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis_lib.regression import average_models

HERE = Path(__file__).parent / "model_averaging"


@pytest.fixture(scope="module")
def both() -> pd.DataFrame:
    crime, stored = pd.read_csv(HERE / "crime.csv"), pd.read_csv(HERE / "bms.csv")
    found = average_models(crime, outcome="y", candidates=[name for name in crime if name != "y"])
    return found.terms.merge(stored, on="term")


def test_inclusion_means_and_deviations_are_those_of_the_other_package(both):
    assert len(both) == 15
    np.testing.assert_allclose(both["inclusion"], both["PIP"], rtol=1e-9)
    np.testing.assert_allclose(both["value"], both["Post.Mean"], rtol=1e-8)
    np.testing.assert_allclose(both["se"], both["Post.SD"], rtol=1e-8)
