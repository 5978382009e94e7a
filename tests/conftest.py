"""Databases for every test that needs one: real servers, started once and only when asked for."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import URL

from devtools.databases import fresh_database, mysql_server, postgres_server
from devtools.provision import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from airflow_katib_provider.hooks.katib import KatibHook


NOTHING_SKIPPED = os.environ.get("KATIB_NO_SKIP") == "1"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that skipped something where ``KATIB_NO_SKIP=1`` says that nothing may be."""
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    if NOTHING_SKIPPED and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@contextmanager
def _available(server: Callable[[], AbstractContextManager[URL]]) -> Iterator[URL]:
    """Skip what this machine cannot run, or fail where ``KATIB_NO_SKIP=1`` says that it must."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(server())
        except Unavailable as reason:
            if NOTHING_SKIPPED:
                pytest.fail(str(reason))
            pytest.skip(str(reason))
        yield url


@pytest.fixture(scope="session")
def postgres() -> Iterator[URL]:
    """A PostgreSQL server."""
    with _available(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def mysql() -> Iterator[URL]:
    """A MariaDB server."""
    with _available(mysql_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres", "mysql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield URL.create("sqlite", database=str(tmp_path / "katib.db"))
        return
    with fresh_database(request.getfixturevalue(request.param)) as url:
        yield url


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KatibHook]:
    """A hook without a connection: its store is a new SQLite file."""
    from airflow_katib_provider.hooks.katib import KatibHook

    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    hook = KatibHook()
    yield hook
    hook.store.dispose()
