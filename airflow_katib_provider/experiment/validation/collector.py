"""``spec.metricsCollectorSpec``: where metrics come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_katib_provider.collectors.filters import check_filter
from airflow_katib_provider.exceptions import Problem
from airflow_katib_provider.experiment.spec import (
    CollectorKind,
    ExperimentSpec,
    FileSystemPath,
    HttpGet,
    MetricsCollectorSpec,
    MetricsSource,
)
from airflow_katib_provider.experiment.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATH = "spec.metricsCollectorSpec"
_SOURCE = f"{_PATH}.source"
_FILE = f"{_SOURCE}.fileSystemPath"
_LAST_PORT = 65535


def check_collector(spec: ExperimentSpec) -> Iterator[Problem]:
    """Check the collector's kind, its source by that kind, and its filters."""
    collector = spec.metrics_collector_spec
    if collector is None:
        return
    source = collector.source or MetricsSource()
    file = source.file_system_path or FileSystemPath()
    match collector.kind:
        case CollectorKind.FILE:
            yield from _check_file(file, source)
        case CollectorKind.TENSORFLOW_EVENT:
            yield from _check_path(file, ("Directory",))
            if file.format:
                yield Problem(f"{_FILE}.format", f"{shown(file.format)} is not for event files; remove it")
        case CollectorKind.PROMETHEUS_METRIC:
            yield from _check_http(source.http_get or HttpGet())
        case CollectorKind.CUSTOM:
            yield from _check_custom(collector)
        case CollectorKind.NONE:
            message = (
                "without metrics there is nothing to optimise; write Push if trials report by themselves"
            )
            yield Problem(f"{_PATH}.collector.kind", f"'None' collects no metrics; {message}")
    yield from _check_filters(source)


def _check_file(file: FileSystemPath, source: MetricsSource) -> Iterator[Problem]:
    yield from _check_path(file, ("File",))
    if file.format not in ("TEXT", "JSON"):
        yield Problem(f"{_FILE}.format", f"{shown(file.format)} is not supported; write TEXT or JSON")
    if file.format == "JSON" and source.filter is not None:
        yield Problem(f"{_SOURCE}.filter", "a filter reads TEXT, and the format is JSON; remove one of them")


def _check_path(file: FileSystemPath, kinds: tuple[str, ...]) -> Iterator[Problem]:
    if file.kind not in kinds:
        yield Problem(
            f"{_FILE}.kind", f"{shown(file.kind)} is not supported here; write {' or '.join(kinds)}"
        )
    if not (file.path or "").startswith("/"):
        yield Problem(f"{_FILE}.path", f"{shown(file.path)} is not absolute; start it with /")


def _check_http(http: HttpGet) -> Iterator[Problem]:
    port = str(http.port)
    if not (port.isascii() and port.isdigit() and 0 < int(port) <= _LAST_PORT):
        message = f"{shown(http.port)} is not a port; write a number from 1 to {_LAST_PORT}"
        yield Problem(f"{_SOURCE}.httpGet.port", message)
    if not (http.path or "").startswith("/"):
        yield Problem(f"{_SOURCE}.httpGet.path", f"{shown(http.path)} must start with /")


def _check_custom(collector: MetricsCollectorSpec) -> Iterator[Problem]:
    if not (collector.collector and collector.collector.custom_collector):
        yield Problem(f"{_PATH}.collector.customCollector", "must be specified: the container that collects")
    if collector.source and collector.source.file_system_path:
        yield from _check_path(collector.source.file_system_path, ("File", "Directory"))


def _check_filters(source: MetricsSource) -> Iterator[Problem]:
    patterns = source.filter.metrics_format if source.filter else ()
    for index, pattern in enumerate(patterns):
        message = check_filter(pattern)
        if message is not None:
            yield Problem(f"{_SOURCE}.filter.metricsFormat[{index}]", message)
