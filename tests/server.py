"""A PostgreSQL with PostGIS of our own: in a throwaway folder, on a socket, without a network."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

#: Who owns the databases, and who may only read some tables; their passwords are in no file.
OWNER, READER = "ann", "reader"
SECRET = "hunter2-is-secret"


class Server(NamedTuple):
    """A running server, and how to speak to it."""

    folder: Path

    def url(self, database: str = "city", **options: str) -> str:
        """Return the address of a database as gridmap takes it."""
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"postgis://{OWNER}@/{database}?host={self.folder}{more}"

    def ask(self, statement: str, database: str = "city", rows: list[Any] | None = None) -> Any:
        """Send a statement as the owner, and return the rows of its answer."""
        import adbc_driver_postgresql.dbapi as driver
        address = f"host={self.folder} user={OWNER} dbname={database} password={SECRET}"
        with driver.connect(address, autocommit=True) as link, link.cursor() as cursor:
            cursor.execute(statement, rows)
            return cursor.fetchall() if cursor.description else []

    def fill(self, table: str, columns: Any, database: str = "city") -> None:
        """Write an Arrow table as ``schema.table``, with a key ``fid`` in the order of rows."""
        import adbc_driver_postgresql.dbapi as driver
        schema, name = table.split(".")
        address = f"host={self.folder} user={OWNER} dbname={database} password={SECRET}"
        with driver.connect(address, autocommit=True) as link, link.cursor() as cursor:
            cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            cursor.adbc_ingest(name, columns, mode="create", db_schema_name=schema)
            cursor.execute(f'ALTER TABLE "{schema}"."{name}" ADD PRIMARY KEY (fid)')


def _find_programs() -> Path:
    pytest.importorskip("adbc_driver_postgresql", reason="adbc-driver-postgresql is not installed")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found and (there := shutil.which("initdb")):
        found = [Path(there)]
    if not found:
        pytest.skip("there is no PostgreSQL: apt-get install postgresql postgresql-15-postgis-3")
    return found[-1].parent


def _as_somebody() -> list[str]:
    """Return how to become somebody else, as PostgreSQL does not run for root."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("PostgreSQL does not run for root, and there is no user postgres")
    if shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run for root, and there is no runuser")
    return ["runuser", "-u", "postgres", "--"]


@contextmanager
def started() -> Iterator[Server]:
    """Start a server with the databases ``city``, which has PostGIS, and ``bare``."""
    programs, become = _find_programs(), _as_somebody()
    folder = Path(tempfile.mkdtemp(prefix="gm-pg-"))
    folder.chmod(0o755)
    if become:
        shutil.chown(folder, "postgres")
    calm = {**{k: v for k, v in os.environ.items() if not k.startswith("PG")}, "LC_ALL": "C.UTF-8"}

    def run(*words: object) -> None:
        done = subprocess.run([*become, *map(str, words)], env=calm, cwd="/", text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120)
        if done.returncode:
            pytest.skip(f"PostgreSQL cannot be started here: {done.stderr.strip()[-300:]}")

    word = folder / "word"
    word.write_text(SECRET)
    word.chmod(0o644)
    control = (programs / "pg_ctl", "-D", folder / "data")
    try:
        run(programs / "initdb", "-D", folder / "data", "-A", "scram-sha-256", "-U", OWNER,
            "--pwfile", word, "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        options = (f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off "
                   "-c shared_buffers=32MB -c logging_collector=off")
        run(*control, "-w", "-l", folder / "log", "-o", options, "start")
        server = Server(folder)
        for name in ("city", "bare"):
            server.ask(f"CREATE DATABASE {name}", database="postgres")
        try:
            server.ask("CREATE EXTENSION postgis")
        except Exception as error:  # whatever the driver raises where there is none
            pytest.skip(f"there is no PostGIS: apt-get install postgresql-15-postgis-3 ({error})")
        server.ask(f"CREATE ROLE {READER} LOGIN PASSWORD '{SECRET}'")
        yield server
    finally:
        subprocess.run([*become, *map(str, control), "-m", "immediate", "stop"], env=calm, cwd="/",
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        shutil.rmtree(folder, ignore_errors=True)
