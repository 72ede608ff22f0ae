"""A file opened twice in one process shares what is attached: another file's size is not its own."""

from __future__ import annotations

import duckdb
import pandas as pd

from analysis_lib import warehouse


def test_a_larger_file_attached_to_it_does_not_make_it_look_cut_off(tmp_path, make_warehouse):
    path = make_warehouse(tmp_path, {"countries": pd.DataFrame([{"country": "GB", "timezone": "Europe/London"}])})
    with duckdb.connect(str(tmp_path / "large.duckdb")) as connection:
        connection.execute("CREATE TABLE rows AS SELECT random() AS x FROM range(2000000)")
    with warehouse.connect(path) as first:
        for name in ("aaa", "zzz"):
            first.connection.execute(f"ATTACH '{tmp_path / 'large.duckdb'}' AS {name} (READ_ONLY)")
            with warehouse.connect(path) as second:
                assert second.tables() == ["countries"]
            first.connection.execute(f"DETACH {name}")
