"""What the hook answers to a task that asks for a trial, or tells how one ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.trial import ExperimentCondition
    from airflow_katib_provider.store.records import TrialRecord


@dataclass(frozen=True, slots=True)
class Bound:
    """The slot has a trial, and it is to be run now.

    :param trial: the trial, in condition Running, its observation log empty.
    :param is_rerun: it has been started before, by an earlier attempt of its task.
    """

    trial: TrialRecord
    is_rerun: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """The experiment needs no further trial; the reason is that of its condition."""

    condition: ExperimentCondition
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The slot must wait: for room among the running trials, or for the algorithm to learn from them."""

    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A trial's end, as it was recorded.

    :param trial: the trial in its final condition.
    :param decided: the experiment's decision, if there is one by now.
    """

    trial: TrialRecord
    decided: Decided | None
