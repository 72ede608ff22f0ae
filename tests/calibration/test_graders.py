"""Graders draw what they say, in short versions of what `make grades` runs."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_lib import metrics, pipelines
from analysis_lib.calibration import explanations, paired_campaigns, reviews
from analysis_lib.calibration.samples import Samples
from analysis_lib.calibration.scoring import DRAWS, RIGHT

DAYS = (explanations.BEFORE[0], explanations.AFTER[1])


def buyers(sample) -> set[str]:
    frame = sample.query(pipelines.mart(sample, "order_facts").select("user_id").distinct())
    return set(frame["user_id"].dropna())


def test_samples_of_a_partition_have_nobody_in_common_and_are_everybody_together(world):
    with Samples(world, ("order_facts",), DAYS, 3) as samples:
        drawn = []
        for number in range(3):
            with samples.drawn(1, number) as sample:
                drawn.append((metrics.query(sample, "gmv").to_frame()["gmv"].item(), buyers(sample)))
    assert not (drawn[0][1] & drawn[1][1] or drawn[1][1] & drawn[2][1])
    whole = metrics.query(world, "gmv", start=DAYS[0], end=DAYS[1]).to_frame()["gmv"].item()
    assert sum(gmv for gmv, _ in drawn) == pytest.approx(whole, rel=1e-9)


def test_another_partition_draws_others(world):
    with Samples(world, ("order_facts",), DAYS, 3) as samples:
        with samples.drawn(1, 0) as one:
            first = buyers(one)
        with samples.drawn(2, 0) as other:
            second = buyers(other)
    assert 0.2 < len(first & second) / len(first) < 0.5


def test_exchanged_periods_keep_every_row(world):
    swap = (explanations.BEFORE, explanations.AFTER)
    with Samples(world, ("order_facts",), DAYS, 5) as samples:
        totals = []
        for exchanged in (None, swap):
            with samples.drawn(1, 0, swap=exchanged) as sample:
                found = [metrics.query(sample, "gmv", start=a, end=b).to_frame()["gmv"].item() for a, b in swap]
                totals.append(found)
    assert sum(totals[0]) == pytest.approx(sum(totals[1]), rel=1e-9) and totals[0] != totals[1]


def test_explanations_are_drawn_with_change_and_without():
    draws = explanations.simulate(1, 1, 5, lambda _: None)
    assert list(draws.columns) == list(DRAWS)
    changed, same = (draws["scenario"].str.endswith(end) for end in (", changed", "nothing changed"))
    assert (changed | same).all() and (draws.loc[same, "truth"] == 0).all()
    whole = draws[(draws["quantity"] == "change") & changed]
    assert len(whole) == len(explanations.SCENARIOS) and (whole["truth"] != 0).all()


def test_reviews_are_drawn_by_lot_and_by_picking(monkeypatch):
    monkeypatch.setattr(reviews, "SCALE", 0.03)
    monkeypatch.setattr(reviews, "LOTS_PER_SEGMENT", 2)
    monkeypatch.setattr(reviews, "REAL", (("16", 16, 4),))
    monkeypatch.setattr(paired_campaigns.Pair, "countries", ["ID", "US"])
    draws = reviews.simulate(1, 1, 3, lambda _: None)
    assert list(draws.columns) == [*DRAWS, RIGHT]
    lots = draws[draws["scenario"].str.startswith("by lot") & (draws["quantity"] == "net incremental GMV")]
    assert len(lots) == 2 * 2 * 2
    working = lots[lots["scenario"].str.endswith("with effects")]
    assert (working["truth"] != 0).mean() > 0.9 and (lots.drop(working.index)["truth"] == 0).all()
    # Whoever is left out does what they do without the campaign: with effect and without, the same error.
    errors = [one["estimate"].to_numpy() - one["truth"].to_numpy() for _, one in lots.groupby("scenario")]
    told = ~np.isnan(errors[0])
    assert told.any() and errors[0][told] == pytest.approx(errors[1][told], rel=0.3, abs=60)
    # Each lot is also held against other markets, or that is refused: markets this small sell nothing on some days.
    beside = draws[draws["scenario"].str.startswith("other markets")]
    assert len(beside) == len(lots) - lots["refused"].sum() and (beside["refused"] | beside[RIGHT].isin([0, 1])).all()
    real = draws[draws["scenario"].str.endswith("Complete Journey")]
    assert len(real) == 1 and 0 <= real[RIGHT].item() <= 1
