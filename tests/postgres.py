"""A PostgreSQL server of the tests' own: Debian's, on loopback, in a temporary folder, stopped by its process id."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import duckdb
import psycopg

from servers import free_port, wait

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPES = {
    "DOUBLE": "double precision",
    "FLOAT": "real",
    "VARCHAR": "text",
    "TIMESTAMP_NS": "timestamp",
    "TINYINT": "smallint",
    "HUGEINT": "numeric(38, 0)",
}
READER = "auditor"  # a role that has to give its password
USER = "postgres"  # whom Debian's package makes; the server refuses to run as root


def _program(name: str) -> str:
    """Debian keeps the server's programs in a folder per version, which is on nobody's PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: int(p.parts[-3]))
    program = str(found[-1]) if found else shutil.which(name)
    assert program, f"{name} was not found; tools/postgres.sh says how to install it"
    return program


@contextmanager
def postgres() -> Iterator[str]:
    """The address of an empty server, as ``warehouse:`` takes it, without a database's name."""
    folder = Path(tempfile.mkdtemp(prefix="gazette-postgres-"))  # pytest's own folders are closed to other users
    user = []
    if os.geteuid() == 0:
        shutil.chown(folder, USER)
        ids = pwd.getpwnam(USER)
        user = ["setpriv", f"--reuid={ids.pw_uid}", f"--regid={ids.pw_gid}", "--clear-groups", "--pdeathsig=INT"]
    data, port = folder / "data", free_port()
    made = [
        *user,
        _program("initdb"),
        "-D",
        data,
        "-U",
        "gazette",
        "--auth=trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]
    subprocess.run(made, check=True, capture_output=True, cwd=folder)
    access = data / "pg_hba.conf"
    access.write_text(f"host all {READER} 127.0.0.1/32 scram-sha-256\n{access.read_text()}")
    options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [*user, _program("postgres"), "-D", data, "-p", str(port), *options], stdout=log, stderr=log, cwd=folder
        )
    address = f"postgres://gazette@127.0.0.1:{port}"
    try:
        wait(lambda: _answers(f"{address}/postgres"), what=f"PostgreSQL to start; see {log.name}")
        yield address
    finally:
        os.kill(server.pid, signal.SIGINT)  # a fast shutdown
        server.wait(timeout=30)
        shutil.rmtree(folder)


def _answers(address: str) -> bool:
    try:
        psycopg.connect(address).close()
    except psycopg.OperationalError:
        return False
    return True


def copy_tables(file: Path, address: str) -> None:
    """Have every table of a DuckDB file, schemas included, in a database of the server, made anew."""
    name = urlsplit(address).path.removeprefix("/")
    with psycopg.connect(address.removesuffix(name) + "postgres", autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}"')
        server.execute(f'CREATE DATABASE "{name}"')
    with duckdb.connect(str(file), read_only=True) as source, psycopg.connect(address) as target:
        tables = source.execute("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT temporary").fetchall()
        for schema, table in tables:
            where = "public" if schema == "main" else schema
            columns = source.execute(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = ? AND table_name = ? ORDER BY column_index",
                [schema, table],
            ).fetchall()
            kinds = ", ".join(f'"{c}" {TYPES.get(kind, kind)}' for c, kind in columns)
            target.execute(f'CREATE SCHEMA IF NOT EXISTS "{where}"')
            target.execute(f'CREATE TABLE "{where}"."{table}" ({kinds})')
            with target.cursor().copy(f'COPY "{where}"."{table}" FROM STDIN') as copy:
                told = ", ".join(f'"{c}"::VARCHAR' if "ZONE" in kind else f'"{c}"' for c, kind in columns)
                for row in source.execute(f'SELECT {told} FROM "{schema}"."{table}"').fetchall():
                    copy.write_row(row)
            target.execute(f'ANALYZE "{where}"."{table}"')  # as a server that has been up for a minute has done


def run(address: str, *statements: str) -> list[Any]:
    """Run statements; what the last one found, if it found anything."""
    with psycopg.connect(address) as connection:
        for statement in statements:
            found = connection.execute(statement)
        return found.fetchall() if found.description else []
