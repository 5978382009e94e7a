"""Turns what a running trial prints into rows of its observation log."""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_katib_provider.collectors.lines import LineAssembler
from airflow_katib_provider.exceptions import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_katib_provider.collectors import Parser
    from airflow_katib_provider.experiment.trial import MetricLog
    from airflow_katib_provider.hooks.katib import KatibHook
    from airflow_katib_provider.store.records import TrialRecord

_FLUSH_SECONDS = 1.0
_FLUSH_ROWS = 5000
_KEPT_ROWS = 200_000
_TAIL_LINES = 20
_TAIL_WIDTH = 500


class Recorder:
    """Feeds a stream to a parser and writes what it finds to the store, in batches.

    Memory is bounded: a batch, the parser's own state and the last lines.

    :param trial: whose observation log it is; a later attempt of it takes no more rows.
    :param parser: finds metrics in lines; ``None`` for a stream that carries none.
    :param echo: called with every line, for the task log.
    """

    def __init__(
        self,
        hook: KatibHook,
        trial: TrialRecord,
        parser: Parser | None,
        echo: Callable[[str], None] | None = None,
    ) -> None:
        self._hook = hook
        self._trial = trial
        self._parser = parser
        self._echo = echo
        self._lines = LineAssembler()
        self._rows: list[MetricLog] = []
        self._due = _FLUSH_ROWS
        self._flushed_at = time.monotonic()
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    @property
    def tail(self) -> str:
        """The last lines of the stream."""
        return "\n".join(self._tail)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the stream; with none, only write what is due."""
        arrived = datetime.now(UTC)
        for line in self._lines.feed(chunk):
            self._take(line, arrived)
            if len(self._rows) >= self._due:
                self.flush()
        if time.monotonic() - self._flushed_at >= _FLUSH_SECONDS:
            self.flush()

    def close(self) -> None:
        """Take the last line, though no line break follows it, and write everything.

        :raises StoreError: if the store does not take it.
        """
        arrived = datetime.now(UTC)
        for line in self._lines.flush():
            self._take(line, arrived)
        self._write()

    def flush(self) -> None:
        """Write the rows that were found since the last time.

        While the store cannot be reached, rows are kept and tried again: a training run of hours does not end
        because a database restarts. They are written again from the first, which adds nothing twice.
        """
        self._flushed_at = time.monotonic()
        try:
            self._write()
        except StoreError as error:
            if len(self._rows) > _KEPT_ROWS:
                raise
            self._hook.log.warning(
                "The store did not take %s rows, they are kept: %s", len(self._rows), error
            )
        self._due = len(self._rows) + _FLUSH_ROWS

    def _write(self) -> None:
        if self._rows:
            self._hook.register_observation_log(self._trial.name, self._rows, attempt=self._trial.attempt)
            self._rows = []

    def _take(self, line: str, arrived: datetime) -> None:
        self._tail.append(line[:_TAIL_WIDTH])
        if self._echo is not None:
            self._echo(line)
        if self._parser is not None:
            self._rows.extend(self._parser.feed(line, arrived))
