"""Where coordinates are: chosen, converted and doubted by evidence, never corrected in silence."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.errors import CRSError, SourceError
from gridmap.sources import (
    find_crs_faults,
    find_offset,
    from_gcj02,
    load_elements,
    load_sites,
    load_territories,
    metric_crs,
    to_bd09,
    to_gcj02,
)

ADDRESSES = {"columns": {"element": "地址编码", "x": "经度", "y": "纬度"},
             "constants": {"kind": "address"}, "crs": "EPSG:4326"}


def towns(side_m=4_000, crs=4550):
    """Return nine square towns near Weihai."""
    boxes = [shapely.box(x, y, x + side_m, y + side_m)
             for x in np.arange(3) * side_m + 430_000 for y in np.arange(3) * side_m + 4_150_000]
    return geopandas.GeoDataFrame(geometry=boxes, crs=4550).to_crs(crs)


def shifted(frame, shift):
    degrees = frame.to_crs(4326)
    moved = shapely.transform(degrees.geometry.to_numpy(), shift, interleaved=False)
    return degrees.set_geometry(moved, crs=4326)


def relabelled(frame, crs):
    return frame.set_crs(crs, allow_override=True)


def suggestions(frame, reference):
    return find_crs_faults(frame, reference)["suggestion"].tolist()


def test_a_layer_in_its_place_has_no_fault():
    for crs in (4550, 4549, 4326, 32651, 3857):
        assert find_crs_faults(towns(crs=crs), towns()).empty
    assert find_crs_faults(towns()).empty


@pytest.mark.parametrize(
    ("made_in", "says", "what", "suggestion"),
    [
        (4550, 4549, "another zone", "EPSG:4550"),
        (4550, 4326, "metres in a CRS in degrees", "EPSG:4550"),
        (4326, 4550, "degrees in a CRS in metres", "EPSG:4326"),
        (3857, 4326, "metres in a CRS in degrees", "EPSG:3857"),
        (32651, 4326, "metres in a CRS in degrees", "EPSG:32651"),
        (3857, 32651, "another CRS", "EPSG:3857"),
    ],
)
def test_a_wrong_label_is_found_against_the_boundary(made_in, says, what, suggestion):
    frame = relabelled(towns(crs=made_in), says)
    faults = find_crs_faults(frame, towns())
    assert faults["what"].iloc[0] == what
    assert f'crs = "{suggestion}"' in faults["suggestion"].tolist()
    assert faults["share_before"].max() < 0.8 <= faults["share_after"].min()


def test_eastings_with_the_number_of_their_zone_are_known():
    frame = relabelled(towns(crs=4529), 4550)
    assert 'crs = "EPSG:4529"' in suggestions(frame, towns())


def test_a_missing_crs_is_suggested_by_the_boundary():
    frame = towns().set_crs(None, allow_override=True)
    faults = find_crs_faults(frame, towns(crs=4490))
    assert faults["what"].tolist()[0] == "CRS missing"
    assert 'crs = "EPSG:4550"' in faults["suggestion"].tolist()


def test_swapped_axes_are_found_and_can_be_declared(tmp_path):
    frame = shifted(towns(crs=4326), lambda x, y: (y, x))
    faults = find_crs_faults(frame, towns())
    assert faults["what"].tolist()[0] == "axes swapped"
    assert faults["suggestion"].tolist()[0] == 'crs = "EPSG:4326 yx"'
    frame.to_file(tmp_path / "towns.gpkg")
    loaded = load_sites(tmp_path / "towns.gpkg", constants={"kind": "town"}, crs="EPSG:4326 yx")
    assert find_crs_faults(loaded.frame, towns()).empty
    assert (loaded.changes["what"] == "axes swapped").sum() == 1


def test_swapped_axes_are_found_without_a_boundary_too():
    frame = shifted(towns(crs=4326), lambda x, y: (y, x))
    assert suggestions(frame, None) == ['crs = "EPSG:4326 yx"']
    metres = relabelled(towns(), 4326)
    assert find_crs_faults(metres)["what"].tolist()[0] == "metres in a CRS in degrees"


def test_where_nothing_fits_it_says_so():
    far = towns().set_geometry(towns().translate(2_000_000, 0))
    faults = find_crs_faults(far, towns())
    assert faults["what"].tolist() == ["no CRS fits"]
    with pytest.raises(CRSError, match="reference has no CRS or no shape"):
        find_crs_faults(far, towns().set_crs(None, allow_override=True))


def test_the_order_of_rows_does_not_matter():
    frame = relabelled(towns(crs=3857), 4326)
    assert find_crs_faults(frame, towns()).equals(find_crs_faults(frame[::-1], towns()[::-1]))


@pytest.mark.parametrize(("shift", "offset"), [(to_gcj02, "GCJ-02"), (to_bd09, "BD-09")])
def test_shifted_borders_are_known_by_the_true_ones(shift, offset):
    found = find_offset(shifted(towns(), shift), towns())
    assert found.index[0] == offset
    assert found["confidence"].iloc[0] > 0.99
    assert found["suggestion"].iloc[0] == f'offset = "{offset}"'
    assert found["distance_m"].iloc[0] < 1
    assert find_offset(towns(crs=4326), towns()).index[0] == "none"


def test_the_sample_addresses_are_known_to_be_shifted_by_the_buildings(root):
    folder = root / "data" / "sample" / "elements"
    homes = load_elements(folder / "buildings.shp", columns={"element": "BUILDING"},
                          constants={"kind": "building"}).frame
    raw = load_elements(folder / "addresses.csv", **ADDRESSES).frame
    found = find_offset(raw, homes)
    assert (found.index[0], found["suggestion"].iloc[0]) == ("GCJ-02", 'offset = "GCJ-02"')
    declared = load_elements(folder / "addresses.csv", **ADDRESSES, offset="GCJ-02").frame
    assert find_offset(declared, homes)["suggestion"].iloc[0] == "no offset is needed"


def test_layers_that_have_nothing_in_common_leave_it_open():
    places = np.random.default_rng(0).uniform((430_000, 4_150_000), (442_000, 4_162_000),
                                             (300, 2))
    lamps = geopandas.GeoDataFrame(geometry=shapely.points(places), crs=4550)
    assert find_offset(lamps, towns(side_m=40_000))["suggestion"].iloc[0] == "look at a map"


def test_nothing_is_shifted_outside_the_extent():
    far = towns().set_geometry(towns().translate(0, 0)).set_crs(32632, allow_override=True)
    found = find_offset(far, far)
    assert (found.index[0], found["confidence"].iloc[0]) == ("none", 1.0)
    with pytest.raises(CRSError, match="frame has no CRS or no shape"):
        find_offset(far.iloc[:0], far)


def test_the_fences_of_weihai_are_known_to_be_gcj02(real_data):
    fences = [load_sites(file, constants={"kind": "county"}).frame
              for file in sorted((real_data / "weihai" / "fences").glob("*.json"))
              if file.stem != "371000"]
    county = geopandas.GeoDataFrame(
        geometry=np.concatenate([f.geometry.to_numpy() for f in fences]), crs=4326)
    true = shifted(county, from_gcj02).to_crs(4550)
    rough = true.set_geometry(true.simplify(100))  # as another office would draw them
    assert find_offset(county, rough)["suggestion"].iloc[0] == 'offset = "GCJ-02"'
    assert find_offset(true, rough)["suggestion"].iloc[0] == "no offset is needed"


@settings(deadline=None, max_examples=25)
@given(st.floats(75, 134), st.floats(19, 53))
def test_the_zone_of_china_is_the_nearest(lon, lat):
    frame = geopandas.GeoDataFrame(geometry=[shapely.Point(lon, lat)], crs=4490)
    crs = metric_crs(frame)
    assert 4534 <= crs.to_epsg() <= 4554
    assert abs(75 + 3 * (crs.to_epsg() - 4534) - lon) <= 1.5 + 1e-9


def test_an_offset_in_metres_cannot_be_undone(tmp_path):
    towns().to_file(tmp_path / "towns.gpkg")
    with pytest.raises(SourceError, match="is in metres, so offset = 'GCJ-02' cannot be undone"):
        load_sites(tmp_path / "towns.gpkg", constants={"kind": "town"}, offset="GCJ-02")


def test_a_declared_offset_moves_polygons_back(tmp_path):
    shifted(towns(), to_gcj02).assign(CODE=list("ABCDEFGHI")).to_file(tmp_path / "t.geojson")
    loaded = load_territories(tmp_path / "t.geojson", columns={"territory": "CODE"},
                              constants={"level": "town"}, offset="GCJ-02")
    assert loaded.frame.to_crs(4550).area.to_numpy() == pytest.approx(16e6, rel=1e-9)
    assert loaded.frame.crs.to_epsg() == 4326
