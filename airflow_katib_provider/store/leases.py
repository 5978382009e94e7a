"""Leases: one process at a time thinks about an experiment's next trials, outside of any transaction."""

from __future__ import annotations

import logging
import os
import random
import secrets
import socket
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select, text, update

from airflow_katib_provider.exceptions import NotFoundError, StoreError
from airflow_katib_provider.store import tables
from airflow_katib_provider.store.records import Lease
from airflow_katib_provider.store.types import UtcDateTime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection

    from airflow_katib_provider.store.database import Database

_log = logging.getLogger(__name__)
_experiment = tables.experiment
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5


@contextmanager
def lease(database: Database, experiment_id: int, *, seconds: float, wait: float) -> Iterator[Lease]:
    """Hold an experiment's lease for the length of a ``with`` block.

    While the block runs, a thread renews the lease every third of ``seconds``: only a holder that was killed,
    or could neither run nor reach the database for so long, loses it. Time is the database's own, so the
    clocks of workers need not agree.

    :param seconds: how long a lease outlives its last renewal.
    :param wait: how long to wait for the lease, in seconds.
    :raises StoreError: if it was not free in that time; the message names who holds it.
    :raises NotFoundError: if there is no such experiment.
    """
    taken = Lease(experiment_id, f"{socket.gethostname()[:100]}:{os.getpid()}:{secrets.token_hex(8)}")
    _take(database, taken, seconds, wait)
    try:
        with _renewed(database, taken, seconds):
            yield taken
    finally:
        _give_back(database, taken)


def _take(database: Database, wanted: Lease, seconds: float, wait: float) -> None:
    deadline = time.monotonic() + wait
    pause = _SHORTEST_PAUSE
    while True:
        holder = _holder(database, wanted.experiment_id)
        if holder is None and database.repeat(partial(_extend, wanted, seconds, first=True)):
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise StoreError(
                f"experiment {wanted.experiment_id} gave no lease within {wait:g} s: "
                f"{holder or 'another process'} holds it, who asks its algorithm for suggestions"
            )
        time.sleep(min(left, random.uniform(pause / 2, pause)))
        pause = min(_LONGEST_PAUSE, pause * 1.5)


def _holder(database: Database, experiment_id: int) -> str | None:
    """Look before trying: on SQLite a try alone would make the writers wait."""
    held = and_(_experiment.c.lease_owner.is_not(None), ~_is_free(database.dialect))
    query = select(_experiment.c.lease_owner, held.label("held")).where(_experiment.c.id == experiment_id)
    with database.reading() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(f"the store has no experiment with id {experiment_id}")
    return row.lease_owner if row.held else None


def _extend(lease: Lease, seconds: float, connection: Connection, *, first: bool = False) -> bool:
    """Let the lease last for ``seconds`` from now. Return whether it is held."""
    dialect = connection.dialect.name
    mine = _experiment.c.lease_owner == lease.owner
    statement = (
        update(_experiment)
        .where(_experiment.c.id == lease.experiment_id, or_(mine, _is_free(dialect)) if first else mine)
        .values(lease_owner=lease.owner, lease_expires_at=_now(dialect, seconds))
    )
    return connection.execute(statement).rowcount == 1


@contextmanager
def _renewed(database: Database, lease: Lease, seconds: float) -> Iterator[None]:
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(seconds / 3):
            try:
                if not database.repeat(partial(_extend, lease, seconds)):
                    return
            except StoreError as error:
                _log.warning("the lease of experiment %s was not renewed: %s", lease.experiment_id, error)

    thread = threading.Thread(target=renew, name=f"katib-lease-{lease.experiment_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _give_back(database: Database, lease: Lease) -> None:
    statement = (
        update(_experiment)
        .where(_experiment.c.id == lease.experiment_id, _experiment.c.lease_owner == lease.owner)
        .values(lease_owner=None, lease_expires_at=None)
    )
    try:
        database.repeat(lambda connection: connection.execute(statement))
    except StoreError as error:
        _log.warning("the lease of experiment %s is left to expire: %s", lease.experiment_id, error)


def _is_free(dialect: str) -> ColumnElement[bool]:
    return or_(_experiment.c.lease_owner.is_(None), _experiment.c.lease_expires_at < _now(dialect))


def _now(dialect: str, later: float = 0.0) -> ColumnElement[Any]:
    """Return the database's own time, in UTC, plus some seconds."""
    if dialect == "sqlite":
        # In the form in which SQLAlchemy stores moments: comparing them is comparing text.
        return func.strftime("%Y-%m-%d %H:%M:%f000", "now", f"{later:f} seconds", type_=UtcDateTime)
    if dialect == "mysql":
        moment = func.utc_timestamp(text("6"))
        return func.timestampadd(text("MICROSECOND"), round(later * 1e6), moment, type_=UtcDateTime)
    return func.timezone("UTC", func.clock_timestamp()) + timedelta(seconds=later)
