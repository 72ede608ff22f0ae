"""The command line: exit codes, messages for people, JSON for programs."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import types
import urllib.request

import nbformat
import pytest

import analysis_lib
from analysis_lib.publishing.parameters import read_parameters
from analysis_lib.publishing.records import run_folder
from analysis_lib.publishing.reports import load_reports
from analysis_lib.publishing.server import open_server

FINDING = """from IPython.display import display
finding = {"title": f"Did {x} pay?", "headline": f"Yes, {x} times."}
display({"application/vnd.shopbook.finding+json": finding}, raw=True)"""
X = "x: int = 1  # how often {range: 0..9}"


def test_list_shows_parameters_with_types_defaults_and_meanings(shopbook):
    code, out, _ = shopbook("list")
    assert code == 0
    assert "review  Did it pay?" in out
    assert "weeks: int = 12" in out and "weeks before the start (6 to 26)" in out
    assert "(one of gmv, orders)" in out and "(a value of campaigns.campaign_id)" in out


def test_list_speaks_json(shopbook):
    code, out, _ = shopbook("list", "--json")
    (card,) = json.loads(out)
    assert code == 0
    assert card["name"] == "review"
    assert card["parameters"][2] | {"choices": []} == {
        "name": "weeks", "type": "int", "default": 12, "meaning": "weeks before the start", "choices": [],
        "low": 6, "high": 26, "column": "", "is_source": False, "is_metric": False, "dimension_of": "",
    }  # fmt: skip


def test_run_says_the_headline_and_where_the_page_is_and_keeps_it_for_the_book(shopbook, notebook, project):
    notebook("count", FINDING, parameters=X)
    code, out, err = shopbook("run", "count", "-p", "x=3")
    assert code == 0
    assert "Did 3 pay?\n  Yes, 3 times.\n" in out
    assert str(run_folder(project, "count-x-3").page) in out
    assert "[1/1] Count: x 3 … ok" in err
    assert [page.slug for page in load_reports(project).pages] == ["count-x-3"]
    code, _, err = shopbook("run", "count", "-p", "x=3")
    assert code == 0 and "unchanged" in err


def test_run_no_book_keeps_the_page_out_of_the_book(shopbook, notebook, project):
    notebook("count", FINDING, parameters=X)
    assert shopbook("run", "count", "-p", "x=3", "--no-book", "--plain-kernel")[0] == 0
    assert load_reports(project).pages == ()


def test_a_grid_with_a_failing_page_exits_1_and_names_cell_and_parameters(shopbook, notebook, project):
    notebook("count", "print(1 / x)", parameters=X)
    code, out, err = shopbook("run", "count", "--over", "x=0,1", "--jobs", "2")
    assert code == 1
    assert "cell 3 (print(1 / x)): ZeroDivisionError" in err
    assert "shopbook run count -p x=0" in err
    assert "Traceback" not in err
    assert str(run_folder(project, "count-x-1").page) in out
    assert [page.slug for page in load_reports(project).pages] == ["count-x-1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "reveiw"), "Did you mean 'review'?"),
        (("run", "review", "-p", "campain=18"), "Did you mean 'campaign'?"),
        (("run", "review", "-p", "campaign=81"), "Did you mean '18'?"),
        (("run", "review", "-p", "weeks=many"), "is not a whole number"),
        (("run", "review", "-p", "weeks=99"), "above 26"),
        (("run", "review", "-p", "metric=gvm"), "Did you mean 'gmv'?"),
        (("run", "review", "-p", "source=shpo"), "Did you mean 'shop'?"),
        (("run", "review", "-p", "campaign"), "expected name=value"),
        (("run", "review", "-p", "weeks=6", "-p", "weeks=7"), "is given twice"),
        (("run", "review", "-p", "weeks=6", "--over", "weeks=7,8"), "by -p and by --over"),
        (("run", "review", "--over", "weeks="), "expected values"),
        (("run", "review", "--jobs", "0"), "--jobs"),
        (("run",), "notebook"),
        (("bild",), "No such command"),
        (("serve", "--port", "99999"), "port 99999 does not exist"),
        (("new", "notebook", "My Notebook"), "Try 'my_notebook'"),
        (("new", "notebook", "../evil"), "cannot name a notebook"),
        (("new", "notebook", "class"), "cannot name a notebook"),
        (("new", "notebook", "review"), "exists already"),
    ],
)
def test_what_the_user_got_wrong_exits_2_and_says_so(shopbook, arguments, said):
    code, _, err = shopbook(*arguments)
    assert code == 2
    assert said in err
    assert "Traceback" not in err


def test_a_typo_in_reports_yml_exits_2(shopbook, reports):
    reports("parts: [{title: A, reprots: []}]")
    code, _, err = shopbook("build", "--no-site")
    assert code == 2 and "Did you mean 'reports'?" in err


def test_build_runs_everything_then_builds_the_site_even_if_a_page_failed(shopbook, notebook, reports, monkeypatch):
    notebook("count", "print(1 / x)", parameters=X)
    reports("parts: [{title: A, reports: [{notebook: count, over: {x: ['0', '1']}}]}]")
    calls = []
    site = types.ModuleType("analysis_lib.publishing.site")
    site.build_site = lambda *arguments: calls.append(arguments)
    monkeypatch.setitem(sys.modules, "analysis_lib.publishing.site", site)
    code, out, err = shopbook("build", "--plain-kernel")
    assert code == 1 and "cell 3" in err and "shopbook serve" in out
    ((_, pages, records),) = calls
    assert [page.slug for page in pages] == [record.slug for record in records] == ["count-x-0", "count-x-1"]


def test_debug_shows_the_traceback(shopbook):
    with pytest.raises(analysis_lib.errors.UnknownName):
        shopbook("run", "reveiw", "--debug")


@pytest.mark.parametrize("command", [(), ("list",), ("run",), ("build",), ("serve",), ("new",), ("new", "notebook")])
def test_help_has_examples(shopbook, command):
    code, out, _ = shopbook(*command, "--help")
    assert code == 0
    assert "Example" in out and "shopbook" in out.split("Example")[1]


def test_version(shopbook):
    assert shopbook("--version")[:2] == (0, f"shopbook {analysis_lib.__version__}\n")


def test_the_command_line_starts_without_the_heavy_libraries():
    code = (
        "import sys; from analysis_lib.cli import main; main(['--help']);"
        "print([m for m in ('pandas', 'numpy', 'papermill', 'ibis', 'duckdb', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_python_m_is_the_same_command(project):
    done = subprocess.run([sys.executable, "-m", "analysis_lib", "run", "zzz"], capture_output=True, text=True)
    assert done.returncode == 2 and "notebook 'zzz' is not in" in done.stderr


def test_a_new_notebook_follows_the_skeleton_and_can_be_listed(shopbook, project):
    code, out, _ = shopbook("new", "notebook", "creator_reach")
    path = project.notebooks / "creator_reach.ipynb"
    made = nbformat.read(path, as_version=4)
    nbformat.validate(made)
    assert code == 0 and str(path) in out
    headings = [line for cell in made.cells for line in cell.source.splitlines() if line.startswith("#")]
    assert headings[0] == "# Creator reach?" and len([line for line in headings if line.startswith("# ")]) == 1
    assert "## How sure are we" in headings
    assert [parameter.name for parameter in read_parameters(path)] == ["source"]
    kinds = [cell.cell_type for cell in made.cells]
    assert all(kinds[at - 1] == "markdown" for at, kind in enumerate(kinds) if kind == "code")
    assert all("{{" not in cell.source for cell in made.cells)
    assert shopbook("list")[0] == 0


def test_serve_needs_a_site(shopbook):
    code, _, err = shopbook("serve")
    assert code == 1 and "shopbook build" in err


def test_serve_answers_on_loopback_and_takes_the_next_free_port(project):
    project.site.mkdir(parents=True)
    (project.site / "index.html").write_text("<p>hello</p>", encoding="utf-8")
    with open_server(project, 0) as first, open_server(project, first.server_address[1]) as second:
        assert first.server_address[0] == "127.0.0.1"
        assert second.server_address[1] != first.server_address[1]
        thread = threading.Thread(target=second.serve_forever, daemon=True)
        thread.start()
        with urllib.request.urlopen(f"http://127.0.0.1:{second.server_address[1]}/") as answer:
            assert answer.read() == b"<p>hello</p>"
        second.shutdown()
        thread.join()
