"""Transactions: one kind to read, one to write, and one that is repeated when it met another in its way."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from airflow_katib_provider.exceptions import StoreError
from airflow_katib_provider.store.engine import READ_ONLY, open_engine
from airflow_katib_provider.store.migrating import ensure_current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import URL, Connection

Result = TypeVar("Result")

_REPEATS = 8
_SQLSTATES = {"40001", "40P01", "55P03"}  # PostgreSQL: serialization failure, deadlock, lock not available
_MYSQL_CODES = {1020, 1205, 1213}  # record changed since the last read, lock wait time-out, deadlock
_SQLITE_CODES = {5, 6}  # SQLITE_BUSY, SQLITE_LOCKED


class ConflictError(StoreError):
    """Another transaction was in the way: the same work may well succeed when it is done again."""


class Database:
    """An engine whose tables are brought up to date before they are first used.

    :param url: see :func:`~airflow_katib_provider.store.engine.open_engine`.
    """

    def __init__(self, url: str | URL) -> None:
        self.engine = open_engine(url)
        self._is_current = False
        self._checking = Lock()

    @property
    def dialect(self) -> str:
        """``sqlite``, ``postgresql`` or ``mysql`` (MariaDB too)."""
        return self.engine.dialect.name

    def migrate(self) -> None:
        """Create the tables or bring them up to date; nothing but a look if they are."""
        with self._checking:
            if not self._is_current:
                with self._translated():
                    ensure_current(self.engine)
                self._is_current = True

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Read from the database, whatever tables it has."""
        with self._translated(), self.engine.connect() as connection:
            yield connection.execution_options(**READ_ONLY)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read in a transaction that waits for nobody."""
        self.migrate()
        with self.connected() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write in a transaction: committed at the end, rolled back by an exception.

        :raises ConflictError: if another transaction was in the way.
        """
        self.migrate()
        with self._translated(), self.engine.begin() as connection:
            yield connection

    def repeat(self, work: Callable[[Connection], Result]) -> Result:
        """Do a piece of work in a transaction, again from its beginning when another was in the way.

        :param work: reads and writes through its connection only, so that doing it again does no harm.
        """
        for pause in _pauses():
            try:
                with self.writing() as connection:
                    return work(connection)
            except ConflictError:
                time.sleep(pause)
        with self.writing() as connection:
            return work(connection)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            kind = ConflictError if _is_conflict(error) else StoreError
            where = self.engine.url.render_as_string(hide_password=True)
            raise kind(f"the store at {where}: {_reason(error)}") from error


def _pauses() -> Iterator[float]:
    for repeat in range(_REPEATS):
        yield random.uniform(0.0, min(1.0, 0.02 * 2**repeat))


def _reason(error: SQLAlchemyError) -> str:
    original = error.orig if isinstance(error, StatementError) else None
    return str(original or error).strip()


def _is_conflict(error: SQLAlchemyError) -> bool:
    if isinstance(error, IntegrityError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    original: Any = error.orig
    code = original.args[0] if original.args else None
    return (
        getattr(original, "sqlstate", None) in _SQLSTATES
        or code in _MYSQL_CODES
        or getattr(original, "sqlite_errorcode", 0) & 0xFF in _SQLITE_CODES
    )
