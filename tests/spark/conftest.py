"""One little marketplace on both engines; Java is started once."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

from analysis_lib import pipelines, warehouse
from analysis_lib.warehouse.export import export
from analysis_lib.warehouse.spark import session

_path = Path(__file__).parent.parent / "pipelines" / "conftest.py"
_spec = importlib.util.spec_from_file_location("pipelines_fixtures", _path)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

_SOURCES = """sources:
  shop: {title: A shop, kind: duckdb, path: shop.duckdb}
  shop_spark: {title: The shop on Spark, kind: spark, path: spark, exported_from: shop}
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test waits for Java and for both engines, which on a busy machine takes minutes."""
    for item in items:
        if item.get_closest_marker("spark"):
            item.add_marker(pytest.mark.timeout(1200))


class Pair:
    """The shop on DuckDB and on Spark."""

    def __init__(self, shop) -> None:
        self.shop = shop
        self.project = shop.project

    def opened(self, engine: str):
        """The source on an engine."""
        return warehouse.connect({"duckdb": "shop", "spark": "shop_spark"}[engine], project=self.project)

    def build(self, **options) -> dict[str, pipelines.BuildReport]:
        """Export what the file holds, and build the marts on both engines."""
        export("shop", project=self.project)
        return {name: pipelines.build(name, project=self.project, **options) for name in ("shop", "shop_spark")}

    def frame(self, engine: str, expression_of) -> pd.DataFrame:
        """An expression made from the open warehouse, run."""
        with self.opened(engine) as wh:
            return wh.query(expression_of(wh))


def assert_agree(one: pd.DataFrame, other: pd.DataFrame, keys: list[str]) -> None:
    """Counts, texts and times exactly, money to the ninth digit."""
    frames = [frame.sort_values(keys).reset_index(drop=True) for frame in (one, other)]
    assert list(frames[0].columns) == list(frames[1].columns) and len(frames[0]) == len(frames[1])
    for name in frames[0]:
        mine, theirs = frames[0][name], frames[1][name]
        if pd.api.types.is_float_dtype(mine):
            pd.testing.assert_series_equal(mine, theirs.astype("float64"), rtol=1e-9, check_dtype=False)
        else:
            assert mine.astype(str).tolist() == theirs.astype(str).tolist(), name


@pytest.fixture(scope="session")
def agree():
    """``agree(frame, other, keys)``."""
    return assert_agree


@pytest.fixture(scope="session")
def pair(tmp_path_factory, make_warehouse) -> Pair:
    """Both engines, built once. An embedded metastore is opened once in a process, so tests share it."""
    shop = _module.Shop(tmp_path_factory.mktemp("spark"), make_warehouse)
    (shop.project.data / "sources.yml").write_text(_SOURCES)
    shop.tables = _module.random_tables(1)
    shop.write()
    # For a few hundred rows compiling a query takes longer than running it.
    for name, value in (("spark.sql.codegen.wholeStage", "false"), ("spark.sql.codegen.factoryMode", "NO_CODEGEN")):
        session(shop.root / "spark").conf.set(name, value)
    both = Pair(shop)
    both.reports = both.build()
    return both
