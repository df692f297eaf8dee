"""Tables of PostGIS are read as files are, and no password is ever told."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pyarrow as pa
import pytest
import shapely
from server import OWNER, READER, SECRET, started

import gridmap as gm
from gridmap.errors import GridmapError, SourceError
from gridmap.sources import Limits, database, peek, postgis

CODE = {"asset": "code"}
KIND = {"kind": "lamp"}


@pytest.fixture(scope="module")
def server():
    with started() as made:
        yield made


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", SECRET)


@pytest.fixture(scope="module")
def towns(server):
    server.ask("""CREATE TABLE public.towns (
        fid int PRIMARY KEY, code text, "Name of it" varchar(20), n int, share numeric(9,4),
        day date, "户主" text, geom geometry(Point, 4490))""")
    server.ask("""INSERT INTO public.towns VALUES
        (2, 'B', 'West', NULL, 0.5, '2026-01-02', '王', ST_SetSRID(ST_Point(122.5, 37.5), 4490)),
        (1, 'A', 'East', 7, NULL, NULL, '李', ST_SetSRID(ST_Point(122.1, 37.4), 4490)),
        (3, 'C', NULL, 9, 12345.6789, NULL, '赵', NULL)""")
    return server.url(table="public.towns")


def test_rows_come_in_the_order_of_the_key_with_shapes_and_crs(towns):
    loaded = gm.load_assets(towns, columns=CODE, constants=KIND)
    assert loaded.frame.index.tolist() == ["A", "B"]
    assert loaded.frame.crs.to_epsg() == 4490
    assert loaded.frame.geometry.iloc[0] == shapely.Point(122.1, 37.4)
    assert loaded.rejects[["id", "note"]].values.tolist() == [
        ["C", "no geometry, or none that can be read"]]


def test_a_table_may_be_named_by_layer(server, towns):
    path = server.url()
    assert gm.load_assets(path, layer="public.towns", columns=CODE, constants=KIND).rows_in == 3
    with pytest.raises(SourceError, match=r"^the database city has many tables: name one with "
                       r'layer = "schema.table", or \?table=schema.table in the address$'):
        gm.load_assets(path, columns=CODE, constants=KIND)
    with pytest.raises(SourceError, match=r"^the address names the table public.towns and layer "
                       r"names public.others: which is meant\? Leave one out$"):
        gm.load_assets(towns, layer="public.others", columns=CODE, constants=KIND)


def test_values_are_those_of_the_table(towns):
    raw = postgis.read_table(database.as_path(towns), ["n", "share", "day", "Name of it"])
    assert raw.table["n"].tolist()[0] == 7 and raw.table["n"].isna().tolist() == [False, True,
                                                                                   False]
    assert raw.table["share"].tolist()[1:] == ["0.5000", "12345.6789"]
    assert str(raw.table["day"].iloc[1]) == "2026-01-02"
    assert raw.table["Name of it"].tolist()[:2] == ["East", "West"]
    assert "geom" not in raw.headers


def test_personal_columns_are_never_asked_for(server, towns):
    loaded = gm.load_assets(towns, columns=CODE, constants=KIND)
    noted = loaded.changes.query("what == 'personal column left out'")
    assert noted["before"].tolist() == ["户主"]
    server.ask("GRANT SELECT (code, geom, fid) ON public.towns TO reader")
    path = towns.replace(f"{OWNER}@", f"{READER}@")
    assert gm.load_assets(path, columns=CODE, constants=KIND).frame.index.tolist() == ["A", "B"]
    assert peek.list_columns(path) == ["fid", "code"]


def test_a_view_without_a_key_comes_in_an_order_of_its_own(server, towns):
    server.ask("CREATE VIEW public.shown AS SELECT code, geom FROM public.towns "
               "ORDER BY code DESC")
    path = server.url(table="public.shown")
    assert postgis.read_table(database.as_path(path), ["code"]).table["code"].tolist() == [
        "A", "B", "C"]


def test_names_are_quoted_and_never_run(server, towns):
    server.ask('CREATE TABLE public."a""; DROP TABLE towns; --" ("x; y" text, geom geometry)')
    server.ask("INSERT INTO public.\"a\"\"; DROP TABLE towns; --\" VALUES ('Z', "
               "ST_SetSRID(ST_Point(1, 2), 4326))")
    path = server.url()
    named = 'public."a""; DROP TABLE towns; --"'
    loaded = gm.load_assets(path, layer=named, columns={"asset": "x; y"}, constants=KIND)
    assert loaded.frame.index.tolist() == ["Z"]
    with pytest.raises(SourceError, match=r"^the database city has no table public.*that may be "
                       "read. Tables with shapes are"):
        gm.load_assets(path, layer='towns; DROP TABLE towns', columns=CODE, constants=KIND)
    assert server.ask("SELECT count(*) FROM public.towns") == [(3,)]


def test_absent_columns_and_tables_are_named(server, towns):
    with pytest.raises(SourceError, match=r"^the table public.towns has no column codes. Its "
                       r"columns are fid, code, Name of it, n, share, day. Is code meant\?$"):
        gm.load_assets(towns, columns={"asset": "codes"}, constants=KIND)
    with pytest.raises(SourceError, match=r"^'a.b.c' is no name of a table: expected schema"):
        gm.load_assets(server.url(table="a.b.c"), columns=CODE, constants=KIND)


def test_shapes_of_several_columns_or_crs_are_told(server):
    server.ask("CREATE TABLE public.two (code text, a geometry(Point, 4326), "
               "b geometry(Point, 4326))")
    server.ask("INSERT INTO public.two VALUES ('A', ST_SetSRID(ST_Point(1, 2), 4326), "
               "ST_SetSRID(ST_Point(3, 4), 4326))")
    path = server.url(table="public.two")
    with pytest.raises(SourceError, match=r"^the table public.two has 2 columns of shapes, a, b: "
                       'name one with columns = { wkt = "a" }$'):
        gm.load_assets(path, columns=CODE, constants=KIND)
    loaded = gm.load_assets(path, columns={**CODE, "wkt": "b"}, constants=KIND, crs="EPSG:4326")
    assert loaded.frame.geometry.iloc[0] == shapely.Point(3, 4)
    server.ask("CREATE TABLE public.mixed (code text, geom geometry)")
    server.ask("INSERT INTO public.mixed VALUES ('A', ST_SetSRID(ST_Point(1, 2), 4326)), "
               "('B', ST_SetSRID(ST_Point(1, 2), 4490))")
    with pytest.raises(SourceError, match=r"^the table public.mixed has shapes in several CRS, "
                       "SRID 4326, 4490: split it by ST_SRID in views$"):
        gm.load_assets(server.url(table="public.mixed"), columns=CODE, constants=KIND)


def test_a_curve_costs_its_row(server):
    server.ask("CREATE TABLE public.curves (code text, geom geometry)")
    server.ask("INSERT INTO public.curves VALUES ('A', ST_GeomFromText('SRID=4326;CURVEPOLYGON("
               "CIRCULARSTRING(0 0, 4 0, 4 4, 0 4, 0 0))')), ('B', ST_GeomFromText("
               "'SRID=4326;POINT(1 2)')), ('C', ST_GeomFromText('SRID=4326;POINT EMPTY'))")
    loaded = gm.load_assets(server.url(table="public.curves"), columns=CODE, constants=KIND)
    assert loaded.frame.index.tolist() == ["B"]
    assert len(loaded.rejects) == 2


def test_a_table_of_figures_needs_no_shapes(server):
    server.ask("CREATE TABLE public.figures (code text PRIMARY KEY, people int)")
    server.ask("INSERT INTO public.figures VALUES ('1-2', 10), ('1-1', 20)")
    loaded = gm.load_table(server.url(table="public.figures"), key="code",
                           columns={"people": "people"}, strip="-")
    assert loaded.frame["people"].to_dict() == {"11": 20, "12": 10}


def test_a_table_beyond_measure_is_refused(towns):
    with pytest.raises(SourceError, match=r"^the table public.towns has more than the 10 bytes "
                       "that are read. Read it in parts, or raise the limit whole_bytes$"):
        gm.load_assets(towns, columns=CODE, constants=KIND, limits=Limits(whole_bytes=10))


def test_reading_cannot_write(server):
    server.ask("CREATE TABLE public.marks (n int)")
    server.ask("CREATE FUNCTION public.mark() RETURNS text LANGUAGE sql VOLATILE AS "
               "$$INSERT INTO public.marks VALUES (1); SELECT 'A'$$")
    server.ask("CREATE VIEW public.evil AS SELECT public.mark() AS code, "
               "ST_SetSRID(ST_Point(1, 2), 4326) AS geom")
    with pytest.raises(SourceError, match=r"^the database city refused: cannot execute INSERT in "
                       "a read-only transaction$"):
        gm.load_assets(server.url(table="public.evil"), columns=CODE, constants=KIND)
    assert server.ask("SELECT count(*) FROM public.marks") == [(0,)]


def test_a_fingerprint_follows_rows_and_not_their_order(server):
    paths = []
    for name, rows in (("x", "(1, 'A'), (2, 'B')"), ("y", "(2, 'B'), (1, 'A')"),
                       ("z", "(1, 'A'), (2, 'C')"), ("w", "(1, 'A'), (2, 'B'), (2, 'B')")):
        server.ask(f"CREATE TABLE public.print_{name} (n int, t text)")
        server.ask(f"INSERT INTO public.print_{name} VALUES {rows}")
        paths.append(database.as_path(server.url(table=f"public.print_{name}")))
    x, y, z, w = map(postgis.hash_table, paths)
    assert x == y and len({x, z, w}) == 3


def test_the_tables_of_a_database_are_its_layers(server, towns):
    assert "public.towns" in peek.list_layers(server.url())
    assert peek.list_layers(towns) == [None]
    seen = peek.peek_file(towns)
    assert seen.columns == {"site": "code"} or seen.columns["site"] in ("code", "fid")


# Addresses and what they must not tell

REFUSED = ("^the address of a database holds a password, which would end up in files. Take it "
           "out, and give it by the variable PGPASSWORD, a password file \\(PGPASSFILE\\) or a "
           "service file \\(postgis://\\?service=NAME\\)$")


@pytest.mark.parametrize("address", [
    f"postgis://ann:{SECRET}@db/city", f"postgis://ann@db/city?password={SECRET}",
    f"postgis://ann@db/city?PassWord={SECRET}", f"postgis://ann@db/city?passfile={SECRET}",
    f"postgis://ann%3A{SECRET}@db/city", f"postgis://:{SECRET}@db/city"])
def test_a_password_in_an_address_is_refused_and_not_repeated(address):
    if "%3A" in address:
        with pytest.raises(GridmapError) as caught:
            gm.load_assets(address, columns=CODE, constants=KIND)
    else:
        with pytest.raises(SourceError, match=REFUSED) as caught:
            gm.load_assets(address, columns=CODE, constants=KIND)
    assert SECRET not in "".join(traceback.format_exception(caught.value)).replace(address, "")


@pytest.mark.parametrize("address", [
    "postgis://ann@db:port/city", "postgis://ann@[::1/city", "postgis://ann@db/city?options=-c+a"])
def test_an_address_that_is_none_is_refused_in_one_sentence(address):
    with pytest.raises(SourceError, match=r"^the address of a database (cannot be|has 1 opt)"):
        database.read_address(address)


def test_an_absent_server_is_told_without_the_password(tmp_path):
    with pytest.raises(SourceError, match=r"^the database city cannot be reached: ") as caught:
        gm.load_assets(f"postgis://ann@/city?host={tmp_path}&table=t", columns=CODE)
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told


def test_a_wrong_password_is_told_without_it(server, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "wrong-and-secret")
    with pytest.raises(SourceError, match="password authentication failed") as caught:
        gm.load_assets(server.url(table="public.towns"), columns=CODE, constants=KIND)
    assert "wrong-and-secret" not in "".join(traceback.format_exception(caught.value))


def test_a_service_file_holds_everything(server, towns, tmp_path, monkeypatch):
    monkeypatch.delenv("PGPASSWORD")
    file = tmp_path / "services"
    file.write_text(f"[town-hall]\nhost={server.folder}\ndbname=city\nuser={OWNER}\n"
                    f"password={SECRET}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    path = "postgis://?service=town-hall&table=public.towns"
    assert gm.load_assets(path, columns=CODE, constants=KIND).rows_in == 3
    assert database.as_path(path).name == "public.towns"


def test_a_password_file_is_read(server, towns, tmp_path, monkeypatch):
    monkeypatch.delenv("PGPASSWORD")
    file = tmp_path / "pgpass"
    file.write_text(f"*:*:city:{OWNER}:{SECRET}\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    assert gm.load_assets(towns, columns=CODE, constants=KIND).rows_in == 3


def test_an_error_tells_no_row(server):
    server.ask("CREATE TABLE public.broken (code text)")
    server.ask("INSERT INTO public.broken VALUES ('13912345678')")
    server.ask("CREATE VIEW public.counted AS SELECT code, code::int AS n FROM public.broken")
    with pytest.raises(SourceError, match=r"^the database city refused: ") as caught:
        gm.load_table(server.url(table="public.counted"), key="code", columns={"n": "n"})
    assert "13912345678" not in "".join(traceback.format_exception(caught.value))


def test_without_the_driver_the_message_says_what_to_install(monkeypatch):
    import sys
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)
    with pytest.raises(SourceError, match=r"^a database is read and written by "
                       "adbc-driver-postgresql, which is not installed: pip install "
                       r"gridmap\[postgis\]$"):
        gm.load_assets("postgis://?table=towns", columns=CODE, constants=KIND)


def test_an_address_goes_through_the_project_as_a_path():
    path = database.as_path('postgis://ann@db:5433/city?table=public."a/b%"&sslmode=require')
    assert path.name == 'public."a%2Fb%25"'
    address = database.address_of(Path(str(path)))
    assert address.table == 'public."a/b%"'
    assert dict(address.options) == {"user": "ann", "host": "db", "port": "5433",
                                     "dbname": "city", "sslmode": "require"}
    assert database.as_path(path) == path
    assert os.fspath(database.as_path("postgis/towns.csv")) == "postgis/towns.csv"


def test_many_rows_come_whole(server):
    import numpy as np
    count = 50_000
    server.fill("public.many", pa.table({"fid": np.arange(count)[::-1].copy(),
                                         "code": [f"P{n:05}" for n in range(count)],
                                         "x": np.linspace(122, 123, count),
                                         "y": np.linspace(37, 38, count)}))
    loaded = gm.load_assets(server.url(table="public.many"), crs="EPSG:4326", constants=KIND,
                           columns={**CODE, "x": "x", "y": "y"})
    assert len(loaded.frame) == count and loaded.frame.index[0] == f"P{count - 1:05}"
