"""Published layers as tables of PostGIS: all or none, read back the same, no password told."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
import traceback
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from pyproj import CRS
from server import OWNER, READER, SECRET, started
from shapely.geometry import Point

from gridmap import cli
from gridmap.errors import ConfigError, SourceError, WorkspaceError
from gridmap.pipeline import run, run_again, save_run
from gridmap.sketch import save_sketch, sketch_grids
from gridmap.sources import choose, database, personal, reading
from gridmap.workspace import Contents, Layer, load_config, load_manifest, read_inputs
from gridmap.workspace.postgis import save_postgis


@pytest.fixture(scope="module")
def server():
    with started() as made:
        yield made


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", SECRET)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    config = load_config(save_sketch(tmp_path_factory.mktemp("sketch")))
    save_run(run(config), config)
    return config.workspace


def contents(**layers):
    return Contents(frames={}, tables={}, pages={}, facts={"name": "try", "publication": "shared"},
                    packages={"grids": layers})


def grids(plan="AB", **columns):
    return Layer(sketch_grids(plan).assign(**columns))


def comments(server, table):
    return dict(server.ask(
        "SELECT attname::text, col_description(attrelid, attnum) FROM pg_attribute "
        f"WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"))


def test_layers_become_tables_with_key_index_comments_and_style(server, workspace):
    saved = save_postgis(workspace, server.url())
    assert saved.tables == {"gridmap.grids": 2, "gridmap.territories": 1}
    assert saved.notes == ()
    indexes = server.ask("SELECT indexdef::text FROM pg_indexes WHERE schemaname = 'gridmap' "
                         "AND tablename = 'grids' ORDER BY 1")
    assert [re.sub(r".* USING ", "", made) for (made,) in indexes] == ["gist (geom)",
                                                                       "btree (grid)"]
    told = comments(server, "gridmap.grids")
    assert told["grid"] == "code of the grid"
    assert told["area_m2"] == "area on the ground (m²)"
    assert all(told.values())
    ((about,),) = server.ask("SELECT obj_description('gridmap.grids'::regclass)")
    assert about == 'gridmap: Drawn town, publication profile "shared"'
    styles = server.ask("SELECT f_table_schema::text, f_table_name::text, useasdefault, "
                        "styleqml::text FROM public.layer_styles")
    assert [style[:3] for style in styles] == [("gridmap", "grids", True)]
    assert "<renderer-v2" in styles[0][3]


def test_only_what_is_published_is_written(server, workspace):
    save_postgis(workspace, server.url())
    published = geopandas.read_file(workspace / "grids.gpkg", layer="grids")
    assert set(comments(server, "gridmap.grids")) == {*published.columns, "geom"} - {"geometry"}
    tables = server.ask("SELECT tablename::text FROM pg_tables WHERE schemaname = 'gridmap'")
    assert {name for (name,) in tables} == {"grids", "territories"}


def test_what_is_read_back_is_what_was_written(server, workspace):
    save_postgis(workspace, server.url(), schema="again")
    written = geopandas.read_file(workspace / "grids.gpkg", layer="grids")
    path = database.as_path(server.url(table="again.grids"))
    headers = [c for c in written.columns if c != "geometry"]
    raw = reading.read_file(path, choose.choose_columns({"all": headers}, None))
    before = pd.DataFrame(written[headers]).map(lambda cell: None if cell != cell else cell)
    after = raw.table.map(lambda cell: None if cell != cell else cell)
    assert after.astype(object).to_dict("list") == before.astype(object).to_dict("list")
    assert shapely.equals_exact(raw.geometry, written.geometry.to_numpy(), 0).all()
    assert raw.crs.to_epsg() == written.crs.to_epsg()


def test_a_table_with_the_same_columns_keeps_privileges_and_views(server):
    save_postgis(contents(grids=grids("AB")), server.url(), schema="kept")
    server.ask("GRANT USAGE ON SCHEMA kept TO reader")
    server.ask("GRANT SELECT ON kept.grids TO reader")
    server.ask("CREATE VIEW kept.many AS SELECT grid FROM kept.grids")
    before = server.ask("SELECT 'kept.grids'::regclass::oid::text")
    save_postgis(contents(grids=grids("ABC")), server.url(), schema="kept")
    assert server.ask("SELECT 'kept.grids'::regclass::oid::text") == before
    assert server.ask("SELECT grid FROM kept.many ORDER BY 1") == [("A",), ("B",), ("C",)]
    assert server.ask("SELECT has_table_privilege('reader', 'kept.grids', 'SELECT')") == [(True,)]


def test_a_table_with_other_columns_is_made_anew_unless_a_view_stands_on_it(server):
    save_postgis(contents(grids=grids("AB")), server.url(), schema="anew")
    save_postgis(contents(grids=grids("AB", events=[1, 2])), server.url(), schema="anew")
    assert "events" in comments(server, "anew.grids")
    server.ask("CREATE VIEW anew.many AS SELECT grid FROM anew.grids")
    with pytest.raises(WorkspaceError, match=r"^the database city refused: cannot drop table "
                       "anew.grids because other objects depend on it$"):
        save_postgis(contents(grids=grids("ABC")), server.url(), schema="anew")
    assert server.ask("SELECT grid FROM anew.many ORDER BY 1") == [("A",), ("B",)]


def test_all_layers_are_written_or_none(server):
    first = contents(grids=grids("AB"), territories=grids("AA"))
    save_postgis(first, server.url(), schema="whole")
    server.ask("CREATE VIEW whole.stands AS SELECT grid FROM whole.territories")
    second = contents(grids=grids("ABC"), territories=grids("AAA", more=[1]))
    with pytest.raises(WorkspaceError, match=r"cannot drop table whole.territories"):
        save_postgis(second, server.url(), schema="whole")
    assert server.ask("SELECT grid FROM whole.grids ORDER BY 1") == [("A",), ("B",)]
    assert server.ask("SELECT count(*) FROM pg_class WHERE relname = 'gridmap_rows'") == [(0,)]


def test_a_reader_sees_the_old_table_until_the_end(server):
    import adbc_driver_postgresql.dbapi as driver
    save_postgis(contents(grids=grids("AB")), server.url(), schema="seen")
    address = f"host={server.folder} user={OWNER} dbname=city password={SECRET}"
    with driver.connect(address) as link, link.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT count(*) FROM seen.grids")
        assert cursor.fetchall() == [(2,)]
        save_postgis(contents(grids=grids("ABC")), server.url(), schema="seen")
        cursor.execute("SELECT count(*) FROM seen.grids")
        assert cursor.fetchall() == [(2,)]
    assert server.ask("SELECT count(*) FROM seen.grids") == [(3,)]


def test_tables_of_others_are_never_replaced(server):
    server.ask("CREATE SCHEMA theirs")
    server.ask("CREATE TABLE theirs.grids (mine text)")
    with pytest.raises(WorkspaceError, match=r"^the database has a theirs.grids that gridmap did "
                       "not write, so it is not replaced. Rename it, or choose another schema$"):
        save_postgis(contents(grids=grids()), server.url(), schema="theirs")
    assert "mine" in comments(server, "theirs.grids")


def test_layers_are_chosen_by_name(server, workspace):
    saved = save_postgis(workspace, server.url(), layers=["territories"], schema="some")
    assert saved.tables == {"some.territories": 1}
    with pytest.raises(WorkspaceError, match=r"^there is no published layer units. Layers are "
                       "grids, territories$"):
        save_postgis(workspace, server.url(), layers=["units"])


def test_names_are_quoted(server):
    evil = 'a"; DROP SCHEMA gridmap; --'
    layer = Layer(sketch_grids("AB").assign(**{evil: ["it's", 'a "quote" \\ and 网格']}))
    save_postgis(contents(**{evil: layer}), server.url(), schema=evil)
    assert server.ask('SELECT "a""; DROP SCHEMA gridmap; --"::text FROM '
                      '"a""; DROP SCHEMA gridmap; --"."a""; DROP SCHEMA gridmap; --" ORDER BY grid'
                      ) == [("it's",), ('a "quote" \\ and 网格',)]


def test_points_stay_points_and_missing_values_stay_missing(server):
    spots = geopandas.GeoDataFrame(
        {"kind": ["lamp", None], "radius_m": [np.nan, 5.0], "on": [True, False]},
        geometry=[Point(1, 2), None], index=pd.Index(["P", "Q"], name="asset"), crs=4490)
    save_postgis(contents(assets=Layer(spots)), server.url(), schema="spots")
    assert server.ask('SELECT asset, kind, radius_m, "on", ST_AsText(geom) FROM spots.assets '
                      "ORDER BY 1") == [("P", "lamp", None, True, "POINT(1 2)"),
                                        ("Q", None, 5.0, False, None)]
    assert server.ask("SELECT type, srid FROM geometry_columns WHERE f_table_schema = 'spots'"
                      ) == [("POINT", 4490)]


def test_what_cannot_be_a_table_is_told(server):
    twice = sketch_grids("AB").set_axis(pd.Index(["A", "A"], name="grid"))
    with pytest.raises(WorkspaceError, match=r"^the layer grids has codes \(grid\) that are "
                       "missing or come twice, and would have no primary key$"):
        save_postgis(contents(grids=Layer(twice)), server.url())
    strange = sketch_grids("AB").set_crs("+proj=tmerc +lon_0=122.3 +k=1 +x_0=0 +ellps=GRS80",
                                         allow_override=True)
    with pytest.raises(WorkspaceError, match=r"^the layer grids is in a CRS without an EPSG code, "
                       r"which PostGIS would not know: choose one in \[run\] crs$"):
        save_postgis(contents(grids=Layer(strange)), server.url())


def test_a_database_without_postgis_is_told(server):
    with pytest.raises(WorkspaceError, match=r"^the database bare has no PostGIS: let its owner "
                       "say CREATE EXTENSION postgis$"):
        save_postgis(contents(grids=grids()), server.url("bare"))


def test_who_may_not_write_is_told_and_styles_are_a_note(server, workspace):
    path = server.url().replace(f"{OWNER}@", f"{READER}@")
    with pytest.raises(WorkspaceError, match=r"^the database city refused: permission denied for "
                       "database city$"):
        save_postgis(workspace, path, schema="mine")
    server.ask("CREATE SCHEMA mine AUTHORIZATION reader")
    server.ask("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    saved = save_postgis(workspace, path, schema="mine")
    assert saved.tables == {"mine.grids": 2, "mine.territories": 1}
    assert saved.notes == (
        "styles were left out: the schema public has no table layer_styles that may be written. "
        "Let its owner grant it, and export again",)


@pytest.mark.parametrize("address", [f"postgis://ann:{SECRET}@h/city",
                                     f"postgis://ann@h/city?password={SECRET}"])
def test_a_password_in_the_address_is_refused_and_not_repeated(address, workspace):
    with pytest.raises(SourceError, match=r"^the address of a database holds") as caught:
        save_postgis(workspace, address)
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told.replace(address, "")


def test_an_address_with_a_table_is_refused(server, workspace):
    with pytest.raises(WorkspaceError, match=r"^the address of a target names a table: tables are "
                       r"called as layers are. Take table=… out$"):
        save_postgis(workspace, server.url(table="public.grids"))


def test_the_command_names_the_schema(server, workspace, capsys):
    words = ["export", str(workspace), server.url(), "--schema", "named"]
    assert cli.main(words) == 0
    assert "named.grids" in capsys.readouterr().out
    assert server.ask("SELECT count(*) FROM named.grids") == [(2,)]


def test_a_schema_without_a_database_is_refused(workspace, tmp_path, capsys):
    words = ["export", str(workspace), str(tmp_path / "grids.fgb"), "--schema", "named"]
    assert cli.main(words) == 1
    assert ("--schema named is for tables of PostGIS, but no target is a database: name one, as "
            "postgis://user@host/database") in capsys.readouterr().err
    assert not (tmp_path / "grids.fgb").exists()


def test_another_tool_opens_the_tables(server, workspace):
    if shutil.which("ogrinfo") is None:
        pytest.skip("there is no ogrinfo: apt-get install gdal-bin")
    save_postgis(workspace, server.url(), schema="tool")
    told = subprocess.run(
        ["ogrinfo", "-so", f"PG:host={server.folder} user={OWNER} dbname=city schemas=tool",
         "grids"], capture_output=True, text=True, timeout=60, check=False).stdout
    assert "Feature Count: 2" in told and "Geometry: Multi Polygon" in told
    assert 'ID["EPSG",32651]' in told or "EPSG" in told


# The sample city

@pytest.fixture(scope="module")
def city(server, root):
    """Put every file of the sample city into a table, as its own reader takes it."""
    sample = root / "data" / "sample"
    for kind, entries in tomllib.loads((sample / "gridmap.toml").read_text("utf-8")).items():
        for entry in entries if isinstance(entries, list) else ():
            file = sample / entry["path"]
            _fill(server, f"city.{file.stem}", file, entry.get("encoding"))
            assert kind
    return sample


def _fill(server, table, file, encoding):
    first = reading.read_file(file, choose.choose_columns(None, None), encoding=encoding)
    wanted = [h for h in first.headers if not personal.is_personal_header(h)]
    raw = reading.read_file(file, choose.choose_columns({"all": wanted}, None), encoding=encoding)
    assert not raw.lost
    columns = {"fid": np.arange(len(raw.table))} | {
        name: pa.array(raw.table[name], from_pandas=True) for name in wanted}
    if raw.geometry is not None:
        columns["geom"] = pa.array(shapely.to_wkb(raw.geometry), type=pa.binary())
    server.fill(table, pa.table(columns))
    if raw.geometry is not None:
        srid = CRS.from_user_input(raw.crs).to_epsg() or 4326
        server.ask(f"ALTER TABLE {table} ALTER geom TYPE geometry(Geometry, {srid}) "
                   f"USING ST_GeomFromWKB(geom, {srid})")


def _name_tables(server, city, folder):
    """Make a folder whose configuration reads tables where that of the city reads files."""
    folder.mkdir()
    text = (city / "gridmap.toml").read_text("utf-8")
    (folder / "gridmap.toml").write_text(re.sub(
        r'path = "\w+/(\w+)\.\w+"', lambda m: f'path = "{server.url()}"\nlayer = "city.{m[1]}"',
        text), "utf-8")


@pytest.mark.slow
def test_a_run_from_tables_gives_what_a_run_from_files_gives(server, city, tmp_path):
    shutil.copytree(city, tmp_path / "files")
    _name_tables(server, city, tmp_path / "tables")
    outs: list[Path] = []
    for name in ("files", "tables"):
        config = load_config(tmp_path / name)
        save_run(run(config), config)
        outs.append(config.workspace)
    files, tables = outs
    for name in ("grids.csv", "suppressed.csv", "map.html", "frames/grids.parquet",
                 "frames/territories.parquet", "frames/units.parquet", "frames/elements.parquet",
                 "frames/assets.parquet", "frames/by_grid.parquet", "grids.gpkg"):
        assert (files / name).read_bytes() == (tables / name).read_bytes(), name
    manifest = load_manifest(tables)
    assert "postgis: city.communities" in manifest["inputs"]
    assert len(manifest["inputs"]["postgis: city.communities"]) > 30
    told = b"".join(f.read_bytes() for f in tables.resolve().parent.rglob("*") if f.is_file())
    for kept in (SECRET, str(server.folder), f"{OWNER}@"):
        assert kept.encode() not in told, "the outputs tell how the database is reached"
    saved = save_postgis(tables, server.url(), schema="done")
    assert saved.tables["done.grids"] == len(pd.read_csv(tables / "grids.csv"))


@pytest.mark.slow
def test_a_run_from_tables_does_again_only_what_changed(server, city, tmp_path):
    _name_tables(server, city, tmp_path / "tables")
    config = load_config(tmp_path / "tables")

    def did():
        steps = run_again(config).steps
        return dict(zip(steps["step"], steps["did"], strict=True))

    assert set(did().values()) == {"ran"}
    assert set(did().values()) == {"reused"}
    [[before]] = server.ask("SELECT people FROM city.population WHERE fid = 3")
    try:
        server.ask("UPDATE city.population SET people = '9' WHERE fid = 3")
        after = did()
        assert after["load: elements"] != "reused" and after["load: territories"] == "reused"
        done = load_manifest(config.workspace)["outputs"]
        whole = replace(config, settings=replace(
            config.settings, workspace=str(tmp_path / "tables" / "whole")))
        save_run(run(whole), whole)
        assert load_manifest(whole.workspace)["outputs"] == done
        reading = read_inputs(config)
        server.ask("UPDATE city.population SET people = '8' WHERE fid = 3")
        with pytest.raises(SourceError, match="changed while the run was at work"):
            run_again(config, reading=reading)
        assert load_manifest(config.workspace)["outputs"] == done
    finally:
        server.ask(f"UPDATE city.population SET people = '{before}' WHERE fid = 3")


def test_a_password_in_the_configuration_is_refused(tmp_path):
    Path(tmp_path, "gridmap.toml").write_text(
        '[run]\nname = "x"\n[units]\nbuild = true\n[[territories]]\n'
        f'path = "postgis://ann:{SECRET}@db/city?table=towns"\n')
    with pytest.raises(ConfigError, match=r"^\[\[territories\]\]: the address of a database holds "
                       "a password") as caught:
        load_config(tmp_path)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
