"""What a trial template's primary container amounts to on a machine without containers."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_katib_provider.exceptions import Problem
from airflow_katib_provider.experiment.rendering import primary_container
from airflow_katib_provider.experiment.spec import CollectorKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow_katib_provider.experiment.experiment import Experiment

KINDS = ("Job", "Pod")
"""The kinds of trialSpec that one local process can stand for."""

COLLECTORS = (CollectorKind.STD_OUT, CollectorKind.FILE)

_VARIABLE = re.compile(r"\$\$|\$\(([^)]+)\)")


@dataclass(frozen=True, slots=True)
class LocalCommand:
    """A container as a local command.

    :param arguments: the program and its arguments.
    :param env: the container's variables, without those of the worker.
    :param timeout: seconds, from ``activeDeadlineSeconds``; ``None`` for no limit.
    :param metrics_file: the file that a File collector reads, in the trial's own directory.
    """

    arguments: tuple[str, ...]
    env: dict[str, str]
    timeout: float | None
    metrics_file: str | None

    @classmethod
    def from_manifest(cls, experiment: Experiment, manifest: dict[str, Any], directory: str) -> LocalCommand:
        """Read the command of a rendered trial.

        :param directory: an empty directory of the trial's own. What the template would mount to hold the
            metrics file lies there, and every path that names it is changed accordingly.
        """
        container = primary_container(manifest, experiment.trial_template)
        mount = _mount_point(experiment)
        move = _mover(mount, directory)
        env: dict[str, str] = {}
        for variable in container.get("env") or ():
            env[variable["name"]] = move(_expand(str(variable.get("value") or ""), env))
        words = [*(container.get("command") or ()), *(container.get("args") or ())]
        metrics_file = None
        if mount is not None:
            metrics_file = move(_metrics_path(experiment))
            os.makedirs(os.path.dirname(metrics_file), exist_ok=True)
        return cls(
            arguments=tuple(move(_expand(str(word), env)) for word in words),
            env=env,
            timeout=_timeout(manifest),
            metrics_file=metrics_file,
        )


def check_local(experiment: Experiment) -> Iterator[Problem]:
    """Yield what keeps an experiment from running as local processes."""
    kind = experiment.collector.kind
    if kind not in COLLECTORS:
        yield Problem(
            "spec.metricsCollectorSpec.collector.kind",
            f"{kind} needs a pod; a local process has {' or '.join(COLLECTORS)}",
        )
    manifest = experiment.trial_template.trial_spec
    if manifest is None:
        return
    if manifest.get("kind") not in KINDS:
        yield Problem(
            "spec.trialTemplate.trialSpec.kind",
            f"{manifest.get('kind')!r} cannot run as a local process; use {' or '.join(KINDS)}, or runner='kubernetes'",
        )
        return
    container = primary_container(manifest, experiment.trial_template)
    path = f"spec.trialTemplate.trialSpec, container {container.get('name')!r}"
    if not container.get("command"):
        yield Problem(
            path, "command is missing; a local process does not know the image's entry point, so write it out"
        )
    for variable in container.get("env") or ():
        if "valueFrom" in variable:
            yield Problem(
                f"{path}, env {variable.get('name')!r}",
                "valueFrom is known to Kubernetes alone; give a value here or with the operator's env",
            )


def _timeout(manifest: Mapping[str, Any]) -> float | None:
    spec = manifest.get("spec") or {}
    limits = [spec.get("activeDeadlineSeconds")]
    if manifest.get("kind") == "Job":
        limits.append(((spec.get("template") or {}).get("spec") or {}).get("activeDeadlineSeconds"))
    return min((float(limit) for limit in limits if limit is not None), default=None)


def _metrics_path(experiment: Experiment) -> str:
    source = experiment.collector.source
    return (source and source.file_system_path and source.file_system_path.path) or ""


def _mount_point(experiment: Experiment) -> str | None:
    if experiment.collector.kind is not CollectorKind.FILE:
        return None
    return posixpath.dirname(_metrics_path(experiment))


def _mover(mount: str | None, directory: str) -> Callable[[str], str]:
    """Return a function that rewrites paths at or below ``mount`` to lie below ``directory``."""
    if mount is None or mount == "/":
        return lambda text: text
    pattern = re.compile(rf"(?<![\w./-]){re.escape(mount)}(?=$|[/\s\"':;,])")
    target = directory + mount
    return lambda text: pattern.sub(lambda _: target, text)


def _expand(text: str, env: Mapping[str, str]) -> str:
    """Replace ``$(NAME)`` as Kubernetes does: known names only, ``$$`` stands for one dollar sign."""

    def value(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return "$"
        return env.get(match.group(1), match.group(0))

    return _VARIABLE.sub(value, text)
