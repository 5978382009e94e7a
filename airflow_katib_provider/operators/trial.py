"""The operator that runs a trial as a pod."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.callbacks import KubernetesPodOperatorCallback
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

from airflow_katib_provider.hooks.katib import KatibHook
from airflow_katib_provider.operators._pod_manifest import pod_manifest
from airflow_katib_provider.operators._recorder import Recorder
from airflow_katib_provider.operators._trial_run import MAP_INDEX_TEMPLATE, TrialRun, bind, config_map_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context


class KubernetesTrialOperator(KubernetesPodOperator):
    """Runs one trial as a pod: that of the trial template's Job, or the template's own.

    Map it over the output of an :class:`~airflow_katib_provider.operators.experiment.ExperimentOperator`. The
    log of the primary container goes to the task log and, while the pod runs, to the metrics collector.

    :param experiment_id: the experiment's id in the store, from the slot.
    :param slot: the number of the trial slot, from the slot.
    :param trial_name: the trial that was bound to the slot beforehand (explicit rounds), to be seen in the UI.
    :param assignments: its assignments, to be seen in the UI.
    :param katib_conn_id: the connection of the store.
    :param kwargs: any argument of :class:`KubernetesPodOperator`; it wins over the trial template. The namespace
        is the experiment's where none is given.

    Returns ``{"status", "trial", "assignments", "metrics"}``.
    """

    template_fields = (*KubernetesPodOperator.template_fields, "katib_conn_id", "trial_name", "assignments")
    ui_color = "#fdf3d0"

    def __init__(
        self,
        *,
        experiment_id: int,
        slot: int,
        trial_name: str | None = None,
        assignments: Mapping[str, Any] | None = None,
        katib_conn_id: str = KatibHook.default_conn_name,
        map_index_template: str | None = MAP_INDEX_TEMPLATE,
        log_events_on_startup: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            map_index_template=map_index_template,
            log_events_on_startup=log_events_on_startup,
            deferrable=False,
            **kwargs,
        )
        self.experiment_id = experiment_id
        self.slot = slot
        self.trial_name = trial_name
        self.assignments = assignments
        self.katib_conn_id = katib_conn_id
        self._killed = False

    def take_turn(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Ask for the trial again, after the slot had to wait."""
        return self.execute(context)

    def execute(self, context: Context) -> dict[str, Any]:
        """Bind the trial, run its pod, and record what it reports and how it ends."""
        run = bind(
            self, context, experiment_id=self.experiment_id, slot=self.slot, conn_id=self.katib_conn_id
        )
        with run.recorded():
            self.prepare(run)
            return self._run(run, context)

    def _run(self, run: TrialRun, context: Context) -> dict[str, Any]:
        recorder = Recorder(run.hook, run.record, run.parser)
        self.callbacks = [*self.callbacks, _log_reader(recorder, self.base_container_name)]
        try:
            super().execute(context)
        except Exception as error:  # Kubernetes' client has errors of its own
            recorder.close()
            if self._killed:
                run.kill("the pod was ended together with its task")
            run.fail("TrialPodFailed", f"{error}\n{recorder.tail}")
        recorder.close()
        return run.succeed("Trial has succeeded")

    def prepare(self, run: TrialRun) -> None:
        """Make this operator's pod that of the trial."""
        manifest = pod_manifest(run.experiment, run.render(self._config_map_text(run)), run.name)
        self.pod_template_dict = manifest
        self.base_container_name = run.experiment.trial_template.primary_container_name
        self.namespace = self.namespace or run.experiment.namespace

    def on_kill(self) -> None:
        """End the pod; called by Airflow from a signal handler."""
        self._killed = True
        super().on_kill()

    def _config_map_text(self, run: TrialRun) -> str | None:
        source = run.experiment.trial_template.config_map
        if source is None:
            return None
        found = self.client.read_namespaced_config_map(source.config_map_name, source.config_map_namespace)
        return config_map_text({"metadata": {"name": found.metadata.name}, "data": found.data}, source)


def _log_reader(recorder: Recorder, container: str) -> type[KubernetesPodOperatorCallback]:
    """Return a callback class, as KubernetesPodOperator wants it, that feeds a container's log to a recorder."""

    class LogReader(KubernetesPodOperatorCallback):
        @staticmethod
        def progress_callback(*, line: str, container_name: str, **_: Any) -> None:
            if container_name == container:
                recorder.feed(f"{line}\n".encode())

    return LogReader
