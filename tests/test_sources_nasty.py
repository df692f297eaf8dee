"""A walk over deliberately difficult files: no traceback, no hang, no silent loss."""

from __future__ import annotations

import warnings
from collections import Counter

import pytest

from gridmap.errors import GridmapError
from gridmap.sources import load_barriers, load_elements, load_schemes, load_sites, load_table
from gridmap.sources.reading import ENDINGS

LOADERS = {
    load_sites: {"constants": {"kind": "site"}},
    load_barriers: {"constants": {"kind": "road"}},
}

#: Files that cannot be read at all, with the sentence that says why.
NEVER_READ = {
    "invalid.parquet": "is no Parquet file that can be read",
    "truncated.kml": "cannot be read",
    "empty_zipfile.zip": "holds no file that is read",
    "topojson1.topojson": "is a topology without objects",
    "invalid_featurecollection_nulltype.geojson": "is JSON of type None",
}


@pytest.fixture(scope="module")
def nasty(real_data):
    """Return every difficult file whose ending is read."""
    return [file for file in sorted((real_data / "nasty").rglob("*"))
            if file.suffix.lower() in ENDINGS and file.is_file()]


def layers(file):
    """Return options that name each layer of a file, as its message lists them."""
    try:
        load_sites(file, constants={"kind": "site"}, crs="EPSG:4326")
    except GridmapError as error:
        if "layers: name one" in str(error):
            return [{"layer": name} for name in error.args[0].split("They are ")[1].split(", ")
                    if " more" not in name]
    return [{}]


@pytest.mark.slow
def test_every_row_of_every_difficult_file_is_read_or_named(nasty):
    read, told = Counter(), Counter()
    for file in nasty:
        for layer in layers(file):
            for load, options in LOADERS.items():
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("error")
                        loaded = load(file, crs="EPSG:4326", **options, **layer)
                except GridmapError as error:
                    told[file.suffix] += 1
                    assert str(error).strip(), file
                    continue
                read[file.suffix] += 1
                assert loaded.rows_in == len(loaded.frame) + len(loaded.rejects), file
                assert loaded.frame.geometry.is_valid.all(), file
                assert not loaded.frame.geometry.is_empty.any(), file
                assert loaded.rejects["note"].notna().all(), file
    assert read[".shp"] >= 90
    assert read[".geojson"] >= 120
    assert read[".gpkg"] >= 20
    assert sum(told.values()) < sum(read.values()) / 3


def test_files_that_cannot_be_read_say_why(nasty):
    for file in nasty:
        if file.name in NEVER_READ:
            with pytest.raises(GridmapError, match=NEVER_READ[file.name]):
                load_sites(file, constants={"kind": "site"}, crs="EPSG:4326")


def test_shapefiles_have_as_many_rows_as_their_index(nasty):
    for file in nasty:
        index = file.with_suffix(".shx")
        if file.suffix == ".shp" and index.exists() and index.stat().st_size >= 100:
            loaded = load_sites(file, constants={"kind": "site"}, crs="EPSG:4326")
            assert loaded.rows_in >= (index.stat().st_size - 100) // 8, file


def test_difficult_tables_are_read_row_by_row(real_data):
    folder = real_data / "nasty" / "gdal" / "csv"
    rows = {"unbalanced_double_quotes.csv": None, "header_with_line_break.csv": None,
            "csv_with_utf8_bom.csv": 1, "inf_nan.csv": 3}
    for name, expected in rows.items():
        file = folder / name
        with pytest.raises(GridmapError, match="has no column nothing"):
            load_table(file, key="nothing", columns={})
        loaded = load_elements(file, columns={"element": 1, "wkt": 1}, crs="EPSG:4326",
                               constants={"kind": "place"})
        assert loaded.rows_in == len(loaded.frame) + len(loaded.rejects)
        if expected is not None:
            assert loaded.rows_in >= expected


def test_chinese_in_difficult_tables_is_read(real_data):
    folder = real_data / "nasty"
    for name, text in (("cpg/big5.shp", None), ("ldid/chinese.shp", None)):
        (file,) = folder.rglob(name)
        loaded = load_schemes(file, columns={"work_grid": "NAME"}, constants={"scheme": "a"},
                              crs="EPSG:4326")
        told = [*loaded.frame.index, *loaded.rejects["id"]]
        assert all("\u4e00" <= c <= "\u9fff" or not c.isalpha() or c.isascii()
                   for c in "".join(told)), (name, text, told)
