"""Metrics in files of format JSON: one object a line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_katib_provider.collectors.base import MetricLogs, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_katib_provider.experiment.trial import MetricLog

_SHOWN = 80
"""How many characters of a bad line a message shows."""


class JsonParser:
    """Reads metrics from JSON objects, one a line.

    The keys are metric names; a value is a number, or text that holds one. Anything else is recorded as its
    JSON text, so that the reason for a missing number can be told. The key ``timestamp`` is an RFC 3339 text
    or the seconds since 1970, with a fraction if need be. A line that is not a JSON object is counted and
    passed over.

    :param metric_names: the metrics to keep.
    """

    def __init__(self, metric_names: Iterable[str]) -> None:
        self._logs = MetricLogs(metric_names)
        self._line_count = 0
        self._bad_count = 0
        self._first_bad = ""

    @property
    def sought(self) -> str:
        """The form of the lines that were looked for."""
        return "lines that are JSON objects with the key " + " or ".join(map(json.dumps, self._logs.names))

    @property
    def problems(self) -> Sequence[str]:
        """How many lines were no JSON objects, and the first of them."""
        if not self._bad_count:
            return ()
        count = "1 line is" if self._bad_count == 1 else f"{self._bad_count} lines are"
        return (f"{count} not a JSON object; the first is {self._first_bad}",)

    def feed(self, line: str, arrived: datetime) -> list[MetricLog]:
        """Take one line and return the metrics it reports, in the order they were requested."""
        self._line_count += 1
        if not line.strip():
            return []
        try:
            # Numbers are kept as they are written; turning them into floats and back could change them.
            report = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
        except (ValueError, RecursionError) as error:
            return self._reject(line, str(error))
        if not isinstance(report, dict):
            return self._reject(line, "not an object")
        timestamp = _timestamp(report.get("timestamp")) or arrived
        return [
            self._logs.make(name, _text(report[name]), timestamp)
            for name in self._logs.names
            if name in report
        ]

    def _reject(self, line: str, reason: str) -> list[MetricLog]:
        self._bad_count += 1
        if self._bad_count == 1:
            shown = line if len(line) <= _SHOWN else line[:_SHOWN] + "…"
            self._first_bad = f"line {self._line_count}, {shown!r} ({reason})"
        return []


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else json.dumps(value)


def _timestamp(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    if timestamp := rfc3339(value):
        return timestamp
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None
