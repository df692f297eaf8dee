"""The way to a PostGIS database: its address, its doors, and errors that give nothing away.

An address never holds a password: that comes from the environment (``PGPASSWORD``), a
password file (``PGPASSFILE``) or a service file (``PGSERVICEFILE``), which libpq reads by itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from ..errors import GridmapError, SourceError, listed

SCHEME = "postgis:"

#: What an address may say after its question mark, beside ``table``.
_OPTIONS = ("connect_timeout", "dbname", "host", "port", "service", "sslcert", "sslkey", "sslmode",
            "sslrootcert", "user")

#: What is kept to itself, whatever else an address says.
_SECRETS = ("password", "passfile", "sslpassword")

_NAME = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^."]+))(?:\.(?:"((?:[^"]|"")+)"|([^."]+)))?\s*')


class Address(NamedTuple):
    """Where a database is, and one of its tables."""

    options: tuple[tuple[str, str], ...]  # of the connection, sorted
    table: str | None = None  # schema.table

    @property
    def database(self) -> str:
        """What the database is called in messages: never its host or who reads it."""
        known = dict(self.options)
        return known.get("dbname") or known.get("service") or "of the environment"


def read_address(text: str) -> Address:
    """Take an address apart.

    Parameters
    ----------
    text : str
        ``postgis://user@host:port/database?table=schema.table``; every part may be absent,
        and is then what libpq takes from the environment. ``?service=NAME`` names an entry of
        a service file, ``?host=/folder`` the folder of a socket.

    Returns
    -------
    Address

    Raises
    ------
    SourceError
        If it holds a password, or says something that is not known. No part of the address
        is repeated in the message.

    Examples
    --------
    >>> read_address("postgis://ann@db.local/city?table=public.towns").database
    'city'
    >>> read_address("postgis://ann:secret@db.local/city")
    Traceback (most recent call last):
    gridmap.errors.SourceError: the address of a database holds a password, which would end up in \
files. Take it out, and give it by the variable PGPASSWORD, a password file (PGPASSFILE) or a \
service file (postgis://?service=NAME)
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:  # whose message repeats what was given
        raise SourceError(
            "the address of a database cannot be read: expected "
            "postgis://user@host:port/database?table=schema.table"
        ) from None
    asked = parse_qsl(parts.query, keep_blank_values=True)
    if parts.password is not None or ":" in (parts.username or "") or any(
            name.lower() in _SECRETS for name, _ in asked):
        raise SourceError(
            "the address of a database holds a password, which would end up in files. Take it "
            "out, and give it by the variable PGPASSWORD, a password file (PGPASSFILE) or a "
            "service file (postgis://?service=NAME)"
        )
    strange = sorted({name for name, _ in asked if name not in (*_OPTIONS, "table")})
    if strange:
        raise SourceError(
            f"the address of a database has {len(strange)} options that are not known. Known are "
            f"{listed(sorted([*_OPTIONS, 'table']), show=20)}"
        )
    named = {"user": parts.username, "host": parts.hostname, "dbname": parts.path.strip("/"),
             "port": str(port) if port else None}
    options = {name: unquote(value) for name, value in named.items() if value} | {
        name: value for name, value in asked if name != "table"}
    table = dict(asked).get("table") or None
    return Address(tuple(sorted(options.items())), table)


def as_path(path: str | Path) -> Path:
    """Return a path as it is, and the address of a table as a path whose name is the table.

    Paths are what goes through the project, and ``//`` would not outlive one.

    Raises
    ------
    SourceError
        As in `read_address`.

    Examples
    --------
    >>> as_path("postgis://ann@db.local/city?table=public.towns").as_posix()
    'postgis:/?dbname=city&host=db.local&user=ann/public.towns'
    >>> as_path("towns.csv").name
    'towns.csv'
    """
    text = str(path)
    if not text.startswith(f"{SCHEME}//"):  # which no path has, as it would lose a slash
        return Path(path)
    address = read_address(text)
    told = "&".join(f"{name}={quote(value, safe='')}" for name, value in address.options)
    bare = Path(SCHEME, f"?{told}")
    return with_table(bare, address.table) if address.table else bare


def with_table(path: Path, table: str) -> Path:
    """Return the path of a table in the database that a path leads into.

    Examples
    --------
    >>> with_table(as_path("postgis://?service=city"), "public.towns").as_posix()
    'postgis:/?service=city/public.towns'
    """
    told = table.replace("%", "%25").replace("/", "%2F").replace("\0", "%00")
    return Path(*path.parts[:2], told)


def is_table(path: Path) -> bool:
    """Say whether a path leads into a database, as `as_path` writes it."""
    return len(path.parts) > 1 and path.parts[0] == SCHEME and path.parts[1].startswith("?")


def address_of(path: Path, layer: str | None = None) -> Address:
    """Return the address that a path of `as_path` stands for; ``layer`` may name its table.

    Raises
    ------
    SourceError
        If both name a table, or neither.
    """
    options = tuple(parse_qsl(path.parts[1][1:], keep_blank_values=True))
    table = unquote(path.parts[2]) if len(path.parts) > 2 else None
    if table is not None and layer is not None and layer != table:
        raise SourceError(f"the address names the table {table} and layer names {layer}: which is "
                          "meant? Leave one out")
    address = Address(options, table or layer)
    if address.table is None:
        raise SourceError(f"the database {address.database} has many tables: name one with "
                          "layer = \"schema.table\", or ?table=schema.table in the address")
    return address


def split_name(table: str) -> tuple[str, str]:
    """Return schema and name of a table, as ``public.towns`` or ``"My Schema"."a.b"`` say them.

    Raises
    ------
    SourceError
        If it is no name.

    Examples
    --------
    >>> split_name("towns"), split_name('city."Old towns"')
    (('public', 'towns'), ('city', 'Old towns'))
    """
    found = _NAME.fullmatch(table)
    if found is None or "\0" in table:
        raise SourceError(f"{table!r} is no name of a table: expected schema.table, with "
                          'quotation marks round a name that has a dot, as in public."a.b"')
    first, second = (str(marked or plain or "").replace('""', '"') for marked, plain in (
        found.group(1, 2), found.group(3, 4)))
    return (first, second) if second else ("public", first)


def quoted(*names: str) -> str:
    """Return a name as SQL has it, with its schema before it.

    Examples
    --------
    >>> quoted("public", 'a"; DROP TABLE b')
    '"public"."a""; DROP TABLE b"'
    """
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


@contextmanager
def connected(address: Address, *, kind: type[GridmapError] = SourceError,
              reading: bool = True) -> Iterator[Any]:
    """Open a database for one transaction: committed when the block ends, undone by an error.

    Parameters
    ----------
    address : Address
    kind : type, default SourceError
        Of the error that is raised.
    reading : bool, default True
        The transaction sees one state of the database, and cannot change it.

    Yields
    ------
    cursor of ADBC

    Raises
    ------
    SourceError or ``kind``
        If the driver is not installed, the database cannot be reached, or refuses something.
        Rows are not repeated, nor is anything that was in the environment.
    """
    try:
        driver = import_module("adbc_driver_postgresql.dbapi")
    except ImportError as error:
        raise kind("a database is read and written by adbc-driver-postgresql, which is not "
                   "installed: pip install gridmap[postgis]") from error
    faults = (driver.Error, OSError)
    try:
        connection = driver.connect(_conninfo(address))
    except faults as error:
        raise kind(f"the database {address.database} cannot be reached: {tell_fault(error)}"
                   ) from None
    try:
        with connection, connection.cursor() as cursor:
            if reading:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            _settle(cursor)
            yield cursor
            connection.commit()
    except faults as error:
        raise kind(f"the database {address.database} refused: {tell_fault(error)}") from None


def _conninfo(address: Address) -> str:
    def value(text: str) -> str:
        return "'" + text.replace("\\", r"\\").replace("'", r"\'") + "'"

    options = {"application_name": "gridmap", "connect_timeout": "15", **dict(address.options)}
    return " ".join(f"{name}={value(text)}" for name, text in options.items())


def _settle(cursor: Any) -> None:
    """Fix how values are written, and let no function of a stranger be taken for PostGIS's."""
    cursor.execute("SELECT nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n "
                   "ON n.oid = extnamespace WHERE extname = 'postgis'")
    found = cursor.fetchone()
    path = ", ".join(["pg_catalog", *([quoted(found[0])] if found else [])])
    for setting in (f"search_path = {path}", "DateStyle = 'ISO, YMD'", "TimeZone = 'UTC'",
                    "extra_float_digits = 1", "bytea_output = 'hex'",
                    "IntervalStyle = 'iso_8601'"):
        cursor.execute(f"SET LOCAL {setting}")


def tell_fault(error: BaseException) -> str:
    """Return what a driver says, without rows, statements, and what the environment keeps."""
    details = dict(getattr(error, "details", None) or [])
    told = details.get(b"PG_DIAG_MESSAGE_PRIMARY") or details.get("PG_DIAG_MESSAGE_PRIMARY")
    if isinstance(told, bytes):
        told = told.decode("utf-8", errors="replace")
    text = told or re.sub(r"^\w+: (\[libpq\] )?", "", str(error).strip())
    text = re.split(r"\n\s*(?:DETAIL|QUERY|CONTEXT|LINE|Query was)", text)[0]
    text = " ".join(text.split())
    secret = os.environ.get("PGPASSWORD")
    return text.replace(secret, "…") if secret and len(secret) > 3 else text
