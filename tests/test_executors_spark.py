"""Tables of Spark get the same grids as batches do: on Sail, and on PySpark with Java."""

from __future__ import annotations

import os
import shutil
import sys

import numpy as np
import pyarrow as pa
import pytest

from gridmap import attach_batches, attach_table, build_locator, sketch_grids
from gridmap.errors import SchemaError

pyspark = pytest.importorskip("pyspark", reason='pyspark is not installed: "gridmap[spark]"')
pytestmark = [pytest.mark.filterwarnings("ignore::FutureWarning"),
              pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def sail(tmp_path, monkeypatch):
    spark = pytest.importorskip("pysail.spark", reason="pysail is not installed")
    if not hasattr(pyspark, "SparkContext"):  # pyspark-client ends without a home of Spark
        monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    from pyspark.sql import SparkSession

    server = spark.SparkConnectServer()
    server.start()
    _, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    yield session
    session.stop()
    server.stop()
    os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)  # PySpark itself leaves it set


@pytest.fixture
def java():
    if shutil.which("java") is None or not hasattr(pyspark, "SparkContext"):
        pytest.skip("PySpark needs Java 17 or later, and pyspark rather than pyspark-client")
    from pyspark.sql import SparkSession

    session = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
               .config("spark.pyspark.python", sys.executable).getOrCreate())
    yield session
    session.stop()


def places():
    """Return 2,000 rows, some on borders, some outside and some without a place."""
    xy = np.random.default_rng(2).uniform(0, 2.3, (2000, 2)).round(2)
    xy[::100] = np.nan
    codes = [f"E{number:04}" for number in range(2000)]
    return pa.table({"element": codes, "x": xy[:, 0], "y": xy[:, 1]})


def columns_of(table):
    """Return the bytes of the columns, in the order of the elements."""
    table = table.sort_by("element")
    return {name: table[name].combine_chunks().cast("string").to_pylist()
            for name in table.column_names}


def attached_here(ready):
    batches = attach_batches(places().to_batches(), ready)
    table = pa.Table.from_batches(batches)
    for name in ("grid", "how"):
        at = table.column_names.index(name)
        table = table.set_column(at, name, table[name].cast("string"))
    return columns_of(table)


def check_same(session):
    ready = build_locator(sketch_grids("AB", "CD"))
    table = session.createDataFrame(places()).repartition(3)
    attached = attach_table(table, ready)
    assert attached.columns == ["element", "x", "y", "grid", "how"]
    assert columns_of(attached.toArrow()) == attached_here(ready)
    with pytest.raises(SchemaError, match=r"table: column lng is absent\. Name the columns of"):
        attach_table(table, ready, x="lng")


def test_sail_gives_every_row_the_grid_that_it_gets_here(sail):
    check_same(sail)


@pytest.mark.slow
def test_pyspark_gives_every_row_the_grid_that_it_gets_here(java):
    check_same(java)
