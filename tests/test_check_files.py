"""Files checked by themselves, without any configuration."""

from __future__ import annotations

import json

import geopandas
import pytest
import shapely

import gridmap as gm
from gridmap import cli
from gridmap.sketch import sketch_grids


def moved(*rows, side_m=500.0):
    """Draw polygons at 121.9° E, 37° N, indexed by letter."""
    drawn = sketch_grids(*rows, side_m=side_m)
    return drawn[["geometry"]].set_geometry(drawn.translate(4e5, 4.1e6)).rename_axis("code")


@pytest.fixture
def folder(tmp_path):
    """Return a folder with towns, their county and homes, one of which is in the sea."""
    moved("AAB", "A.B").to_file(tmp_path / "towns.gpkg")
    moved("CCC", "CCC").to_file(tmp_path / "county.gpkg")
    homes = moved("ABCDEFGH", side_m=100.0).representative_point().to_crs(4326)
    lines = [f"{code},{point.x},{point.y},Wang,1380013800{n}"
             for n, (code, point) in enumerate(homes.items())]
    lines.append("X,125.0,37.0,Li,13800138009")
    (tmp_path / "homes.csv").write_text("\n".join(["no,lon,lat,owner name,remark", *lines]),
                                        encoding="utf-8")
    return tmp_path


def lines_of(diagnosis):
    return {(line.what, line.layer): line for line in diagnosis.findings.itertuples()}


def test_a_layer_inside_another_is_held_against_it(folder):
    found = lines_of(gm.diagnose_files([folder / "towns.gpkg", folder / "county.gpkg"]))
    gap = found["gap open to the outside", "territories: towns.gpkg"]
    assert gap.rows == 1 and gap.note.startswith("A, B; 250,000.00 m² in all")
    assert "a run mends it" in gap.suggestion
    told = found["columns guessed", "territories: towns.gpkg"]
    assert told.note == "code: code"


def test_elements_outside_are_found_and_personal_columns_are_named_only(folder, capsys):
    code = cli.main(["check", str(folder / "homes.csv"), "--parent", str(folder / "county.gpkg"),
                     "--crs", "EPSG:4326", "--to", str(folder / "out"), "--json"])
    assert code == 0
    told = json.loads(capsys.readouterr().out)
    lines = {line["what"]: line for line in told["findings"]}
    assert lines["outside every territory"]["note"] == "X"
    assert lines["personal column left out"]["note"].endswith("owner name")
    assert lines["personal values"]["note"] == "phone or ID numbers in remark"
    written = "".join(file.read_text(encoding="utf-8") for file in (folder / "out").iterdir())
    assert "Wang" not in written and "1380013800" not in written


def test_a_missing_prj_blocks_and_the_reference_tells_the_crs(folder, capsys):
    moved("AAB", "AAB").to_file(folder / "towns.shp")
    (folder / "towns.prj").unlink()
    words = ["check", str(folder / "towns.shp"), "--reference", str(folder / "county.gpkg"),
             "--no-files", "--json"]
    assert cli.main(words) == 1
    told = json.loads(capsys.readouterr().out)["findings"]
    blocks = [line for line in told if line["severity"] == "blocks the run"]
    assert {line["what"] for line in blocks} == {"CRS missing"}
    assert any("--crs \"EPSG:32651\" here, and crs = \"EPSG:32651\" for towns.shp in gridmap.toml"
               in line["suggestion"] for line in blocks)


def test_a_shifted_layer_is_found_by_its_reference_only(folder):
    towns = moved("ABCD", "EFGH", side_m=3_000.0)
    towns.to_file(folder / "true.gpkg")
    degrees = towns.to_crs(4326)
    shifted = shapely.transform(degrees.geometry.to_numpy(), gm.to_gcj02, interleaved=False)
    degrees.set_geometry(shifted, crs=4326).to_file(folder / "shifted.geojson")
    alone = lines_of(gm.diagnose_files([folder / "shifted.geojson"]))
    assert ("offset not checked", "territories: shifted.geojson") in alone
    held = lines_of(gm.diagnose_files([folder / "shifted.geojson"],
                                      reference=folder / "true.gpkg"))
    line = held["coordinates shifted", "territories: shifted.geojson"]
    assert line.suggestion == ('say --offset "GCJ-02" here, and offset = "GCJ-02" for '
                               'shifted.geojson in gridmap.toml')
    declared = lines_of(gm.diagnose_files(
        [folder / "shifted.geojson"], reference=folder / "true.gpkg",
        reading=gm.FileReading(offset="GCJ-02")))
    assert not [what for what, _ in declared if what.startswith(("coordinates", "offset not"))]


def test_both_totals_of_exploded_parts_are_told(folder):
    islands = moved("AAB", "A.B").assign(people=[700, 90])
    parts = islands.explode().reset_index()
    twice = parts.iloc[[0, 0, 1]].copy()
    twice.geometry = [shapely.box(4e5 + 900 * n, 4.1e6, 4e5 + 900 * n + 500, 4.1005e6)
                      for n in range(3)]
    twice.to_file(folder / "islands.gpkg")
    found = lines_of(gm.diagnose_files([folder / "islands.gpkg"]))
    line = found["figures repeated on parts", "territories: islands.gpkg"]
    assert "add up to 1,400, and to 700 if the figure is that of the whole" in line.note


def test_a_file_that_is_not_there_blocks_and_the_others_are_checked(folder):
    diagnosis = gm.diagnose_files([folder / "nowhere.shp", folder / "towns.gpkg"])
    blocks = diagnosis.findings[diagnosis.findings["severity"] == "blocks the run"]
    assert blocks["layer"].tolist() == ["nowhere.shp"]
    assert "territories: towns.gpkg" in set(diagnosis.findings["layer"])


def test_an_unknown_kind_is_told():
    with pytest.raises(gm.GridmapError, match="there is no kind of file 'roads'"):
        gm.FileReading(kind="roads")


@pytest.mark.real
def test_fences_of_weihai_are_shifted_and_their_counties_tile_the_city(real_data, tmp_path):
    fences = sorted((real_data / "weihai" / "fences").glob("*.json"))
    city = geopandas.read_file(fences[0])
    true = shapely.transform(city.geometry.to_numpy(), gm.from_gcj02, interleaved=False)
    true = shapely.simplify(true, 1e-4)  # as another source would have it: other vertices
    geopandas.GeoDataFrame({"code": ["371000"]}, geometry=true, crs=4326).to_file(
        tmp_path / "coast.gpkg")
    diagnosis = gm.diagnose_files(fences, reference=tmp_path / "coast.gpkg")
    shifted = diagnosis.findings[diagnosis.findings["what"] == "coordinates shifted"]
    assert shifted["layer"].tolist() == [f"territories: {file.name}" for file in fences]
    assert shifted["suggestion"].str.contains('offset = "GCJ-02"').all()
    assert not diagnosis.findings["what"].isin(["gap", "overlap"]).any()


def test_coordinates_beyond_the_world_block_and_hide_nothing(folder):
    drawn = moved("AAB", "AAB")
    drawn.set_crs(4326, allow_override=True).to_file(folder / "metres.geojson")
    text = (folder / "metres.geojson").read_text(encoding="utf-8")
    assert "4100000" in text
    diagnosis = gm.diagnose_files([folder / "metres.geojson", folder / "county.gpkg"])
    blocks = diagnosis.findings[diagnosis.findings["severity"] == "blocks the run"]
    assert blocks["what"].tolist() == ["metres in a CRS in degrees"]
    assert 'crs = "EPSG:32651" for metres.geojson' in blocks["suggestion"].iloc[0]


def test_one_crs_for_several_files_is_for_those_that_say_none(folder):
    diagnosis = gm.diagnose_files([folder / "county.gpkg", folder / "homes.csv"],
                                  reading=gm.FileReading(crs="EPSG:4326"))
    assert not (diagnosis.findings["severity"] == "blocks the run").any()
    assert "outside every territory" in set(diagnosis.findings["what"])


def test_a_drawing_board_has_no_place_on_earth_and_ends_in_a_message(folder):
    board = 'ENGCRS["board", EDATUM["board"], CS[Cartesian, 2], AXIS["x", east], ' \
            'AXIS["y", north], LENGTHUNIT["metre", 1]]'
    moved("AAB", "A.B").set_crs(board, allow_override=True).to_file(folder / "board.gpkg")
    diagnosis = gm.diagnose_files([folder / "board.gpkg"])
    (line,) = diagnosis.findings[diagnosis.findings["severity"] == "blocks the run"].itertuples()
    assert line.what == "CRS missing"
    assert "--crs" in line.suggestion


def test_degrees_without_a_crs_are_looked_at_as_degrees(folder):
    diagnosis = gm.diagnose_files([folder / "homes.csv"])
    (line,) = diagnosis.findings[diagnosis.findings["severity"] == "blocks the run"].itertuples()
    assert line.what == "CRS missing" and 'crs = "EPSG:4326" for homes.csv' in line.suggestion
