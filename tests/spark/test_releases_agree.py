"""Versions of the app compared on Spark as on DuckDB."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from analysis_lib.pipelines import mart
from analysis_lib.releases.release import Release
from analysis_lib.releases.visits import compared_visits, placebo_visits
from analysis_lib.releases.weighting import ALIKE

pytestmark = pytest.mark.spark

KEYS = ["day", "is_new", *ALIKE]


def release_of(wh) -> Release:
    """The two versions of the shop that are used most, as if one had come after the other."""
    table = mart(wh, "sessions")
    table = table.filter(table.user_id.notnull() & table.app_version.notnull())
    counts = wh.query(table.group_by("platform", "app_version").agg(n=table.count(), last=table.day.max()))
    counts = counts.sort_values(["n", "platform", "app_version"], ascending=False)
    platform = counts["platform"].iloc[0]
    versions = list(counts.loc[counts["platform"] == platform, "app_version"])[:2]
    return Release(str(platform), versions[0], versions[1], date(2024, 3, 10), date(2024, 3, 16), date(2024, 3, 8))


def test_the_same_visits_on_two_versions(pair):
    answers = []
    for engine in ("duckdb", "spark"):
        with pair.opened(engine) as wh:
            seen = compared_visits(mart(wh, "sessions"), release_of(wh), wh.query)
            cells = seen.cells()
            weights = cells[KEYS].assign(weight=cells["is_new"].map({True: 0.5, False: -0.25}).astype(float))
            starts = seen.starts(weights)
            held = {f"centre_{name}": 0.5 for name in ("crash_free_rate", "conversion")}
            for scope in ("all", "own"):
                for name in ("start_ms_p50", "start_ms_p95"):
                    held |= {f"at_{scope}_{name}": 900.0, f"dense_{scope}_{name}": 0.001}
            moves = seen.moves(weights.assign(**held))
            early = placebo_visits(mart(wh, "sessions"), release_of(wh), wh.query, shift=2).cells()
            answers.append((cells, starts, moves.reset_index(drop=True), early, seen.n_other))
    assert len(answers[0][0]) > 3
    for one, other in zip(*(found[:4] for found in answers), strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=1e-9, check_dtype=False)
    assert answers[0][4] == answers[1][4]
