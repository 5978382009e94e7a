"""Private database servers in a temporary folder, on a free port of the loopback, stopped at the end."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from devtools.free_ports import free_port
from devtools.processes import dying_with_parent
from devtools.provision import Unavailable, find, require

if TYPE_CHECKING:
    from collections.abc import Iterator

_USER = "katib"
_START_SECONDS = 60
_STOP_SECONDS = 30


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[URL]:
    """Run a PostgreSQL server and yield the URL of a fresh, empty database in it.

    :param durable: whether commits reach the disk as they do in production; without it everything is faster.
    :raises Unavailable: if there is no PostgreSQL on this machine and it cannot be installed.
    """
    require("postgres")
    with _running(_Postgres(durable)) as server:
        yield _fresh(server)


@contextmanager
def mysql_server(*, durable: bool = False) -> Iterator[URL]:
    """Run a MariaDB server and yield the URL of a fresh, empty database in it.

    :param durable: whether commits reach the disk as they do in production; without it everything is faster.
    :raises Unavailable: if there is no MariaDB on this machine and it cannot be installed.
    """
    require("mysql")
    with _running(_MariaDB(durable)) as server:
        yield _fresh(server)


@contextmanager
def fresh_database(server: URL) -> Iterator[URL]:
    """Create one more empty database beside the one of ``server``, yield its URL and drop it at the end."""
    url = _fresh(server)
    try:
        yield url
    finally:
        force = " WITH (FORCE)" if server.get_backend_name() == "postgresql" else ""
        _execute(server, f"DROP DATABASE {url.database}{force}")


@dataclass(frozen=True, slots=True)
class _Account:
    """Whom a server runs as: it refuses to be root. The empty account is the present user."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def find(cls, preferred: str) -> _Account:
        if os.geteuid() != 0:
            return cls()
        names = {entry.pw_name: entry for entry in pwd.getpwall()}
        entry = names.get(preferred) or names["nobody"]
        return cls(entry.pw_uid, entry.pw_gid)

    @property
    def groups(self) -> list[int] | None:
        return None if self.uid is None else []

    def own(self, path: Path) -> None:
        path.chmod(0o700 if path.is_dir() else 0o600)
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def run(self, *command: str | Path) -> None:
        done = subprocess.run(
            [str(part) for part in command],
            user=self.uid,
            group=self.gid,
            extra_groups=self.groups,
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")

    def start(self, command: list[str], folder: Path) -> subprocess.Popen[bytes]:
        with (folder / "log").open("wb") as log:
            return subprocess.Popen(
                command,
                user=self.uid,
                group=self.gid,
                extra_groups=self.groups,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
            )


class _Kind(Protocol):
    """What tells one kind of server from another."""

    name: str
    driver: str
    database: str
    stop: signal.Signals

    def prepare(self, folder: Path, account: _Account, password: str) -> None: ...

    def command(self, folder: Path, port: int) -> list[str | Path]: ...


class _Postgres:
    name = "postgres"
    driver = "postgresql+psycopg"
    database = "postgres"
    stop = signal.SIGINT

    def __init__(self, durable: bool) -> None:
        switch = "on" if durable else "off"
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "max_connections": "200",
            "fsync": switch,
            "synchronous_commit": switch,
        }

    def prepare(self, folder: Path, account: _Account, password: str) -> None:
        secret = folder / "password"
        secret.write_text(password)
        account.own(secret)
        account.run(
            *(_program("initdb"), "-D", folder / "data", "-U", _USER, "--pwfile", secret, "--no-sync"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"),
        )

    def command(self, folder: Path, port: int) -> list[str | Path]:
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        return [_program("postgres"), "-D", folder / "data", "-k", folder, "-p", str(port), *options]


class _MariaDB:
    name = "mysql"
    driver = "mysql+pymysql"
    database = "mysql"
    stop = signal.SIGTERM

    def __init__(self, durable: bool) -> None:
        self._settings = {
            "bind-address": "127.0.0.1",
            "max-connections": "200",
            "innodb-flush-log-at-trx-commit": "1" if durable else "0",
            "skip-name-resolve": "1",
        }

    def prepare(self, folder: Path, account: _Account, password: str) -> None:
        account.run(
            *(_program("mariadb-install-db"), "--no-defaults", f"--datadir={folder / 'data'}"),
            *("--skip-test-db", "--auth-root-authentication-method=normal"),
        )
        start = folder / "start.sql"
        start.write_text(
            f"CREATE USER '{_USER}'@'127.0.0.1' IDENTIFIED BY '{password}';\n"
            f"GRANT ALL ON *.* TO '{_USER}'@'127.0.0.1';\n"
            "DROP USER IF EXISTS root@localhost;\n"
        )
        account.own(start)

    def command(self, folder: Path, port: int) -> list[str | Path]:
        files = {"datadir": "data", "socket": "socket", "pid-file": "pid", "init-file": "start.sql"}
        settings = self._settings | {name: str(folder / file) for name, file in files.items()}
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [_program("mariadbd"), "--no-defaults", f"--port={port}", *options]


@contextmanager
def _running(kind: _Kind) -> Iterator[URL]:
    account = _Account.find(kind.name)
    folder = Path(tempfile.mkdtemp(prefix=f"katib-{kind.name}-"))
    try:
        account.own(folder)
        url = URL.create(kind.driver, _USER, secrets.token_hex(16), "127.0.0.1", free_port(), kind.database)
        kind.prepare(folder, account, str(url.password))
        command = [str(part) for part in kind.command(folder, url.port or 0)]
        process = account.start(dying_with_parent(command, kind.stop), folder)
        try:
            _await(url, process, folder / "log")
            yield url
        finally:
            _stop(process, kind.stop)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> Path:
    path = find(name)
    if path is None:
        raise Unavailable(f"{name} is not on this machine")
    return path


def _await(url: URL, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            _execute(url, "SELECT 1")
        except OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _fresh(server: URL) -> URL:
    name = f"katib_{secrets.token_hex(6)}"
    _execute(server, f"CREATE DATABASE {name}")
    return server.set(database=name)


def _execute(url: URL, statement: str) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
