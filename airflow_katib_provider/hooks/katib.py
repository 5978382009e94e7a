"""The one door to the store and the algorithms: the verbs of a running experiment."""

from __future__ import annotations

import os
import secrets
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from airflow_katib_provider.exceptions import ExperimentFailedError, NotFoundError
from airflow_katib_provider.experiment.experiment import Experiment
from airflow_katib_provider.experiment.observing import objective_value, observe
from airflow_katib_provider.experiment.results import trial_result
from airflow_katib_provider.experiment.status import judge, optimal_trial
from airflow_katib_provider.experiment.trial import (
    ExperimentCondition,
    MetricLog,
    Observation,
    Trial,
    TrialCondition,
)
from airflow_katib_provider.hooks.answers import Bound, Decided, Finished, Waiting
from airflow_katib_provider.hooks.connection import DEFAULT_CONN_ID, store_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from airflow_katib_provider.store.records import ExperimentKey, ExperimentRecord, TrialRecord
    from airflow_katib_provider.store.store import ExperimentTransaction, KatibStore

_NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""The letters of Katib's generated names: no vowels, so that no word appears."""


class KatibHook(BaseHook):
    """Keeps experiments, trials and observations in the store, and asks the algorithms.

    :param katib_conn_id: the Airflow connection of type ``katib``. Without a connection of the default name
        the store is an SQLite file ``katib.db`` in ``AIRFLOW_HOME``.
    """

    conn_name_attr = "katib_conn_id"
    default_conn_name = DEFAULT_CONN_ID
    conn_type = "katib"
    hook_name = "Katib"

    def __init__(self, katib_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.katib_conn_id = katib_conn_id

    @cached_property
    def store(self) -> KatibStore:
        """The store behind the connection, its tables up to date."""
        return _open_store(store_url(self.katib_conn_id), os.getpid())

    def get_conn(self) -> KatibStore:
        """Return the store; the name is Airflow's."""
        return self.store

    def test_connection(self) -> tuple[bool, str]:
        """Reach the database and bring its tables up to date: Airflow's test button."""
        try:
            return True, f"Connected to {self.store.ping()}"
        except Exception as error:  # the button shows whatever went wrong
            return False, str(error)

    # ---- experiments

    def create_experiment(self, experiment: Experiment, key: ExperimentKey) -> ExperimentRecord:
        """Find or create the experiment of a task instance.

        The same DAG run and task always find the same experiment, until its task is run again after trials
        were started: that begins a new attempt, with new trials, and leaves the earlier one as it is.
        """
        return self.store.create_experiment(
            key,
            experiment.to_dict(),
            name=experiment.name,
            namespace=experiment.namespace,
            seed=secrets.randbits(31),
        )

    def find_experiment(self, key: ExperimentKey) -> ExperimentRecord:
        """Return the latest experiment of a task instance.

        :raises NotFoundError: if the task has not created one.
        """
        record = self.store.find_experiment(key)
        if record is None:
            raise NotFoundError(
                f"no experiment was created by task {key.task_id!r} of DAG {key.dag_id!r} in run {key.run_id!r}; "
                "name the task_id of the ExperimentOperator"
            )
        return record

    def experiment(self, record: ExperimentRecord) -> Experiment:
        """Return the experiment that a record holds."""
        return Experiment.from_dict(record.document)

    def decision(self, record: ExperimentRecord) -> Decided | None:
        """Return how the experiment ended, or ``None`` while it has not."""
        if not record.condition.is_finished:
            return None
        return Decided(record.condition, record.reason, record.message)

    # ---- suggestions

    def next_trial(self, experiment_id: int, slot: int) -> Bound | Decided | Waiting:
        """Give the slot its trial and mark it as running.

        A slot that already has a trial runs that one again, with the same assignments and an empty
        observation log. Otherwise the algorithm is asked under the experiment's lease, so that trials which
        ask at the same moment know of each other, and the answer is committed once.
        """
        existing = self.store.trial_at(experiment_id, slot)
        if existing is not None:
            return self._start(existing)
        with self.store.lease(experiment_id) as lease:
            record = self.store.experiment(experiment_id)
            if decided := self.decision(record):
                return decided
            experiment, trials = self.experiment(record), self.store.trials(experiment_id)
            active = sum(trial.is_pending for trial in trials)
            if active >= experiment.parallel_trial_count:
                return Waiting(f"{active} trials are active, as many as parallelTrialCount allows")
            bound = self._bind(record, experiment, trials, [slot], lease)
        return self._start(bound[0]) if bound else self._without_suggestion(experiment_id)

    def bind_round(self, experiment_id: int, slots: Sequence[int]) -> list[TrialRecord]:
        """Bind a round of trials at once, before any of them starts.

        Slots that have a trial keep it. Fewer trials than slots come back when the algorithm has nothing more
        to suggest; none when the experiment is decided.
        """
        with self.store.lease(experiment_id) as lease:
            record = self.store.experiment(experiment_id)
            kept = [trial for slot in slots if (trial := self.store.trial_at(experiment_id, slot))]
            missing = sorted(set(slots) - {trial.slot for trial in kept})
            if self.decision(record) is None and missing:
                trials = self.store.trials(experiment_id)
                kept += self._bind(record, self.experiment(record), trials, missing, lease)
        return sorted(kept, key=lambda trial: trial.slot)

    def _bind(
        self,
        record: ExperimentRecord,
        experiment: Experiment,
        trials: Sequence[Trial],
        slots: Sequence[int],
        lease: Any,
    ) -> list[TrialRecord]:
        from airflow_katib_provider.algorithms import get, suggest

        room = len(slots)
        if experiment.max_trial_count is not None:
            room = min(room, experiment.max_trial_count - len(trials))
        answer = suggest(experiment, trials, room, seed=record.seed) if room > 0 else None
        items = answer.items if answer else ()
        with self.store.locked(record.id) as transaction:
            if self.decision(transaction.experiment):
                return []  # a trial decided it while the algorithm was thinking
            bound = [
                transaction.add_trial(
                    lease,
                    slot=slot,
                    name=_trial_name(experiment.name),
                    assignments=dict(suggestion.assignments),
                    labels=dict(suggestion.labels),
                )
                for slot, suggestion in zip(slots, items, strict=False)
            ]
            limit = get(experiment.algorithm.algorithm_name).limit(experiment)
            if (answer and answer.exhausted) or (limit is not None and len(trials) + len(bound) >= limit):
                transaction.set_suggestions_exhausted()
            if bound and transaction.experiment.condition is ExperimentCondition.CREATED:
                transaction.set_experiment_condition(
                    ExperimentCondition.RUNNING, "ExperimentRunning", "Experiment is running"
                )
            self._judge(transaction, experiment)
        return bound

    def _start(self, record: TrialRecord) -> Bound:
        with self.store.locked(record.experiment_id) as transaction:
            started = transaction.restart_trial(record.name)
            if record.trial.condition.is_finished and transaction.experiment.condition.is_finished:
                transaction.set_experiment_condition(
                    ExperimentCondition.RESTARTING,
                    "ExperimentRestarting",
                    f"Trial {record.name} is run again",
                )
        return Bound(started, is_rerun=record.attempt > 0)

    def _without_suggestion(self, experiment_id: int) -> Decided | Waiting:
        record = self.store.experiment(experiment_id)
        if decided := self.decision(record):
            return decided
        if record.suggestions_exhausted:
            return Decided(
                record.condition,
                "ExperimentSuggestionEndReached",
                "The algorithm has nothing left to suggest",
            )
        experiment = self.experiment(record)
        if len(self.store.trials(experiment_id)) >= (experiment.max_trial_count or float("inf")):
            return Decided(
                record.condition,
                "ExperimentMaxTrialsReached",
                "Every trial of maxTrialCount has been started",
            )
        return Waiting(f"{experiment.algorithm.algorithm_name} waits for the trials that are running")

    # ---- the end of a trial

    def finish_trial(
        self,
        trial_name: str,
        condition: TrialCondition,
        reason: str,
        message: str,
        *,
        will_retry: bool = False,
        sought: str = "",
    ) -> Finished:
        """Record how a trial ended, with what was observed of it, and decide the experiment.

        A trial that is said to have succeeded, but left no usable objective value, becomes
        MetricsUnavailable with the reason. Recording the same end twice changes nothing.

        :param will_retry: a failure is not the trial's end, because its task will be run again: the trial goes
            back to Created, keeps its place among the active ones and does not touch the error budget.
        :param sought: what the metrics collector looked for, in words, told where it found nothing.
        """
        record = self.store.trial(trial_name)
        experiment = self.experiment(self.store.experiment(record.experiment_id))
        observation, value, problem = self._observe(experiment, trial_name, sought)
        if problem and condition.is_observed:
            condition, reason, message = (
                TrialCondition.METRICS_UNAVAILABLE,
                "TrialMetricsUnavailable",
                f"Metrics are not available: {problem}",
            )
        if will_retry and not condition.is_observed:
            condition, reason = TrialCondition.CREATED, "TrialRetrying"
        with self.store.locked(record.experiment_id) as transaction:
            transaction.set_trial_condition(
                trial_name, condition, reason, message, observation=observation, value=value
            )
            decided = self._judge(transaction, experiment)
            return Finished(transaction.trial(trial_name), decided)

    def active_trials(self, experiment_id: int) -> int:
        """Return how many trials are created or running."""
        return sum(trial.is_pending for trial in self.store.trials(experiment_id))

    def finished_trials(self, experiment_id: int) -> int:
        """Return how many trials have ended."""
        return sum(not trial.is_pending for trial in self.store.trials(experiment_id))

    def started_slots(self, experiment_id: int) -> set[int]:
        """Return the slots that have a trial."""
        return {record.slot for record in self.store.trial_records(experiment_id)}

    def has_turned(self, experiment_id: int, finished: int) -> bool:
        """Return whether more than ``finished`` trials have ended, or the experiment is decided."""
        if self.store.experiment(experiment_id).condition.is_finished:
            return True
        return self.finished_trials(experiment_id) > finished

    def close_silent_trials(self, experiment_id: int, why: str) -> None:
        """Record trials that are still active, though nothing runs them any more, as MetricsUnavailable."""
        for record in self.store.trial_records(experiment_id):
            if record.trial.is_pending:
                self.finish_trial(
                    record.name, TrialCondition.METRICS_UNAVAILABLE, "TrialMetricsUnavailable", why
                )

    def conclude(self, experiment_id: int) -> ExperimentRecord:
        """Decide an experiment of which no further trial will start.

        Where neither goal nor budget decided, the end of all trial tasks does.
        """
        experiment = self.experiment(self.store.experiment(experiment_id))
        with self.store.locked(experiment_id) as transaction:
            self._judge(transaction, experiment, slots_left=False)
        return self.store.experiment(experiment_id)

    def _observe(
        self, experiment: Experiment, trial_name: str, sought: str
    ) -> tuple[Observation, float | None, str | None]:
        observation = observe(experiment.objective, self.store.get_observation_log(trial_name))
        value, problem = objective_value(
            experiment.objective,
            observation,
            allow_text=experiment.spec.nas_config is not None,
            sought=sought,
        )
        return observation, value, problem

    def _judge(
        self, transaction: ExperimentTransaction, experiment: Experiment, *, slots_left: bool = True
    ) -> Decided | None:
        """Decide the experiment inside the transaction that changed it. The first decision stands."""
        if decided := self.decision(transaction.experiment):
            return decided
        verdict = judge(
            experiment,
            transaction.trials(),
            exhausted=transaction.experiment.suggestions_exhausted,
            slots_left=slots_left,
        )
        if verdict is None:
            return None
        transaction.set_experiment_condition(verdict.condition, verdict.reason, verdict.message)
        return Decided(verdict.condition, verdict.reason, verdict.message)

    # ---- results

    def optimal_trial(self, experiment_id: int) -> dict[str, Any] | None:
        """Return the best trial as ``{"trial", "assignments", "metrics"}``, or ``None`` where there is none.

        Assignments have their Python types; each metric is its value by its strategy, a number where it is one.
        """
        experiment = self.experiment(self.store.experiment(experiment_id))
        best = optimal_trial(experiment.objective, self.store.trials(experiment_id))
        return None if best is None else trial_result(experiment, best)

    def require_success(self, experiment_id: int) -> ExperimentRecord:
        """Return the experiment unless it failed.

        :raises ExperimentFailedError: with the reason of its Failed condition.
        """
        record = self.store.experiment(experiment_id)
        if record.condition is ExperimentCondition.FAILED:
            raise ExperimentFailedError(
                f"Experiment {record.name!r} failed: {record.message} ({record.reason})"
            )
        return record

    # ---- observation logs

    def register_observation_log(
        self, trial_name: str, logs: Iterable[MetricLog], *, attempt: int | None = None
    ) -> int:
        """Add rows to a trial's observation log and return how many were new.

        A row is known by (metric, step), so registering the same log again adds nothing.

        :param attempt: the attempt of the trial that reports; where given, an earlier one is refused, so that a
            run that was thought dead cannot write into the next one's log.
        :raises NotFoundError: if there is no such trial.
        :raises StoreError: if another attempt of the trial has begun.
        """
        return self.store.register_observation_log(trial_name, logs, attempt=attempt)

    def get_observation_log(
        self,
        trial_name: str,
        metric_name: str | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
    ) -> Iterator[MetricLog]:
        """Stream a trial's observation log in the order of time, both ends of the range included."""
        return self.store.get_observation_log(trial_name, metric=metric_name, start=start_time, end=end_time)

    def delete_observation_log(self, trial_name: str) -> int:
        """Delete a trial's observation log and return how many rows there were."""
        return self.store.delete_observation_log(trial_name)


def _trial_name(experiment_name: str) -> str:
    return f"{experiment_name}-{''.join(secrets.choice(_NAME_ALPHABET) for _ in range(8))}"


@lru_cache(maxsize=8)
def _open_store(url: str, pid: int) -> KatibStore:  # a forked process opens its own
    """Keep one engine a process and database: opening one checks the version of the tables."""
    from airflow_katib_provider.store.store import KatibStore

    store = KatibStore(url)
    store.migrate()
    return store
