"""PySpark is an extra: nothing but a source on Spark asks for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from analysis_lib.errors import InvalidValue, SourceError, UnknownName
from analysis_lib.warehouse import connect
from analysis_lib.warehouse.export import export, spark_source_of
from analysis_lib.warehouse.spark import SIGNATURE, require_spark

ENTRY = "\n  lake: {title: Lake, kind: spark, path: lake, exported_from: complete_journey}\n"


@pytest.fixture
def lake(project):
    with (project.data / "sources.yml").open("a") as file:
        file.write(ENTRY)
    return project


def test_nothing_imports_pyspark():
    code = (
        "import sys, importlib, pkgutil, analysis_lib\n"
        "for package in ('warehouse', 'pipelines', 'cli'):\n"
        "    home = importlib.import_module(f'analysis_lib.{package}')\n"
        "    for module in pkgutil.iter_modules(home.__path__):\n"
        "        importlib.import_module(f'analysis_lib.{package}.{module.name}')\n"
        "assert not [name for name in sys.modules if name.split('.')[0] in ('pyspark', 'py4j')]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_without_pyspark(lake, monkeypatch):
    (lake.root / "lake").mkdir()
    (lake.root / "lake" / SIGNATURE.format(database="lake")).write_text("{}")
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(SourceError, match=r"make spark.*shopbook\[spark\]"):
        connect("lake", project=lake)


def test_without_java(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", sys)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(SourceError, match="needs Java 17"):
        require_spark()


def test_a_source_that_is_not_exported(lake):
    with pytest.raises(SourceError, match="shopbook data build complete_journey --engine spark"):
        connect("lake", project=lake)


def test_which_source_is_a_copy_of_which(lake, project):
    assert spark_source_of("complete_journey", lake).name == "lake"
    with pytest.raises(UnknownName):
        spark_source_of("nothing", lake)


def test_a_source_without_a_copy(project, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", sys)
    monkeypatch.setattr("analysis_lib.warehouse.spark.shutil.which", lambda name: "/java")
    with pytest.raises(InvalidValue, match="exported_from: complete_journey"):
        export("complete_journey", project=project)
