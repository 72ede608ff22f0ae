"""Runs: failures keep the last good page, nothing is left behind, what has not changed is not run."""

from __future__ import annotations

import errno
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import nbformat
import pytest
from jupyter_client import BlockingKernelClient
from jupyter_core.utils import run_sync

from analysis_lib.config import FINDING_MIME
from analysis_lib.errors import BuildFailed, InvalidValue, UnknownName
from analysis_lib.publishing import cache
from analysis_lib.publishing import kernels as kernels_module
from analysis_lib.publishing.files import TEMPORARY_PREFIX, build_lock, write_whole
from analysis_lib.publishing.local import ask_pages
from analysis_lib.publishing.progress import Progress
from analysis_lib.publishing.records import run_folder
from analysis_lib.publishing.runner import failures, run_pages

#: A notebook that does as it is told: works, raises, dies, sleeps.
PICKY = "x: int = 1  # x\nmode: str = 'ok'  # what to do {choices: ok, raise, die, sleep}"
CODE = """if mode == "raise":
    1 / 0
elif mode == "die":
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
elif mode == "sleep":
    import time
    time.sleep(30)
print(x)"""


@pytest.fixture(autouse=True)
def light_forge(monkeypatch):
    """Kernels here need no statistics: warm up with the kernel alone."""
    monkeypatch.setattr(kernels_module, "BASE_MODULES", ("ipykernel.kernelapp", "ipykernel.ipkernel"))


@pytest.fixture
def picky(notebook):
    return notebook("picky", "import json", CODE, parameters=PICKY)


def leftovers(project):
    return list(project.state.rglob(f"{TEMPORARY_PREFIX}*"))


def run(project, given, over=None, **options):
    return run_pages(project, ask_pages(project, "picky", given, over), **options)


def children(project):
    """Kernels and forges of this test that live, orphans included."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            place = (entry / "cwd").readlink()
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        ours = b"analysis_lib.publishing.forge" in command or b"ipykernel_launcher" in command
        if ours and state != "Z" and place == project.root:
            found.append(int(entry.name))
    return found


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize("plain", [False, True])
def test_a_run_is_kept_with_its_circumstances(project, picky, plain):
    (record,) = run(project, {"x": "7"}, plain_kernel=plain)
    folder = run_folder(project, "picky-x-7")
    stored = json.loads(folder.state.read_text(encoding="utf-8"))
    page = nbformat.read(folder.page, as_version=4)
    assert record.ok and not record.cached
    assert page.cells[-1].outputs[0].text == "7\n"
    assert stored["parameters"] == {"x": 7, "mode": "ok"}
    assert stored["command"] == "shopbook run picky -p x=7"
    assert stored["kernel"] == ("plain" if plain else "warm")
    assert 20 < stored["peak_mb"] < 2000
    assert 0 < stored["overhead_seconds"] <= stored["seconds"] < 30
    assert stored["started_at"].endswith("+00:00")
    assert sorted(path.name for path in folder.path.iterdir()) == ["page.ipynb", "run.json"]


def test_a_failed_run_leaves_the_last_good_page_and_the_others_go_on(project, picky):
    # The page's file name comes from x alone; the failure is in the notebook's own text.
    run(project, {"x": "1"})
    good = run_folder(project, "picky-x-1").page.read_bytes()
    text = picky.read_text(encoding="utf-8")
    picky.write_text(text.replace("print(x)", "print(x // (x - 1))"), encoding="utf-8")
    records = run(project, {}, {"x": ["1", "2", "3"]})
    assert [record.status for record in records] == ["failed", "ok", "ok"]
    failed = records[0]
    folder = run_folder(project, "picky-x-1")
    assert folder.page.read_bytes() == good
    assert failed.stale and failed.stale_since and failed.good["status"] == "ok"
    assert (failed.error.cell, failed.error.ename) == (4, "ZeroDivisionError")
    assert failed.error.first_line == 'if mode == "raise":'
    assert "ZeroDivisionError" in folder.log.read_text(encoding="utf-8")
    assert folder.failed.exists()
    assert "cell 4" in failures(records)[0] and "-p x=1" in failures(records)[0]
    # Still failing: stale since the first failure. Taken back: the page is good again, without a run.
    again = run(project, {"x": "1"})[0]
    assert again.stale_since == failed.stale_since and again.good["status"] == "ok"
    picky.write_text(text, encoding="utf-8")
    back = run(project, {"x": "1"})[0]
    assert back.ok and back.cached and not back.stale


def test_a_first_run_that_fails_leaves_no_page(project, picky):
    (record,) = run(project, {"mode": "raise"})
    folder = run_folder(project, record.slug)
    assert not record.ok and not record.stale and record.good is None
    assert sorted(path.name for path in folder.path.iterdir()) == ["failed.ipynb", "failed.log", "run.json"]


@pytest.mark.parametrize("plain", [False, True])
def test_a_kernel_killed_in_mid_run_is_noticed_quickly(project, picky, plain):
    records = run(project, {}, {"mode": ["die", "ok"]}, plain_kernel=plain)
    assert [record.status for record in records] == ["failed", "ok"]
    assert records[0].error.ename == "DeadKernelError"
    assert "killed by signal 9" in records[0].error.evalue
    assert records[0].error.cell == 4
    assert records[0].seconds < 8
    assert leftovers(project) == []


def test_a_cell_that_takes_too_long_is_given_up(project, picky):
    (record,) = run(project, {"mode": "sleep"}, cell_timeout=1)
    assert record.error.ename == "CellTimeoutError"
    assert "longer than 1 s" in record.error.evalue
    assert record.seconds < 10
    assert wait_until(lambda: not children(project))


def test_what_has_not_changed_is_not_run(project, connect, warehouse):
    def status():
        return run_pages(project, ask_pages(project, "review", {"campaign": "18"}), connect=connect, plain_kernel=True)[
            0
        ].cached

    assert status() is False
    assert status() is True
    warehouse.fingerprint = "data-2"
    assert status() is False
    (project.root / "requirements.txt").write_text("pandas==3\n", encoding="utf-8")
    assert status() is False
    (project.data / "metrics.yml").write_text("gmv: 1\n", encoding="utf-8")
    assert status() is False
    (project.root / "analysis_lib").mkdir()
    (project.root / "analysis_lib" / "x.py").write_text("y = 1\n", encoding="utf-8")
    assert status() is False
    assert status() is True


def test_outputs_and_metadata_of_the_notebook_make_no_run_again(project, picky):
    run(project, {"x": "1"}, plain_kernel=True)
    content = nbformat.read(picky, as_version=4)
    content.metadata["anything"] = 1
    content.cells[-1].outputs = [nbformat.v4.new_output("stream", text="old")]
    nbformat.write(content, picky)
    assert run(project, {"x": "1"}, plain_kernel=True)[0].cached
    content.cells[0].source = "# Another question?"
    nbformat.write(content, picky)
    assert not run(project, {"x": "1"}, plain_kernel=True)[0].cached


def test_a_damaged_page_or_record_is_run_again(project, picky):
    run(project, {"x": "1"}, plain_kernel=True)
    folder = run_folder(project, "picky-x-1")
    folder.page.write_text("{", encoding="utf-8")
    assert not run(project, {"x": "1"}, plain_kernel=True)[0].cached
    folder.state.write_text('{"slug": 1}', encoding="utf-8")
    assert not run(project, {"x": "1"}, plain_kernel=True)[0].cached
    assert not run(project, {"x": "1"}, plain_kernel=True, force=True)[0].cached


def test_wrong_parameters_stop_everything_before_a_kernel_starts(project, connect, reports, monkeypatch):
    monkeypatch.setattr(kernels_module, "open_kernels", lambda *_: pytest.fail("a kernel was started"))
    pages = ask_pages(project, "review", {}, {"campaign": ["18", "81", "31"]})
    with pytest.raises(UnknownName) as raised:
        run_pages(project, pages, connect=connect)
    assert "'81'" in str(raised.value) and "'31'" in str(raised.value)
    with pytest.raises(InvalidValue, match="above 26"):
        ask_pages(project, "review", {"weeks": "99"})


@pytest.mark.parametrize("place", ["write", "replace"])
def test_a_full_disk_leaves_the_last_good_page_and_no_half_file(project, picky, monkeypatch, place):
    run(project, {"x": "1"}, plain_kernel=True)
    folder = run_folder(project, "picky-x-1")
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    full = OSError(errno.ENOSPC, "No space left on device")

    def refuse(*_, **__):
        raise full

    if place == "write":
        monkeypatch.setattr(os, "fsync", refuse)
    else:
        monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(BuildFailed, match="no space left on the device"):
        run(project, {}, {"x": ["1", "2"]}, plain_kernel=True, force=True)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == before
    assert leftovers(project) == []


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_device_that_is_full_is_told_as_such(tmp_path):
    with pytest.raises(OSError) as raised, pathlib.Path("/dev/full").open("w") as stream:
        stream.write("x")
    assert raised.value.errno == errno.ENOSPC


def test_a_small_real_disk_that_fills_up(project, picky, tmp_path):
    disk = project.state
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        run(project, {"x": "1"}, plain_kernel=True)
        page = run_folder(project, "picky-x-1").page
        before = page.read_bytes()
        picky.write_text(
            picky.read_text(encoding="utf-8").replace("print(x)", "print('y' * 100_000)"), encoding="utf-8"
        )
        with pytest.raises(BuildFailed, match="no space left"):
            run(project, {"x": "1"}, plain_kernel=True)
        assert page.read_bytes() == before
        assert leftovers(project) == []
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_killed_runs_leftovers_are_swept(project, picky):
    folder = run_folder(project, "picky-x-1").path
    folder.mkdir(parents=True)
    (folder / f"{TEMPORARY_PREFIX}old").write_text("half", encoding="utf-8")
    run(project, {"x": "1"}, plain_kernel=True)
    assert leftovers(project) == []


def test_two_builds_at_once_are_refused(project, picky):
    with build_lock(project.state), pytest.raises(BuildFailed, match=f"process {os.getpid()}"):
        run(project, {"x": "1"})
    run(project, {"x": "1"}, plain_kernel=True)


def test_a_whole_file_or_none(tmp_path, monkeypatch):
    path = tmp_path / "a" / "x.json"
    write_whole(path, "old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    with pytest.raises(OSError):
        write_whole(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert [entry.name for entry in path.parent.iterdir()] == ["x.json"]


def test_forked_kernels_are_fresh_and_leave_no_processes(project, notebook):
    code = "import os, random, sys\nprint(os.getcwd(), os.getpgid(0) == os.getpid(), random.random(), sys.argv[0])"
    notebook("fresh", code, "x = globals().get('left', 0)\nleft = 1\nprint(x)", parameters="n: int = 1  # n")
    records = run_pages(project, ask_pages(project, "fresh", {}, {"n": ["1", "2", "3"]}))
    assert all(record.ok and record.kernel == "warm" for record in records)
    printed = [nbformat.read(run_folder(project, r.slug).page, as_version=4).cells[-2].outputs[0].text for r in records]
    words = [text.split() for text in printed]
    assert {tuple(word[:2]) for word in words} == {(str(project.root), "True")}
    assert len({word[2] for word in words}) == 3
    assert wait_until(lambda: not children(project))


def test_figures_and_warnings_of_forked_kernels_arrive(project, notebook):
    code = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    notebook("figure", "import matplotlib.pyplot as plt", code)
    (record,) = run_pages(project, ask_pages(project, "figure", {}))
    page = nbformat.read(run_folder(project, record.slug).page, as_version=4)
    assert "image/png" in page.cells[-1].outputs[-1].data


def test_a_forge_that_cannot_fork_safely_gives_way_to_ordinary_kernels(project, picky, monkeypatch):
    (project.root / "threads_at_import.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(kernels_module, "BASE_MODULES", ("ipykernel.kernelapp", "threads_at_import"))
    told = []

    class Listener(Progress):
        def notice(self, text):
            told.append(text)

    (record,) = run(project, {"x": "1"}, progress=Listener())
    assert record.ok and record.kernel == "plain"
    assert len(told) == 1 and "threads_at_import" in told[0]


def test_a_module_that_cannot_be_imported_fails_in_the_notebook_not_in_the_forge(project, notebook):
    notebook("missing", "import no_such_module_anywhere")
    (record,) = run_pages(project, ask_pages(project, "missing", {}))
    assert record.kernel == "warm"
    assert record.error.ename == "ModuleNotFoundError"


def _start_sleeping(project, *options):
    command = [sys.executable, "-m", "analysis_lib", "run", "picky", "-p", "mode=sleep", *options]
    environment = {**os.environ, "SHOPBOOK_ROOT": str(project.root)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert wait_until(lambda: list((project.state / "runs").glob("*")) and children(project))
    time.sleep(2.5)
    return process


@pytest.mark.parametrize("options", [(), ("--plain-kernel",)])
def test_ctrl_c_stops_kernels_and_exits_130(project, picky, options):
    process = _start_sleeping(project, *options)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert "Stopped" in process.stderr.read()
    assert wait_until(lambda: not children(project))
    assert leftovers(project) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_survives_a_killed_command_line(project, picky, number):
    process = _start_sleeping(project)
    process.send_signal(number)
    process.wait(60)
    process.stderr.close()
    assert wait_until(lambda: not children(project))


def test_runs_in_parallel_use_several_kernels_at_once(project, notebook):
    notebook("slow", "import time\ntime.sleep(1.2)", parameters="n: int = 1  # n")
    pages = ask_pages(project, "slow", {}, {"n": ["1", "2", "3", "4"]})
    seen, events = [], []

    class Watcher(Progress):
        def begin(self, page):
            seen.append(threading.current_thread().name)
            events.append("begin")

        def end(self, page, record):
            events.append("end")

    assert all(record.ok for record in run_pages(project, pages, jobs=4, progress=Watcher()))
    assert events == ["begin"] * 4 + ["end"] * 4
    assert len(set(seen)) == 4


def test_a_finding_that_cannot_be_read_fails_the_run(project, notebook):
    code = "from IPython.display import display\ndisplay({" + repr(FINDING_MIME) + ": {'title': 3}}, raw=True)"
    notebook("odd", code)
    (record,) = run_pages(project, ask_pages(project, "odd", {}), plain_kernel=True)
    assert not record.ok and "finding cannot be read" in record.error.evalue
    assert not run_folder(project, "odd").page.exists()


@pytest.fixture
def warm(project):
    told = []
    with kernels_module.Kernels(
        project.root, project.state / "forge.log", [], plain=False, notice=told.append
    ) as kernels:
        kernels.told = told
        yield kernels


def test_a_forked_kernel_can_be_interrupted_and_shut_down(project, warm):
    manager = warm.start(project.state / "k.log")
    client = BlockingKernelClient(connection_file=manager.connection_file)
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=90)
    client.execute("import time; print('on', flush=True); time.sleep(30)")
    while client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
        pass
    run_sync(manager.interrupt_kernel)()
    assert client.get_shell_msg(timeout=60)["content"]["ename"] == "KeyboardInterrupt"
    client.stop_channels()
    process = manager.provisioner.process
    warm.end(manager)
    # On a busy machine the polite end can take longer than is waited for; then it is asked to terminate.
    assert process.returncode in (0, -signal.SIGTERM)


def test_what_a_kernel_has_started_dies_with_it(project, warm):
    manager = warm.start(project.state / "k.log")
    client = BlockingKernelClient(connection_file=manager.connection_file)
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=90)
    client.execute("import subprocess; child = subprocess.Popen(['sleep', '300']); print(child.pid, flush=True)")
    while (message := client.get_iopub_msg(timeout=60))["msg_type"] != "stream":
        pass
    child = pathlib.Path("/proc") / message["content"]["text"].strip()
    client.stop_channels()
    assert child.exists()
    warm.end(manager)
    assert wait_until(lambda: not child.exists() or "Z" in (child / "stat").read_text().rsplit(")", 1)[1])


def test_when_the_forge_dies_ordinary_kernels_take_over(project, warm):
    warm.forge.process.kill()
    warm.forge.process.wait()
    manager = warm.start(project.state / "k.log")
    assert type(manager.provisioner).__name__ == "LocalProvisioner"
    assert len(warm.told) == 1 and "Warm kernels are not available" in warm.told[0]
    warm.end(manager)


def test_a_page_is_run_again_only_for_code_that_stands_behind_it(project, notebook):
    for name in ("mine.py", "other.py"):
        (cache.LIBRARY / name).write_text("")
    path = notebook("uses", "from analysis_lib import mine")
    before = cache.code_of(project, path)
    (cache.LIBRARY / "other.py").write_text("1")
    assert cache.code_of(project, path) == before
    (cache.LIBRARY / "mine.py").write_text("1")
    assert cache.code_of(project, path) != before
