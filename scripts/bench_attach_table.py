"""A GBK table and a GeoPackage into GeoParquet and a table of counts, batch by batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq
import pyogrio
import pyproj
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, Index

from gridmap import attach_batch, build_locator, count_batch

COLUMNS = ["number", "text", "lon", "lat", "people", "kind"]
TYPES = {"number": pa.int64(), "text": pa.binary(), "lon": pa.float64(), "lat": pa.float64(),
         "people": pa.float64(), "kind": pa.binary()}


def attach_table(table: Path, layer: Path, out: Path, *, rows: int | None = None) -> DataFrame:
    """Attach the rows of a table to the polygons of a layer; return the counts."""
    grids = read_layer(layer)
    ready = build_locator(grids)
    project = pyproj.Transformer.from_crs(4326, grids.crs, always_xy=True).transform
    total: Any = 0
    writer = None
    for batch in read_table(table):
        batch = batch if rows is None else batch.slice(0, rows)
        x, y = project(batch["lon"].to_numpy(), batch["lat"].to_numpy())
        columns = {"number": batch["number"], "text": decode(batch["text"]),
                   "people": batch["people"], "kind": decode_kinds(batch["kind"]),
                   "geometry": write_points(x, y)}
        attached = attach_batch(pa.record_batch(columns), ready, geometry="geometry")
        total = total + count_batch(attached, ready, sums=["people"])
        if writer is None:
            kept = attached.schema.with_metadata({"geo": describe(grids)})
            writer = pq.ParquetWriter(out.with_suffix(".parquet"), kept, compression="snappy",
                                      use_dictionary=["kind", "grid", "how"])
        writer.write_batch(attached.replace_schema_metadata({"geo": describe(grids)}))
        if rows is not None:
            break
    if writer is not None:
        writer.close()
    told: DataFrame = total
    told.to_parquet(out.with_name(f"{out.name}_counts.parquet"))
    return told


def read_layer(layer: Path) -> GeoDataFrame:
    meta, rows = pyogrio.read_arrow(layer)
    shapes = shapely.from_wkb(rows[meta["geometry_name"] or "geom"].to_numpy())
    codes = Index(rows["grid"].to_pandas().astype("str"), name="grid")
    return GeoDataFrame(geometry=shapes, index=codes, crs=meta["crs"])


def read_table(table: Path) -> Iterator[pa.RecordBatch]:
    """Read numbers as numbers and text as bytes, to be decoded in bulk."""
    return iter(pv.open_csv(
        table,
        read_options=pv.ReadOptions(column_names=COLUMNS, skip_rows=1, block_size=16 << 20,
                                    use_threads=False),
        convert_options=pv.ConvertOptions(column_types=TYPES, check_utf8=False),
    ))


def decode(texts: pa.Array) -> pa.Array:
    """Decode all texts of a column at once: 20 times as fast as one by one."""
    lists = pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts)
    whole = pc.binary_join(lists, b"\n")[0].as_py().decode("gb18030").encode()
    letters = np.frombuffer(whole, np.uint8)
    ends = np.flatnonzero(letters == 10)
    if len(ends) != len(texts) - 1:
        return pa.array([t.as_py().decode("gb18030") for t in texts])
    offsets = np.concatenate([[0], ends - np.arange(len(ends)), [len(letters) - len(ends)]])
    kept = np.delete(letters, ends)
    return pa.StringArray.from_buffers(
        len(texts), pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(kept))


def decode_kinds(kinds: pa.Array) -> pa.Array:
    coded = kinds.dictionary_encode()
    return pa.DictionaryArray.from_arrays(coded.indices, decode(coded.dictionary))


def write_points(x: Any, y: Any) -> pa.Array:
    """Write points as WKB, without a geometry object."""
    layout = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])
    raw = np.empty(len(x), layout)
    raw["order"], raw["kind"], raw["x"], raw["y"] = 1, 1, x, y
    offsets = np.arange(len(x) + 1, dtype=np.int32) * layout.itemsize
    return pa.Array.from_buffers(pa.binary(), len(x),
                                 [None, pa.py_buffer(offsets), pa.py_buffer(raw)])


def describe(grids: GeoDataFrame) -> str:
    """Return what makes a Parquet file GeoParquet."""
    column = {"encoding": "WKB", "geometry_types": ["Point"], "crs": grids.crs.to_json_dict()}
    return json.dumps({"version": "1.1.0", "primary_column": "geometry",
                       "columns": {"geometry": column}})
