"""From reported values to a trial's observation, and from an observation to its objective value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from airflow_katib_provider.experiment.spec import StrategyType
from airflow_katib_provider.experiment.trial import Metric, Observation

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from airflow_katib_provider.experiment.spec import Objective
    from airflow_katib_provider.experiment.trial import MetricLog

_SHOWN = 80
"""How many characters of a reported text a message shows."""


class ObjectiveValue(NamedTuple):
    """A trial's objective value, or why there is none.

    :param value: a finite number, or ``None``.
    :param reason: says why ``value`` is missing; ``None`` where it is there, or need not be.
    """

    value: float | None
    reason: str | None


class MetricSummary:
    """Sums up the reports of one metric, in constant memory. They may come in any order.

    :param name: the metric's name.
    """

    __slots__ = ("_latest", "_latest_key", "_max", "_max_number", "_min", "_min_number", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._latest: str | None = None
        self._latest_key: tuple[datetime, int] | None = None
        self._min: str | None = None
        self._min_number = math.inf
        self._max: str | None = None
        self._max_number = -math.inf

    def add(self, log: MetricLog) -> None:
        """Take one report of this metric."""
        key = (log.timestamp, log.step)
        if self._latest_key is None or key >= self._latest_key:
            self._latest, self._latest_key = log.value, key
        number = parse_number(log.value)
        if number is None or not math.isfinite(number):
            return
        if number < self._min_number:
            self._min, self._min_number = log.value, number
        if number > self._max_number:
            self._max, self._max_number = log.value, number

    @property
    def metric(self) -> Metric:
        """What was observed so far.

        The latest value is the one with the greatest timestamp, of equal ones that with the greatest step.
        Smallest and largest are taken over the finite numbers and kept as they were reported.
        """
        return Metric(self.name, latest=self._latest, min=self._min, max=self._max)


def observe(objective: Objective, logs: Iterable[MetricLog]) -> Observation:
    """Sum up what a trial reported, reading ``logs`` once.

    :param objective: names the metrics that count; reports of others are passed over.
    :return: one metric for each name, in the objective's order; never-reported ones are empty.
    """
    summaries = {name: MetricSummary(name) for name in objective.metric_names}
    for log in logs:
        if summary := summaries.get(log.metric):
            summary.add(log)
    return Observation(tuple(summary.metric for summary in summaries.values()))


def objective_value(
    objective: Objective, observation: Observation, *, allow_text: bool = False, sought: str = ""
) -> ObjectiveValue:
    """Return the objective metric's value by its strategy, or the reason why there is none.

    :param allow_text: the objective may be text, as the genotype of an architecture search is.
    :param sought: what the metrics collector looked for, in words; told where the metric was never reported.
    """
    metric = observation[objective.objective_metric_name]
    strategy = objective.strategy(metric.name)
    text = {StrategyType.MIN: metric.min, StrategyType.MAX: metric.max}.get(strategy, metric.latest)
    if text is None:
        text = metric.latest  # of min and max there is none while no report is a finite number
    label = f"objective metric {metric.name!r} (strategy {strategy.value})"
    if text is None:
        return ObjectiveValue(None, _never_reported(label, observation, sought))
    number = parse_number(text)
    if number is not None and math.isfinite(number):
        return ObjectiveValue(number, None)
    if number is None and text.strip() and allow_text:
        return ObjectiveValue(None, None)
    return ObjectiveValue(
        None, f"{label} has no finite value: the latest report is {_describe(text, number)}"
    )


def parse_number(text: str) -> float | None:
    """Read a number as programs print it, NaN and infinities included.

    :return: ``None`` for anything else, digits grouped by underscores among it.
    """
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def _describe(text: str, number: float | None) -> str:
    if not text.strip():
        return "empty"
    shown = repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
    if number is None:
        return f"{shown}, which is not a number"
    return f"{shown}, which is {'not a number (NaN)' if math.isnan(number) else 'infinite'}"


def _never_reported(label: str, observation: Observation, sought: str) -> str:
    reported = [metric.name for metric in observation.metrics if metric.latest is not None]
    reason = f"{label} was never reported"
    if sought:
        reason += f"; looked for was {sought}"
    if reported:
        reason += f"; reported were only {', '.join(map(repr, reported))}"
    return reason
