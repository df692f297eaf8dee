"""Areas are those on the ground, and the stated error holds."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from gridmap.sources import metric_crs
from gridmap.tiling import measure_area


def squares(lon, lat, edge_m, apart_m):
    """Draw two squares in a CRS in metres, and measure them by geodesics of 50 m."""
    here = geopandas.GeoDataFrame(geometry=[shapely.Point(lon, lat)], crs=4490)
    crs = metric_crs(here)
    x, y = here.to_crs(crs).geometry.iloc[0].coords[0]
    boxes = [shapely.box(x + d, y, x + d + edge_m, y + edge_m) for d in (0, apart_m)]
    drawn = geopandas.GeoDataFrame(geometry=boxes, index=["a", "b"], crs=crs)
    dense = geopandas.GeoSeries(shapely.segmentize(boxes, 50), crs=crs).to_crs(4490)
    earth = Geod(ellps="GRS80")
    return drawn, np.array([abs(earth.geometry_area_perimeter(shape)[0]) for shape in dense])


@settings(deadline=None, max_examples=25)
@given(lon=st.floats(74, 134), lat=st.floats(18, 53), apart_m=st.floats(20_000, 300_000))
def test_areas_are_off_by_no_more_than_is_said(lon, lat, apart_m):
    for edge_m, error in ((1_000, 2e-9), (10_000, 2e-7)):
        drawn, truth = squares(lon, lat, edge_m, apart_m)
        assert np.abs(measure_area(drawn).to_numpy() / truth - 1).max() < error


def test_the_crs_of_a_layer_does_not_change_its_area():
    drawn, truth = squares(122.2, 37.2, 100, 5_000)
    for crs in (4490, 4549, 4550, 32651, 3857):
        # a corner of a degree frame is rounded at 1e-9 m, a straight edge bends by nothing
        assert measure_area(drawn.to_crs(crs)).to_numpy() == pytest.approx(truth, rel=1e-8)


@pytest.mark.parametrize(("middle", "given", "chosen"), [
    (122.41, 4490, 4550), (121.2, 4490, 4549), (121.49, 4490, 4549), (121.51, 4490, 4550),
    (122.41, 4549, 4550), (121.6, 4549, 4549), (121.2, 4550, 4549), (121.94, 4549, 4550),
    (122.41, 3857, 32651),
])
def test_a_city_between_two_zones_gets_the_one_of_its_middle(middle, given, chosen):
    land = geopandas.GeoDataFrame(geometry=[shapely.box(middle - 0.2, 37, middle + 0.2, 37.2)],
                                  crs=4490)
    assert metric_crs(land.to_crs(given)).to_epsg() == chosen
