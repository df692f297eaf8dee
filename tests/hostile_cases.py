"""Hostile input: one case for each attack, and what becomes of it.

The table of ``docs/security.md`` is written from these cases by ``python tests/hostile_cases.py``,
and each is a test.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import hostile

from gridmap.sources import limits

#: The page with the table of cases, and the lines that the table stands between.
PAGE = Path(__file__).parents[1] / "docs" / "security.md"
CASES_FROM, CASES_TO = "<!-- table of cases -->", "<!-- end of table -->"
LIMITS_FROM, LIMITS_TO = "<!-- table of limits -->", "<!-- end of limits -->"

#: What one file may take, in millions of bytes, beyond what an idle process has.
MEMORY_MB = 700


class Case(NamedTuple):
    """An attack, and what becomes of it."""

    group: str
    attack: str
    build: Callable[[Path], Path]
    outcome: str  # read, rejected, or refused
    message: str = ""  # of the error or the rejects; with … after it, only how it begins
    memory_mb: int = MEMORY_MB
    slow: bool = False


_GROWN = ("towns.{} would unpack to {} bytes, beyond measure: it is not opened. Raise the limit "
          "unpacked_bytes or unpacked_times if that is what it should hold")
_DOCTYPE = ("{} has a document type (<!DOCTYPE …>), whose entities may grow beyond measure or "
            "name other files: it is not opened. Take the line out, or write the file anew")
_LONG = ("towns.csv has a line of more than 5,000,000 bytes, from byte {} on: it is not read. "
         "Look at its ends of lines, or raise the limit line_bytes")
_VIEWS = ("towns.gpkg has layers that are views, whose rows are computed while they are read: "
          "more. Make each a table (CREATE TABLE … AS SELECT …)")
_NO_SHAPE = ("the table has no geometry: name its coordinate columns, as in columns = { x = "
             '"lon", y = "lat" } or { wkt = "geom" }')
_SPECIAL = "{} is a pipe or a device, not a file: it is not opened"


def _no(kind: str, ending: str, found: str = "") -> str:
    looks = f", it looks like {found}" if found else ""
    return f"towns{ending} ends in {ending}, but is no {kind}{looks}: it is not opened"


def _archives() -> list[Case]:
    group = "archives"
    return [
        Case(group, "130 MB of zeros in 130 kB", hostile.high_ratio, "refused",
             _GROWN.format("zip", "130,000,000")),
        Case(group, "an archive in an archive", hostile.nested, "refused",
             "towns.zip holds no file that is read: inner.zip. Unpack it and name the file"),
        Case(group, "a member that is larger than its entry says", hostile.false_size, "refused",
             "towns.zip is no zip archive that can be read: Bad CRC-32 for file 'towns.csv'",
             slow=True),
        Case(group, "2,000 members that are the same 40 MB", hostile.overlapping, "refused",
             _GROWN.format("zip", "80,000,000,000")),
        Case(group, "30,001 members", hostile.many_members, "refused",
             "towns.zip holds 30,001 files, more than the 10,000 that are looked at: it is not "
             "opened. Unpack it and name the file, or raise the limit members", slow=True),
        Case(group, "a name that leads out of the folder (`../../`)", hostile.traversal, "read"),
        Case(group, "an absolute name", hostile.absolute, "read"),
        Case(group, "a name that leads out, with backslashes", hostile.backslashes, "read"),
        Case(group, "a link to /etc/passwd", hostile.link_in_archive, "refused", _NO_SHAPE),
        Case(group, "two files whose names differ in capitals", hostile.same_name_twice,
             "refused", "towns.zip holds 2 files: towns.csv, TOWNS.CSV. Unpack it and name the "
             "file"),
        Case(group, "a member with a password", hostile.password, "refused",
             "towns.zip is no zip archive that can be read: File <ZipInfo…"),
    ]


def _special_files() -> list[Case]:
    group = "files that are no files"
    return [
        Case(group, "a pipe, which would be waited for", hostile.pipe, "refused",
             _SPECIAL.format("towns.csv")),
        Case(group, "a link to a device without end", hostile.device, "refused",
             _SPECIAL.format("towns.csv")),
        Case(group, "a pipe beside a shapefile", hostile.pipe_beside, "refused",
             _SPECIAL.format("towns.prj")),
        Case(group, "a sparse file of 3 TB", hostile.sparse, "refused",
             "towns.geojsonl has 3,000,000,000,000 bytes, more than the 50,000,000,000 that are "
             "read. Split it, or raise the limit file_bytes"),
        Case(group, "a link to itself", hostile.loop, "refused", "there is no file towns.csv"),
        Case(group, "a link to itself in a geodatabase", hostile.loop_inside, "refused",
             "towns.gdb/a00000002.gdbtable cannot be read: Too many levels of symbolic links"),
        Case(group, "a folder in the place of a file", hostile.folder_as_file, "refused",
             "towns.csv is a folder: name a file in it"),
    ]


def _addresses() -> list[Case]:
    group = "names and drivers that reach out"
    looks = "OGRVRTDataSource"
    foreign = [
        (".kml", _no("KML", ".kml", looks)), (".osm", _no("OSM", ".osm", looks)),
        (".gpkg", _no("GPKG", ".gpkg", looks)), (".fgb", _no("FlatGeobuf", ".fgb", looks)),
        (".pbf", _no("OSM", ".pbf", looks)),
        (".shp", "towns.shp is no shapefile: its first bytes are of another kind of file"),
        (".json", "towns.json is no JSON that can be read: Expecting value: line 1 column 1 "
                  "(char 0)"),
    ]
    host = hostile.HOST.replace("//", "/")
    cases = [
        Case(group, f"`{name}` as a path", hostile.named(name), "refused", message)
        for name, message in (
            (f"{hostile.HOST}/towns.geojson", f"there is no file {host}/towns.geojson"),
            (f"/vsicurl/{hostile.HOST}/towns.gpkg",
             f"there is no file /vsicurl/{host}/towns.gpkg"),
            (f"WFS:{hostile.HOST}/wfs", f"there is no file WFS:{host}/wfs"),
            ("PG:dbname=city", "there is no file PG:dbname=city"),
            ("/vsistdin/towns.csv", "there is no file /vsistdin/towns.csv"),
        )]
    cases += [
        Case(group, f"a virtual layer (VRT) with an address, called {ending}",
             hostile.text(f"towns{ending}", hostile.VRT.format(f"/vsicurl/{hostile.HOST}/a.gpkg")),
             "refused", message)
        for ending, message in foreign]
    cases += [
        Case(group, "a service of features (WFS), called .kml",
             hostile.text("towns.kml", hostile.WFS), "refused",
             _no("KML", ".kml", "OGRWFSDataSource")),
        Case(group, "a virtual layer (VRT) as such",
             hostile.text("towns.vrt", hostile.VRT.format("/etc/passwd")), "refused",
             "towns.vrt ends in .vrt, which is not read. Known endings are…"),
        Case(group, "GML, whose schema may be at an address",
             hostile.text("towns.gml", "<gml/>"), "refused",
             "towns.gml ends in .gml, which is not read. Known endings are…"),
        Case(group, "GML, called .kml", hostile.gml_as_kml, "refused",
             "towns.kml is no KML, its first element is <FeatureCollection>: it is not opened"),
        Case(group, "a folder called like an address, behind an exclamation mark",
             hostile.exclamation, "refused",
             "x!/vsicurl/http:/127.0.0.1:9731/towns.gpkg has an exclamation mark in its name, "
             "after which GDAL looks for another file, or one of GDAL's own folders (/vsi…): "
             "rename it"),
        Case(group, "KML with a link to more of it, and to pictures", hostile.network_link,
             "read"),
        Case(group, "a CRS that is looked up in a pipe", hostile.crs_of_a_pipe, "refused",
             "towns.geojson says that its CRS is '+init=crs:1', which does not exist. Take that "
             "member out, and say the right one with crs"),
        Case(group, "a CRS whose grid is a pipe", hostile.crs_of_a_grid, "read"),
    ]
    return cases


def _xml() -> list[Case]:
    group = "XML and workbooks"
    return [
        Case(group, "entities that grow to 10¹⁰ letters (KML)", hostile.entities, "refused",
             _DOCTYPE.format("towns.kml")),
        Case(group, "an entity that is another file, or an address", hostile.external_entity,
             "refused", _DOCTYPE.format("towns.kml")),
        Case(group, "a document type at an address", hostile.remote_dtd, "refused",
             _DOCTYPE.format("towns.kml")),
        Case(group, "entities behind 80 kB of comment", hostile.late_doctype, "refused",
             _no("KML", ".kml")),
        Case(group, "entities in UTF-16", hostile.wide_doctype, "refused", _no("KML", ".kml")),
        Case(group, "entities in OpenStreetMap XML", hostile.osm_entities, "refused",
             _DOCTYPE.format("towns.osm")),
        Case(group, "entities in a sheet", hostile.book_entities, "refused",
             _DOCTYPE.format("towns.xlsx, xl/worksheets/sheet1.xml,")),
        Case(group, "links of a workbook to other workbooks", hostile.book_links, "read"),
        Case(group, "a sheet that is a file outside", hostile.book_target, "refused",
             "towns.xlsx is no workbook that can be read: \"There is no item named "
             "'xl/../../../../etc/passwd' in the archive\""),
        Case(group, "8 million texts in 150 kB", hostile.book_bomb, "refused",
             _GROWN.format("xlsx", "136,000,828"), slow=True),
        Case(group, "a cell in a column with a name of 5,000 letters", hostile.book_far_cell,
             "refused", _NO_SHAPE),
        Case(group, "a row of 16,000 cells that comes a million times", hostile.ods_repeats,
             "refused", "towns.ods is no workbook that can be read: Cell limit exceeded…"),
    ]


def _packages() -> list[Case]:
    group = "GeoPackage"
    return [
        Case(group, "a layer that is an endless view", hostile.endless_view, "refused", _VIEWS),
        Case(group, "a layer that is a view which loads a library", hostile.loading_view,
             "refused", _VIEWS),
        Case(group, "a view in the write-ahead log beside the file", hostile.view_in_log,
             "refused", _VIEWS),
        Case(group, "a journal that would change the file when it is opened", hostile.journal,
             "refused", "towns.gpkg has the journal of an interrupted write beside it, which "
             "would change it while it is read: open and close it once in QGIS, or remove "
             "towns.gpkg-journal"),
        Case(group, "a virtual table that is an address", hostile.virtual_table, "refused",
             "towns.gpkg has virtual tables that may lie anywhere: more. It is not opened: drop "
             "them"),
        Case(group, "triggers, which fire at a write", hostile.triggers, "read"),
        Case(group, "a database that is no GeoPackage", hostile.no_package, "refused",
             "towns.gpkg is no GeoPackage that can be read: no such table: gpkg_contents"),
        Case(group, "a line that says it has four billion places", hostile.false_blob,
             "rejected", "no geometry, or none that can be read"),
    ]


def _shapes() -> list[Case]:
    group = "shapes beyond measure"
    deep = "damaged JSON: maximum recursion depth exceeded while decoding a JSON…"
    return [
        Case(group, "coordinates of 1e300, 1e400, infinity, and no number",
             hostile.huge_coordinates, "rejected",
             "coordinates larger than those of any place; coordinates are not finite"),
        Case(group, "a coordinate of 100,000 digits", hostile.huge_integers, "rejected",
             "damaged JSON: Exceeds the limit (4300 digits) for integer string conversion…"),
        Case(group, "a ring of 10 million vertices", hostile.huge_ring, "rejected",
             "a shape of more than 5,000,000 vertices: raise the limit vertices if it is what it "
             "should be", memory_mb=1_600, slow=True),
        Case(group, "a ring that crosses itself 18 million times", hostile.crossing_ring,
             "rejected", "edges that cross each other more than 1,000,000 times: it is not mended",
             slow=True),
        Case(group, "a shape of a million parts", hostile.many_parts, "rejected",
             "a shape of more than 200,000 parts: raise the limit parts if it is what it should "
             "be", memory_mb=1_600, slow=True),
        Case(group, "10,000 collections in each other (GeoJSON)", hostile.nested_json,
             "rejected", deep),
        Case(group, "100,000 brackets in each other", hostile.nested_brackets, "rejected", deep),
        Case(group, "400 collections in each other", hostile.nested_a_little, "rejected",
             "collections within collections, more than 30 deep"),
        Case(group, "100,000 collections in each other (WKT)", hostile.nested_text, "rejected",
             "geometry as text that cannot be read"),
        Case(group, "100,000 collections in each other (WKB)", hostile.nested_binary, "rejected",
             "no geometry, or none that can be read"),
        Case(group, "a count of four billion places (WKB)", hostile.false_count, "rejected",
             "no geometry, or none that can be read"),
        Case(group, "the same in hexadecimal digits", hostile.false_line, "rejected",
             "geometry as text that cannot be read"),
        Case(group, "an arc of 10,000 places that is used 100,000 times (TopoJSON)", hostile.arcs,
             "rejected", "the feature has no geometry"),
    ]


def _counts() -> list[Case]:
    group = "false numbers in headers"
    return [
        Case(group, "two billion records in the headers of a shapefile",
             hostile.shapefile_counts, "refused",
             "towns.shp has no shape that can be read: Record count in .shx header is…"),
        Case(group, "a record of 4 GB in a shapefile", hostile.shapefile_record, "rejected",
             "the shapefile has no shape for this row"),
        Case(group, "four billion rows of no width (.dbf)", hostile.dbf_zero_width, "read"),
        Case(group, "an index of half a billion records (.shx)", hostile.index_far, "rejected",
             "the shapefile has no shape for this row"),
        Case(group, "a footer of 4 GB (Parquet)", hostile.parquet_footer, "refused",
             "towns.parquet is no Parquet file that can be read: Parquet file size is…"),
        Case(group, "40 million rows that are one text (Parquet)", hostile.parquet_rows,
             "refused", "towns.parquet would unpack to…", slow=True),
        Case(group, "1.5 GB of zeros (Parquet)", hostile.parquet_bomb, "refused",
             "towns.parquet would unpack to…", slow=True),
        Case(group, "metadata of 200,000 brackets (GeoParquet)", hostile.nested_metadata,
             "refused", "towns.parquet is no Parquet file that can be read: maximum recursion "
             "depth exceeded…"),
        Case(group, "a header of 2 GB (FlatGeobuf)", hostile.flatgeobuf_header, "refused",
             "towns.fgb cannot be read:…"),
        Case(group, "a block of 2 GB (OSM .pbf)", hostile.pbf_header, "refused",
             "towns.pbf cannot be read:…"),
    ]


def _texts() -> list[Case]:
    group = "text beyond measure"
    return [
        Case(group, "a cell of 300 MB", hostile.long_field, "refused", _LONG.format("5,000,000"),
             slow=True),
        Case(group, "a line of 300 MB", hostile.endless_line, "refused", _LONG.format("0"),
             slow=True),
        Case(group, "60 million columns", hostile.many_columns, "refused", _LONG.format("0")),
        Case(group, "two million quotes", hostile.many_quotes, "rejected",
             "1000001 cells instead of 3"),
        Case(group, "80,000 quotes that are not closed", hostile.open_quotes, "rejected",
             "coordinates that are no finite numbers"),
        Case(group, "80,000 lines of any length", hostile.ragged, "rejected",
             "2 cells instead of 3; 4 cells instead of 3"),
        Case(group, "bytes of no encoding", hostile.mixed_bytes, "refused",
             _LONG.format("5,000,000")),
        Case(group, "200,000 objects that are not closed (JSON)", hostile.broken_json, "refused",
             "towns.geojson is no JSON that can be read: Expecting property name…"),
        Case(group, "30,000 features that are not closed", hostile.broken_features, "refused",
             "towns.geojson is no JSON that can be read: Expecting ',' delimiter…"),
        Case(group, "blanks, to make a pattern walk back", hostile.long_blanks, "refused",
             "towns.geojson is no JSON that can be read: Expecting property name…"),
        Case(group, "blanks behind commas, likewise", hostile.comma_blanks, "refused",
             "towns.geojson is no JSON that can be read: Expecting property name…"),
        Case(group, "2,000 tags of 200 backslashes (OpenStreetMap)", hostile.tags, "read"),
    ]


def _objects() -> list[Case]:
    group = "objects that would run"
    return [
        Case(group, "a pickled object, called .csv", hostile.pickled("towns.csv"), "refused",
             _NO_SHAPE),
        Case(group, "a pickled object, called .parquet", hostile.pickled("towns.parquet"),
             "refused", "towns.parquet is no Parquet file that can be read:…"),
        Case(group, "a pickled object, called .gpkg", hostile.pickled("towns.gpkg"), "refused",
             _no("GPKG", ".gpkg")),
        Case(group, "a pickled object as such", hostile.pickled("towns.pkl"), "refused",
             "towns.pkl ends in .pkl, which is not read. Known endings are…"),
        Case(group, "an array of NumPy with a pickled object", hostile.pickled_array, "refused",
             "towns.npy ends in .npy, which is not read. Known endings are…"),
        Case(group, "a pickled object in the place of metadata (Parquet)",
             hostile.pickled_metadata, "refused",
             "towns.parquet cannot be read: Expecting value…"),
        Case(group, "a pickled type of a column (Parquet)", hostile.pickled_type, "read"),
    ]


CASES = [*_archives(), *_special_files(), *_addresses(), *_xml(), *_packages(), *_shapes(),
         *_counts(), *_texts(), *_objects()]


def draw_table() -> str:
    """Return the cases as a table of Markdown, a section for each group."""
    words = {"read": "read", "rejected": "its row is rejected", "refused": "refused"}
    lines: list[str] = []
    group = ""
    for case in CASES:
        if case.group != group:
            group = case.group
            lines += ["", f"**{group[0].upper()}{group[1:]}**", "",
                      "| what is in the file | what becomes of it | message |", "|---|---|---|"]
        told = case.message.replace("<", "&lt;").replace("|", "\\|")
        lines.append(f"| {case.attack} | {words[case.outcome]} | {told} |")
    return "\n".join([*lines, ""])


def draw_limits() -> str:
    """Return the limits of now as a table of Markdown, with what the code says of each."""
    source = inspect.getsource(limits.Limits)
    lines = ["", "| limit | usual | of |", "|---|---|---|"]
    lines += [f"| `{name}` | {int(value.replace('_', '')):,} | {of} |"
              for name, value, of in re.findall(r"(\w+): int = ([\d_]+)  # (.+)", source)]
    return "\n".join([*lines, ""])


def put_tables(page: str) -> str:
    """Return the page with the tables of now."""
    for start, end, table in ((LIMITS_FROM, LIMITS_TO, draw_limits()),
                              (CASES_FROM, CASES_TO, draw_table())):
        head, rest = page.split(start)
        page = f"{head}{start}\n{table}\n{end}{rest.split(end)[1]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(put_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{len(CASES)} cases in {PAGE.name}\n")
