"""Hostile input: how the file of each attack is made; ``hostile_cases`` says what it comes to."""

from __future__ import annotations

import io
import json
import os
import pickle
import sqlite3
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

#: A folder that comes into being where an object of a file is unpickled.
UNPICKLED = f"{tempfile.gettempdir()}/gridmap-unpickled"

#: Where files that reach out would call; a test listens there.
HOST = "http://127.0.0.1:9731"


def _zip(path: Path, members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


TABLE = b"code,lon,lat\nA,122.1,37.4\nB,122.2,37.5\n"


# Archives

def high_ratio(folder: Path) -> Path:
    return _zip(folder / "towns.zip", {"towns.csv": bytes(130_000_000)})


def nested(folder: Path) -> Path:
    inner = _zip(folder / "inner.zip", {"towns.csv": TABLE}).read_bytes()
    return _zip(folder / "towns.zip", {"inner.zip": inner})


def false_size(folder: Path) -> Path:
    """Write an archive whose header says that a member is small."""
    path = _zip(folder / "towns.zip", {"towns.csv": b"0" * 150_000_000})
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.find(mark) + at, 1_000)
    path.write_bytes(content)
    return path


def overlapping(folder: Path) -> Path:
    """Write an archive whose many members are the same bytes (D. Fifield, 2019)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    kernel = packer.compress(bytes(40_000_000)) + packer.flush()
    names = [f"a{number}.csv" for number in range(2_000)]
    first = b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, 0, len(kernel), 40_000_000,
                                        5, 0) + b"a.csv"
    listing = b"".join(
        b"PK\x01\x02" + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0, 8, 0, 0, 0, len(kernel),
                                    40_000_000, len(name), 0, 0, 0, 0, 0, 0) + name.encode()
        for name in names)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, len(names), len(names), len(listing),
                                      len(first) + len(kernel), 0)
    (folder / "towns.zip").write_bytes(first + kernel + listing + end)
    return folder / "towns.zip"


def many_members(folder: Path) -> Path:
    return _zip(folder / "towns.zip", {f"{number}.txt": b"" for number in range(30_000)} | {
        "towns.csv": TABLE}, zipfile.ZIP_STORED)


def traversal(folder: Path) -> Path:
    return _zip(folder / "towns.zip", {"../../escaped.csv": TABLE})


def absolute(folder: Path) -> Path:
    return _zip(folder / "towns.zip", {f"{tempfile.gettempdir()}/gridmap-escaped.csv": TABLE})


def backslashes(folder: Path) -> Path:
    return _zip(folder / "towns.zip", {"..\\..\\escaped.csv": TABLE})


def link_in_archive(folder: Path) -> Path:
    link = zipfile.ZipInfo("towns.csv")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(folder / "towns.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    return folder / "towns.zip"


def same_name_twice(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "towns.zip", "w") as archive:
        archive.writestr("towns.csv", TABLE)
        archive.writestr("TOWNS.CSV", TABLE.replace(b"A,", b"Z,"))
    return folder / "towns.zip"


# Files that are no files

def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "towns.csv")
    return folder / "towns.csv"


def device(folder: Path) -> Path:
    (folder / "towns.csv").symlink_to("/dev/zero")
    return folder / "towns.csv"


def pipe_beside(folder: Path) -> Path:
    import geopandas
    import shapely
    geopandas.GeoDataFrame({"code": ["A"]}, geometry=[shapely.Point(122, 37)], crs=4326).to_file(
        folder / "towns.shp")
    (folder / "towns.prj").unlink()
    os.mkfifo(folder / "towns.prj")
    return folder / "towns.shp"


def sparse(folder: Path) -> Path:
    with (folder / "towns.geojsonl").open("wb") as stream:
        stream.truncate(3_000_000_000_000)
    return folder / "towns.geojsonl"


def exclamation(folder: Path) -> Path:
    place = folder / "x!" / "vsicurl" / f"{HOST[:5]}" / HOST[7:]
    place.mkdir(parents=True)
    with sqlite3.connect(place / "towns.gpkg") as package:
        package.execute("CREATE TABLE a (b)")
    return place / "towns.gpkg"


# XML

def _kml(head: str, body: str = "") -> str:
    return (f'<?xml version="1.0"?>{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
            f"<Placemark><name>{body or 'A'}</name><Point><coordinates>122.1,37.4</coordinates>"
            "</Point></Placemark></Document></kml>")


def _laughs() -> str:
    lines = ['<!DOCTYPE kml [<!ENTITY a "lollollollollollollollollol">']
    names = "abcdefghijk"
    lines += [f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in pairwise(names)]
    return "".join(lines) + "]>"


def entities(folder: Path) -> Path:
    (folder / "towns.kml").write_text(_kml(_laughs(), "&k;"))
    return folder / "towns.kml"


def external_entity(folder: Path) -> Path:
    head = f'<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y SYSTEM "{HOST}/y">]>'
    (folder / "towns.kml").write_text(_kml(head, "&x;&y;"))
    return folder / "towns.kml"


def remote_dtd(folder: Path) -> Path:
    (folder / "towns.kml").write_text(_kml(f'<!DOCTYPE kml SYSTEM "{HOST}/kml.dtd">'))
    return folder / "towns.kml"


def late_doctype(folder: Path) -> Path:
    (folder / "towns.kml").write_text(_kml(f"<!--{'-' * 0}{' ' * 80_000}-->{_laughs()}", "&k;"))
    return folder / "towns.kml"


def wide_doctype(folder: Path) -> Path:
    (folder / "towns.kml").write_bytes(
        _kml(_laughs(), "&k;").replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16"))
    return folder / "towns.kml"


def gml_as_kml(folder: Path) -> Path:
    (folder / "towns.kml").write_text(
        '<?xml version="1.0"?><!-- <kml --><gml:FeatureCollection '
        'xmlns:gml="http://www.opengis.net/gml" xmlns:xsi="http://www.w3.org/2001/XMLSchema-'
        f'instance" xsi:schemaLocation="http://a {HOST}/a.xsd"><gml:featureMember><a fid="1">'
        "<gml:Point><gml:coordinates>1,2</gml:coordinates></gml:Point></a></gml:featureMember>"
        "</gml:FeatureCollection>")
    return folder / "towns.kml"


def network_link(folder: Path) -> Path:
    (folder / "towns.kml").write_text(_kml("").replace(
        "<Document>", f"<Document><NetworkLink><Link><href>{HOST}/more.kml</href></Link>"
        f'</NetworkLink><Style id="s"><IconStyle><Icon><href>{HOST}/a.png</href></Icon>'
        "</IconStyle></Style>"))
    return folder / "towns.kml"


def osm_entities(folder: Path) -> Path:
    (folder / "towns.osm").write_text(
        '<?xml version="1.0"?>' + _laughs().replace("DOCTYPE kml", "DOCTYPE osm")
        + '<osm version="0.6"><node id="1" lat="37.4" lon="122.1"><tag k="name" v="&k;"/></node>'
        "</osm>")
    return folder / "towns.osm"


def _book(folder: Path, *, sheet: str = "", shared: str = "", name: str = "towns.xlsx",
          more: dict[str, bytes] | None = None, target: str = "worksheets/sheet1.xml") -> Path:
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    cells = ['<c t="inlineStr"><is><t>' + text + "</t></is></c>"
             for text in ("code", "lon", "lat", "A", "122.1", "37.4")]
    rows = f"<row>{''.join(cells[:3])}</row><row>{''.join(cells[3:])}</row>"
    members = {
        "xl/workbook.xml": f'<workbook {main} xmlns:r="http://schemas.openxmlformats.org/office'
        'Document/2006/relationships"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/'
        f'package/2006/relationships"><Relationship Id="r1" Target="{target}"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet or f"<worksheet {main}><sheetData>{rows}</sheetData>"
        "</worksheet>",
    }
    if shared:
        members["xl/sharedStrings.xml"] = shared
    return _zip(folder / name, {n: t.encode() for n, t in members.items()} | (more or {}))


def book_entities(folder: Path) -> Path:
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return _book(folder, sheet='<?xml version="1.0"?>' + _laughs().replace("kml", "worksheet")
                 + f'<worksheet {main}><sheetData><row><c t="inlineStr"><is><t>&k;</t></is></c>'
                 "</row></sheetData></worksheet>")


def book_links(folder: Path) -> Path:
    link = (f'<externalLink><externalBook r:id="r1"/></externalLink>{HOST}').encode()
    return _book(folder, more={"xl/externalLinks/externalLink1.xml": link})


def book_target(folder: Path) -> Path:
    return _book(folder, target="../../../../etc/passwd")


def book_bomb(folder: Path) -> Path:
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return _book(folder, shared=f"<sst {main}>" + "<si><t>a</t></si>" * 8_000_000 + "</sst>")


def book_far_cell(folder: Path) -> Path:
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return _book(folder, sheet=f'<worksheet {main}><sheetData><row><c r="{"Z" * 5_000}1" '
                 't="inlineStr"><is><t>code</t></is></c></row></sheetData></worksheet>')


def ods_repeats(folder: Path) -> Path:
    """Write a sheet that says that a row of cells comes a billion times."""
    office = ('xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
              'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
              'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"')
    cell = ('<table:table-cell office:value-type="string" table:number-columns-repeated="16000">'
            "<text:p>x</text:p></table:table-cell>")
    content = (f'<?xml version="1.0"?><office:document-content {office}><office:body>'
               '<office:spreadsheet><table:table table:name="s">'
               f'<table:table-row table:number-rows-repeated="1000000">{cell}</table:table-row>'
               "</table:table></office:spreadsheet></office:body></office:document-content>")
    manifest = ('<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest'
                ':1.0"/>')
    return _zip(folder / "towns.ods", {
        "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": manifest.encode(), "content.xml": content.encode()})


# Drivers that reach out

def text(name: str, text: str) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        (folder / name).write_text(text)
        return folder / name
    return build


def loop(folder: Path) -> Path:
    (folder / "towns.csv").symlink_to("towns.csv")
    return folder / "towns.csv"


def loop_inside(folder: Path) -> Path:
    """Write a geodatabase with a link to itself inside."""
    base = folder / "towns.gdb"
    base.mkdir()
    (base / "a00000001.gdbtable").write_bytes(b"\x03\0\0\0")
    (base / "a00000002.gdbtable").symlink_to("a00000002.gdbtable")
    return base


def folder_as_file(folder: Path) -> Path:
    (folder / "towns.csv").mkdir()
    return folder / "towns.csv"


def password(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "towns.zip", "w") as archive:
        archive.writestr("towns.csv", TABLE)
    content = bytearray((folder / "towns.zip").read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(mark) + at] |= 1  # encrypted
    (folder / "towns.zip").write_bytes(content)
    return folder / "towns.zip"


def named(name: str) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        return Path(name)
    return build


VRT = ('<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{}</SrcDataSource></OGRVRTLayer>'
        "</OGRVRTDataSource>")
WFS = f"<OGRWFSDataSource><URL>{HOST}/wfs</URL></OGRWFSDataSource>"


# GeoPackage

def _package(folder: Path, *statements: str) -> Path:
    import geopandas
    import shapely
    path = folder / "towns.gpkg"
    geopandas.GeoDataFrame({"code": ["A"]}, geometry=[shapely.Point(122, 37)], crs=4326).to_file(
        path, layer="towns")
    with sqlite3.connect(path) as package:
        for statement in statements:
            package.execute(statement)
    package.close()
    return path


_LAYER = ("INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) "
          "VALUES ('{0}', 'features', '{0}', 4326)")
_GEOM = ("INSERT INTO gpkg_geometry_columns VALUES ('{0}', 'geom', 'POINT', 4326, 0, 0)")


def endless_view(folder: Path) -> Path:
    return _package(
        folder, "CREATE VIEW more AS WITH RECURSIVE n(fid) AS (SELECT 1 UNION ALL SELECT fid + 1 "
        "FROM n) SELECT n.fid AS fid, t.code AS code, t.geom AS geom FROM n, towns t",
        "DELETE FROM gpkg_contents", "DELETE FROM gpkg_geometry_columns",
        _LAYER.format("more"), _GEOM.format("more"))


def loading_view(folder: Path) -> Path:
    return _package(
        folder, "CREATE VIEW more AS SELECT fid, load_extension('evil.so') AS code, geom "
        "FROM towns", "DELETE FROM gpkg_contents", "DELETE FROM gpkg_geometry_columns",
        _LAYER.format("more"), _GEOM.format("more"))


def virtual_table(folder: Path) -> Path:
    path = _package(folder)
    with sqlite3.connect(path) as package:
        package.execute("PRAGMA writable_schema = 1")
        package.execute(
            "INSERT INTO sqlite_master VALUES ('table', 'more', 'more', 0, "
            f"'CREATE VIRTUAL TABLE more USING VirtualOGR(''{HOST}/a.json'')')")
        package.execute(_LAYER.format("more"))
    package.close()
    return path


def triggers(folder: Path) -> Path:
    return _package(
        folder, "CREATE TRIGGER bad AFTER INSERT ON towns BEGIN DELETE FROM towns; END",
        "CREATE TRIGGER worse AFTER UPDATE ON towns BEGIN SELECT load_extension('x'); END")


def view_in_log(folder: Path) -> Path:
    """Write a view that stands in the write-ahead log alone, which GDAL reads as well."""
    path = _package(folder)
    with sqlite3.connect(path) as package:
        package.execute("PRAGMA journal_mode = WAL")
    package.close()
    package = sqlite3.connect(path)
    package.execute("PRAGMA wal_autocheckpoint = 0")
    package.execute("CREATE VIEW more AS SELECT * FROM towns")
    package.execute("DELETE FROM gpkg_contents")
    package.execute(_LAYER.format("more"))
    package.commit()
    aside = {end: path.with_name(path.name + end).read_bytes() for end in ("", "-wal")}
    package.close()  # which would write the log into the file
    for end, content in aside.items():
        path.with_name(path.name + end).write_bytes(content)
    return path


def journal(folder: Path) -> Path:
    path = _package(folder)
    path.with_name("towns.gpkg-journal").write_bytes(b"\xd9\xd5\x05\xf9 \xa1c\xd7" + bytes(600))
    return path


def no_package(folder: Path) -> Path:
    with sqlite3.connect(folder / "towns.gpkg") as package:
        package.execute("CREATE TABLE towns (code TEXT)")
    package.close()
    return folder / "towns.gpkg"


def false_blob(folder: Path) -> Path:
    """Write a geometry that says it has four billion points."""
    head = b"GP\x00\x01" + struct.pack("<i", 4326)
    blob = head + b"\x01" + struct.pack("<II", 2, 0xFFFFFFF0) + bytes(32)
    path = _package(folder)
    with sqlite3.connect(path) as package:
        for (name,) in package.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            package.execute(f'DROP TRIGGER "{name}"')
        package.execute("UPDATE towns SET geom = ?", (blob,))
    package.close()
    return path


# Shapes beyond all measure

def _features(*geometries: str) -> str:
    lines = [f'{{"type":"Feature","properties":{{"code":"{n}"}},"geometry":{g}}}'
             for n, g in enumerate(geometries)]
    return f'{{"type":"FeatureCollection","features":[{",".join(lines)}]}}'


_GOOD = '{"type":"Point","coordinates":[122.1,37.4]}'


def huge_coordinates(folder: Path) -> Path:
    shapes = [f'{{"type":"Point","coordinates":[{x},{y}]}}' for x, y in (
        ("1e300", "1"), ("NaN", "1"), ("Infinity", "1"), ("1e400", "1"), ("-1e308", "1e308"))]
    (folder / "towns.geojson").write_text(_features(_GOOD, *shapes))
    return folder / "towns.geojson"


def huge_integers(folder: Path) -> Path:
    (folder / "towns.geojson").write_text(_features(
        _GOOD, f'{{"type":"Point","coordinates":[{"9" * 100_000},1]}}'))
    return folder / "towns.geojson"


def huge_ring(folder: Path) -> Path:
    import numpy as np
    angle = np.linspace(0, 2 * np.pi, 10_000_001)
    ring = np.column_stack([122 + np.cos(angle), 37 + np.sin(angle)])
    ring[-1] = ring[0]
    blob = b"\x01" + struct.pack("<III", 3, 1, len(ring)) + ring.astype("<f8").tobytes()
    return _parquet(folder, [blob])


def _parquet(folder: Path, blobs: list[bytes | None]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq
    table = pa.table({"code": [str(n) for n in range(len(blobs))],
                      "geometry": pa.array(blobs, pa.large_binary())})
    pq.write_table(table, folder / "towns.parquet")
    return folder / "towns.parquet"


def crs_of_a_pipe(folder: Path) -> Path:
    """Name a pipe as the file that PROJ shall look a CRS up in: it would wait without end."""
    os.mkfifo(folder / "crs")
    whole = json.loads(_features(_GOOD))
    whole["crs"] = {"type": "name", "properties": {"name": f"+init={folder / 'crs'}:1"}}
    (folder / "towns.geojson").write_text(json.dumps(whole))
    return folder / "towns.geojson"


def crs_of_a_grid(folder: Path) -> Path:
    text = f"+proj=longlat +nadgrids={folder / 'grid'} +type=crs"
    os.mkfifo(folder / "grid")
    path = pipe_free_shapefile(folder)
    (folder / "towns.prj").write_text(text)
    return path


def nested_metadata(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq
    table = pa.table({"code": ["A"]}).replace_schema_metadata({"geo": "[" * 200_000})
    pq.write_table(table, folder / "towns.parquet")
    return folder / "towns.parquet"


def crossing_ring(folder: Path) -> Path:
    """Write a ring of 6,000 spokes that all cross each other: 18 million crossings."""
    import numpy as np
    turns = np.arange(6_001) * 2_999 / 6_000 * 2 * np.pi
    ring = np.column_stack([122 + np.cos(turns), 37 + np.sin(turns)])
    ring[-1] = ring[0]
    blob = b"\x01" + struct.pack("<III", 3, 1, len(ring)) + ring.astype("<f8").tobytes()
    return _parquet(folder, [blob])


def many_parts(folder: Path) -> Path:
    part = b"\x01" + struct.pack("<IIIdddddddd", 3, 1, 4, 1, 1, 2, 1, 2, 2, 1, 1)
    return _parquet(folder, [b"\x01" + struct.pack("<II", 6, 1_000_000) + part * 1_000_000])


def nested_json(folder: Path) -> Path:
    deep = ('{"type":"GeometryCollection","geometries":[' * 10_000 + _GOOD + "]}" * 10_000)
    (folder / "towns.geojson").write_text(_features(_GOOD, deep))
    return folder / "towns.geojson"


def nested_brackets(folder: Path) -> Path:
    (folder / "towns.geojson").write_text(_features(
        _GOOD, '{"type":"Polygon","coordinates":' + "[" * 100_000 + "]" * 100_000 + "}"))
    return folder / "towns.geojson"


def nested_a_little(folder: Path) -> Path:
    """Nest less deep than the parser of JSON gives up at."""
    deep = ('{"type":"GeometryCollection","geometries":[' * 400 + _GOOD + "]}" * 400)
    (folder / "towns.geojson").write_text(_features(_GOOD, deep))
    return folder / "towns.geojson"


def nested_text(folder: Path) -> Path:
    deep = "GEOMETRYCOLLECTION (" * 100_000 + "POINT (1 1)" + ")" * 100_000
    (folder / "towns.csv").write_text(f'code,wkt\nA,POINT (1 1)\nB,"{deep}"\n')
    return folder / "towns.csv"


def nested_binary(folder: Path) -> Path:
    deep = (b"\x01" + struct.pack("<II", 7, 1)) * 100_000 + b"\x01" + struct.pack("<Idd", 1, 1, 1)
    return _parquet(folder, [deep])


def false_count(folder: Path) -> Path:
    return _parquet(folder, [b"\x01" + struct.pack("<II", 2, 0xFFFFFFF0) + bytes(32),
                             b"\x01" + struct.pack("<II", 6, 0xFFFFFFF0) + bytes(32)])


def false_line(folder: Path) -> Path:
    text = "01" + struct.pack("<II", 2, 0xFFFFFFF0).hex() + bytes(32).hex()
    good = "01" + struct.pack("<Idd", 1, 1, 1).hex()
    (folder / "towns.csv").write_text(f"code,wkb\nA,{text}\nB,{good}\n")
    return folder / "towns.csv"


# Numbers in headers that are not true

def shapefile_counts(folder: Path) -> Path:
    import geopandas
    import shapely
    geopandas.GeoDataFrame({"code": ["A"]}, geometry=[shapely.Point(122, 37)], crs=4326).to_file(
        folder / "towns.shp")
    for ending, at, order in ((".shp", 24, ">"), (".shx", 24, ">"), (".dbf", 4, "<")):
        file = folder / f"towns{ending}"
        content = bytearray(file.read_bytes())
        struct.pack_into(f"{order}I", content, at, 0x7FFFFFF0)
        file.write_bytes(content)
    return folder / "towns.shp"


def shapefile_record(folder: Path) -> Path:
    path = pipe_free_shapefile(folder)
    content = bytearray(path.read_bytes())
    struct.pack_into(">I", content, 104, 0x3FFFFFF0)  # length of the first record
    struct.pack_into("<II", content, 108 + 36, 0x7FFFFFF0, 0x7FFFFFF0)  # parts and points
    path.write_bytes(content)
    return path


def pipe_free_shapefile(folder: Path) -> Path:
    import geopandas
    import shapely
    geopandas.GeoDataFrame({"code": ["A", "B"]}, geometry=[shapely.box(1, 1, 2, 2)] * 2,
                           crs=4326).to_file(folder / "towns.shp")
    return folder / "towns.shp"


def dbf_zero_width(folder: Path) -> Path:
    path = pipe_free_shapefile(folder)
    table = folder / "towns.dbf"
    content = bytearray(table.read_bytes())
    struct.pack_into("<IHH", content, 4, 0xFFFFFFF0, 33, 1)
    table.write_bytes(content)
    return path


def index_far(folder: Path) -> Path:
    path = pipe_free_shapefile(folder)
    index = folder / "towns.shx"
    with index.open("r+b") as stream:
        stream.truncate(4_000_000_000)  # sparse: half a billion records
    return path


def parquet_footer(folder: Path) -> Path:
    path = _parquet(folder, [None])
    content = path.read_bytes()
    path.write_bytes(content[:-8] + struct.pack("<I", 0xFFFFFFF0) + b"PAR1")
    return path


def parquet_rows(folder: Path) -> Path:
    """Write a column of a billion rows in some kilobytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    column = pa.array(["A" * 200] * 1_000_000).dictionary_encode()
    schema = pa.schema([("code", column.type), ("lon", pa.float64())])
    with pq.ParquetWriter(folder / "towns.parquet", schema, compression="zstd") as writer:
        lon = pa.array([122.0] * 1_000_000)
        for _ in range(40):
            writer.write_table(pa.table([column, lon], schema=schema))
    return folder / "towns.parquet"


def parquet_bomb(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq
    with pq.ParquetWriter(folder / "towns.parquet", pa.schema([("code", pa.large_string())]),
                          compression="zstd", use_dictionary=False) as writer:
        for _ in range(30):
            writer.write_table(pa.table({"code": pa.array(["0" * 50_000_000], pa.large_string())}))
    return folder / "towns.parquet"


def flatgeobuf_header(folder: Path) -> Path:
    head = b"fgb\x03fgb\x00" + struct.pack("<I", 0x7FFFFFF0)
    (folder / "towns.fgb").write_bytes(head + bytes(64))
    return folder / "towns.fgb"


def pbf_header(folder: Path) -> Path:
    (folder / "towns.pbf").write_bytes(
        struct.pack(">I", 14) + b"\x0a\x09OSMHeader\x18" + b"\xf0\xff\xff\x7f" + bytes(64))
    return folder / "towns.pbf"


# Text beyond measure

def long_field(folder: Path) -> Path:
    with (folder / "towns.csv").open("wb") as stream:
        stream.write(b"code,lon,lat\nA,122.1,37.4\n")
        for _ in range(300):
            stream.write(b"x" * 1_000_000)
        stream.write(b",122.1,37.4\n")
    return folder / "towns.csv"


def endless_line(folder: Path) -> Path:
    (folder / "towns.csv").write_bytes(b"x" * 300_000_000)
    return folder / "towns.csv"


def many_columns(folder: Path) -> Path:
    (folder / "towns.csv").write_bytes(b"a," * 60_000_000 + b"b\n")
    return folder / "towns.csv"


def many_quotes(folder: Path) -> Path:
    (folder / "towns.csv").write_bytes(b"code,lon,lat\n" + b'A,"' * 2_000_000)
    return folder / "towns.csv"


def open_quotes(folder: Path) -> Path:
    (folder / "towns.csv").write_bytes(b"code,lon,lat\n" + b'A,"122,37\n' * 80_000)
    return folder / "towns.csv"


def ragged(folder: Path) -> Path:
    (folder / "towns.csv").write_bytes(b"code,lon,lat\n" + b"A,1\nB,1,2,3\n" * 40_000)
    return folder / "towns.csv"


def mixed_bytes(folder: Path) -> Path:
    (folder / "towns.csv").write_bytes(b"code,lon,lat\n" + bytes(range(0x80, 0xFF)) * 300_000)
    return folder / "towns.csv"


def broken_json(folder: Path) -> Path:
    (folder / "towns.geojson").write_text('{"type":"Feature",' * 200_000)
    return folder / "towns.geojson"


def broken_features(folder: Path) -> Path:
    one = '{"type":"Feature","properties":{"a":[1,2,3'
    (folder / "towns.geojson").write_text('{"features":[' + one * 30_000)
    return folder / "towns.geojson"


def long_blanks(folder: Path) -> Path:
    (folder / "towns.geojson").write_text("{" + " " * 300_000 + ("{" + " " * 3_000) * 300)
    return folder / "towns.geojson"


def comma_blanks(folder: Path) -> Path:
    (folder / "towns.geojson").write_text('{"type":"Feature",' + (", " + " " * 2_000) * 2_000)
    return folder / "towns.geojson"


def tags(folder: Path) -> Path:
    lines = "".join(f'<tag k="k{n}" v="{chr(92) * 200}"/>' for n in range(2_000))
    (folder / "towns.osm").write_text(
        '<?xml version="1.0"?><osm version="0.6"><node id="1" lat="37.4" lon="122.1">'
        f'{lines}<tag k="name" v="A"/></node></osm>')
    return folder / "towns.osm"


def arcs(folder: Path) -> Path:
    """Write a topology of one arc of 10,000 places that shapes use 100,000 times each."""
    whole = {"type": "Topology", "arcs": [[[n, n] for n in range(10_000)]],
             "objects": {"a": {"type": "GeometryCollection", "geometries": [
                 {"type": "LineString", "arcs": [0] * 100_000, "properties": {"code": "A"}}]}}}
    (folder / "towns.topojson").write_text(json.dumps(whole))
    return folder / "towns.topojson"


# Objects that would run

class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (UNPICKLED,)


def pickled(name: str) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        (folder / name).write_bytes(pickle.dumps(_Evil()))
        return folder / name
    return build


def pickled_array(folder: Path) -> Path:
    import numpy as np
    stream = io.BytesIO()
    np.save(stream, np.array([_Evil()], dtype=object), allow_pickle=True)
    (folder / "towns.npy").write_bytes(stream.getvalue())
    return folder / "towns.npy"


def pickled_metadata(folder: Path) -> Path:
    """Write a table whose metadata are a pickled object, where pandas has its own."""
    return _described(folder, {}, {b"pandas": pickle.dumps(_Evil(), 0)})


def pickled_type(folder: Path) -> Path:
    """Write a column of a type that old Arrow took from a pickled object."""
    return _described(folder, {b"ARROW:extension:name": b"arrow.py_extension_type",
                               b"ARROW:extension:metadata": pickle.dumps(_Evil(), 0)}, {})


def _described(folder: Path, field: dict[bytes, bytes], schema: dict[bytes, bytes]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq
    columns = [pa.field("code", pa.string()), pa.field("lon", pa.float64()),
               pa.field("lat", pa.float64()), pa.field("more", pa.int64(), metadata=field)]
    table = pa.table([["A"], [122.1], [37.4], [1]], schema=pa.schema(columns, metadata=schema))
    pq.write_table(table, folder / "towns.parquet")
    return folder / "towns.parquet"
