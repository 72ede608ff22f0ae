from __future__ import annotations

import shutil
import sys
import types

import pytest

from analysis_lib import config


@pytest.fixture
def project(tmp_path):
    """A checkout of its own with the real contract and sources."""
    root = tmp_path / "checkout"
    (root / "data").mkdir(parents=True)
    shutil.copytree(config.project().contract, root / "data" / "contract")
    shutil.copy(config.project().data / "sources.yml", root / "data")
    return config.Project(root)


@pytest.fixture
def toy_builder(project, monkeypatch):
    """Name of a source in ``project`` whose builder is a module made here; ``fill`` may be replaced."""

    def fill(connection, progress):
        for table, column in (("countries", "country"), ("users", "user_id"), ("products", "product_id")):
            progress(table)
            connection.execute(f"CREATE TABLE {table} AS SELECT 'x' || i AS {column} FROM range(3) AS r(i)")
        connection.execute("CREATE TABLE orders AS SELECT 'o' || i AS order_id FROM range(1000) AS r(i)")
        return {"lines": 1000}

    module = types.ModuleType("toy_builder")
    module.VERSION, module.EXPECTED_BYTES, module.fill = "1", 0, fill
    monkeypatch.setitem(sys.modules, "toy_builder", module)
    with (project.data / "sources.yml").open("a") as file:
        file.write("\n  toy: {title: Toy, kind: duckdb, path: data/built/toy.duckdb, builder: toy_builder}\n")
    return module
