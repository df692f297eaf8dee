"""Units tile their territories, follow lines and never cut a compound."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import schema
from gridmap.errors import SchemaError, TilingError
from gridmap.sketch import sketch_polygons
from gridmap.tiling import check
from gridmap.tiling.units import build_units

CRS = "EPSG:32651"


def frame(index: str, shapes: dict[str, object], **columns: object) -> GeoDataFrame:
    codes = pd.Index(shapes, dtype="str", name=index)
    made = GeoDataFrame(columns, index=codes, geometry=list(shapes.values()), crs=CRS)
    for name in ("level", "kind"):
        if name in made:
            made[name] = made[name].astype("str")
    return made


def towns(*rows: str, side_m: float = 100.0) -> GeoDataFrame:
    shapes = sketch_polygons(*rows, side_m=side_m)
    return frame("territory", shapes.to_dict(), level="town", parent=None)


def streets(*lines: list[tuple[float, float]]) -> GeoDataFrame:
    shapes = {f"L{i}": shapely.LineString(line) for i, line in enumerate(lines)}
    return frame("barrier", shapes, kind="primary")


def sites(**kinds: tuple[str, object]) -> GeoDataFrame:
    return frame("site", {code: shape for code, (_, shape) in kinds.items()},
                 kind=[kind for kind, _ in kinds.values()])


def homes(places: list[object], households: list[float] | None = None) -> GeoDataFrame:
    made = frame("element", {f"e{i:04d}": p for i, p in enumerate(places)}, kind="address",
                 count=1)
    return made if households is None else made.assign(households=households)


def check_units(units: GeoDataFrame, territories: GeoDataFrame) -> None:
    schema.check_frame(units, schema.UNITS, argument="units")
    check.check_tiling(units, territories)
    assert set(units.geom_type) == {"Polygon"}
    assert shapely.coverage_is_valid(units.geometry.array)
    area = units.area.groupby(units["territory"]).sum()
    assert area.to_numpy() == pytest.approx(territories.area[area.index].to_numpy(), rel=1e-9)


def test_a_territory_without_lines_is_one_unit():
    territories = towns("TT", "TT")
    units, changes = build_units(territories)
    check_units(units, territories)
    assert units[["territory", "kind"]].reset_index().values.tolist() == [["T-001", "T", "block"]]
    assert len(changes) == 0
    schema.check_frame(changes, schema.CHANGES, argument="changes")


def test_streets_enclose_blocks_that_are_numbered_west_to_east_then_north_to_south():
    territories = towns("TTTT", "TTTT", "UUUU")
    lines = streets([(200, -50), (200, 350)], [(-50, 200), (450, 200)], [(0, 150), (90, 150)])
    units, _ = build_units(territories, barriers=lines)
    check_units(units, territories)
    assert units.index.tolist() == ["T-001", "T-002", "T-003", "T-004", "U-001", "U-002"]
    middles = units.centroid.loc[["T-001", "T-002", "T-003"]]
    assert list(zip(middles.x, middles.y, strict=True)) == [(100, 250), (100, 150), (300, 250)]


def test_a_strip_between_two_carriageways_is_joined_and_told():
    territories = towns("TTTT", "TTTT")
    units, changes = build_units(
        territories, barriers=streets([(200, -9), (200, 300)], [(205, -9), (205, 300)]))
    check_units(units, territories)
    assert len(units) == 2
    assert changes[["what", "area_m2"]].values.tolist() == [["sliver joined", 1000.0]]


def test_a_compound_is_one_unit_whatever_street_crosses_it():
    territories = towns("TTTT", "TTTT")
    compound = shapely.box(120, 40, 280, 160)
    units, changes = build_units(
        territories, barriers=streets([(200, -9), (200, 300)]), street_m=0,
        sites=sites(c=("compound", compound)))
    check_units(units, territories)
    assert units["kind"].value_counts().to_dict() == {"block": 2, "compound": 1}
    assert units.geometry[units["kind"] == "compound"].iloc[0].equals(compound)
    assert len(changes) == 0


def test_a_compound_across_a_border_is_cut_there_and_told():
    territories = towns("TTUU", "TTUU")
    units, changes = build_units(territories, street_m=0,
                                 sites=sites(c=("compound", shapely.box(120, 40, 280, 160))))
    check_units(units, territories)
    compounds = units[units["kind"] == "compound"]
    assert compounds["territory"].tolist() == ["T", "U"]
    assert changes[["what", "id", "after"]].values.tolist() == [["site cut", "c", "2"]]


def test_a_compound_that_leans_over_a_border_by_a_sliver_is_not_two():
    territories = towns("TTUU", "TTUU")
    units, changes = build_units(territories, street_m=0,
                                 sites=sites(c=("compound", shapely.box(120, 40, 200.5, 160))))
    check_units(units, territories)
    assert units.loc[units["kind"] == "compound", "territory"].tolist() == ["T"]
    assert changes["what"].tolist() == ["sliver joined"]


def test_a_smaller_site_inside_another_has_the_place():
    territories = towns("TTTT", "TTTT")
    units, changes = build_units(territories, sites=sites(
        a=("estate", shapely.box(0, 0, 400, 200)), b=("school", shapely.box(100, 50, 200, 150)),
        c=("mall", shapely.box(0, 900, 50, 950))))
    check_units(units, territories)
    assert units.area.groupby(units["kind"]).sum().to_dict() == {
        "estate": 70000.0, "school": 10000.0}
    assert changes[["what", "id"]].values.tolist() == [["site left out", "c"]]


def test_the_street_between_two_compounds_is_shared_by_both():
    territories = towns("TTTT", "TTTT")
    west, east = shapely.box(6, 6, 194, 194), shapely.box(206, 6, 394, 194)
    units, _ = build_units(
        territories, sites=sites(a=("compound", west), b=("compound", east)))
    check_units(units, territories)
    assert units["kind"].tolist() == ["compound", "compound"]
    assert units.area.tolist() == pytest.approx([40000, 40000], rel=0.02)


def test_a_field_beside_a_compound_stays_a_block():
    territories = towns("TTTT", "TTTT")
    units, _ = build_units(
        territories, sites=sites(a=("compound", shapely.box(6, 6, 194, 194))))
    check_units(units, territories)
    assert units["kind"].value_counts().to_dict() == {"block": 1, "compound": 1}
    assert units.area[units["kind"] == "compound"].iloc[0] == pytest.approx(200 * 200, rel=0.05)


def test_a_house_in_a_strip_keeps_it_from_being_street():
    territories = towns("TT", "TT")
    compound = sites(a=("compound", shapely.box(0, 0, 180, 200)))
    units, _ = build_units(territories, sites=compound)
    assert units["kind"].tolist() == ["compound"]
    units, _ = build_units(territories, sites=compound, elements=homes([shapely.Point(190, 100)]))
    assert units["kind"].tolist() == ["compound", "block"]


def test_a_crowded_block_is_divided_between_its_buildings():
    territories = towns("TT", "TT")
    places = [shapely.box(x, y, x + 20, y + 12) for x in (20, 60, 120, 160)
              for y in (20, 60, 120, 160)]
    units, changes = build_units(territories, elements=homes(places, [10.0] * 16),
                                 largest_households=50)
    check_units(units, territories)
    assert units["kind"].tolist() == ["cell"] * 4
    assert units.area.tolist() == pytest.approx([10000] * 4, rel=0.05)
    assert len(changes) == 0  # no building is cut


def test_a_tower_above_the_limit_is_a_cell_of_its_own():
    territories = towns("TT", "TT")
    places = [shapely.Point(50, 50), shapely.Point(150, 50), shapely.Point(150, 150)]
    units, _ = build_units(territories, elements=homes(places, [500.0, 20.0, 20.0]),
                           largest_households=50)
    check_units(units, territories)
    assert len(units) == 2


def test_residents_in_a_building_move_with_it():
    territories = towns("TT", "TT")
    houses = [shapely.box(x, 20, x + 60, 180) for x in (10, 75, 135)]
    residents = [shapely.Point(x, 100) for x in (15, 65, 80, 130, 140, 190)]
    elements = homes([*houses, *residents, *residents], [np.nan] * 3 + [10.0] * 12)
    units, changes = build_units(territories, elements=elements, largest_households=40)
    check_units(units, territories)
    assert len(units) == 3
    assert len(changes) == 0  # no house is cut


def test_where_no_row_has_households_elements_are_counted():
    territories = towns("TT", "TT")
    places = [shapely.Point(x, 100) for x in (20, 60, 140, 180)]
    assert len(build_units(territories, elements=homes(places), largest_households=2)[0]) == 2
    assert len(build_units(territories, elements=homes(places), largest_households=4)[0]) == 1
    assert len(build_units(territories, elements=homes(places), largest_households=None)[0]) == 1


def test_a_building_across_a_street_is_told():
    territories = towns("TTTT", "TTTT")
    units, changes = build_units(
        territories, barriers=streets([(200, -9), (200, 300)]),
        elements=homes([shapely.box(190, 50, 215, 60)]))
    check_units(units, territories)
    assert changes[["what", "after", "note"]].values.tolist() == [
        ["building cut", "1", "across a line, a site or a border: e0000"]]


def test_overlapping_territories_are_refused_with_the_way_out():
    both = towns("TT", "TT")
    both = pd.concat([both, both.rename(index={"T": "U"})])
    with pytest.raises(TilingError, match=r"territories overlap in 1 place, .* between T, U"):
        build_units(both)
    bow = frame("territory", {"T": shapely.Polygon([(0, 0), (9, 9), (9, 0), (0, 9)])},
                level="town", parent=None)
    with pytest.raises(TilingError, match=r"cross or touch themselves: T\. Mend them first"):
        build_units(bow)
    with pytest.raises(SchemaError, match="sites: column kind is absent"):
        build_units(towns("T"), sites=sites(a=("x", shapely.box(0, 0, 1, 1)))[["geometry"]])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.randoms(use_true_random=False))
def test_units_tile_any_town_and_the_order_of_rows_does_not_matter(seed, order):
    rng = np.random.default_rng(seed)
    territories = towns("TTUU", "TVUU", "VVVW")
    lines = streets(*rng.uniform(-50, 450, (6, 3, 2)).tolist())
    compounds = sites(**{
        f"c{i}": ("compound", shapely.box(x, y, x + w, y + h))
        for i, (x, y, w, h) in enumerate(rng.uniform([0, 0, 20, 20], [300, 250, 120, 90], (4, 4)))
    })
    houses = [shapely.box(x, y, x + 9, y + 7) for x, y in rng.uniform(0, 390, (60, 2))]
    elements = homes(houses, rng.integers(1, 9, 60).astype(float).tolist())
    units, changes = build_units(territories, barriers=lines, sites=compounds, elements=elements,
                                 largest_households=30)
    check_units(units, territories)

    def mixed(rows: GeoDataFrame) -> GeoDataFrame:
        return rows.iloc[order.sample(range(len(rows)), len(rows))]

    again, changes_too = build_units(
        mixed(territories), barriers=mixed(lines), sites=mixed(compounds),
        elements=mixed(elements), largest_households=30)
    assert again.geometry.to_wkb().equals(units.geometry.to_wkb())
    pd.testing.assert_frame_equal(changes, changes_too)


@pytest.mark.real
def test_units_of_liechtenstein_follow_its_roads(real_data):
    path = real_data / "liechtenstein" / "liechtenstein-2021-05-05.gpkg"
    admin = geopandas.read_file(path, layer="admin").to_crs(32632)
    admin = admin[admin["admin_level"] == "8"].set_index("osm_id").rename_axis("territory")
    territories = admin[["geometry"]].assign(level="municipality", parent=None)
    roads = geopandas.read_file(path, layer="roads").to_crs(32632)
    roads = roads[roads["highway"].isin(["primary", "secondary", "tertiary", "residential"])]
    roads = roads.rename(columns={"highway": "kind"})[["kind", "geometry"]]
    roads.index = pd.Index([f"r{i}" for i in range(len(roads))], dtype="str", name="barrier")
    units, _ = build_units(territories, barriers=roads)
    check_units(units, territories)
    assert 300 < len(units) < 600
