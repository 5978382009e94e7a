"""A trial as algorithms, rules and pages see it: its condition, its assignments and what was observed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class TrialCondition(StrEnum):
    """The condition of a trial, in Katib's words."""

    CREATED = "Created"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    KILLED = "Killed"
    EARLY_STOPPED = "EarlyStopped"
    METRICS_UNAVAILABLE = "MetricsUnavailable"

    @property
    def is_finished(self) -> bool:
        """Whether the trial will not change any more unless its task is run again."""
        return self not in (TrialCondition.CREATED, TrialCondition.RUNNING)

    @property
    def is_observed(self) -> bool:
        """Whether an algorithm may learn from the trial: it succeeded or was stopped early."""
        return self in (TrialCondition.SUCCEEDED, TrialCondition.EARLY_STOPPED)


class ExperimentCondition(StrEnum):
    """The condition of an experiment, in Katib's words."""

    CREATED = "Created"
    RUNNING = "Running"
    RESTARTING = "Restarting"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"

    @property
    def is_finished(self) -> bool:
        """Whether the experiment is decided: no further trial is started."""
        return self in (ExperimentCondition.SUCCEEDED, ExperimentCondition.FAILED)


@dataclass(frozen=True, slots=True)
class MetricLog:
    """One reported value of one metric.

    :param metric: the metric's name.
    :param value: the value as it was reported, unparsed.
    :param timestamp: when it was reported (time zone aware).
    :param step: the ordinal of this report among the reports of this metric in this trial, from 1.
    """

    metric: str
    value: str
    timestamp: datetime
    step: int


@dataclass(frozen=True, slots=True)
class Metric:
    """What was observed of one metric over a whole trial.

    :param name: the metric's name.
    :param latest: the value reported last, as reported; ``None`` if the metric was never reported.
    :param min: the smallest finite value as reported; ``None`` if no finite number was reported.
    :param max: the largest finite value as reported; ``None`` if no finite number was reported.
    """

    name: str
    latest: str | None = None
    min: str | None = None
    max: str | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """The metrics of one trial, by name in the order objective first, then the additional ones."""

    metrics: tuple[Metric, ...] = ()

    def __getitem__(self, name: str) -> Metric:
        for metric in self.metrics:
            if metric.name == name:
                return metric
        return Metric(name)


@dataclass(frozen=True, slots=True)
class Trial:
    """One training run of an experiment.

    :param name: unique within the store: ``<experiment>-<suffix>``.
    :param number: the order of creation within the experiment, from 0. It never changes.
    :param condition: see :class:`TrialCondition`.
    :param assignments: parameter name to value, as text, in the order of the search space.
    :param value: the objective by its metric strategy; ``None`` while unknown or when it is not a finite number.
    :param observation: every metric that was asked for; ``None`` while unknown.
    :param labels: what the algorithm attached to its suggestion, for example its generation.
    :param duration: seconds from start to end; ``None`` until the trial has ended.
    """

    name: str
    number: int
    condition: TrialCondition
    assignments: Mapping[str, str]
    value: float | None = None
    observation: Observation | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    duration: float | None = None

    @property
    def is_pending(self) -> bool:
        """Whether the trial is created or running, so that its value is still to come."""
        return not self.condition.is_finished

    @property
    def is_observed(self) -> bool:
        """Whether an algorithm may learn from the trial: finished, and with a finite objective value."""
        return self.condition.is_observed and self.value is not None
