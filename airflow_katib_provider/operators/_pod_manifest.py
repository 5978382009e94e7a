"""From a rendered Job or Pod to the pod that runs as the trial."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from airflow_katib_provider.exceptions import Problem
from airflow_katib_provider.experiment.spec import CollectorKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_katib_provider.experiment.experiment import Experiment

EXPERIMENT_LABEL = "katib.kubeflow.org/experiment"
TRIAL_LABEL = "katib.kubeflow.org/trial"
TRIAL_NAME_VARIABLE = "KATIB_TRIAL_NAME"

KINDS = ("Job", "Pod")
COLLECTORS = (CollectorKind.STD_OUT,)


def pod_manifest(experiment: Experiment, manifest: dict[str, Any], trial_name: str) -> dict[str, Any]:
    """Return the manifest of the trial's pod.

    A Job gives its pod template; its own labels and annotations pass to the pod, the template's win. The pod
    carries Katib's labels, never restarts by itself, and knows its trial's name in ``KATIB_TRIAL_NAME``.

    :param manifest: the rendered trial, a ``batch/v1`` Job or a ``v1`` Pod.
    """
    metadata = manifest.get("metadata") or {}
    pod = manifest
    deadlines = []
    if manifest.get("kind") == "Job":
        pod = manifest["spec"]["template"]
        deadlines.append(manifest["spec"].get("activeDeadlineSeconds"))
    template_metadata = pod.get("metadata") or {}
    spec = copy.deepcopy(pod["spec"])
    deadlines.append(spec.get("activeDeadlineSeconds"))
    limits = [deadline for deadline in deadlines if deadline is not None]
    if limits:
        spec["activeDeadlineSeconds"] = min(limits)
    spec["restartPolicy"] = "Never"
    _name_trial(spec, experiment.trial_template.primary_container_name, trial_name)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": trial_name,
            "namespace": experiment.namespace,
            "labels": {
                **(metadata.get("labels") or {}),
                **(template_metadata.get("labels") or {}),
                **experiment.trial_template.primary_pod_labels,
                EXPERIMENT_LABEL: experiment.name,
                TRIAL_LABEL: trial_name,
            },
            "annotations": {
                **(metadata.get("annotations") or {}),
                **(template_metadata.get("annotations") or {}),
            },
        },
        "spec": spec,
    }


def check_pod(experiment: Experiment) -> Iterator[Problem]:
    """Yield what keeps an experiment from running as pods."""
    if experiment.collector.kind not in COLLECTORS:
        yield Problem(
            "spec.metricsCollectorSpec.collector.kind",
            f"{experiment.collector.kind} is not collected from pods; use {' or '.join(COLLECTORS)}",
        )
    manifest = experiment.trial_template.trial_spec
    if manifest is not None and manifest.get("kind") not in KINDS:
        yield Problem(
            "spec.trialTemplate.trialSpec.kind",
            f"{manifest.get('kind')!r} cannot run as a pod; use {' or '.join(KINDS)}",
        )


def _name_trial(spec: dict[str, Any], container_name: str, trial_name: str) -> None:
    for container in spec.get("containers") or ():
        if container.get("name") == container_name:
            others = [
                variable
                for variable in container.get("env") or ()
                if variable.get("name") != TRIAL_NAME_VARIABLE
            ]
            container["env"] = [*others, {"name": TRIAL_NAME_VARIABLE, "value": trial_name}]
