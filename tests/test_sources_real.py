"""Real territories come through whole, with the figures that their publishers give."""

from __future__ import annotations

import pytest

from gridmap.schema import GRIDS, TERRITORIES, UNITS, check_frame
from gridmap.sources import (
    load_barriers,
    load_elements,
    load_grids,
    load_table,
    load_territories,
    load_units,
)

UNITS_OF_TAIWAN = {"unit": "CODEBASE", "territory": "TOWN_ID", "households": "H_CNT",
                   "people": "P_CNT"}
BUILDING = {"element": ["osm_way_id", "osm_id"]}

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def package(real_data):
    return real_data / "liechtenstein" / "liechtenstein-2021-05-05.gpkg"


@pytest.fixture(scope="module")
def taiwan(real_data):
    return real_data / "tw_villages" / "taiwan_admin_2021.gpkg"


def test_liechtenstein_has_eleven_municipalities(package):
    loaded = load_territories(package, layer="admin", where={"admin_level": "8"},
                              columns={"territory": "osm_id", "name": "name"},
                              constants={"level": "municipality"})
    check_frame(loaded.frame, TERRITORIES, argument="territories")
    assert loaded.rows_in == len(loaded.frame) == 11
    told = loaded.changes[loaded.changes["what"] == "rows not asked for"]
    assert told["before"].tolist() == ["3"]


def test_liechtenstein_roads_buildings_and_house_numbers_are_counted(package):
    roads = load_barriers(package, layer="roads",
                          columns={"barrier": "osm_id", "kind": "highway"})
    assert (roads.rows_in, len(roads.frame)) == (6_954, 6_954)
    homes = load_elements(package, layer="buildings", columns={**BUILDING, "floors": "levels"},
                          constants={"kind": "building"})
    assert (homes.rows_in, len(homes.frame)) == (14_035, 14_035)
    assert homes.frame["count"].sum() == 14_035
    assert homes.frame["floors"].notna().sum() == 539
    assert set(homes.frame.geom_type) == {"MultiPolygon"}
    points = load_elements(package, layer="addresses", columns={"element": "osm_id"},
                           constants={"kind": "address"})
    numbered = load_elements(package, layer="buildings", where={"housenumber": "*"},
                             columns=BUILDING, constants={"kind": "address"})
    assert (len(points.frame), len(numbered.frame)) == (239, 3_481)


def test_the_original_of_openstreetmap_gives_the_same_counts(package):
    original = package.with_name("liechtenstein-2021-05-05.osm.pbf")
    homes = load_elements(original, layer="multipolygons", where={"building": "*"},
                          columns={**BUILDING, "floors": "building:levels"},
                          constants={"kind": "building"})
    assert (len(homes.frame), homes.frame["floors"].notna().sum()) == (14_035, 539)
    roads = load_barriers(original, layer="lines", where={"highway": "*"},
                          columns={"barrier": "osm_id", "kind": "highway"})
    assert len(roads.frame) == 6_954


@pytest.mark.parametrize(("name", "units", "people"), [
    ("chiayi_city_1505", 1_505, 267_852), ("taichung_city_17218_s5m", 17_218, 2_775_618),
])
def test_official_units_of_taiwan_keep_their_people(real_data, name, units, people):
    loaded = load_units(real_data / "tw_base_units" / f"{name}.parquet", columns=UNITS_OF_TAIWAN,
                        constants={"kind": "official"})
    check_frame(loaded.frame, UNITS, argument="units")
    assert loaded.rows_in == len(loaded.frame) == units
    assert loaded.frame["people"].sum() == people


def test_output_areas_of_south_ayrshire_keep_their_people(real_data):
    loaded = load_units(
        real_data / "gb_scotland_oa" / "S12000028_1001.gpkg",
        columns={"unit": "code", "territory": "council", "households": "HHcount",
                 "people": "Popcount"},
    )
    check_frame(loaded.frame, UNITS, argument="units")
    assert loaded.rows_in == len(loaded.frame) == 1_001
    assert loaded.frame["people"].sum() == 112_799


def test_villages_of_taiwan_miss_the_people_of_eleven(taiwan):
    loaded = load_grids(taiwan, layer="villages", columns={
        "grid": "VILLCODE", "territory": "TOWNCODE", "households": "households",
        "people": "pop_2021_03"})
    assert loaded.rows_in == len(loaded.frame) == 7_701
    assert loaded.frame["households"].isna().sum() == 11
    assert loaded.frame["people"].sum() == 23_439_143
    check_frame(loaded.frame.assign(area_m2=1.0), GRIDS, argument="grids")


def test_towns_and_counties_of_taiwan_have_their_codes(taiwan):
    towns = load_territories(taiwan, layer="towns", constants={"level": "town"}, columns={
        "territory": "TOWNCODE", "name": "TOWNNAME", "parent": "COUNTYCODE"})
    counties = load_territories(taiwan, layer="counties", constants={"level": "county"},
                                columns={"territory": "COUNTYCODE", "name": "COUNTYNAME"})
    assert (len(towns.frame), len(counties.frame)) == (368, 22)
    assert set(towns.frame["parent"]) <= set(counties.frame.index)


def test_the_population_table_matches_but_for_71_rows_and_11_villages(real_data, taiwan):
    table = load_table(real_data / "tw_villages" / "cunli_population_2021-03.csv",
                       key="村里代碼", strip="-", columns={"households": "戶數", "people": "人口"})
    villages = load_grids(taiwan, layer="villages",
                          columns={"grid": "VILLCODE", "territory": "TOWNCODE"}).frame
    assert (~table.frame.index.isin(villages.index)).sum() == 71
    assert (~villages.index.isin(table.frame.index)).sum() == 11
    told = table.changes[table.changes["what"] == "characters left out of codes"]
    assert told["note"].tolist() == ["cunli_population_2021-03.csv: 7,761 codes, as strip says"]


def test_lists_of_weihai_without_a_header_are_read_by_position(real_data):
    folder = real_data / "weihai" / "adcode_csv"
    rows = placed = 0
    for file in sorted(folder.glob("3710[!0][!0]*.csv")) + sorted(folder.glob("37100[2-9]*.csv")):
        loaded = load_elements(file, columns={"element": 1, "x": 13, "y": 14}, crs="EPSG:4326",
                               constants={"kind": "village office"}, offset="GCJ-02")
        assert loaded.rows_in == len(loaded.frame) + len(loaded.rejects)
        rows, placed = rows + loaded.rows_in, placed + len(loaded.frame)
    assert (rows, placed) == (2_591, 252)
