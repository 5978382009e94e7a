"""``spec.trialTemplate.trialSpec`` as a Kubernetes object."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow_katib_provider.exceptions import Problem
from airflow_katib_provider.experiment.rendering import (
    TEMPLATE,
    containers,
    is_metadata_reference,
    metadata_value,
)
from airflow_katib_provider.experiment.validation.kubernetes import check_kubernetes_object
from airflow_katib_provider.experiment.wording import listed, shown

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.spec import TrialTemplate

_SPEC = f"{TEMPLATE}.trialSpec"


def check_manifest(template: TrialTemplate) -> Iterator[Problem]:
    """Check what is known of every kind of object, and more where the kind is a Job or a Pod.

    :param template: a template with a ``trialSpec``.
    """
    manifest = template.trial_spec or {}
    yield from _check_json(manifest, _SPEC)
    for key in ("apiVersion", "kind"):
        if not isinstance(manifest.get(key), str) or not manifest[key]:
            yield Problem(f"{_SPEC}.{key}", "must be specified")
    metadata = manifest.get("metadata")
    for key in ("name", "namespace"):
        if isinstance(metadata, Mapping) and key in metadata:
            message = f"{shown(metadata[key])} must be left out: each trial gets its own"
            yield Problem(f"{_SPEC}.metadata.{key}", message)
    yield from _check_metadata_references(template, manifest)
    yield from check_kubernetes_object(manifest, _SPEC)
    yield from _check_primary_container(template, manifest)


def _check_json(value: Any, path: str) -> Iterator[Problem]:
    """Check that the template can be written as JSON, which is what Kubernetes takes."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                yield Problem(path, f"the key {shown(key)} must be text; put it in quotes")
            yield from _check_json(item, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _check_json(item, f"{path}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield Problem(path, f"{shown(value)} is not a number that JSON has")
    elif not (value is None or isinstance(value, (str, bool, int, float))):
        yield Problem(
            path, f"{shown(value)} cannot be written as JSON; write text, a number, a list or a mapping"
        )


def _check_metadata_references(template: TrialTemplate, manifest: Mapping[str, Any]) -> Iterator[Problem]:
    for index, entry in enumerate(template.trial_parameters or ()):
        if is_metadata_reference(entry.reference):
            try:
                metadata_value(entry.reference, manifest)
            except LookupError as error:
                yield Problem(f"{TEMPLATE}.trialParameters[{index}].reference", str(error.args[0]))


def _check_primary_container(template: TrialTemplate, manifest: Mapping[str, Any]) -> Iterator[Problem]:
    found = containers(manifest)
    if found is None or not template.primary_container_name:
        return
    names = [str(item.get("name")) for item in found if isinstance(item, Mapping)]
    if template.primary_container_name not in names:
        message = (
            f"{template.primary_container_name!r} is no container of trialSpec, which has {listed(names)}"
        )
        yield Problem(f"{TEMPLATE}.primaryContainerName", message)
