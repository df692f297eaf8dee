"""Every export is opened again by a second tool: same rows, same shapes, same text."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import sqlite3
import subprocess
import zipfile

import fiona
import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pandas import DataFrame
from server import SECRET, started

from gridmap import cli, coverage, maps
from gridmap.errors import SchemaError, WorkspaceError
from gridmap.rules import load_publication
from gridmap.sketch import sketch_grids
from gridmap.workspace import Contents, Layer, exports, postgis, save_workspace
from gridmap.workspace.exports import shapefile, targets
from gridmap.workspace.postgis import Saved

SINGLE = ["grids.gpkg", "grids.parquet", "grids.fgb", "grids.geojson", "grids.shp", "grids.zip",
          "grids.pmtiles", "grids.xlsx"]
NAMES = ["环翠区", "=HYPERLINK(1)", '"quoted" \\ 䶮', "+1", "plain"]


def publish(folder, *, more=None):
    """Write a workspace as a run does, with small counts, holes, islands and odd names."""
    drawn = sketch_grids("AABBC", "AABBC", "DDDEE", "DFDEE", "DDDEE", side_m=250.0)
    shapes = drawn.geometry.translate(438_000, 4_150_000).to_numpy()
    shapes[4] = shapely.MultiPolygon([shapes[4], shapely.box(440_000, 4_150_000, 440_100,
                                                             4_150_100)])
    grids = geopandas.GeoDataFrame(drawn.drop(columns="geometry"), geometry=shapes,
                                   crs="EPSG:4550").assign(
        territory=["T1", "T1", "T1", "T2", "T2", "T2"], kind="comprehensive",
        households=[400.0, 4.0, 310.0, 350.0, 6.0, 90.0], people=[900.0, 9.0, 800, 820, 15, 200],
        phone="13800138000", households_in_reach_share=[0.5, 1, None, 0.25, 1, 0])
    table = DataFrame(grids.drop(columns="geometry"))
    published = coverage.suppress_counts(table, load_publication("shared"))
    shown = grids[["geometry"]].join(published.by_grid)
    if more is not None:
        shown = shown.assign(**more)
    places = geopandas.GeoDataFrame(
        index=pd.Index(["T1", "T2", "T3"], name="territory"), geometry=shapes[:3],
        crs=grids.crs).assign(
        name=NAMES[:3], level="community", parent=[None, "上级", "上级"])
    save_workspace(folder, Contents(
        frames={"grids": grids}, tables={"suppressed": published.suppressed}, pages={},
        packages={"grids": {"grids": Layer(shown, maps.draw_qgis_style(shown)),
                            "territories": Layer(places)}},
        facts={"name": "示范城 Sample", "publication": "shared"}))
    return folder


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Return a workspace with published layers."""
    return publish(tmp_path_factory.mktemp("city") / "out")


@pytest.fixture(scope="module")
def published(workspace):
    """Return its grids as they were published."""
    return exports.load_published(workspace)


def as_frame(records, geometry, crs, key="grid"):
    """Return what another tool read, in the order of the codes."""
    frame = geopandas.GeoDataFrame(records, geometry=geometry, crs=crs)
    return frame.set_index(key).sort_index()


def with_fiona(path, key="grid", **options):
    """Read a file with fiona, which brings a GDAL of its own."""
    with fiona.open(path, **options) as opened:
        rows = list(opened)
        crs = opened.crs_wkt
    return as_frame([dict(row.properties) for row in rows],
                    [shapely.geometry.shape(row.geometry) for row in rows], crs, key)


def check_same(frame, layer, *, names=None, places_m=0.0):
    """Check that a file holds the rows, values and shapes of a layer."""
    wanted = layer.frame.set_index(layer.frame.columns[0]).sort_index()
    assert frame.index.tolist() == wanted.index.tolist()
    columns = [name for name in wanted.columns if name != "geometry"]
    assert [c for c in frame.columns if c != "geometry"] == [
        (names or {}).get(name, name) for name in columns]
    for name in columns:
        here, there = wanted[name], frame[(names or {}).get(name, name)]
        assert here.isna().tolist() == there.isna().tolist(), name
        if pd.api.types.is_string_dtype(here):
            assert here.dropna().tolist() == there.dropna().tolist(), name
        else:
            assert there.dropna().astype(float).tolist() == pytest.approx(
                here.dropna().astype(float).tolist(), rel=1e-12), name
    shapes = frame.to_crs(wanted.crs).geometry
    far = shapely.hausdorff_distance(shapes.to_numpy(), wanted.geometry.to_numpy())
    assert far.max() <= places_m
    assert shapely.get_num_interior_rings(shapely.get_parts(shapes.to_numpy())).sum() == 1


# -- each format, opened by another tool ---------------------------------------------------------


def test_geopackage_is_the_same_to_fiona_and_keeps_the_style(workspace, published, tmp_path):
    exports.save_export(workspace, tmp_path / "a.gpkg", layers=["grids", "territories"])
    check_same(with_fiona(tmp_path / "a.gpkg", layer="grids"), published)
    check_same_names = with_fiona(tmp_path / "a.gpkg", "territory", layer="territories")
    assert sorted(check_same_names["name"]) == sorted(NAMES[:3])
    with sqlite3.connect(tmp_path / "a.gpkg") as package:
        styles = dict(package.execute("SELECT f_table_name, styleQML FROM layer_styles"))
    assert styles == {"grids": published.style}
    assert "RuleRenderer" in published.style


def test_geoparquet_is_the_same_to_pyarrow(workspace, published, tmp_path):
    exports.save_export(workspace, tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    meta = json.loads(table.schema.metadata[b"geo"])
    assert meta["version"] == "1.1.0"
    assert meta["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    shapes = shapely.from_wkb(table["geometry"].to_pylist())
    bounds = np.array([list(row.values()) for row in table["bbox"].to_pylist()])
    assert (bounds == shapely.bounds(shapes)).all()
    crs = meta["columns"]["geometry"]["crs"]
    rows = table.drop_columns(["geometry", "bbox"]).to_pylist()
    check_same(as_frame(rows, shapes, crs), published)
    assert json.loads(table.schema.metadata[b"gridmap"])["publication"] == "shared"


def test_flatgeobuf_is_the_same_to_fiona(workspace, published, tmp_path):
    exports.save_export(workspace, tmp_path / "a.fgb")
    check_same(with_fiona(tmp_path / "a.fgb"), published)


def test_geojson_follows_rfc_7946(workspace, published, tmp_path):
    exports.save_export(workspace, tmp_path / "a.geojson")
    text = (tmp_path / "a.geojson").read_text(encoding="utf-8")
    read = json.loads(text, parse_constant=pytest.fail)  # NaN and Infinity are no JSON
    assert read["type"] == "FeatureCollection"
    assert "crs" not in read  # section 4
    for feature in read["features"]:
        assert set(feature) >= {"type", "properties", "geometry"}
        assert feature["geometry"]["type"] == "MultiPolygon"
        west, south, east, north = feature["bbox"]  # section 5
        for rings in feature["geometry"]["coordinates"]:
            for number, ring in enumerate(rings):
                assert ring[0] == ring[-1]
                assert shapely.LinearRing(ring).is_ccw == (number == 0)  # section 3.1.6
                for place in ring:
                    assert len(place) == 2
                    assert west <= place[0] <= east and south <= place[1] <= north
                    assert [round(part, 7) for part in place] == place
                    assert 121 < place[0] < 124 and 36 < place[1] < 39  # longitude first
    rows = [feature["properties"] for feature in read["features"]]
    shapes = [shapely.geometry.shape(feature["geometry"]) for feature in read["features"]]
    check_same(as_frame(rows, shapes, "EPSG:4326"), published, places_m=0.02)
    assert shapely.coverage_is_valid(shapes)  # neighbours still meet
    assert "示范城" in text and "\\u" not in text


@pytest.mark.parametrize("name", ["a.shp", "a.zip"])
def test_shapefile_is_the_same_to_fiona(workspace, published, tmp_path, name):
    written = exports.save_export(workspace, tmp_path / name)
    names = shapefile.shorten_names(published.frame.columns.drop("geometry"))
    path = f"zip://{tmp_path / name}" if name == "a.zip" else tmp_path / name
    check_same(with_fiona(path), published, names=names)
    assert "column households_in_reach_share is called hh_reach" in written.told


def test_shapefile_says_its_encoding_and_keeps_chinese(workspace, tmp_path):
    exports.save_export(workspace, tmp_path / "t.zip", layers=["territories"])
    with zipfile.ZipFile(tmp_path / "t.zip") as archive:
        ends = sorted(name.partition(".")[2] for name in archive.namelist())
        assert ends == ["cpg", "dbf", "prj", "shp", "shx", "txt"]
        assert archive.read("territories.cpg").strip() == b"UTF-8"
        assert "环翠区".encode() in archive.read("territories.dbf")
        assert b"CGCS2000" in archive.read("territories.prj")
        assert 'profile "shared"' in archive.read("territories.txt").decode("utf-8")
    assert sorted(with_fiona(f"zip://{tmp_path / 't.zip'}", "territory")["name"]) == sorted(
        NAMES[:3])


def test_workbook_is_the_same_to_openpyxl_and_tells_what_is_withheld(workspace, published,
                                                                    tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    exports.save_export(workspace, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["by territory", "grids", "withheld", "columns", "about"]
    head, *rows = book["grids"].iter_rows()
    read = DataFrame([[cell.value for cell in row] for row in rows],
                     columns=[cell.value for cell in head])
    wanted = DataFrame(published.frame.drop(columns="geometry"))
    pd.testing.assert_frame_equal(read, wanted, check_dtype=False)
    grey = {(row[0].value, name.value) for row in rows for name, cell in
            zip(head, row, strict=True) if cell.fill.start_color.rgb == "FFD9D9D9"}
    withheld = [[cell.value for cell in row] for row in book["withheld"].iter_rows(min_row=2)]
    assert grey == {(code, column) for code, column, _ in withheld}
    assert ["B", "households", "small"] in withheld
    assert {reason for _, _, reason in withheld} >= {"small", "protects others"}
    about = dict(row for row in book["about"].iter_rows(min_row=2, values_only=True))
    assert about["publication"] == "shared" and about["withheld"] == str(len(withheld))
    sums = list(book["by territory"].iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in sums] == ["T1", "T2"]


def test_a_workbook_holds_no_formula(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    hard = ["=1+1", "@SUM(A1)", "+1", "-1", "\t=1", "http://example.org"]
    out = publish(tmp_path / "out", more={"size_state": hard})
    exports.save_export(out, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n"}
    cells = [cell for row in book["grids"].iter_rows() for cell in row if cell.value in hard]
    assert sorted(cell.value for cell in cells) == sorted(hard)
    assert all(cell.quotePrefix for cell in cells)  # a text also after somebody edits it


def open_tiles(file):
    """Read an archive of tiles with its makers' reader: what it says, and its tiles unpacked."""
    reader = pytest.importorskip("pmtiles.reader", reason="no pmtiles is installed")
    with file.open("rb") as stream:
        source = reader.MmapSource(stream)
        tiles = {key: gzip.decompress(packed) for key, packed in reader.all_tiles(source)}
        return reader.Reader(source).metadata(), tiles


def read_tile(zoom, column, row, content):
    """Read a tile with fiona, and give its shapes their place on the ground."""
    with fiona.open(io.BytesIO(content), driver="MVT",
                    allow_unsupported_drivers=True) as tile:
        rows = list(tile)
    side = 2 * np.pi * 6378137 / 2**zoom
    corner = np.array([column * side - np.pi * 6378137, np.pi * 6378137 - (row + 1) * side])
    shapes = [shapely.transform(shapely.geometry.shape(row.geometry),
                                lambda places: corner + places * side / 4096) for row in rows]
    return geopandas.GeoDataFrame([dict(row.properties) for row in rows], geometry=shapes,
                                  crs="EPSG:3857")


def test_tiles_hold_every_grid_at_every_zoom(workspace, published, tmp_path):
    exports.save_export(workspace, tmp_path / "a.pmtiles")
    said, tiles = open_tiles(tmp_path / "a.pmtiles")
    assert said["description"] == published.note.line
    assert [layer["id"] for layer in said["vector_layers"]] == ["grids"]
    zooms = {zoom for zoom, _, _ in tiles}
    assert zooms == set(range(int(said["minzoom"]), int(said["maxzoom"]) + 1))
    for zoom in zooms:
        parts = pd.concat([read_tile(*key, tile) for key, tile in tiles.items()
                           if key[0] == zoom])
        assert set(parts["grid"]) == set(published.frame["grid"]), zoom
    whole = parts.dissolve("grid").to_crs(published.frame.crs)
    wanted = published.frame.set_index("grid").loc[whole.index]
    far = shapely.hausdorff_distance(whole.geometry.to_numpy(), wanted.geometry.to_numpy())
    assert far.max() < 1.0  # a step of the last zoom is 0.6 m at the equator
    assert whole["households"].astype(float).fillna(-1).tolist() == (
        wanted["households"].fillna(-1).tolist())


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="no ogrinfo (Debian: gdal-bin)")
@pytest.mark.parametrize("name", ["a.gpkg", "a.fgb", "a.geojson", "a.shp"])
def test_ogrinfo_counts_the_same_rows(workspace, tmp_path, name):
    exports.save_export(workspace, tmp_path / name)
    told = subprocess.run(["ogrinfo", "-ro", "-al", "-so", tmp_path / name], text=True,
                          capture_output=True, check=True).stdout
    assert "Feature Count: 6" in told
    assert "grid: String" in told


# -- all formats ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SINGLE)
def test_two_exports_are_the_same_bytes(workspace, tmp_path, name):
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        exports.save_export(workspace, tmp_path / place / name)
    one, two = ({file.name: file.read_bytes() for file in (tmp_path / place).iterdir()}
                for place in ("one", "two"))
    assert one == two and name in one


@pytest.mark.parametrize("name", SINGLE)
def test_an_export_says_its_profile_and_is_replaced_by_another(workspace, tmp_path, name):
    exports.save_export(workspace, tmp_path / name)
    assert targets.is_export(tmp_path / name)
    exports.save_export(workspace, tmp_path / name)
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


@pytest.mark.parametrize("name", SINGLE)
def test_nothing_that_is_not_allowed_is_in_an_export(workspace, tmp_path, name):
    exports.save_export(workspace, tmp_path / name)
    for file in tmp_path.iterdir():
        content = [file.read_bytes()]
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                content = [archive.read(part) for part in archive.namelist()]
        if file.suffix == ".pmtiles":
            content = list(open_tiles(file)[1].values())
        if file.suffix == ".parquet":
            content = [json.dumps(pq.read_table(file).drop_columns(["geometry", "bbox"])
                                  .to_pylist()).encode()]
        assert not [part for part in content if b"13800138000" in part or b"phone" in part]


@pytest.mark.parametrize("name", SINGLE)
def test_somebodys_file_is_not_replaced(workspace, tmp_path, name):
    mine = tmp_path / name
    mine.write_bytes(b"mine")
    with pytest.raises(WorkspaceError, match="is no export of gridmap, so it is not replaced"):
        exports.save_export(workspace, mine)
    assert mine.read_bytes() == b"mine"
    exports.save_export(workspace, mine, force=True)
    assert targets.is_export(mine)


def test_files_that_would_stand_beside_a_shapefile_are_not_replaced_either(workspace, tmp_path):
    (tmp_path / "a.txt").write_text("notes of a meeting", encoding="utf-8")
    with pytest.raises(WorkspaceError, match=r"a\.txt is there already and is no export of"):
        exports.save_export(workspace, tmp_path / "a.shp")
    assert os.listdir(tmp_path) == ["a.txt"]


def test_an_export_that_fails_leaves_what_was_there(workspace, tmp_path, monkeypatch):
    exports.save_export(workspace, tmp_path / "a.fgb")
    before = (tmp_path / "a.fgb").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gridmap.workspace.swap.sync_file", full)
    with pytest.raises(WorkspaceError, match=r"a\.fgb cannot be written: No space left on device"):
        exports.save_export(workspace, tmp_path / "a.fgb")
    assert os.listdir(tmp_path) == ["a.fgb"]
    assert (tmp_path / "a.fgb").read_bytes() == before


# -- what is refused -----------------------------------------------------------------------------


def test_a_layer_that_is_not_there_is_told(workspace, tmp_path):
    with pytest.raises(WorkspaceError, match=(
            r"^out has published no layer 'people'\. It has grids, territories$")):
        exports.save_export(workspace, tmp_path / "a.fgb", layers=["people"])


def test_a_format_of_one_layer_takes_one(workspace, tmp_path):
    with pytest.raises(WorkspaceError, match=(
            r"^a\.fgb: a FlatGeobuf holds one layer, not grids, territories\. Name one, or "
            r"export to \.gpkg$")):
        exports.save_export(workspace, tmp_path / "a.fgb", layers=["grids", "territories"])


def test_a_package_that_was_altered_is_not_handed_on(tmp_path):
    out = publish(tmp_path / "out")
    package = (out / "grids.gpkg").resolve()
    package.chmod(0o644)
    with sqlite3.connect(package) as opened:
        opened.execute("UPDATE gpkg_contents SET description = 'mine'")
    with pytest.raises(WorkspaceError, match=(
            r"^grids\.gpkg of out@0001 was altered since it was written, so it is not handed on\. "
            r"See what else was with: gridmap verify$")):
        exports.save_export(out, tmp_path / "a.fgb")


def test_a_version_is_never_written_into(workspace):
    with pytest.raises(WorkspaceError, match="lies inside a workspace, whose versions are never"):
        exports.save_export(workspace, workspace / "a.fgb")


def test_a_text_that_dbase_would_cut_is_an_error(tmp_path):
    texts = ["字" * 85, "a", "b", "字" * 84, "d", "e"]
    out = publish(tmp_path / "out", more={"size_state": texts})
    with pytest.raises(SchemaError, match=(
            r"^column size_state has texts longer than 254 bytes, which a shapefile cannot hold, "
            r"in A\. Export to \.gpkg or \.fgb instead$")) as told:
        exports.save_export(out, tmp_path / "a.shp")
    assert told.value.rows == ("A",)


@given(st.lists(st.text("ab网é_", min_size=1, max_size=14), unique=True, max_size=30))
def test_short_names_fit_and_differ(columns):
    names = shapefile.shorten_names(columns)
    assert list(names) == columns
    assert all(0 < len(name.encode()) <= 10 for name in names.values())
    assert len({name.casefold() for name in names.values()}) == len(columns)


# -- the command ---------------------------------------------------------------------------------


def test_the_command_writes_several_files_and_tells_of_each(workspace, tmp_path, capsys):
    files = [str(tmp_path / name) for name in ("a.geojson", "a.zip")]
    assert cli.main(["export", str(workspace), *files]) == 0
    told = capsys.readouterr().out.splitlines()
    withheld = len(exports.load_published(workspace).withheld)
    assert told[0] == f"{files[0]}: GeoJSON, 6 grids, {withheld} cells withheld"
    assert "  column households_in_reach_share is called hh_reach" in told


def test_the_command_looks_at_all_targets_before_it_writes(workspace, tmp_path, capsys):
    first, second = tmp_path / "a.fgb", tmp_path / "b.dxf"
    assert cli.main(["export", str(workspace), str(first), str(second), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "WorkspaceError"
    assert not first.exists()


def test_all_layers_go_into_a_package(workspace, tmp_path, capsys):
    assert cli.main(["export", str(workspace), str(tmp_path / "a.gpkg"), "--layer", "all",
                     "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["exports"][0]["rows"] == {"grids": 6, "territories": 3}
    assert fiona.listlayers(io.BytesIO((tmp_path / "a.gpkg").read_bytes()))[:2] == [
        "grids", "territories"]


def test_the_command_writes_into_a_database_and_tells_no_address(workspace, tmp_path, capsys,
                                                                 monkeypatch):
    asked = []

    def note(named, url, *, layers):
        asked.append((named, url, layers))
        return Saved({"gridmap.grids": 6}, ("styles were left out",))

    monkeypatch.setattr(postgis, "save_postgis", note)
    url = "postgis://gis@db.example/city"
    assert cli.main(["export", str(workspace), str(tmp_path / "a.fgb"), url]) == 0
    assert asked == [(str(workspace), url, ["grids"])]
    told = capsys.readouterr().out.splitlines()
    assert told[1:] == ["the database: PostGIS, 6 gridmap.grids", "  styles were left out"]


def test_a_password_in_the_address_of_a_database_is_refused(workspace, capsys):
    url = "postgis://gis:hunter2@db.example/city"
    assert cli.main(["export", str(workspace), url]) == 1
    told = capsys.readouterr()
    assert "password" in told.err and "hunter2" not in told.err + told.out


def test_the_command_fills_a_real_database(workspace, capsys, monkeypatch):
    with started() as server:
        monkeypatch.setenv("PGPASSWORD", SECRET)
        assert cli.main(["export", str(workspace), server.url(), "--layer", "all", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)["exports"][0]
    assert told["rows"] == {"gridmap.grids": 6, "gridmap.territories": 3}


def test_where_withheld_cells_are_not_listed_none_are_claimed(tmp_path):
    shown = sketch_grids("AB", side_m=100)[["territory", "geometry"]]
    save_workspace(tmp_path / "out", Contents({}, {"net": {"grids": Layer(shown)}}, {}, {},
                                              {"name": "Net", "publication": "shared"}))
    written = exports.save_export(tmp_path / "out", tmp_path / "a.geojson")
    assert written.withheld is None
    assert "2 rows, cells withheld are not listed, from net.gpkg" in (
        tmp_path / "a.geojson").read_text(encoding="utf-8")
