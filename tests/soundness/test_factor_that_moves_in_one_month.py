"""PENN ships two marks that are set in its last year alone: read as factors, one seemed to go with income."""

from importlib.resources import files

import pandas as pd
import pytest

from analysis_lib.countries.factors import factors_of
from analysis_lib.countries.market_panel import NATIONS, panel_of
from analysis_lib.countries.nations import Outcome
from analysis_lib.errors import NotEnoughData


def test_a_mark_of_one_year_is_left_out_and_named():
    table = pd.read_csv(str(files("synthdid") / "data/PENN.csv"), sep=None, engine="python")
    assert (table.groupby("year")["dem"].sum() > 0).sum() == 1
    frame = pd.DataFrame(
        {"country": table["country"], "month": pd.to_datetime(table["year"].astype(str)),
         "outcome": 2.718281828 ** table["log_gdp"], "democracy": table["dem"].astype(float)}
    )  # fmt: skip
    panel = panel_of(frame, {"democracy": "share"}, Outcome("Income"), {}, 0, NATIONS)
    assert panel.left_out["democracy"] == "all it moves, it moves in one year"
    with pytest.raises(NotEnoughData, match="no factor has a path of its own"):
        factors_of(panel)
