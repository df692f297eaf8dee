"""Rasters: every count goes to a polygon or is left over."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import attach_raster, load_raster, sketch_grids
from gridmap.errors import CRSError, SourceError
from gridmap.sketch import CRS
from gridmap.sources.raster import Raster


def raster(values, left=0.0, above=3.0, side=1.0):
    return Raster(np.asarray(values, dtype="float64"), left, above, side, side, CRS)


@given(st.integers(0, 2**32 - 1), st.floats(-2, 2), st.floats(1, 5), st.floats(0.05, 2))
@settings(max_examples=50, deadline=None)
def test_sums_and_left_over_are_the_whole_raster(seed, left, above, side):
    values = np.random.default_rng(seed).gamma(0.5, 40, (7, 9))
    counted = raster(values, left, above, side)
    sums = attach_raster(counted, sketch_grids("ABC", "ADC", "EEF"))
    assert sums.by_grid["people"].sum() + sums.left_over == pytest.approx(values.sum(), rel=1e-9)


def test_missing_and_negative_counts_are_none():
    sums = attach_raster(raster([[np.nan, -1, 2]]), sketch_grids("ABC", "ABC", "ABC"))
    assert sums.by_grid["people"].tolist() == [0, 0, 2]


def test_grids_come_to_the_raster_and_keep_their_order():
    grids = sketch_grids("AB", side_m=100.0).iloc[::-1]
    degrees = grids.to_crs(4326)
    left, below, right, above = degrees.total_bounds
    whole = Raster(np.array([[10.0]]), left, above, right - left, above - below, "EPSG:4326")
    sums = attach_raster(whole, grids)
    assert sums.by_grid.index.tolist() == ["B", "A"]
    assert sums.by_grid["people"].tolist() == pytest.approx([5, 5], rel=0.01)
    with pytest.raises(CRSError, match="grids has no CRS"):
        attach_raster(whole, grids.set_crs(None, allow_override=True))


def test_agrees_with_exactextract():
    exactextract = pytest.importorskip("exactextract", reason="exactextract is not installed")
    from exactextract.feature import JSONFeatureSource
    from exactextract.raster import NumPyRasterSource
    rng = np.random.default_rng(2)
    cells = shapely.get_parts(shapely.voronoi_polygons(
        shapely.MultiPoint(rng.uniform(0, 3, (9, 2)))))
    grids = sketch_grids("ABCDEFGHI").set_geometry(list(cells), crs=CRS)
    values = rng.gamma(0.5, 40, (30, 30))
    sums = attach_raster(raster(values, side=0.1), grids)
    source = NumPyRasterSource(values, xmin=0, ymin=0, xmax=3, ymax=3)
    features = JSONFeatureSource([{"type": "Feature", "geometry": shapely.geometry.mapping(c),
                                   "properties": {}} for c in cells])
    peer = [f["properties"]["sum"] for f in exactextract.exact_extract(source, features, ["sum"])]
    assert sums.by_grid["people"].tolist() == pytest.approx(peer, rel=1e-5)


def test_a_geotiff_is_read_as_it_lies(tmp_path):
    rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")
    path = tmp_path / "people.tif"
    turn = rasterio.transform.from_origin(10.0, 30.0, 5.0, 4.0)
    with rasterio.open(path, "w", driver="GTiff", width=2, height=1, count=1, dtype="float32",
                       crs=CRS, transform=turn, nodata=-99) as file:
        file.write(np.array([[7, -99]], dtype="float32"), 1)
    read = load_raster(path)
    assert read[1:5] == (10.0, 30.0, 5.0, 4.0)
    assert read.values[0, 0] == 7 and np.isnan(read.values[0, 1])
    with pytest.raises(SourceError, match=r"people\.tif cannot be read as a raster: band"):
        load_raster(path, band=2)


def test_files_that_are_no_rasters_are_named(tmp_path):
    pytest.importorskip("rasterio", reason="rasterio is not installed")
    path = tmp_path / "people.tif"
    path.write_text("no raster")
    with pytest.raises(SourceError, match=r"people\.tif is no GeoTIFF, PNG or JPEG that"):
        load_raster(path)
