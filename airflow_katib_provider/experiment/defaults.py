"""Katib's defaults: what a specification means where it is silent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_katib_provider.experiment.spec import (
    CollectorKind,
    CollectorSpec,
    Distribution,
    ExperimentSpec,
    FileSystemPath,
    HttpGet,
    MetricsCollectorSpec,
    MetricsSource,
    MetricStrategy,
    NasConfig,
    Objective,
    ParameterSpec,
    ResumePolicy,
    TrialTemplate,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

PARALLEL_TRIAL_COUNT = 3


@dataclass(frozen=True, slots=True)
class _KindDefaults:
    """The conditions and the primary pod's labels of one kind of trial resource."""

    success: str
    failure: str
    labels: Mapping[str, str] = field(default_factory=dict)


def _condition(type_: str) -> str:
    return f'status.conditions.#(type=="{type_}")#|#(status=="True")#'


def _phase(phase: str) -> str:
    return f'status.[@this].#(phase=="{phase}")#'


_TRAINING_JOB = _KindDefaults(
    _condition("Succeeded"), _condition("Failed"), {"training.kubeflow.org/job-role": "master"}
)
_TRAIN_JOB = _KindDefaults(
    _condition("Complete"),
    _condition("Failed"),
    {"jobset.sigs.k8s.io/replicatedjob-name": "node", "batch.kubernetes.io/job-completion-index": "0"},
)
_BY_KIND: Mapping[str, _KindDefaults] = {
    "Job": _KindDefaults(_condition("Complete"), _condition("Failed")),
    "Pod": _KindDefaults(_phase("Succeeded"), _phase("Failed")),
    "TFJob": _TRAINING_JOB,
    "PyTorchJob": _TRAINING_JOB,
    "XGBoostJob": _TRAINING_JOB,
    "MPIJob": _TRAINING_JOB,
    "TrainJob": _TRAIN_JOB,
}

_FILE_PATHS: Mapping[CollectorKind, FileSystemPath] = {
    CollectorKind.FILE: FileSystemPath(path="/var/log/katib/metrics.log", kind="File", format="TEXT"),
    CollectorKind.TENSORFLOW_EVENT: FileSystemPath(path="/var/log/katib/tfevent/", kind="Directory"),
}
_HTTP_GET = HttpGet(path="/metrics", port=8080)


def with_defaults(spec: ExperimentSpec) -> ExperimentSpec:
    """Return a specification with Katib's defaults filled in; what was written stays as it is.

    Two defaults differ from Katib's. ``parallelTrialCount`` is 3, but never more than ``maxTrialCount``:
    Katib refuses an experiment of one or two trials that leaves it out. A ``Pod`` as trial has conditions, by
    its phase; in Katib they have to be written.

    :param spec: any specification, valid or not; it is not changed.
    """
    return spec.model_copy(
        update={
            "parameters": tuple(map(_parameter, spec.parameters)),
            "objective": spec.objective and _objective(spec.objective),
            "trial_template": spec.trial_template and _trial_template(spec.trial_template),
            "parallel_trial_count": _parallel_trial_count(spec),
            "metrics_collector_spec": _collector(spec.metrics_collector_spec or MetricsCollectorSpec()),
            "nas_config": spec.nas_config and _nas_config(spec.nas_config),
            "resume_policy": spec.resume_policy or ResumePolicy.NEVER,
        }
    )


def _parallel_trial_count(spec: ExperimentSpec) -> int:
    if spec.parallel_trial_count is not None:
        return spec.parallel_trial_count
    if spec.max_trial_count is None or spec.max_trial_count < 1:
        return PARALLEL_TRIAL_COUNT
    return min(PARALLEL_TRIAL_COUNT, spec.max_trial_count)


def _parameter(parameter: ParameterSpec) -> ParameterSpec:
    space = parameter.feasible_space
    if space is None or space.distribution is not None:
        return parameter
    uniform = space.model_copy(update={"distribution": Distribution.UNIFORM})
    return parameter.model_copy(update={"feasible_space": uniform})


def _nas_config(nas: NasConfig) -> NasConfig:
    operations = tuple(
        operation.model_copy(update={"parameters": tuple(map(_parameter, operation.parameters))})
        for operation in nas.operations
    )
    return nas.model_copy(update={"operations": operations})


def _objective(objective: Objective) -> Objective:
    if objective.type is None:
        return objective
    written = {strategy.name for strategy in objective.metric_strategies}
    added = tuple(
        MetricStrategy(name=name, value=objective.strategy(name))
        for name in objective.metric_names
        if name not in written
    )
    return objective.model_copy(update={"metric_strategies": objective.metric_strategies + added})


def _trial_template(template: TrialTemplate) -> TrialTemplate:
    kind = str((template.trial_spec or {}).get("kind"))
    default = _BY_KIND.get(kind)
    if default is None:
        return template
    return template.model_copy(
        update={
            "success_condition": template.success_condition or default.success,
            "failure_condition": template.failure_condition or default.failure,
            "primary_pod_labels": template.primary_pod_labels or dict(default.labels),
        }
    )


def _collector(collector: MetricsCollectorSpec) -> MetricsCollectorSpec:
    kind = collector.kind
    source = collector.source or MetricsSource()
    if kind in _FILE_PATHS:
        path = _filled(source.file_system_path or FileSystemPath(), _FILE_PATHS[kind])
        source = source.model_copy(update={"file_system_path": path})
    elif kind is CollectorKind.PROMETHEUS_METRIC:
        source = source.model_copy(update={"http_get": _http_get(source.http_get or HttpGet())})
    return collector.model_copy(
        update={
            "collector": (collector.collector or CollectorSpec()).model_copy(update={"kind": kind}),
            "source": source if collector.source or source != MetricsSource() else None,
        }
    )


def _filled(written: FileSystemPath, default: FileSystemPath) -> FileSystemPath:
    return FileSystemPath(
        path=written.path or default.path,
        kind=written.kind or default.kind,
        format=written.format or default.format,
    )


def _http_get(written: HttpGet) -> HttpGet:
    port = written.port if str(written.port or 0) != "0" else _HTTP_GET.port
    return written.model_copy(update={"path": written.path or _HTTP_GET.path, "port": port})
