"""Formats: what each holds comes through, and nothing is opened that is not what it says."""

from __future__ import annotations

import json
import shutil
import zipfile

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.errors import CRSError, SourceError
from gridmap.sources import (
    load_barriers,
    load_elements,
    load_schemes,
    load_sites,
    load_table,
    load_territories,
)

TOWNS = {"columns": {"territory": "CODE", "name": "NAME"}, "constants": {"level": "town"}}


def towns(count=4, crs=32651):
    return geopandas.GeoDataFrame(
        {"CODE": [f"0{n}" for n in range(count)], "NAME": [f"望湾{n}" for n in range(count)],
         "户主": ["某人"] * count},
        geometry=[shapely.box(n, 0, n + 1, 1) for n in range(count)], crs=crs,
    )


def whys(loaded):
    return dict(zip(loaded.rejects["id"], loaded.rejects["note"], strict=True))


def closes(loaded):
    return loaded.rows_in == len(loaded.frame) + len(loaded.rejects)


@pytest.mark.parametrize("name", ["towns.shp", "towns.gpkg", "towns.geojson", "towns.fgb",
                                  "towns.parquet", "towns.geojsonl"])
def test_the_same_towns_come_out_of_every_format(tmp_path, name):
    made = towns(crs=4326)
    if name.endswith("parquet"):
        made.to_parquet(tmp_path / name)
    else:
        driver = {"driver": "GeoJSONSeq"} if name.endswith("l") else {}
        made.to_file(tmp_path / name, **driver)
    loaded = load_territories(tmp_path / name, **TOWNS)
    loaded = loaded._replace(frame=loaded.frame.sort_index())  # FlatGeobuf has an order of its own
    assert loaded.frame.index.tolist() == made["CODE"].tolist()
    assert loaded.frame["name"].tolist() == made["NAME"].tolist()
    assert loaded.frame.geometry.geom_equals(made.geometry.set_axis(loaded.frame.index)).all()
    assert loaded.frame.crs.to_epsg() == 4326
    told = loaded.changes[loaded.changes["what"] == "personal column left out"]
    assert told["before"].tolist() == ["户主"]


def test_a_zipped_shapefile_is_read_with_its_side_files(tmp_path):
    towns().to_file(tmp_path / "towns.shp", encoding="GBK")
    (tmp_path / "towns.cpg").unlink()
    with zipfile.ZipFile(tmp_path / "towns.zip", "w") as archive:
        for file in tmp_path.glob("towns.[sdp]*"):
            archive.write(file, f"辖区/{file.name.upper()}")
    loaded = load_territories(tmp_path / "towns.zip", **TOWNS)
    assert loaded.frame["name"].tolist() == towns()["NAME"].tolist()
    assert loaded.frame.crs.to_epsg() == 32651


def test_an_archive_of_several_files_or_none_is_told(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "A")
        archive.writestr("b.csv", "B")
    with pytest.raises(SourceError, match=r"holds 2 files: a.csv, b.csv. Unpack it"):
        load_sites(tmp_path / "a.zip")
    (tmp_path / "b.zip").write_bytes(b"PK nothing")
    with pytest.raises(SourceError, match="is no zip archive that can be read"):
        load_sites(tmp_path / "b.zip")


def test_an_archive_that_would_grow_beyond_measure_is_not_opened(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"0" * 120_000_000)
    with pytest.raises(SourceError, match="beyond measure: it is not opened"):
        load_sites(tmp_path / "a.zip")


@pytest.mark.parametrize("name", ["a.gpkg", "a.shp", "a.fgb", "a.kml", "a.pbf"])
@pytest.mark.parametrize("content", [
    '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/vsicurl/http://localhost/a'
    "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
    '{"type": "gdal_streamed_alg", "command_line": "gdal vector read http://localhost"}',
])
def test_nothing_is_opened_that_is_not_what_its_ending_says(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(SourceError, match=r"not opened|no shapefile"):
        load_sites(tmp_path / name, constants={"kind": "park"})


def test_a_shapefile_without_its_index_is_read_and_none_is_written(tmp_path):
    towns().to_file(tmp_path / "towns.shp")
    (tmp_path / "towns.shx").unlink()
    assert len(load_territories(tmp_path / "towns.shp", **TOWNS).frame) == 4
    assert not (tmp_path / "towns.shx").exists()


def test_a_shapefile_that_is_cut_short_names_every_row_it_lost(tmp_path):
    file = tmp_path / "towns.shp"
    towns(9).to_file(file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 2 // 3])
    loaded = load_territories(file, **TOWNS)
    assert loaded.rows_in == 9
    assert 3 <= len(loaded.frame) < 9
    assert set(whys(loaded).values()) == {"the .shp file ends before this shape"}
    assert (loaded.changes["what"] == "file cut short").any()


@pytest.mark.parametrize("left", [100, 150])
def test_a_shapefile_that_ends_before_its_first_shape_is_told(tmp_path, left):
    file = tmp_path / "towns.shp"
    towns(9).to_file(file)
    whole = file.read_bytes()
    file.write_bytes(whole[:left])
    with pytest.raises(SourceError, match=(
            r"towns\.shp has no shape that can be read: \.shp has "
            rf"{left} of {len(whole):,} bytes, and ends before the first of 9 shapes\. Fetch the "
            "file again, whole$")):
        load_territories(file, **TOWNS)


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.shp", "a.gpkg", "a.geojson", "a.parquet"])
def test_a_file_without_rows_is_told(tmp_path, name):
    file = tmp_path / name
    none = geopandas.GeoDataFrame({"code": pd.Series([], dtype="str")}, geometry=[], crs=4326)
    columns, crs = {"element": "code"}, None
    if name == "a.parquet":
        none.to_parquet(file)
    elif name in ("a.csv", "a.xlsx"):
        columns, crs = {**columns, "x": "x", "y": "y"}, "EPSG:4326"
        table = pd.DataFrame(columns=["code", "x", "y"])
        (table.to_csv if name == "a.csv" else table.to_excel)(file, index=False)
    else:
        none.to_file(file, geometry_type="Point")
    loaded = load_elements(file, columns=columns, crs=crs, constants={"kind": "home", "count": 1})
    assert len(loaded.frame) == loaded.rows_in == 0
    told = loaded.changes[loaded.changes["what"] == "file without rows"]
    assert told["note"].tolist() == [f"{name}: it can be read, and holds no row"]


def test_a_table_without_rows_is_told_and_one_of_which_none_are_asked_for_is_not(tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("code,people\n")
    asked = {"key": "code", "columns": {"people": "people"}}
    assert load_table(file, **asked).changes["what"].tolist()[:1] == ["file without rows"]
    file.write_text("code,people\n01,4\n")
    loaded = load_table(file, **asked, where={"people": "5"})
    assert loaded.rows_in == 0
    assert "file without rows" not in set(loaded.changes["what"])


def test_a_table_that_is_cut_short_is_told(tmp_path):
    towns(9).to_file(tmp_path / "towns.shp")
    table = (tmp_path / "towns.dbf").read_bytes()
    (tmp_path / "towns.dbf").write_bytes(table[: len(table) * 2 // 3])
    loaded = load_territories(tmp_path / "towns.shp", **TOWNS)
    assert closes(loaded)
    assert loaded.rows_in == 9
    assert set(whys(loaded).values()) == {"a row needs a code of its own"}


def test_a_shapefile_without_a_table_has_no_columns(tmp_path):
    towns().to_file(tmp_path / "towns.shp")
    (tmp_path / "towns.dbf").unlink()
    with pytest.raises(SourceError, match=r"has no \.dbf beside it"):
        load_territories(tmp_path / "towns.shp", **TOWNS)
    assert len(load_sites(tmp_path / "towns.shp", constants={"kind": "park"}).frame) == 4


def test_numbers_in_a_table_keep_the_digits_that_are_written(tmp_path):
    made = towns().assign(CODE=[371002001001.0 + n for n in range(4)])
    made.to_file(tmp_path / "towns.shp")
    loaded = load_territories(tmp_path / "towns.shp", **TOWNS)
    assert loaded.frame.index.tolist() == [f"37100200100{n}" for n in range(1, 5)]


def write_table(file, widths, rows):
    """Write a dBASE file of text columns, cut at their widths as old programs do."""
    fields = b"".join(name.encode().ljust(11, b"\0") + b"C" + bytes(4) + bytes([width]) + bytes(15)
                      for name, width in widths.items())
    header = len(fields) + 33
    start = bytes([3, 126, 1, 1]) + len(rows).to_bytes(4, "little") + header.to_bytes(2, "little")
    start += (1 + sum(widths.values())).to_bytes(2, "little") + bytes(20)
    lines = b"".join(b" " + b"".join(cell[:width].ljust(width) for cell, width in
                                     zip(row, widths.values(), strict=True)) for row in rows)
    file.write_bytes(start + fields + b"\r" + lines + b"\x1a")


def test_a_name_cut_within_a_character_loses_that_one_and_is_told(tmp_path):
    towns(2).to_file(tmp_path / "towns.shp")
    (tmp_path / "towns.cpg").unlink()
    write_table(tmp_path / "towns.dbf", {"CODE": 3, "NAME": 7},
                [(b"01", "望湾社区".encode("gbk")), (b"02", "金林村".encode("gbk"))])
    loaded = load_territories(tmp_path / "towns.shp", **TOWNS)
    assert loaded.frame["name"].tolist() == ["望湾社", "金林村"]
    told = loaded.changes[loaded.changes["what"] == "text cut short"]
    assert told["note"].str.contains("1 cells end within a character").all()


def test_rows_marked_as_deleted_are_left_out_and_told(tmp_path):
    towns(5).to_file(tmp_path / "towns.shp")
    table = bytearray((tmp_path / "towns.dbf").read_bytes())
    header, width = (int.from_bytes(table[at:at + 2], "little") for at in (8, 10))
    table[header + 2 * width] = ord("*")
    (tmp_path / "towns.dbf").write_bytes(bytes(table))
    loaded = load_territories(tmp_path / "towns.shp", **TOWNS)
    assert loaded.frame.index.tolist() == ["00", "01", "03", "04"]
    assert (loaded.changes["what"] == "rows marked as deleted").sum() == 1


def test_a_file_without_a_crs_says_what_it_looks_like(tmp_path):
    towns().to_file(tmp_path / "towns.shp")
    (tmp_path / "towns.prj").unlink()
    with pytest.raises(CRSError, match=r"They run from 0 to 4 .* looks like degrees"):
        load_territories(tmp_path / "towns.shp", **TOWNS)
    loaded = load_territories(tmp_path / "towns.shp", **TOWNS, crs="EPSG:4550")
    assert loaded.frame.crs.to_epsg() == 4550
    assert (loaded.changes["what"] == "CRS said by the user").sum() == 1


def test_one_bad_feature_of_geojson_costs_one_reject(tmp_path):
    whole = json.loads(towns(4, crs=4326).to_json())
    whole["features"][1]["geometry"]["coordinates"] = [[["a", 1]]]
    whole["features"][2] = None
    (tmp_path / "towns.geojson").write_text(json.dumps(whole))
    loaded = load_territories(tmp_path / "towns.geojson", **TOWNS)
    assert loaded.frame.index.tolist() == ["00", "03"]
    assert whys(loaded) == {"row 3": "null in the place of a feature",
                            "01": "the coordinates do not make a Polygon"}
    assert loaded.rows_in == 4


def test_broken_json_is_read_as_far_as_it_goes(tmp_path):
    text = towns(6, crs=4326).to_json()
    (tmp_path / "towns.geojson").write_text(text[: len(text) * 2 // 3])
    loaded = load_territories(tmp_path / "towns.geojson", **TOWNS)
    assert closes(loaded)
    assert 2 <= len(loaded.frame) < 6
    assert (loaded.changes["what"] == "read feature by feature").any()


def test_geojson_in_gbk_and_with_the_old_crs_member_is_read(tmp_path):
    whole = json.loads(towns(crs=4550).to_json())
    whole["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4550"}}
    (tmp_path / "towns.json").write_bytes(json.dumps(whole, ensure_ascii=False).encode("gbk"))
    loaded = load_territories(tmp_path / "towns.json", **TOWNS)
    assert loaded.frame["name"].tolist() == towns()["NAME"].tolist()
    assert loaded.frame.crs.to_epsg() == 4550


def test_a_topology_gives_neighbours_the_same_border(tmp_path):
    whole = {
        "type": "Topology", "transform": {"scale": [0.5, 0.5], "translate": [122, 37]},
        "arcs": [[[1, 0], [0, 2]], [[1, 2], [-1, 0], [0, -2], [1, 0]], [[1, 0], [1, 0], [0, 2],
                                                                       [-1, 0]]],
        "objects": {"towns": {"type": "GeometryCollection", "geometries": [
            {"type": "Polygon", "arcs": [[0, 1]], "properties": {"CODE": "01", "NAME": "西"}},
            {"type": "Polygon", "arcs": [[2, -1]], "properties": {"CODE": "02", "NAME": "东"}},
        ]}},
    }
    (tmp_path / "towns.topojson").write_text(json.dumps(whole))
    loaded = load_territories(tmp_path / "towns.topojson", **TOWNS)
    assert shapely.area(loaded.frame.geometry).tolist() == [0.5, 0.5]
    assert loaded.frame.geometry.iloc[0].intersection(loaded.frame.geometry.iloc[1]).length == 1


def test_tags_of_openstreetmap_are_columns(tmp_path):
    roads = geopandas.GeoDataFrame(
        {"osm_id": ["1", "2"], "other_tags": ['"building:levels"=>"3","a\\"b"=>"x"', None]},
        geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], crs=4326)
    roads.to_file(tmp_path / "homes.gpkg")
    loaded = load_elements(tmp_path / "homes.gpkg", constants={"kind": "building"},
                           columns={"element": "osm_id", "floors": "building:levels"})
    assert loaded.frame["floors"].tolist()[0] == 3
    assert loaded.frame["floors"].isna().tolist() == [False, True]


def test_a_workbook_keeps_codes_as_they_are_written(tmp_path):
    file = tmp_path / "people.xlsx"
    parts = {
        "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/'
        '2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="人口" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/'
        'package/2006/relationships"><Relationship Id="r1" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/sharedStrings.xml": '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/'
        '2006/main"><si><t>代码</t></si><si><r><t>人</t></r><r><t>口</t></r></si>'
        "<si><t>0371</t></si></sst>",
        "xl/styles.xml": '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/'
        '2006/main"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": '<worksheet xmlns="http://schemas.openxmlformats.org/'
        'spreadsheetml/2006/main"><sheetData>'
        '<row><c r="B1" t="s"><v>0</v></c><c r="D1" t="s"><v>1</v></c>'
        '<c r="E1" t="inlineStr"><is><t>日期</t></is></c></row>'
        '<row><c r="B2" t="s"><v>2</v></c><c r="D2"><v>12</v></c><c r="E2" s="1"><v>46082</v></c>'
        "</row><row/>"
        '<row><c r="B4"><v>371002001001</v></c><c r="D4"><v>7</v></c></row>'
        '<row><c r="B5"><v>3.71002E+11</v></c><c r="D5"><v>7</v></c></row>'
        "</sheetData></worksheet>",
    }
    with zipfile.ZipFile(file, "w") as book:
        for name, text in parts.items():
            book.writestr(name, text)
    loaded = load_table(file, key="代码", columns={"people": "人口", "day": "日期"})
    assert loaded.frame["people"].to_dict() == {"0371": 12, "371002001001": 7}
    assert loaded.frame.loc["0371", "day"] == "2026-03-01"
    assert loaded.rejects["what"].tolist() == ["code unreadable"]


def test_parquet_without_a_word_about_geometry_is_read_with_a_declared_crs(tmp_path):
    table = pd.DataFrame({"id": ["A", "B"], "geom": shapely.to_wkb([shapely.Point(1, 2), None])})
    table.to_parquet(tmp_path / "homes.parquet")
    loaded = load_elements(tmp_path / "homes.parquet", columns={"element": "id"},
                           constants={"kind": "home"}, crs="EPSG:32651")
    assert loaded.frame.index.tolist() == ["A"]
    assert whys(loaded) == {"B": "no geometry, or none that can be read"}


def test_codes_in_categories_and_integers_are_text(tmp_path):
    made = towns().assign(CODE=pd.Categorical(["01", "02", "03", "04"]))
    made.to_parquet(tmp_path / "towns.parquet")
    assert load_territories(tmp_path / "towns.parquet", **TOWNS).frame.index.tolist() == [
        "01", "02", "03", "04"]
    made = towns().assign(CODE=np.arange(371002001001, 371002001005))
    made.to_file(tmp_path / "towns.gpkg")
    assert load_territories(tmp_path / "towns.gpkg", **TOWNS).frame.index[0] == "371002001001"


def test_wkt_and_wkb_with_a_srid_say_their_crs(tmp_path):
    file = tmp_path / "roads.csv"
    file.write_text("kind,g\nriver,SRID=4550;LINESTRING (0 0,1 1)\n".replace(",1 1", " 1")
                    .replace("0 0 1", '0 0') + 'road,"SRID=4550;LINESTRING (0 0, 1 1)"\n')
    loaded = load_barriers(file, columns={"kind": "kind", "wkt": "g"})
    assert loaded.frame.crs.to_epsg() == 4550
    assert len(loaded.frame) == 1
    hexed = shapely.to_wkb(shapely.set_srid(shapely.box(0, 0, 1, 1), 4549), hex=True,
                           include_srid=True)
    file.write_text(f"id,g\nA,{hexed}\nB,nonsense\n")
    loaded = load_sites(file, columns={"site": "id", "wkt": "g"}, constants={"kind": "park"})
    assert loaded.frame.crs.to_epsg() == 4549
    assert whys(loaded) == {"B": "geometry as text that cannot be read"}


def test_exploded_parts_are_named_as_what_they_are(tmp_path):
    made = towns(3).assign(CODE=["01", "01", "02"], NAME="望湾", PEOPLE=[700, 700, 50])
    made.to_file(tmp_path / "towns.gpkg")
    columns = {**TOWNS["columns"], "people": "PEOPLE"}
    loaded = load_territories(tmp_path / "towns.gpkg", **{**TOWNS, "columns": columns})
    assert loaded.frame.index.tolist() == ["01", "02"]
    assert loaded.rejects["what"].tolist() == ["part of a code repeated"]
    assert "at another place" in whys(loaded)["01"]
    told = loaded.changes.loc[loaded.changes["what"] == "parts of one thing", "note"].iloc[0]
    assert "people add up to 750, and to 1,450 if every part counted" in told


def test_multipart_rows_stay_multipart(tmp_path):
    two = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 0, 6, 1)])
    one = shapely.MultiPolygon([shapely.box(8, 0, 9, 1)])
    beats = geopandas.GeoDataFrame({"id": ["A", "B"]}, geometry=[two, one], crs=32651)
    beats.to_file(tmp_path / "beats.gpkg")
    loaded = load_schemes(tmp_path / "beats.gpkg", columns={"work_grid": "id"},
                          constants={"scheme": "police"})
    assert loaded.frame.geom_type.tolist() == ["MultiPolygon"] * 2


def test_a_geodatabase_in_a_folder_is_opened_and_another_folder_is_not(tmp_path, real_data):
    archive = real_data / "nasty" / "fiona" / "testopenfilegdb.gdb.zip"
    shutil.unpack_archive(archive, tmp_path)
    folder = next(tmp_path.glob("*.gdb"))
    for file in (archive, folder):
        loaded = load_sites(file, layer="polygon", columns={"site": "id"},
                            constants={"kind": "park"}, crs="EPSG:4326")
        assert closes(loaded)
        assert len(loaded.frame)
    (tmp_path / "other.gdb").mkdir()
    with pytest.raises(SourceError, match="is a folder, and no file geodatabase"):
        load_sites(tmp_path / "other.gdb", constants={"kind": "park"})
    with pytest.raises(SourceError, match="is a folder: name a file in it"):
        (tmp_path / "folder.shp").mkdir()
        load_sites(tmp_path / "folder.shp", constants={"kind": "park"})
