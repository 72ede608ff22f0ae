"""The tiny book of tests/publishing, for commands."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_path = Path(__file__).parent.parent / "publishing" / "conftest.py"
_spec = importlib.util.spec_from_file_location("publishing_fixtures", _path)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

connect, notebook, project = _module.connect, _module.notebook, _module.project
reports, warehouse = _module.reports, _module.warehouse


@pytest.fixture
def shopbook(project, connect, monkeypatch, capsys):
    """``shopbook("run", …) -> (exit code, out, err)`` in the tiny book."""
    from analysis_lib.cli import main
    from analysis_lib.publishing import kernels, runner

    monkeypatch.setenv("SHOPBOOK_ROOT", str(project.root))
    monkeypatch.setattr(runner, "connect_source", lambda source, project=None: connect(source))
    monkeypatch.setattr(kernels, "BASE_MODULES", ("ipykernel.kernelapp", "ipykernel.ipkernel"))

    def run(*arguments):
        capsys.readouterr()
        code = main(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
