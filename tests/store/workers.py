"""What the processes of the concurrency tests do, and how they are started."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from typing import TYPE_CHECKING, Any

from airflow_katib_provider.exceptions import StoreError
from airflow_katib_provider.store.records import ExperimentKey
from airflow_katib_provider.store.store import KatibStore
from tests.store.samples import create, reports

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess

LIMIT = 300
"""Seconds after which a test gives up: far beyond what a loaded machine needs."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.store.workers"])


class Workers:
    """Processes that begin their work at the same moment.

    :param work: called as ``work(url, *arguments)`` in each process; its return value is the result.
    """

    def __init__(self, work: Callable[..., Any], url: str, count: int, *arguments: Any) -> None:
        self._results = _context.SimpleQueue()
        self._barrier = _context.Barrier(count)
        self.processes = [
            _context.Process(target=_run, args=(work, url, arguments, self._barrier, self._results))
            for _ in range(count)
        ]

    def __enter__(self) -> Workers:
        for process in self.processes:
            process.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()
            process.join()

    def results(self) -> list[Any]:
        """Wait for every process and return what each returned; raise what one raised."""
        _wait_until(lambda: not any(process.is_alive() for process in self.processes))
        found = [self._results.get() for process in self.processes if process.exitcode == 0]
        for result in found:
            if isinstance(result, BaseException):
                raise result
        return found


class Signal:
    """An event between processes that survives when one of them is stopped or killed: a file."""

    def __init__(self, path: Any) -> None:
        self._path = str(path)

    def send(self) -> None:
        with open(self._path, "w"):
            pass

    def wait(self) -> None:
        _wait_until(lambda: os.path.exists(self._path))


def freeze(process: BaseProcess) -> None:
    os.kill(process.pid, signal.SIGSTOP)


def thaw(process: BaseProcess) -> None:
    os.kill(process.pid, signal.SIGCONT)


def bind(url: str, experiment_id: int, seconds: float = 60) -> int:
    """Take the next slot, found from the trials that are there, as an algorithm finds its suggestion."""
    store = KatibStore(url)
    with store.lease(experiment_id, seconds=seconds, wait=LIMIT) as lease:
        slot = len(store.trials(experiment_id))
        time.sleep(0.01)
        with store.locked(experiment_id) as transaction:
            transaction.add_trial(
                lease, slot=slot, name=f"trial-{slot}", assignments={"pid": str(os.getpid())}, labels={}
            )
    return slot


def hold_lease(url: str, experiment_id: int, held: Signal) -> None:
    """Hold the lease until killed."""
    with KatibStore(url).lease(experiment_id, seconds=2):
        held.send()
        time.sleep(LIMIT)


def hold_transaction(url: str, experiment_id: int, held: Signal) -> None:
    """Add a trial, and be killed before it is committed."""
    store = KatibStore(url)
    with store.lease(experiment_id, seconds=2) as lease, store.locked(experiment_id) as transaction:
        transaction.add_trial(lease, slot=0, name="never", assignments={}, labels={})
        held.send()
        time.sleep(LIMIT)


def bind_too_late(url: str, experiment_id: int, held: Signal, proceed: Signal) -> str:
    """Hold the lease, be frozen past its end, then try to add a trial."""
    store = KatibStore(url)
    with store.lease(experiment_id, seconds=4) as lease:
        held.send()
        proceed.wait()
        try:
            with store.locked(experiment_id) as transaction:
                transaction.add_trial(lease, slot=0, name="too-late", assignments={}, labels={})
        except StoreError as error:
            return type(error).__name__
    return "added"


def migrate(url: str) -> None:
    KatibStore(url).migrate()


def create_once(url: str) -> tuple[int, int]:
    record = create(KatibStore(url))
    return record.id, record.attempt


def report(url: str, trial_name: str, rows: int) -> int:
    """Register a log that the other processes register too, and append to another."""
    store = KatibStore(url)
    new = store.register_observation_log(trial_name, reports(rows))
    for log in reports(5):
        store.append_observation_log(trial_name, [("pushed", log.value, log.timestamp)])
    return new


def create_many(url: str, count: int) -> list[int]:
    """Write many small transactions."""
    store = KatibStore(url)
    return [create(store, ExperimentKey(str(os.getpid()), str(run), "task")).id for run in range(count)]


def _run(work: Callable[..., Any], url: str, arguments: tuple[Any, ...], barrier: Any, results: Any) -> None:
    barrier.wait(LIMIT)
    try:
        results.put(work(url, *arguments))
    except BaseException as error:
        results.put(error)


def _wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing happened in {LIMIT} s")
        time.sleep(0.02)
