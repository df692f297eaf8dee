"""Lattices tile territories, and their codes tell where a cell lies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import SizeRule, attach_points, measure_partition, partition, schema
from gridmap.errors import CodeError, SchemaError, TilingError
from gridmap.sketch import sketch_polygons
from gridmap.tiling import h3cells
from gridmap.tiling.check import check_tiling
from gridmap.tiling.h3cells import build_h3_lattice
from gridmap.tiling.lattice import build_lattice, build_lattice_cells
from gridmap.tiling.parts import find_repeated_parts


def towns(*rows: str, side_m: float = 1000.0) -> GeoDataFrame:
    shapes = sketch_polygons(*rows, side_m=side_m).to_frame("geometry")
    return shapes.rename_axis("territory").assign(level="town", parent=None)


def test_squares_are_cut_at_borders_and_called_by_their_corner():
    territories = towns("TTU", "TTU")
    lattice = build_lattice(territories, 2000)
    schema.check_frame(lattice, schema.UNITS, argument="lattice")
    check_tiling(lattice, territories)
    assert lattice.area.to_dict() == {"T-2kmN0E0": 4e6, "U-2kmN0E1": 2e6}


def test_the_order_and_the_origin_are_stated():
    lattice = build_lattice(towns("T"), 500, order="EN", origin=(250.0, 0.0))
    assert lattice["cell"].tolist() == [
        "500mE-1N0", "500mE-1N1", "500mE0N0", "500mE0N1", "500mE1N0", "500mE1N1"]
    assert lattice.area.tolist() == [125e3, 125e3, 250e3, 250e3, 125e3, 125e3]


def test_whole_hexagons_are_regular():
    lattice = build_lattice(towns("T", side_m=9000.0), 1000, shape="hexagon")
    inner = lattice[lattice["cell"] == "hex1kmN4E4"]
    assert inner.area.iloc[0] == pytest.approx(1000**2 * np.sqrt(3) / 2)
    west, south, east, north = inner.total_bounds
    assert (east - west, north - south) == pytest.approx((1000, 2000 / np.sqrt(3)))
    assert len(shapely.get_coordinates(inner.geometry.iloc[0])) == 7


@settings(max_examples=40, deadline=None)
@given(
    size=st.sampled_from([37, 100, 250, 1000]),
    shape=st.sampled_from(["square", "hexagon"]),
    east=st.integers(-300_000_000, 300_000_000),
    north=st.integers(-4_000_000_000, 4_000_000_000),
    turn=st.floats(0, 90),
)
def test_pieces_tile_any_territory_anywhere(size, shape, east, north, turn):
    territories = towns("TTUU", "TVVU", "WVVU", side_m=100.0)
    turned = territories.rotate(turn, origin=(0, 0)).translate(east / 1000, north / 1000)
    territories = territories.set_geometry(turned)
    lattice = build_lattice(territories, size, shape=shape)
    assert shapely.coverage_is_valid(lattice.geometry.array)
    area = lattice.area.groupby(lattice["territory"]).sum()
    assert area.to_numpy() == pytest.approx(territories.area[area.index].to_numpy(), rel=1e-9)
    whole = size**2 * (1 if shape == "square" else np.sqrt(3) / 2)
    assert lattice.area.groupby(lattice["cell"]).sum().max() <= whole * (1 + 1e-9)
    assert lattice.index.is_unique


def test_european_codes_are_read_in_both_orders_and_in_the_long_form():
    codes = ["1kmN2599E4695", "1kmE4695N2599", "CRS3035RES1000mN2599000E4695000", "250mN8E12"]
    cells = build_lattice_cells(codes)
    assert cells.index.tolist() == codes
    assert cells.crs.to_epsg() == 3035
    assert cells[["size_m", "northing", "easting"]].values.tolist() == [
        [1000, 2599000, 4695000]] * 3 + [[250, 2000, 3000]]
    assert cells.total_bounds.tolist() == [3000, 2000, 4696000, 2600000]


def test_codes_written_are_codes_read():
    land = towns("TT", "TT").set_crs(3035, allow_override=True)
    for order in ("NE", "EN", "long"):
        lattice = build_lattice(land, 500, order=order)
        cells = build_lattice_cells(lattice["cell"])
        assert (shapely.equals_exact(
            shapely.normalize(lattice.geometry.array), shapely.normalize(cells.geometry.array),
            tolerance=0)).all()


def test_long_codes_stand_for_the_european_grid_only():
    land = towns("T").translate(4_695_000, 2_599_000).to_frame("geometry")
    land = land.rename_axis("territory").assign(level="town", parent=None)
    cells = build_lattice(land.set_crs(3035, allow_override=True), 1000, order="long")
    assert cells["cell"].tolist() == ["CRS3035RES1000mN2599000E4695000"]
    with pytest.raises(CodeError, match="order is \"long\": such codes stand for squares from"):
        build_lattice(land, 1000, order="long")


@pytest.mark.parametrize(("resolution", "x", "y"), [(6, 0, 0), (7, 500_000, 4e6), (8, 3e5, 8e6)])
def test_cells_of_h3_tile_territories_and_say_their_index(resolution, x, y):
    h3 = pytest.importorskip("h3", reason="the package h3 is not installed")
    land = towns("TTUU", "TVVU", "WVVU", side_m=700.0).rotate(20, origin=(0, 0)).translate(x, y)
    land = land.to_frame("geometry").rename_axis("territory").assign(level="town", parent=None)
    cells = build_h3_lattice(land, resolution)
    schema.check_frame(cells, schema.UNITS, argument="cells")
    assert shapely.coverage_is_valid(cells.geometry.array)
    area = cells.area.groupby(cells["territory"]).sum()
    assert area.to_numpy() == pytest.approx(land.area[area.index].to_numpy(), rel=1e-9)
    places = cells.representative_point().to_crs(4326)
    assert cells["cell"].tolist() == [h3.latlng_to_cell(p.y, p.x, resolution) for p in places]


def test_h3_without_the_package_or_the_resolution_is_an_error(monkeypatch):
    with pytest.raises(TilingError, match="resolution is 16: H3 has 0 to 15"):
        build_h3_lattice(towns("T"), 16)
    monkeypatch.setattr(h3cells, "find_spec", lambda name: None)
    with pytest.raises(TilingError, match="cells of H3 need the package h3: pip install"):
        build_h3_lattice(towns("T"), 8)


def test_a_lattice_counts_elements_and_makes_grids_like_any_units():
    land = towns("TTUU", "TTUU", side_m=1000.0)
    rng = np.random.default_rng(2)
    places = GeoDataFrame({"kind": "home", "count": 1, "households": 1, "people": 2},
                          geometry=shapely.points(rng.uniform(0, [4000, 2000], (3000, 2))),
                          index=pd.RangeIndex(3000).astype("str").rename("element"), crs=land.crs)
    for lattice in (build_lattice(land, 200), build_lattice(land, 200, shape="hexagon")):
        counted = attach_points(places, lattice).by_grid
        units = lattice.assign(**counted[["households", "people"]])
        assert units["households"].sum() == 3000
        size = SizeRule(minimum=150, target=200, maximum=250)
        drawn = partition(units, size)
        totals = measure_partition(units, drawn.assignment, size).totals
        assert (totals["in_range_share"], totals["contiguous_share"]) == (1, 1)


def test_unreadable_codes_are_named():
    with pytest.raises(CodeError, match=r"not readable: 1km2599, N1E2\. Expected are") as caught:
        build_lattice_cells(["1km2599", "1kmN1E1", "N1E2"])
    assert caught.value.rows == ("1km2599", "N1E2")


def test_wrong_options_are_refused():
    with pytest.raises(TilingError, match="shape is 'circle': expected square or hexagon"):
        build_lattice(towns("T"), 100, shape="circle")
    with pytest.raises(TilingError, match="order is 'XY': expected NE or EN or long"):
        build_lattice(towns("T"), 100, order="XY")
    with pytest.raises(CodeError, match=r"size_m is 0\.5: whole metres above 0"):
        build_lattice(towns("T"), 0.5)


def test_figures_repeated_on_every_part_are_found_with_both_totals():
    layer = pd.DataFrame({
        "code": ["A", "A", "B", "C", "C", "D", "D"],
        "people": [700, 700, 90, 10, 20, 0, 0],
        "households": [300, 300, 40, 5, 5, 0, 0],
    })
    found = find_repeated_parts(layer, code="code")
    assert found.values.tolist() == [
        ["A", "households", 2, 600.0, 300.0], ["A", "people", 2, 1400.0, 700.0],
        ["C", "households", 2, 10.0, 5.0]]
    assert len(find_repeated_parts(layer.set_index("code"), measures=["cars"])) == 0


def test_figures_that_are_no_numbers_are_refused():
    with pytest.raises(SchemaError, match="polygons has no column 'x'"):
        find_repeated_parts(pd.DataFrame({"people": [1]}), code="x")
    with pytest.raises(SchemaError, match="column people is str, not a number"):
        find_repeated_parts(pd.DataFrame({"people": ["many"]}))
