"""The sensor that gathers the results of an experiment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout

from airflow_katib_provider.exceptions import ExperimentFailedError
from airflow_katib_provider.hooks.katib import KatibHook
from airflow_katib_provider.triggers.store import ObservationsTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_katib_provider.store.records import ExperimentRecord


class MetricsSensor(BaseSensorOperator):
    """Waits until the observation of every started trial is in, and returns the optimal trial.

    Put it behind the trials: it runs when all of them are done, however they ended, and as the leaf of the
    DAG it turns a failed experiment into a failed task. A trial that has not reported when ``timeout`` is over
    (its worker died for good, or its metrics were to be pushed from elsewhere) becomes MetricsUnavailable.

    :param experiment_task_id: the ``task_id`` of the :class:`ExperimentOperator`, its group's prefix included.
    :param katib_conn_id: the connection of the store.
    :param conclude: whether this is the end of the experiment. Sensors between explicit rounds only wait.
    :param timeout: seconds to wait for observations that are missing.
    :param deferrable: wait in the triggerer instead of in a worker.

    Returns ``{"trial", "assignments", "metrics"}`` of the optimal trial, or ``None`` if no trial of a
    succeeded experiment has an objective value.
    """

    template_fields = ("experiment_task_id", "katib_conn_id")
    ui_color = "#d5f0dc"

    def __init__(
        self,
        *,
        experiment_task_id: str,
        katib_conn_id: str = KatibHook.default_conn_name,
        conclude: bool = True,
        timeout: float = 60,
        poke_interval: float = 5,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        trigger_rule: str = "all_done",
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, poke_interval=poke_interval, trigger_rule=trigger_rule, **kwargs)
        self.experiment_task_id = experiment_task_id
        self.katib_conn_id = katib_conn_id
        self.conclude = conclude
        self.deferrable = deferrable

    def poke(self, context: Context) -> bool:
        """Return whether every started trial has ended."""
        hook = KatibHook(self.katib_conn_id)
        active = hook.active_trials(self._find(hook, context).id)
        if active:
            self.log.info("%s trials have not reported yet", active)
        return active == 0

    def execute(self, context: Context) -> dict[str, Any] | None:
        """Wait, conclude the experiment and return the optimal trial."""
        if self.deferrable and not self.poke(context):
            hook = KatibHook(self.katib_conn_id)
            self.defer(
                trigger=ObservationsTrigger(
                    katib_conn_id=self.katib_conn_id,
                    experiment_id=self._find(hook, context).id,
                    deadline=time.time() + self.timeout,
                    poll_interval=self.poke_interval,
                ),
                method_name="execute_complete",
            )
        try:
            super().execute(context)
        except AirflowSensorTimeout as error:
            self.log.warning("%s", error)
        return self._finish(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any] | None:
        """Go on after the trigger: conclude the experiment and return the optimal trial."""
        if not event["came_true"]:
            self.log.warning("Some trials have not reported within %s seconds", self.timeout)
        return self._finish(context)

    def _find(self, hook: KatibHook, context: Context) -> ExperimentRecord:
        from airflow_katib_provider.store.records import ExperimentKey

        ti = context["ti"]
        return hook.find_experiment(ExperimentKey(ti.dag_id, ti.run_id, self.experiment_task_id))

    def _finish(self, context: Context) -> dict[str, Any] | None:
        hook = KatibHook(self.katib_conn_id)
        record = self._find(hook, context)
        why = f"no result was reported within {self.timeout:g} s after the trial's task had ended"
        hook.close_silent_trials(record.id, why)
        if not self.conclude:
            return hook.optimal_trial(record.id)
        record = hook.conclude(record.id)
        self.log.info("%s: %s (%s)", record.condition, record.message, record.reason)
        try:
            hook.require_success(record.id)
        except ExperimentFailedError as error:
            # The experiment stays failed however often the sensor is run: no retries.
            raise AirflowFailException(str(error)) from error
        best = hook.optimal_trial(record.id)
        self.log.info("Optimal trial: %s", best)
        return best
