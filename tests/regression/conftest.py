"""The panel on which packages are compared."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "regression"


@pytest.fixture(scope="session")
def panel() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "panel.csv")


@pytest.fixture(scope="session")
def reference() -> pd.DataFrame:
    """Coefficients and errors by R, made by ``reference.R`` beside them."""
    return pd.read_csv(REFERENCE / "reference.csv").set_index(["case", "term"])
