"""Half of a build must not be read as the whole: sales would stop on the day the power went."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from analysis_lib import pipelines
from analysis_lib.errors import SourceError

KILLED = f"""
import os, sys
from pathlib import Path
from analysis_lib import config, pipelines
from analysis_lib.pipelines import planning

planning.BATCH_DAYS = 1
seen = []
def progress(text):
    seen.append(text)
    if len(seen) == 8:
        os.kill(os.getpid(), {int(signal.SIGKILL)})
pipelines.build(Path(sys.argv[1]), project=config.Project(Path(sys.argv[2])), progress=progress)
"""


def test_what_a_killed_build_left_cannot_be_read_and_is_completed(shop):
    shop.lines(*({"order_id": f"o{d}", "ordered_at": f"2024-03-{d} 12:00"} for d in (10, 11, 12, 13)))
    shop.write()
    command = [sys.executable, "-c", KILLED, str(shop.path), str(shop.root)]
    assert subprocess.run(command, env=os.environ, timeout=120).returncode == -signal.SIGKILL
    with shop.opened() as wh, pytest.raises(SourceError, match=r"not built. Run `shopbook data build"):
        pipelines.mart(wh, "order_facts")
    report = shop.build()
    assert report.marts[0].n_kept > 0 and report.marts[0].n_built > 0
    assert shop.mart("order_facts")["gmv_local"].tolist() == [20.0] * 4
    assert not [rule for rule, (severity, _) in shop.findings().items() if severity == "error"]
