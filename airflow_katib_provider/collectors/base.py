"""The contract of a metrics parser, and what all of them share."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from airflow_katib_provider.experiment.trial import MetricLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


class Parser(Protocol):
    """Reads the metrics out of a trial's output while the trial runs.

    A parser is fed each line once, in order. Fed the same lines again, a new parser gives the same metrics,
    values and steps, so that an output may be read from its start after a crash.
    """

    @property
    def sought(self) -> str:
        """What the parser looks for, in words, for the message about a metric that never came."""

    @property
    def problems(self) -> Sequence[str]:
        """What could not be read so far, in sentences; at most a few, however much was fed."""

    def feed(self, line: str, arrived: datetime) -> list[MetricLog]:
        """Take one line, without its line end.

        :param arrived: when the line was read (time zone aware); the time of what it reports where the line
            itself carries none.
        :return: the requested metrics that the line reports, in the order they stand in it.
        """


class MetricLogs:
    """Makes :class:`MetricLog` rows, numbering the reports of each metric from 1."""

    def __init__(self, metric_names: Iterable[str]) -> None:
        self.names = tuple(dict.fromkeys(metric_names))
        self._steps: Counter[str] = Counter()

    def make(self, metric: str, value: str, timestamp: datetime) -> MetricLog:
        """Return the next report of ``metric``."""
        self._steps[metric] += 1
        return MetricLog(metric, storable(value), timestamp, self._steps[metric])


def storable(text: str) -> str:
    """Replace what a database refuses in text: NUL characters and lone surrogates."""
    text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def rfc3339(text: str) -> datetime | None:
    """Read a time as RFC 3339 writes it, with any number of fraction digits.

    :return: the time in UTC, cut to microseconds; ``None`` for any other text.
    """
    if not _RFC3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
