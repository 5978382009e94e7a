"""Metrics in lines of text, found by regular expressions: StdOut, and files of format TEXT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_katib_provider.collectors.base import MetricLogs, rfc3339
from airflow_katib_provider.collectors.filters import compile_filters

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from airflow_katib_provider.experiment.trial import MetricLog

_TIMESTAMP_MARK = 10
"""Where RFC 3339 has its ``T``."""


class TextParser:
    """Finds metrics in lines of text, as Katib does.

    A report's time is the line's first word where that is an RFC 3339 timestamp.

    :param metric_names: the metrics to keep; a name must equal what a filter's first group matched.
    :param filters: regular expressions of ``metricsFormat``; none means ``name=value``. Every match of each
        counts, one filter after the other.
    :raises ValueError: if a filter is not one.

    Example::

        parser = TextParser(["loss"])
        parser.feed("2026-01-31T12:00:00Z epoch=1 loss=0.25", datetime.now(UTC))
    """

    problems: Sequence[str] = ()

    def __init__(self, metric_names: Iterable[str], filters: Iterable[str] = ()) -> None:
        self._logs = MetricLogs(metric_names)
        self._patterns = tuple(filters)
        self._filters = compile_filters(self._patterns)

    @property
    def sought(self) -> str:
        """The form of the text that was looked for."""
        if self._patterns:
            return "text that matches " + " or ".join(self._patterns)
        return "text of the form " + " or ".join(f"{name}=<number>" for name in self._logs.names)

    def feed(self, line: str, arrived: datetime) -> list[MetricLog]:
        """Take one line and return the metrics it reports."""
        for name in self._logs.names:
            if name in line:
                return self._search(line, arrived)
        return []  # most lines of a log end here, before any regular expression

    def _search(self, line: str, arrived: datetime) -> list[MetricLog]:
        found = [pair for find in self._filters for pair in find(line) if pair[0] in self._logs.names]
        if not found:
            return []
        timestamp = _leading_timestamp(line) or arrived
        return [self._logs.make(name, value, timestamp) for name, value in found]


def _leading_timestamp(line: str) -> datetime | None:
    if line[_TIMESTAMP_MARK : _TIMESTAMP_MARK + 1] != "T":
        return None
    return rfc3339(line.partition(" ")[0])
