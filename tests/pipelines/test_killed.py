"""A build killed anywhere leaves a store that the next build completes to the same content."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

from analysis_lib import pipelines
from analysis_lib.errors import SourceError
from analysis_lib.pipelines import planning

KILLED = """
import os, re, signal, sys
from pathlib import Path
from analysis_lib import config, pipelines
from analysis_lib.pipelines import planning

planning.BATCH_DAYS = 5
path, root, wanted = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]

def progress(text):
    if re.match(wanted, text):
        os.kill(os.getpid(), signal.SIGKILL)

pipelines.build(path, marts=["user_days"], project=config.Project(root), progress=progress)
"""

#: Before the first portion, between two, and within one: after the old rows went, after the new came, before the end.
MOMENTS = (
    r"order_facts: 0 of \d+ days, writing", r"order_facts: 5 of \d+ days$", r"sessions: 5 of .* signing",
    r"user_days: 10 of .* committing",
)  # fmt: skip


@pytest.fixture
def whole(second_shop, draw_tables):
    second_shop.tables = draw_tables(6)
    second_shop.build(marts=["user_days"])
    return second_shop


def _kill(shop, moment):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(shop.path), str(shop.root), moment], capture_output=True, timeout=120
    )
    assert done.returncode == -9, done.stderr.decode()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_first_build_that_is_killed(shop, whole, same_marts, moment):
    shop.tables = whole.tables
    shop.write()
    _kill(shop, moment)
    with shop.opened() as wh, pytest.raises(SourceError, match="not built"):
        pipelines.mart(wh, moment.split(":")[0])
    shop.build(marts=["user_days"])
    same_marts(shop, whole)


@pytest.mark.parametrize("moment", [r"order_facts: 5 of .* writing", "order_facts: removing"])
def test_a_later_build_that_is_killed(shop, whole, same_marts, moment):
    """The store was complete; everything changes, days vanish, and the build that follows is killed twice."""
    shop.tables = {**whole.tables, "orders": whole.tables["orders"].assign(price_local=1.0)}
    extra = whole.tables["orders"].head(5).assign(order_id=lambda o: o["order_id"] + "z", ordered_at="2023-01-01")
    shop.tables["orders"] = pd.concat([shop.tables["orders"], extra])
    shop.build(marts=["user_days"])
    shop.tables = whole.tables
    shop.write()
    _kill(shop, moment)
    with shop.opened() as wh, pytest.raises(SourceError, match=r"not built|has changed"):
        pipelines.mart(wh, moment.split(":")[0])
    shop.build(marts=["user_days"])
    same_marts(shop, whole)


def test_finished_portions_are_kept(shop, whole):
    shop.tables = whole.tables
    shop.write()
    _kill(shop, r"order_facts: 10 of .* writing")
    report = shop.build(marts=["order_facts"])
    assert report.marts[0].n_kept == 10 and report.marts[0].n_built > 0


def test_an_error_within_a_portion_changes_nothing(shop, draw_tables, monkeypatch):
    """Not only a kill: Ctrl-C in the middle rolls the portion back."""
    shop.tables = draw_tables(6)
    monkeypatch.setattr(planning, "BATCH_DAYS", 5)

    def interrupt(text):
        if text.startswith("order_facts: 5 of") and text.endswith("committing"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.build(marts=["order_facts"], progress=interrupt)
    report = shop.build(marts=["order_facts"])
    assert report.marts[0].n_kept == 5
