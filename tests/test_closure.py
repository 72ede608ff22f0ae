"""What stands behind a module: all that it imports, and nothing that it does not."""

from __future__ import annotations

import pytest

from analysis_lib import closure
from analysis_lib.closure import code_digest, modules_behind


@pytest.fixture
def library(tmp_path):
    """A library of which ``a`` needs ``b`` and one half of ``p``; ``q`` needs nothing."""
    files = {
        "a.py": "from analysis_lib import b\nfrom analysis_lib.p import half\n",
        "b.py": "def f():\n    from analysis_lib.late import (\n        x,\n    )\n",
        "late.py": "",
        "q.py": "",
        "p/__init__.py": '_HOMES = {\n    "half": "one",\n    "other": "two",\n}\n',
        "p/one.py": "",
        "p/two.py": "from analysis_lib import q\n",
        "r/__init__.py": "from analysis_lib.r.first import thing\nfrom analysis_lib.r.second import another\n",
        "r/first.py": "",
        "r/second.py": "",
        "c.py": "from analysis_lib.r import thing\n",
        "d.py": "from analysis_lib import p\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def names(library, *entries) -> list[str]:
    return [path.relative_to(library).as_posix() for path in modules_behind(entries, library)]


def test_a_module_has_behind_it_what_it_imports_also_late(library):
    assert names(library, "a") == ["a.py", "b.py", "late.py", "p/__init__.py", "p/one.py"]


def test_a_name_is_followed_through_its_package(library):
    assert names(library, "c") == ["c.py", "r/__init__.py", "r/first.py", "r/second.py"]


def test_without_fronts_the_neighbours_of_a_name_do_not_count(library):
    found = [path.relative_to(library).as_posix() for path in modules_behind(["c"], library, fronts=False)]
    assert found == ["c.py", "r/first.py"]
    assert "p/one.py" in [path.relative_to(library).as_posix() for path in modules_behind(["a"], library, fronts=False)]


def test_a_whole_package_stands_for_all_of_its_modules(library):
    assert names(library, "d") == ["d.py", "p/__init__.py", "p/one.py", "p/two.py", "q.py"]


def test_only_what_is_behind_changes_the_digest(library):
    before = code_digest(["a"], library)
    (library / "q.py").write_text("1")
    assert code_digest(["a"], library) == before
    (library / "late.py").write_text("1")
    assert code_digest(["a"], library) != before


def test_a_method_stands_on_no_question_and_on_no_page():
    packages = {path.relative_to(closure.ROOT).parts[0] for path in modules_behind(["causal"])}
    assert "causal" in packages and not packages & {"campaigns", "metrics", "experiments", "publishing", "world"}
