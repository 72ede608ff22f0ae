"""Comparisons without a lot beside the lot's answer: as published, and as the page says."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_lib import campaigns
from analysis_lib.errors import InvalidValue


@pytest.fixture(scope="module")
def found():
    return campaigns.without_lot()


def test_what_is_in_print(found):
    """Dehejia and Wahba (1999), table 3: by lot, and as they are; whole dollars."""
    assert found.effects["lot"].value == pytest.approx(1794, abs=1)
    assert found.effects["plain"].value == pytest.approx(-8498, abs=1)
    assert found.n | {"programme": 185, "lot": 260, "others": 15_992} == found.n


def test_growth_by_hand(found):
    """Earnings of the others went from 13,651 to 14,847; those in the programme had 1,532 and came to 6,349."""
    assert found.effects["growth"].value == pytest.approx(6349.14 - 1532.06 * 14846.66 / 13650.80, abs=1)


def test_history_and_machine_hold_the_answer_the_others_do_not(found):
    assert found.holding == ["history", "learnt"]
    assert max(found.effects, key=lambda way: abs(found.off(way))) == "plain"
    assert "the plain difference would have been" in found.sentence("headline")
    assert found.decision.action == "Run" and found.decision.reason.startswith("2 of 4")


def test_weights_make_the_history_alike(found):
    rows = found.balance
    assert np.allclose(rows["weighted"], rows["programme"], rtol=1e-3)
    assert not np.allclose(rows["others"], rows["programme"], rtol=0.1)


def test_everybody_is_refused_and_everyone_is_counted(found):
    assert "no overlap" in found.refusal and "is not answered" in found.sentence("refused")
    counts = found.exhibit("overlap").frame
    assert counts["programme"].sum() == 185 and counts["others"].sum() == 15_992


def test_a_level_out_of_range():
    with pytest.raises(InvalidValue, match="level"):
        campaigns.without_lot(level=1.2)
