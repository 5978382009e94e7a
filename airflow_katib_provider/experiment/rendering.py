"""From a trial template and a trial's assignments to the manifest that is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import yaml

from airflow_katib_provider.exceptions import RenderingError
from airflow_katib_provider.experiment.wording import listed, nearest, shown
from airflow_katib_provider.experiment.yaml_text import (
    TYPED_SCALARS,
    describe_error,
    load_filled,
    type_of_plain,
)

if TYPE_CHECKING:
    from yaml.nodes import ScalarNode

    from airflow_katib_provider.experiment.spec import TrialTemplate

TEMPLATE = "spec.trialTemplate"
PLACEHOLDER = re.compile(r"\$\{trialParameters\.(.+?)\}")

_METADATA_REFERENCE = re.compile(r"\$\{trialSpec\.(\w+)(?:\[(.+)\])?\}")
_METADATA_KEYS = ("Name", "Namespace", "Kind", "APIVersion", "Annotations[key]", "Labels[key]")
_CONTAINERS = {"Job": ("spec", "template", "spec", "containers"), "Pod": ("spec", "containers")}


def render(
    template: TrialTemplate,
    *,
    trial_name: str,
    namespace: str,
    assignments: Mapping[str, str],
    config_map_text: str | None = None,
) -> dict[str, Any]:
    """Return the manifest of a trial.

    Every ``${trialParameters.name}`` is replaced in one pass, in keys too. A value always stays within the
    text that it was placed in: it may hold quotes, line breaks or placeholders. In a ``trialSpec`` the result
    is text. In a ``configMap``'s YAML a scalar without quotes becomes a number or a boolean where its new
    text is one, as if the value had been written there.

    :param template: the template of a valid experiment; it is not changed.
    :param trial_name: becomes ``metadata.name``, and what ``${trialSpec.Name}`` refers to.
    :param namespace: becomes ``metadata.namespace``, and what ``${trialSpec.Namespace}`` refers to.
    :param assignments: parameter name to value, as the algorithm suggested them.
    :param config_map_text: the text at ``templatePath`` of the ConfigMap; needed where the template is there.
    :raises RenderingError: if an assignment, a label or an annotation is missing, an assignment is not used,
        or the ConfigMap's text is not a manifest.
    """
    source: Mapping[str, Any]
    source = (
        template.trial_spec
        if template.trial_spec is not None
        else _read_config_map(template, config_map_text)
    )
    metadata_of = partial(metadata_value, manifest=source, trial_name=trial_name, namespace=namespace)
    values = {
        parameter.name: _value(index, parameter.reference, assignments, metadata_of)
        for index, parameter in enumerate(template.trial_parameters or ())
    }
    _refuse_unused(template, assignments)

    def fill(text: str) -> str:
        return PLACEHOLDER.sub(lambda match: _placed(match[1], values), text)

    manifest: dict[str, Any]
    if template.trial_spec is not None:
        manifest = _fill_value(source, fill)
    else:
        manifest = load_filled(config_map_text or "", partial(_fill_scalar, fill=fill))
    metadata = manifest.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise RenderingError(f"{TEMPLATE}: metadata is {shown(metadata)}; write a mapping")
    manifest["metadata"] = {**metadata, "name": trial_name, "namespace": namespace}
    return manifest


def is_metadata_reference(reference: str) -> bool:
    """Return whether a trial parameter refers to the trial's own metadata, and not to a search parameter."""
    return reference.startswith("${trialSpec.")


def metadata_value(
    reference: str, manifest: Mapping[str, Any], *, trial_name: str = "", namespace: str = ""
) -> str:
    """Return what a reference such as ``${trialSpec.Name}`` or ``${trialSpec.Labels[app]}`` refers to.

    :param reference: a text for which :func:`is_metadata_reference` holds.
    :param manifest: the template, before anything is replaced in it.
    :raises LookupError: if there is no such metadata; the message says what there is.
    """
    match = _METADATA_REFERENCE.fullmatch(reference)
    key, index = (match[1], match[2]) if match else ("", None)
    direct = {
        "Name": trial_name,
        "Namespace": namespace,
        "Kind": manifest.get("kind", ""),
        "APIVersion": manifest.get("apiVersion", ""),
    }
    if key in direct and index is None:
        return str(direct[key])
    if key not in ("Labels", "Annotations") or index is None:
        raise LookupError(f"{reference!r} refers to no metadata; there is {listed(_METADATA_KEYS)}")
    metadata = manifest.get("metadata")
    entries = metadata.get(key.lower()) if isinstance(metadata, Mapping) else None
    entries = entries if isinstance(entries, Mapping) else {}
    if index not in entries:
        raise LookupError(f"the template's metadata.{key.lower()} lack {index!r}; there is {listed(entries)}")
    return str(entries[index])


def containers(manifest: Mapping[str, Any]) -> list[Any] | None:
    """Return the containers of a Job or a Pod; ``None`` for other kinds and where no list is there."""
    node: Any = manifest
    for key in _CONTAINERS.get(str(manifest.get("kind")), ()):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, list) else None


def primary_container(manifest: Mapping[str, Any], template: TrialTemplate) -> dict[str, Any]:
    """Return the container whose metrics are collected.

    :param manifest: a rendered Job or Pod.
    :raises RenderingError: if the manifest is of another kind, or has no container of that name.
    """
    found = [container for container in containers(manifest) or () if isinstance(container, dict)]
    for container in found:
        if container.get("name") == template.primary_container_name:
            return container
    if str(manifest.get("kind")) not in _CONTAINERS:
        what = f"kind {shown(manifest.get('kind'))} is neither a Job nor a Pod, whose containers are known"
    else:
        names = listed(str(container.get("name")) for container in found)
        what = f"there is no container {template.primary_container_name!r}; the template has {names}"
    raise RenderingError(f"{TEMPLATE}.primaryContainerName: {what}")


def _value(
    index: int, reference: str, assignments: Mapping[str, str], metadata_of: Callable[[str], str]
) -> str:
    if reference in assignments:
        return str(assignments[reference])
    path = f"{TEMPLATE}.trialParameters[{index}].reference"
    if not is_metadata_reference(reference):
        raise RenderingError(f"{path}: {reference!r} has no assignment; assigned are {listed(assignments)}")
    try:
        return metadata_of(reference)
    except LookupError as error:
        raise RenderingError(f"{path}: {error}") from None


def _refuse_unused(template: TrialTemplate, assignments: Mapping[str, str]) -> None:
    used = {parameter.reference for parameter in template.trial_parameters or ()}
    unused = [name for name in assignments if name not in used]
    if unused:
        raise RenderingError(
            f"{TEMPLATE}.trialParameters: nothing refers to the assigned {listed(unused)}; "
            "add an entry with that reference"
        )


def _placed(name: str, values: Mapping[str, str]) -> str:
    if name in values:
        return values[name]
    near = nearest(name, values)
    raise RenderingError(
        f"{TEMPLATE}: ${{trialParameters.{name}}} is not in trialParameters; "
        + (f"did you mean {near}?" if near else f"there is {listed(values)}")
    )


def _fill_value(value: Any, fill: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, Mapping):
        return {fill(key): _fill_value(item, fill) for key, item in value.items()}
    return [_fill_value(item, fill) for item in value] if isinstance(value, (list, tuple)) else value


def _fill_scalar(scalar: ScalarNode, fill: Callable[[str], str]) -> None:
    filled = fill(scalar.value)
    if filled != scalar.value and not scalar.style:
        tag = type_of_plain(filled)
        scalar.tag = tag if tag in TYPED_SCALARS else scalar.tag
    scalar.value = filled


def _read_config_map(template: TrialTemplate, text: str | None) -> Mapping[str, Any]:
    path = f"{TEMPLATE}.configMap"
    if text is None:
        raise RenderingError(f"{path}: the text of the ConfigMap is needed, and was not given")
    place = f"{template.config_map.template_path!r}" if template.config_map else "the text"
    try:
        manifest = load_filled(text, lambda _: None)
    except yaml.YAMLError as error:
        where, what = describe_error(error)
        raise RenderingError(f"{path}: {place} is not valid YAML: {where}: {what}") from error
    if not isinstance(manifest, Mapping):
        raise RenderingError(f"{path}: {place} is {shown(manifest)}; write one Kubernetes object")
    missing = [key for key in ("apiVersion", "kind") if not manifest.get(key)]
    if missing:
        raise RenderingError(f"{path}: {place} lacks {listed(missing)}; write what the trial is")
    return manifest
