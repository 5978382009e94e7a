"""The operator that runs a trial as a local process."""

from __future__ import annotations

import math
import os
import shlex
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from airflow.sdk import BaseOperator

from airflow_katib_provider.collectors.file_tail import FileTail
from airflow_katib_provider.exceptions import RenderingError
from airflow_katib_provider.hooks.katib import KatibHook
from airflow_katib_provider.operators._local_command import LocalCommand
from airflow_katib_provider.operators._process_group import ProcessGroup
from airflow_katib_provider.operators._recorder import Recorder
from airflow_katib_provider.operators._trial_run import MAP_INDEX_TEMPLATE, TrialRun, bind, config_map_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

_TICK_SECONDS = 0.5
_GRACE_SECONDS = 2.0
"""Between SIGTERM and SIGKILL. Airflow itself leaves a killed task five seconds."""
_SIGNAL_BASE = 128


class ProcessTrialOperator(BaseOperator):
    """Runs one trial as a process group on the worker: the command of the trial template's primary container.

    Map it over the output of an :class:`~airflow_katib_provider.operators.experiment.ExperimentOperator`. The
    image is not used; command, arguments and environment of the container are. Output goes to the task log and,
    while the process runs, to the metrics collector. A path that the template would mount for a File collector
    is moved into a directory of the trial's own, wherever command, arguments or environment name it.

    :param experiment_id: the experiment's id in the store, from the slot.
    :param slot: the number of the trial slot, from the slot.
    :param trial_name: the trial that was bound to the slot beforehand (explicit rounds), to be seen in the UI.
    :param assignments: its assignments, to be seen in the UI.
    :param katib_conn_id: the connection of the store.
    :param env: environment variables on top of the worker's and the template's.
    :param cwd: the working directory; the directory of the DAG file where none is given.
    :param process_timeout: seconds after which the process is ended and the trial fails; the template's
        ``activeDeadlineSeconds`` where none is given.
    :param config_map: the path of a ConfigMap manifest, for a template with a ``configMap`` source.

    Returns ``{"status", "trial", "assignments", "metrics"}``.
    """

    template_fields = ("env", "cwd", "config_map", "katib_conn_id", "trial_name", "assignments")
    ui_color = "#fdf3d0"

    def __init__(
        self,
        *,
        experiment_id: int,
        slot: int,
        trial_name: str | None = None,
        assignments: Mapping[str, Any] | None = None,
        katib_conn_id: str = KatibHook.default_conn_name,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        process_timeout: float | None = None,
        config_map: str | None = None,
        map_index_template: str | None = MAP_INDEX_TEMPLATE,
        **kwargs: Any,
    ) -> None:
        super().__init__(map_index_template=map_index_template, **kwargs)
        self.experiment_id = experiment_id
        self.slot = slot
        self.trial_name = trial_name
        self.assignments = assignments
        self.katib_conn_id = katib_conn_id
        self.env = env
        self.cwd = cwd
        self.process_timeout = process_timeout
        self.config_map = config_map
        self._process: ProcessGroup | None = None
        self._killed_at: float | None = None
        self._expired: float | None = None

    def take_turn(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Ask for the trial again, after the slot had to wait."""
        return self.execute(context)

    def execute(self, context: Context) -> dict[str, Any]:
        """Bind the trial, run its command, and record what it reports and how it ends."""
        run = bind(
            self, context, experiment_id=self.experiment_id, slot=self.slot, conn_id=self.katib_conn_id
        )
        directory = tempfile.mkdtemp(prefix=f"{run.name}-")
        try:
            with run.recorded():
                manifest = run.render(self._config_map_text(run))
                return self._run(run, LocalCommand.from_manifest(run.experiment, manifest, directory))
        finally:
            if not run.experiment.trial_template.retain:
                shutil.rmtree(directory, ignore_errors=True)

    def on_kill(self) -> None:
        """Ask the process group to end; called by Airflow from a signal handler."""
        self._killed_at = time.monotonic()
        if self._process is not None:
            self._process.signal(signal.SIGTERM)

    def _config_map_text(self, run: TrialRun) -> str | None:
        source = run.experiment.trial_template.config_map
        if source is None:
            return None
        if self.config_map is None:
            raise RenderingError(
                f"spec.trialTemplate.configMap: a local process reads ConfigMap {source.config_map_name!r} from a "
                "file; give the path of its manifest with the operator's config_map"
            )
        return config_map_text(yaml.safe_load(Path(self.config_map).read_text("utf-8")), source)

    def _run(self, run: TrialRun, command: LocalCommand) -> dict[str, Any]:
        shown = shlex.join(command.arguments)
        cwd = self.cwd or os.path.dirname(os.path.abspath(run.context["dag"].fileloc))
        self.log.info("Running %s in %s", shown, cwd)
        try:
            process = ProcessGroup(command.arguments, env=self._environment(run, command), cwd=cwd)
        except OSError as error:
            run.fail("TrialCommandNotStarted", f"{shown} could not be started: {error}")
        self._process = process
        timeout = self.process_timeout or command.timeout
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        try:
            tail = self._follow(run, command, process, deadline)
        finally:
            process.close()
        if self._killed_at is not None:
            run.kill(f"{shown} was ended together with its task")
        if self._expired:
            run.fail("DeadlineExceeded", f"{shown} was ended after {timeout:g} s.\n{tail}")
        if process.exit_code != 0:
            run.fail("TrialCommandFailed", f"{shown} {_ending(process.exit_code)}\n{tail}")
        return run.succeed("Trial has succeeded")

    def _follow(self, run: TrialRun, command: LocalCommand, process: ProcessGroup, deadline: float) -> str:
        """Read output and metrics file until the process has ended; return the last lines of its output."""
        reads_file = command.metrics_file is not None
        output = Recorder(run.hook, run.record, None if reads_file else run.parser, echo=self.log.info)
        metrics = Recorder(run.hook, run.record, run.parser) if reads_file else None
        file = FileTail(command.metrics_file) if command.metrics_file is not None else None
        for chunk in process.output(_TICK_SECONDS):
            output.feed(chunk)
            _feed_file(file, metrics)
            self._enforce(process, deadline)
        _feed_file(file, metrics)
        for recorder in (output, metrics):
            if recorder is not None:
                recorder.close()
        return output.tail

    def _enforce(self, process: ProcessGroup, deadline: float) -> None:
        """End a process that is over its deadline, and one that does not heed SIGTERM."""
        now = time.monotonic()
        if self._expired is None and now > deadline:
            self._expired = now
            process.signal(signal.SIGTERM)
        for asked_at in (self._expired, self._killed_at):
            if asked_at is not None and now - asked_at > _GRACE_SECONDS:
                process.signal(signal.SIGKILL)

    def _environment(self, run: TrialRun, command: LocalCommand) -> dict[str, str]:
        # A Python program that writes to a pipe keeps its lines for itself unless told otherwise.
        return {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            **command.env,
            **(self.env or {}),
            "KATIB_TRIAL_NAME": run.name,
        }


def _feed_file(file: FileTail | None, recorder: Recorder | None) -> None:
    if file is not None and recorder is not None:
        for chunk in file.read_new():
            recorder.feed(chunk)


def _ending(exit_code: int | None) -> str:
    ending = f"ended with exit code {exit_code}"
    if exit_code is not None and exit_code - _SIGNAL_BASE in set(signal.Signals):
        ending += f" ({signal.Signals(exit_code - _SIGNAL_BASE).name})"
    return ending
