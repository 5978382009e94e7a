"""Which parser reads the metrics of an experiment's trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_katib_provider.collectors.json_lines import JsonParser
from airflow_katib_provider.collectors.text import TextParser
from airflow_katib_provider.exceptions import UnsupportedCollectorError
from airflow_katib_provider.experiment.spec import CollectorKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_katib_provider.collectors.base import Parser
    from airflow_katib_provider.experiment.experiment import Experiment


def parser_for(experiment: Experiment) -> Parser:
    """Return a new parser for the output, or the metrics file, of one trial.

    :raises UnsupportedCollectorError: if the metrics of this collector's kind are not in lines of a program's
        output or of a file.
    """
    kind = experiment.collector.kind
    if kind not in _PARSERS:
        raise UnsupportedCollectorError(
            f"spec.metricsCollectorSpec.collector.kind: {kind.value} works with trials that run as pods; "
            f"the metrics of any trial are read by {' or '.join(known.value for known in _PARSERS)}"
        )
    return _PARSERS[kind](experiment)


def _text(experiment: Experiment) -> Parser:
    source = experiment.collector.source
    filters = source.filter.metrics_format if source and source.filter else ()
    return TextParser(experiment.objective.metric_names, filters)


def _file(experiment: Experiment) -> Parser:
    source = experiment.collector.source
    if source and source.file_system_path and source.file_system_path.format == "JSON":
        return JsonParser(experiment.objective.metric_names)
    return _text(experiment)


_PARSERS: Mapping[CollectorKind, Callable[[Experiment], Parser]] = {
    CollectorKind.STD_OUT: _text,
    CollectorKind.FILE: _file,
}
