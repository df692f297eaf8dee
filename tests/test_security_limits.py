"""Limits can be raised by an argument or by the configuration, and nothing else moves them."""

from __future__ import annotations

import re

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import gridmap as gm
from gridmap.errors import ConfigError, SourceError
from gridmap.sketch import save_sketch
from gridmap.sources import Limits, database, make_limits
from gridmap.sources.limits import USUAL
from gridmap.sources.nesting import drop_nested
from gridmap.workspace import load_config


def with_ring(folder, vertices):
    ring = shapely.Point(122, 37).buffer(0.1, quad_segs=vertices // 4)
    file = folder / "sites.csv"
    file.write_text(f'code,wkt\nA,"{ring.wkt}"\n')
    return file


def test_a_shape_beyond_a_limit_costs_its_row_until_the_limit_is_raised(tmp_path):
    file = with_ring(tmp_path, 400)
    options = {"columns": {"site": "code", "wkt": "wkt"}, "constants": {"kind": "school"},
               "crs": "EPSG:4326"}
    low = gm.load_sites(file, **options, limits=Limits(vertices=100))
    assert low.rejects["note"].tolist() == [
        "a shape of more than 100 vertices: raise the limit vertices if it is what it should be"]
    assert len(gm.load_sites(file, **options, limits=Limits(vertices=1_000)).frame) == 1
    assert len(gm.load_sites(file, **options).frame) == 1


@pytest.mark.parametrize(("name", "limit", "message"), [
    ("file_bytes", 10, "has 19 bytes, more than the 10 that are read. Split it, or raise the "
                       "limit file_bytes"),
    ("columns", 1, "has 2 columns, more than the 1 that are read. Raise the limit columns if need "
                   "be"),
    ("line_bytes", 6, "has a line of more than 3 bytes, from byte 0 on: it is not read. Look at "
                      "its ends of lines, or raise the limit line_bytes"),
])
def test_each_limit_of_a_text_is_told_by_its_name(name, limit, message, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("code,people\nA,1\nB,2")
    options = {"key": "code", "columns": {"people": "people"}}
    with pytest.raises(SourceError, match=re.escape(message) + "$"):
        gm.load_table(file, **options, limits=Limits(**{name: limit}))
    assert gm.load_table(file, **options).rows_in == 2


def change(folder, text, entry=""):
    file = save_sketch(folder)
    file = file / "gridmap.toml" if file.is_dir() else file
    said = file.read_text("utf-8")
    file.write_text(text + said.replace("[units]\n", f"[units]\n{entry}"), "utf-8")
    return file


def test_a_configuration_raises_limits_for_all_and_for_one(tmp_path):
    config = load_config(change(tmp_path, "[limits]\nvertices = 7\n",
                                "limits = { vertices = 9, members = 3 }\n"))
    assert config.units.limits == Limits(vertices=9, members=3)
    (tmp_path / "all").mkdir()
    assert load_config(change(tmp_path / "all", "[limits]\nparts = 7\n")).units.limits == Limits(
        parts=7)


@pytest.mark.parametrize(("text", "entry", "message"), [
    ("[limits]\ncells = 1\n", "", "[limits]: there is no limit cells. Limits are file_bytes, "
     "whole_bytes, unpacked_bytes, unpacked_times, members, line_bytes, columns, vertices, parts, "
     "crossings, pixels"),
    ("[limits]\nparts = 0\n", "", "[limits]: the limit parts is 0: expected a whole number above "
     "0"),
    ("limits = 3\n", "", "[limits] is 3: expected a table, such as { name = value }"),
    ("", "limits = { parts = true }\n", "[units] limits: the limit parts is True: expected a "
     "whole number above 0"),
])
def test_a_wrong_limit_is_told_in_one_sentence(text, entry, message, tmp_path):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        load_config(change(tmp_path, text, entry))


def test_limits_of_a_configuration_hold_in_a_run(tmp_path):
    from gridmap.pipeline.load import read_source
    config = load_config(change(tmp_path, "[limits]\nvertices = 4\n"))
    loaded = read_source("units", config.units)
    assert loaded.rows_in == len(loaded.rejects) == 4
    assert loaded.rejects["note"].str.contains("more than 4 vertices: raise the limit").all()


@given(st.dictionaries(st.sampled_from(["parts", "vertices", "members"]),
                       st.integers(1, 10**12)))
def test_limits_are_the_usual_but_for_what_is_said(entries):
    made = make_limits(entries)
    for name in Limits.__dataclass_fields__:
        assert getattr(made, name) == entries.get(name, getattr(USUAL, name))


@given(st.integers(1, 29), st.sampled_from(["wkt", "wkb", "hex"]))
def test_honest_nesting_is_kept(levels, form):
    shape = shapely.Point(1, 2)
    for _ in range(levels):
        shape = shapely.GeometryCollection([shape])
    value = {"wkt": shapely.to_wkt(shape), "wkb": shapely.to_wkb(shape),
             "hex": shapely.to_wkb(shape, hex=True)}[form]
    kept = drop_nested(np.array([value], dtype=object))
    assert kept[0] == value


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_is_refused_by_an_error_of_the_package(text):
    try:
        address = database.read_address("postgis://" + text)
    except SourceError:
        return
    assert "password" not in dict(address.options)


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
               min_size=1, max_size=30))
def test_the_name_of_any_table_survives_the_way_as_a_path(name):
    table = 'public."' + name.replace('"', '""') + '"'
    path = database.with_table(database.as_path("postgis://?service=city"), table)
    assert database.address_of(path).table == table
    assert database.split_name(table) == ("public", name)
