"""The rules that decide an experiment: goal, error budget, trial budget, end of the suggestions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_katib_provider.experiment.trial import ExperimentCondition, Trial, TrialCondition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_katib_provider.experiment.experiment import Experiment
    from airflow_katib_provider.experiment.spec import Objective

GOAL_REACHED = "ExperimentGoalReached"
FAILED = "ExperimentFailed"
MAX_TRIALS_REACHED = "ExperimentMaxTrialsReached"
SUGGESTION_END_REACHED = "ExperimentSuggestionEndReached"
TRIALS_ENDED = "ExperimentTrialsEnded"


@dataclass(frozen=True, slots=True)
class TrialCounts:
    """How many trials there are in each condition: ``counts[TrialCondition.RUNNING]``."""

    by_condition: Mapping[TrialCondition, int]

    @classmethod
    def of(cls, trials: Iterable[Trial]) -> TrialCounts:
        """Count trials."""
        return cls(Counter(trial.condition for trial in trials))

    def __getitem__(self, condition: TrialCondition) -> int:
        return self.by_condition.get(condition, 0)

    @property
    def total(self) -> int:
        """How many trials there are."""
        return sum(self.by_condition.values())

    @property
    def active(self) -> int:
        """How many are created or running."""
        return self.total - self.completed

    @property
    def completed(self) -> int:
        """How many count towards ``maxTrialCount`` as ended: every one that is not active."""
        return sum(count for condition, count in self.by_condition.items() if condition.is_finished)

    @property
    def failed(self) -> int:
        """How many count towards ``maxFailedTrialCount``: as in Katib, also those without metrics."""
        return self[TrialCondition.FAILED] + self[TrialCondition.METRICS_UNAVAILABLE]

    def __str__(self) -> str:
        present = [f"{self[condition]} {condition.value}" for condition in TrialCondition if self[condition]]
        return ", ".join(present) or "no trials"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on an experiment.

    :param condition: Succeeded or Failed.
    :param reason: the reason in one word, Katib's where Katib has one.
    :param message: a sentence with the figures.
    """

    condition: ExperimentCondition
    reason: str
    message: str


def optimal_trial(objective: Objective, trials: Iterable[Trial]) -> Trial | None:
    """Return the best of the trials that succeeded or were stopped early; of equal ones the first created.

    Where none of them has a number, it is the last created whose objective is text, as the genotype of an
    architecture search is.
    """
    observed = sorted(
        (trial for trial in trials if trial.condition.is_observed), key=lambda trial: trial.number
    )
    numbers = [(trial.value, trial) for trial in observed if trial.value is not None]
    if numbers:
        best = max if objective.is_maximize else min  # both keep the first of equal ones
        return best(numbers, key=lambda pair: pair[0])[1]
    return next((trial for trial in reversed(observed) if _text(objective, trial)), None)


def judge(
    experiment: Experiment, trials: Sequence[Trial], *, exhausted: bool, slots_left: bool = True
) -> Verdict | None:
    """Decide an experiment, by Katib's rules and in Katib's order.

    1. The optimal trial reaches the goal: Succeeded.
    2. ``maxFailedTrialCount`` trials, and at least one, have failed or left no metrics: Failed. So 0 and 1
       mean the same.
    3. ``maxTrialCount`` trials have ended, in whatever condition: Succeeded, even if none has a value.
    4. The algorithm has nothing left to suggest and no trial is active: Succeeded.
    5. No further trial can be started and none is active: Succeeded with an optimal trial, else Failed. This
       rule is not Katib's, which starts trials for as long as its other rules ask for them.

    :param trials: every trial so far.
    :param exhausted: the algorithm said that nothing is left to suggest.
    :param slots_left: further trials can be started.
    :return: ``None`` while the experiment goes on.
    """
    counts = TrialCounts.of(trials)
    best = optimal_trial(experiment.objective, trials)
    if best is not None and _reaches_goal(experiment.objective, best):
        return _goal_reached(experiment, counts, best)
    if _budget_is_spent(experiment.spec.max_failed_trial_count, counts.failed):
        return _failed(experiment, counts)
    outcome = f"{counts}; {_best(experiment.objective, best)}"
    limit = experiment.max_trial_count
    if limit is not None and counts.completed >= limit:
        message = f"{counts.completed} trials have ended, and maxTrialCount is {limit}: {outcome}"
        return Verdict(ExperimentCondition.SUCCEEDED, MAX_TRIALS_REACHED, message)
    if exhausted and not counts.active:
        message = f"{experiment.algorithm.algorithm_name} has nothing left to suggest: {outcome}"
        return Verdict(ExperimentCondition.SUCCEEDED, SUGGESTION_END_REACHED, message)
    if not slots_left and not counts.active:
        condition = ExperimentCondition.SUCCEEDED if best else ExperimentCondition.FAILED
        return Verdict(condition, TRIALS_ENDED, f"No further trial can be started: {outcome}")
    return None


def _reaches_goal(objective: Objective, trial: Trial) -> bool:
    if objective.goal is None or trial.value is None:
        return False
    return trial.value >= objective.goal if objective.is_maximize else trial.value <= objective.goal


def _budget_is_spent(budget: int | None, failed: int) -> bool:
    return budget is not None and failed != 0 and failed >= budget


def _goal_reached(experiment: Experiment, counts: TrialCounts, best: Trial) -> Verdict:
    objective = experiment.objective
    direction = "at least" if objective.is_maximize else "at most"
    message = f"The goal of {direction} {objective.goal:g} is reached: {_best(objective, best)}; {counts}"
    return Verdict(ExperimentCondition.SUCCEEDED, GOAL_REACHED, message)


def _failed(experiment: Experiment, counts: TrialCounts) -> Verdict:
    failed = f"{counts.failed} trial{'s have' if counts.failed != 1 else ' has'} failed or left no metrics"
    message = f"{failed}, and maxFailedTrialCount is {experiment.spec.max_failed_trial_count}: {counts}"
    return Verdict(ExperimentCondition.FAILED, FAILED, message)


def _best(objective: Objective, best: Trial | None) -> str:
    if best is None:
        return "no trial has an objective value, so there is no optimal trial"
    value = f"{best.value:g}" if best.value is not None else repr(_text(objective, best))
    return f"optimal is trial {best.name} with {objective.objective_metric_name} = {value}"


def _text(objective: Objective, trial: Trial) -> str:
    """Return the objective of a trial without a number; empty where nothing was reported."""
    return (trial.observation[objective.objective_metric_name].latest or "") if trial.observation else ""
