"""Averaging over all models: refusals, signs, rows that count as fewer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, UnknownName
from analysis_lib.regression import average_models

NAMES = list("abcd")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(120, 4)), columns=NAMES)
    return table.assign(y=0.6 * table["a"] - 0.5 * table["b"] + rng.normal(size=120))


def test_what_belongs_is_found_with_its_sign(frame):
    found = average_models(frame, outcome="y", candidates=NAMES)
    terms = found.terms.set_index("term")
    assert terms.loc[["a", "b"], "inclusion"].min() > 0.99 and terms.loc[["c", "d"], "inclusion"].max() < 0.4
    assert terms.loc["a", "positive"] > 0.99 and terms.loc["b", "positive"] < 0.01
    assert found.models["probability"].iloc[0] > 0.5 and set(found.models["terms"].iloc[0].split(", ")) == {"a", "b"}


def test_by_enumeration_with_plain_least_squares(frame):
    """Two candidates, four models, each fitted by hand."""
    found = average_models(frame, outcome="y", candidates=["a", "c"], g=50.0)
    n, y = len(frame), frame["y"] - frame["y"].mean()
    logs = {}
    for names in ((), ("a",), ("c",), ("a", "c")):
        x = (frame[list(names)] - frame[list(names)].mean()).to_numpy()
        left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0] if names else y
        r2 = 1 - float(left @ left) / float(y @ y)
        logs[names] = (n - 1 - len(names)) / 2 * np.log(51.0) - (n - 1) / 2 * np.log1p(50.0 * (1 - r2))
    weights = {names: np.exp(value - max(logs.values())) for names, value in logs.items()}
    expected = (weights["a",] + weights["a", "c"]) / sum(weights.values())
    assert found.inclusion["a"] == pytest.approx(expected)


def test_rows_that_count_as_fewer_say_less(frame):
    strong = average_models(frame, outcome="y", candidates=NAMES).inclusion
    weak = average_models(frame, outcome="y", candidates=NAMES, n_effective=15).inclusion
    assert weak["a"] < strong["a"]


def test_bad_input_is_refused(frame):
    with pytest.raises(UnknownName, match="'a'"):
        average_models(frame, outcome="y", candidates=["A"])
    with pytest.raises(InvalidValue, match="does not vary"):
        average_models(frame.assign(c=1.0), outcome="y", candidates=NAMES)
    with pytest.raises(InvalidValue, match="collinear"):
        average_models(frame.assign(c=frame["a"] + frame["b"]), outcome="y", candidates=NAMES)
    with pytest.raises(InvalidValue, match="between 1 and 15"):
        average_models(frame, outcome="y", candidates=NAMES * 4)
    with pytest.raises(NotEnoughData, match="rows"):
        average_models(frame.head(5), outcome="y", candidates=NAMES)
    with pytest.raises(ContractError, match="missing"):
        average_models(frame.assign(a=np.nan), outcome="y", candidates=NAMES)
