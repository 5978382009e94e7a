"""``spec.trialTemplate``: the manifest, its placeholders, and what they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow_katib_provider.exceptions import Problem
from airflow_katib_provider.experiment.rendering import PLACEHOLDER, TEMPLATE, is_metadata_reference
from airflow_katib_provider.experiment.validation.manifest import check_manifest
from airflow_katib_provider.experiment.wording import listed, nearest

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.spec import ExperimentSpec, TrialParameter, TrialTemplate

_BRACES = frozenset("{}")
_PARAMETERS = f"{TEMPLATE}.trialParameters"


def check_template(spec: ExperimentSpec) -> Iterator[Problem]:
    """Check the template, its trial parameters, and that every search parameter reaches it."""
    template = spec.trial_template
    if template is None:
        yield Problem(TEMPLATE, "must be specified")
        return
    for name, value in {
        "primaryContainerName": template.primary_container_name,
        "successCondition": template.success_condition,
        "failureCondition": template.failure_condition,
    }.items():
        if not value:
            yield Problem(f"{TEMPLATE}.{name}", "must be specified")
    yield from _check_source(template)
    if template.trial_parameters is None:
        yield Problem(_PARAMETERS, "must be specified; write [] where the template has no placeholder")
    else:
        yield from _check_entries(template.trial_parameters)
        yield from _check_references(spec, template.trial_parameters)
        yield from _check_placeholders(template)
    if template.trial_spec is not None:
        yield from check_manifest(template)


def _check_source(template: TrialTemplate) -> Iterator[Problem]:
    if template.trial_spec is not None and template.config_map is not None:
        yield Problem(TEMPLATE, "has both trialSpec and configMap; remove one of them")
    elif template.trial_spec is None and template.config_map is None:
        yield Problem(TEMPLATE, "has neither trialSpec nor configMap; write one of them")
    if template.config_map is not None:
        for name, value in {
            "configMapName": template.config_map.config_map_name,
            "configMapNamespace": template.config_map.config_map_namespace,
            "templatePath": template.config_map.template_path,
        }.items():
            if not value:
                yield Problem(f"{TEMPLATE}.configMap.{name}", "must be specified")


def _check_entries(entries: tuple[TrialParameter, ...]) -> Iterator[Problem]:
    """Check each entry by itself, and that none repeats another."""
    first: dict[tuple[str, str], int] = {}
    for index, entry in enumerate(entries):
        for field, value in {"name": entry.name, "reference": entry.reference}.items():
            path = f"{_PARAMETERS}[{index}].{field}"
            earlier = first.setdefault((field, value), index)
            if not value:
                yield Problem(path, "must be specified")
            elif field == "name" and set(value) & _BRACES:
                yield Problem(path, f"{value!r} must not contain braces")
            elif earlier != index:
                yield Problem(path, f"{value!r} is the {field} of entry {earlier} already; keep one of them")


def _check_references(spec: ExperimentSpec, entries: tuple[TrialParameter, ...]) -> Iterator[Problem]:
    """Check that the entries and the search parameters refer to one another, leaving nothing over."""
    names = [parameter.name for parameter in spec.parameters]
    if not all(names) or not all(entry.reference for entry in entries):
        return
    meant: set[str | None] = set()
    for index, entry in enumerate(entries):
        if names and entry.reference not in names and not is_metadata_reference(entry.reference):
            near = nearest(entry.reference, names)
            hint = f"did you mean {near}?" if near else f"there is {listed(names)}"
            message = f"{entry.reference!r} is not the name of a search parameter; {hint}"
            yield Problem(f"{_PARAMETERS}[{index}].reference", message)
            meant.add(near)
        meant.add(entry.reference)
    for index, name in enumerate(names):
        if name not in meant:
            message = f"{name!r} reaches no trial: {_PARAMETERS} has no entry with reference: {name}"
            yield Problem(f"spec.parameters[{index}]", message)


def _check_placeholders(template: TrialTemplate) -> Iterator[Problem]:
    """Check that the placeholders in ``trialSpec`` and the entries name one another."""
    names = [entry.name for entry in template.trial_parameters or ()]
    if template.trial_spec is None or not all(name and not set(name) & _BRACES for name in names):
        return
    meant: set[str | None] = set()
    for name, path in _placeholders(template.trial_spec, f"{TEMPLATE}.trialSpec"):
        if name not in names and name not in meant:
            near = nearest(name, names)
            hint = f"did you mean {near}?" if near else "add an entry with that name"
            yield Problem(path, f"${{trialParameters.{name}}} is not in trialParameters; {hint}")
            meant.add(near)
        meant.add(name)
    for index, name in enumerate(names):
        if name not in meant:
            message = f"{name!r} is not used: ${{trialParameters.{name}}} does not occur in trialSpec"
            yield Problem(f"{_PARAMETERS}[{index}].name", message)


def _placeholders(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the names in placeholders, with the path of the text that they stand in."""
    if isinstance(value, str):
        yield from ((name, path) for name in PLACEHOLDER.findall(value))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from ((name, path) for name in PLACEHOLDER.findall(str(key)))
            yield from _placeholders(item, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _placeholders(item, f"{path}[{index}]")
