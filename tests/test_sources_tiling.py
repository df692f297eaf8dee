"""From a file full of faults to a seamless tiling: every row is accounted for on the way."""

from __future__ import annotations

import json

import geopandas
import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.errors import GridmapError
from gridmap.rules import TilingRule
from gridmap.sketch import sketch_grids
from gridmap.sources import load_territories
from gridmap.tiling import check_tiling, repair_tiling
from gridmap.workspace.handover import save_layer

SIDE_M = 1_000.0
OPTIONS = {"columns": {"territory": "CODE", "name": "NAME", "people": "PEOPLE"},
           "constants": {"level": "community"}, "crs": "EPSG:4550"}
MIDDLE = np.array([500_000.0, 4_100_000.0])

#: What happens to a row of the file; the first six keep the row, the others cost it.
KEPT = ["grow", "shrink", "shift", "twist", "code as a float", "many words"]
LOST = ["no shape", "no code", "row twice", "code twice", "code short", "a point", "null"]


def voronoi(seed, size):
    rng = np.random.default_rng(seed)
    box = shapely.box(0, 0, SIDE_M, SIDE_M)
    seeds = shapely.multipoints(rng.uniform(0, SIDE_M, (size, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=box, ordered=True))
    shapes = shapely.set_precision(shapely.intersection(cells, box), 1 / 1024, mode="pointwise")
    return shapely.transform(shapes, lambda xy: xy + MIDDLE)


def feature(number, shape):
    return {"type": "Feature", "geometry": shapely.geometry.mapping(shape),
            "properties": {"CODE": f"37990100{number:04d}", "NAME": f"望湾{number}",
                           "PEOPLE": "7"}}


def spoil(features, at, fault):
    """Do to a feature what the world does; return the features that are more or other."""
    one = features[at]
    shape = shapely.geometry.shape(one["geometry"])
    same, code = one["properties"], one["properties"]["CODE"]
    changed = {
        "grow": lambda: {**one, "geometry": mapped(shape.buffer(3, join_style="mitre"))},
        "shrink": lambda: {**one, "geometry": mapped(shape.buffer(-2, join_style="mitre"), shape)},
        "shift": lambda: {**one, "geometry": mapped(shapely.affinity.translate(shape, 2.5, -1.5))},
        "twist": lambda: {**one, "geometry": twisted(shape)},
        "code as a float": lambda: {**one, "properties": {**same, "CODE": f"{code}.0"}},
        "many words": lambda: {**one, "properties": {**same, "PEOPLE": "about seven"}},
        "no shape": lambda: {**one, "geometry": None},
        "no code": lambda: {**one, "properties": {**same, "CODE": " "}},
        "code short": lambda: {**one, "properties": {**same, "CODE": "3.79901E+11"}},
        "a point": lambda: {**one, "geometry": mapped(shape.centroid)},
        "null": lambda: None,
    }
    if fault in changed:
        return [changed[fault]()]
    other = {**one, "properties": {**same, "NAME": "another"}}
    return [one, one if fault == "row twice" else other]


def mapped(shape, else_=None):
    kept = shape if shape.geom_type in ("Polygon", "Point") and not shape.is_empty else else_
    return shapely.geometry.mapping(kept)


def twisted(shape):
    xy = shapely.get_coordinates(shape)[:-1]
    xy[[0, 1]] = xy[[1, 0]]  # two corners in the wrong order
    return shapely.geometry.mapping(shapely.Polygon(xy))


def save(folder, features, ending):
    whole = {"type": "FeatureCollection", "features": features, "crs": {
        "type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4550"}}}
    text = json.dumps(whole, ensure_ascii=False)
    file = folder / f"communities.{ending}"
    if ending == "geojsonl":
        text = "\n".join(json.dumps(one, ensure_ascii=False) for one in features)
    file.write_bytes(text.encode("gb18030" if ending == "json" else "utf-8"))
    return file


@settings(deadline=None, max_examples=20)
@given(
    seed=st.integers(0, 10_000), size=st.integers(5, 25),
    faults=st.dictionaries(st.integers(0, 24), st.sampled_from(KEPT + LOST), max_size=8),
    ending=st.sampled_from(["json", "geojson", "geojsonl"]),
    overlaps=st.sampled_from(["border", "order", "compact"]),
)
def test_any_mixture_of_faults_is_read_counted_and_mended(
    tmp_path_factory, seed, size, faults, ending, overlaps
):
    cells = voronoi(seed, size)
    parent = geopandas.GeoDataFrame(
        geometry=[shapely.box(*MIDDLE, *(MIDDLE + SIDE_M))], index=["P"], crs=4550)
    made = [feature(n, cell) for n, cell in enumerate(cells)]
    faults = {at: fault for at, fault in faults.items() if at < size}
    rows = [row for at in range(size)
            for row in (spoil(made, at, faults[at]) if at in faults else [made[at]])]
    loaded = load_territories(save(tmp_path_factory.mktemp("in"), rows, ending), **OPTIONS)
    # rows in = rows out + rejects, one reject for each fault that costs a row, each with a reason
    assert loaded.rows_in == len(rows) == len(loaded.frame) + len(loaded.rejects)
    assert len(loaded.rejects) == sum(fault in LOST for fault in faults.values())
    assert loaded.rejects["note"].notna().all()
    gone = {at for at, fault in faults.items() if fault in LOST and "twice" not in fault}
    assert set(loaded.frame.index) == {f"37990100{n:04d}" for n in range(size) if n not in gone}
    if not len(loaded.frame):
        return
    # what is left of the land is mended: it fills the parent, and twice is once
    rule = TilingRule(overlaps=overlaps)
    mended, changes = repair_tiling(loaded.frame, parent, rule=rule)
    check_tiling(mended, parent, rule=rule)
    assert mended.area.sum() == pytest.approx(SIDE_M**2, rel=1e-9)
    told = set(changes.loc[changes["what"] == "swallowed", "id"])
    assert set(mended.index) | told == set(loaded.frame.index)
    again, more = repair_tiling(mended, parent, rule=rule)
    assert again.geometry.to_wkb().equals(mended.geometry.to_wkb())
    assert len(more) == 0


SEEDS = {".gpkg": {}, ".geojson": {}, ".fgb": {}, ".shp": {}, ".parquet": {}, ".csv": {}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return one small layer in every format."""
    folder = tmp_path_factory.mktemp("whole")
    towns = sketch_grids("AB", "CD", side_m=100)[["geometry"]].assign(name="望湾")
    return {ending: save_layer(towns, folder / f"towns{ending}") for ending in SEEDS}


@settings(deadline=None, max_examples=60)
@given(data=st.data(), ending=st.sampled_from(sorted(SEEDS)))
def test_a_file_that_is_cut_or_damaged_is_read_or_told(tmp_path_factory, whole, data, ending):
    folder = tmp_path_factory.mktemp("damaged")
    beside = list(whole[ending].parent.glob("towns.*")) if ending == ".shp" else [whole[ending]]
    hurt = data.draw(st.sampled_from(sorted(beside)))
    for file in beside:
        content = bytearray(file.read_bytes())
        if file == hurt and content:
            for _ in range(data.draw(st.integers(0, 4))):
                at = data.draw(st.integers(0, min(len(content), 300) - 1)
                               | st.integers(0, len(content) - 1))
                content[at] ^= 1 << data.draw(st.integers(0, 7))
            content = content[: data.draw(st.integers(0, len(content)) | st.just(len(content)))]
        (folder / file.name).write_bytes(content)
    place = {"wkt": "geometry"} if ending == ".csv" else {}
    try:
        loaded = load_territories(
            folder / f"towns{ending}", columns={"territory": "grid", "name": "name", **place},
            constants={"level": "town"}, crs="EPSG:32651")
    except GridmapError as error:
        assert str(error)
    else:
        assert loaded.rows_in == len(loaded.frame) + len(loaded.rejects)
