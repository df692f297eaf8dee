"""Every step that takes an executor, and what comes out as bytes."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
from shapely import affinity

from gridmap import (
    SizeRule,
    attach_batches,
    attach_points,
    build_locator,
    partition,
    repair_tiling,
    sketch_grids,
    sketch_points,
    sketch_units,
)
from gridmap.attach import points as attaching
from gridmap.zoning import batches


def in_small_parts(monkeypatch):
    """Let every step hand out several parts of these small drawings."""
    monkeypatch.setattr(attaching, "SLICE", 70)
    monkeypatch.setattr(batches, "BATCH", 1)


def bytes_of(frame):
    """Return a frame as the bytes of a Parquet file: every bit, every type, every order."""
    written = io.BytesIO()
    frame.to_parquet(written)
    return written.getvalue()


def towns():
    """Return three towns of 16 units side by side."""
    units = sketch_units("ABCDefgh", "EFGHijkl", "IJKLmnop", "MNOPqrst", "UVWXuvwx", "YZabyzcd")
    across = units.geometry.centroid.x
    units["territory"] = np.where(across < 2, "T1", np.where(across < 5, "T2", "T3"))
    return units


def spoilt():
    """Return grids of three parents with an overlap, a gap and a shift, and the parents."""
    broken = sketch_grids("AABBCC", "AABBCC", "DDEEFF")
    parents = sketch_grids("PPQQRR", "PPQQRR", "PPQQRR").rename_axis("territory")
    broken["territory"] = list("PQRPQR")
    shapes = broken.geometry.copy()
    shapes["A"] = shapes["A"].buffer(0.1, join_style="mitre")
    shapes["E"] = shapes["E"].buffer(-0.1, join_style="mitre")
    shapes["C"] = affinity.translate(shapes["C"], 0.05, 0.1)
    return broken.set_geometry(shapes), parents


def points():
    return sketch_points(*np.random.default_rng(1).uniform(0, 2.2, (300, 2)))


def run_steps(executor):
    """Return what every step makes, as bytes by name."""
    drawn = partition(towns(), SizeRule(minimum=2, target=4, maximum=6), executor=executor)
    grids = sketch_grids("AB", "CD")
    attached = attach_points(points(), grids, nearest_m=0.1, executor=executor)
    broken, parents = spoilt()
    mended, changes = repair_tiling(broken, parents, apart=True, executor=executor)
    place = points().geometry
    batch = pa.record_batch({"x": place.x, "y": place.y})
    stream = attach_batches([batch.slice(at, 50) for at in range(0, 300, 50)],
                            build_locator(grids), executor=executor)
    sink = io.BytesIO()
    for one in stream:
        with pa.ipc.new_stream(sink, one.schema) as writer:
            writer.write_batch(one)
    frames = {"grids": drawn.grids, "assignment": drawn.assignment.to_frame(),
              "drawing": drawn.changes, "elements": attached.elements,
              "counts": attached.by_grid, "rejects": attached.rejects,
              "mended": mended, "mending": changes}
    return {name: bytes_of(frame) for name, frame in frames.items()} | {
        "stream": sink.getvalue()}
