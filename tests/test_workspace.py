"""Behaviour of the configuration and of a saved workspace."""

from __future__ import annotations

import json
import sqlite3

import geopandas
import pandas as pd
import pyogrio
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

from gridmap import errors, sketch_grids
from gridmap.sketch import sketch_points
from gridmap.workspace import (
    Contents,
    Layer,
    load_config,
    make_ground,
    save_scaffold,
    save_workspace,
    tell_kinds,
)
from gridmap.workspace.packages import save_package

LEAST = """
[run]
name = "Test"
[[territories]]
path = "towns.gpkg"
columns = { territory = "code" }
constants = { level = "community" }
[units]
build = true
"""


def write_config(folder, text=LEAST):
    file = folder / "gridmap.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_configuration_is_found_in_its_folder(tmp_path):
    write_config(tmp_path)
    config = load_config(tmp_path)
    assert config.profile.name == "urban"
    assert config.territories[0].path == tmp_path / "towns.gpkg"
    assert config.workspace == tmp_path / "out"


def test_a_path_takes_variables_of_the_environment(tmp_path):
    file = write_config(tmp_path, LEAST.replace("towns.gpkg", "${HERE:-nowhere}/towns.gpkg"))
    assert load_config(file, environ={}).territories[0].path.parent.name == "nowhere"
    assert load_config(file, environ={"HERE": "sub"}).territories[0].path.parent.name == "sub"


def test_an_unset_variable_is_named(tmp_path):
    file = write_config(tmp_path, LEAST.replace("towns.gpkg", "${HERE}/towns.gpkg"))
    with pytest.raises(errors.ConfigError, match="names the variable HERE, which is not set"):
        load_config(file, environ={})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[oops]\n", r"gridmap.toml has unknown tables oops. Known are run, "),
        ("[units]\nbuild = true\n", r"gridmap.toml has no \[run\] table"),
        ("[run]\nseed = 1\n", r"\[run\] lacks name"),
        ('[run]\nname = "x"\ncolour = 1\n', r"\[run\] has unknown entries colour. Known are name"),
        ('[run]\nname = "x"\n', r"there are no \[\[territories\]\]"),
        ('[run]\nname = "x"\nprofile = "moon"\n', r"there is no size profile 'moon'"),
        (LEAST + "[population]\npeople_per_household = 0\n", r"must be above 0"),
        (LEAST.replace("build = true", ""), r"there is nothing to make grids of"),
        (LEAST.replace("build = true", 'build = true\npath = "u.gpkg"'), r"has both build = true"),
        (LEAST.replace('path = "towns.gpkg"', ""), r"\[\[territories\]\] has no path"),
        ('[run]\nname = "x"\n[territories]\npath = "a"\n', r"write it as \[\[territories\]\]"),
        (LEAST + '[[tables]]\npath = "t.csv"\njoins = "people"\nkey = "k"\n',
         r"t.csv joins 'people': expected territories, units or grids"),
        ("[run\n", r"is not valid TOML in UTF-8"),
        ('[run]\nname = 5\n', r"\[run\] name is 5: expected text in quotation marks"),
        ('[run]\nname = "x"\nseed = "1"\n', r"\[run\] seed is '1': expected a whole number"),
        ('[run]\nname = "x"\nworkers = true\n', r"workers is True: expected a whole number"),
        ('[run]\nname = "x"\ntime_limit_s = "9"\n', r"time_limit_s is '9': expected a number"),
        (LEAST.replace("true", '"no"'), r"\[units\] build is 'no': expected true or false"),
        (LEAST.replace('{ level = "community" }', '"town"'),
         r"\[\[territories\]\] constants is 'town': expected a table, such as"),
    ],
)
def test_a_wrong_configuration_is_told_in_one_sentence(tmp_path, text, message):
    with pytest.raises(errors.ConfigError if "moon" not in text else errors.ProfileError,
                       match=message):
        load_config(write_config(tmp_path, text))


def test_the_scaffold_is_a_configuration_and_is_never_replaced(tmp_path):
    file = save_scaffold(tmp_path / "city")
    assert load_config(file).settings.name == "My city"
    with pytest.raises(errors.WorkspaceError, match="exists already and is not replaced"):
        save_scaffold(tmp_path / "city")


def contents(text="<p>one</p>"):
    grids = sketch_grids("AB")
    table = pd.DataFrame({"note": ["=1+1", "plain"]}, index=pd.Index(["A", "B"], name="grid"))
    return Contents(
        frames={"grids": grids}, packages={"grids": {"grids": Layer(grids, "<qgis/>")}},
        tables={"grids": table}, pages={"map": text}, facts={"name": "Test"},
    )


def test_the_same_contents_make_the_same_bytes(tmp_path):
    first = {p.name: p.read_bytes() for p in save_workspace(tmp_path / "a", contents())}
    again = {p.name: p.read_bytes() for p in save_workspace(tmp_path / "b", contents())}
    assert first == again


def test_a_workspace_is_replaced_whole_and_proves_its_files(tmp_path):
    save_workspace(tmp_path / "out", contents())
    save_workspace(tmp_path / "out", contents("<p>two</p>"))
    assert (tmp_path / "out" / "map.html").read_text() == "<p>two</p>"
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert set(manifest["outputs"]) == {"frames/grids.parquet", "grids.gpkg", "grids.csv",
                                        "map.html"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "out.versions"]


def test_a_folder_with_other_files_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(errors.WorkspaceError, match=r"holds files but no manifest\.json"):
        save_workspace(tmp_path, contents())
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.WorkspaceError, match="cannot be written"):
        save_workspace(tmp_path / "file" / "out", contents())


def test_a_formula_in_a_table_is_harmless(tmp_path):
    save_workspace(tmp_path / "out", contents())
    table = pd.read_csv(tmp_path / "out" / "grids.csv")
    assert table["note"].tolist() == ["'=1+1", "plain"]


def test_the_package_opens_with_its_style(tmp_path):
    save_workspace(tmp_path / "out", contents())
    package = tmp_path / "out" / "grids.gpkg"
    assert geopandas.read_file(package, layer="grids")["grid"].tolist() == ["A", "B"]
    with sqlite3.connect(package) as base:
        styles = base.execute("SELECT f_table_name, styleQML, useAsDefault FROM layer_styles")
        assert styles.fetchall() == [("grids", "<qgis/>", 1)]


def test_every_layer_of_a_package_says_which_profile_made_it(tmp_path):
    layers = {"grids": {"grids": Layer(sketch_grids("AB"))}}
    contents = Contents({}, layers, {}, {}, {"publication": "shared"})
    save_workspace(tmp_path / "out", contents)
    with sqlite3.connect(tmp_path / "out" / "grids.gpkg") as package:
        told = package.execute(
            "SELECT description FROM gpkg_contents WHERE table_name = 'grids'").fetchall()
    package.close()
    assert told == [('gridmap, publication profile "shared"',)]


def test_a_package_is_the_same_bytes_however_its_frames_were_put_together(tmp_path):
    whole = sketch_grids("ABCD")
    parts = pd.concat([whole.iloc[:1], whole.iloc[1:3], whole.iloc[3:]])
    for name, frame in (("whole", whole), ("parts", parts)):
        save_package(tmp_path / f"{name}.gpkg", {"grids": Layer(frame)})
    assert (tmp_path / "whole.gpkg").read_bytes() == (tmp_path / "parts.gpkg").read_bytes()


def test_points_stay_points_in_a_package(tmp_path):
    layers = {"assets": Layer(sketch_points((0, 0), (1, 1))), "grids": Layer(sketch_grids("A"))}
    save_package(tmp_path / "some.gpkg", layers)
    kinds = [pyogrio.read_info(tmp_path / "some.gpkg", layer=name)["geometry_type"]
             for name in layers]
    assert kinds == ["Point", "MultiPolygon"]


def test_a_package_on_a_kept_ground_is_that_on_one_made_now(tmp_path):
    homes, before = Layer(sketch_points((0, 0), (1, 1))), sketch_grids("AABC")
    now = sketch_grids("AB", "AC").assign(people=[1.5, None, 7.0])
    before["people"] = before["people"].astype("float64")
    assert tell_kinds(before) == tell_kinds(now)
    kept = make_ground({"grids": Layer(before), "homes": homes})
    layers = {"grids": Layer(now, "<qgis/>"), "homes": homes}
    for name, ground in (("kept", kept), ("made", make_ground(layers))):
        save_package(tmp_path / f"{name}.gpkg", layers, note="some", ground=ground)
    assert (tmp_path / "kept.gpkg").read_bytes() == (tmp_path / "made.gpkg").read_bytes()


@pytest.mark.parametrize("plan", [("AB", "AC"), ("A.", ".A")])
def test_a_package_on_a_ground_reads_as_one_written_layer_by_layer(tmp_path, plan):
    layers = {"grids": Layer(sketch_grids(*plan)), "homes": Layer(sketch_points((0, 0)))}
    save_package(tmp_path / "ground.gpkg", layers, ground=make_ground(layers))
    save_package(tmp_path / "plain.gpkg", layers)
    files = (tmp_path / "ground.gpkg", tmp_path / "plain.gpkg")
    assert pyogrio.list_layers(files[0]).tolist() == pyogrio.list_layers(files[1]).tolist()
    for name in layers:
        told = [pyogrio.read_info(file, layer=name) for file in files]
        assert [str(one) for one in told[:1]] == [str(one) for one in told[1:]]
        assert_geodataframe_equal(*(pyogrio.read_dataframe(file, layer=name) for file in files))
    here = layers["grids"].frame.total_bounds
    assert len(pyogrio.read_dataframe(files[0], layer="grids", bbox=tuple(here))) == len(
        layers["grids"].frame)


@pytest.mark.parametrize("odd", [
    sketch_grids("AB").assign(people=[1, "many"]),
    sketch_grids("AB").set_geometry(shapely.force_3d(sketch_grids("AB").geometry)),
    sketch_points((0, 0)),
])
def test_no_ground_is_made_where_rows_tell_more_than_kinds(odd):
    assert make_ground({"grids": Layer(odd)}) is None
