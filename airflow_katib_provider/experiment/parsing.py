"""From YAML or a mapping to typed models, with everything that does not fit named by its field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from airflow_katib_provider.exceptions import InvalidExperimentError, Problem
from airflow_katib_provider.experiment.fitting import fit_spec
from airflow_katib_provider.experiment.spec import ExperimentSpec
from airflow_katib_provider.experiment.wording import camel, is_within, listed, shown, unknown_field
from airflow_katib_provider.experiment.yaml_text import describe_error, load_documents

API_VERSION = "kubeflow.org/v1beta1"
KIND = "Experiment"

_DOCUMENT_FIELDS = ("apiVersion", "kind", "metadata", "spec")
_SPEC_FIELDS = tuple(str(field.alias) for field in ExperimentSpec.model_fields.values())
_FREE_FIELDS = frozenset(("trialSpec", "trial_spec", "customCollector", "custom_collector"))
_GO_TEMPLATE = (
    "Go templates ended with v1alpha3; write the manifest itself under trialSpec, list its values in "
    "trialParameters (name, reference) and put ${trialParameters.name} where each value belongs"
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """An experiment as far as it could be read.

    :param metadata: ``metadata`` as written.
    :param spec: what of ``spec`` fits the models.
    :param problems: what does not.
    :param unread: the fields that ``spec`` lacks because of these problems.
    """

    metadata: dict[str, Any]
    spec: ExperimentSpec
    problems: list[Problem]
    unread: frozenset[str]

    def unreported(self, problems: Iterable[Problem]) -> list[Problem]:
        """Drop the problems that are there only because a field could not be read."""
        return [
            problem
            for problem in problems
            if not any(is_within(problem.path, field) for field in self.unread)
        ]


def is_text(source: str | Path) -> TypeGuard[str]:
    """Return whether this is YAML (or JSON) itself, and not the path of a file."""
    return isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{"))


def read_yaml(source: str | Path) -> Mapping[str, Any]:
    """Return the one document of a YAML (or JSON) file or text.

    :param source: a path, or the text itself: a string that has a line break or starts with a brace.
    :raises InvalidExperimentError: if the text is not YAML, or not one mapping.
    :raises FileNotFoundError: if there is no such file.
    """
    if is_text(source):
        name, text = "<text>", source
    else:
        name, text = str(source), Path(source).read_text(encoding="utf-8")
    try:
        documents = load_documents(text)
    except yaml.YAMLError as error:
        place, what = describe_error(error)
        raise InvalidExperimentError(name, [Problem(place, f"not valid YAML: {what}")]) from error
    if len(documents) != 1:
        kinds = listed(_kind_of(document) for document in documents)
        message = f"expected one Experiment, found {len(documents)} documents ({kinds}); keep one in a file"
        raise InvalidExperimentError(name, [Problem("the text", message)])
    if not isinstance(documents[0], Mapping):
        message = f"expected one Experiment, found {shown(documents[0])}"
        raise InvalidExperimentError(name, [Problem("the text", message)])
    return documents[0]


def parse_document(document: Mapping[str, Any]) -> Parsed:
    """Read an experiment from a mapping, without giving up at the first thing that does not fit.

    :param document: ``metadata`` and ``spec``, with ``apiVersion`` and ``kind`` where they are written.
        ``spec`` is an :class:`~airflow_katib_provider.experiment.spec.ExperimentSpec` or a mapping in Katib's
        camelCase or in Python's snake_case. It is not changed. A ``status`` is ignored.
    """
    fields = {camel(key): value for key, value in document.items() if key != "status"}
    problems = [*_check_type(fields), *_check_known(fields)]
    unread: set[str] = set()
    metadata = fields.get("metadata")
    if not isinstance(metadata, Mapping):
        problems.append(_not_a_mapping("metadata", metadata))
        unread.add("metadata")
        metadata = {}
    spec = fields.get("spec")
    if not isinstance(spec, (Mapping, ExperimentSpec)):
        problems.append(_not_a_mapping("spec", spec))
        unread.add("spec")
        spec = {}
    typed = _read_spec(spec, problems, unread)
    named = {str(key): _copy(value, free=True) for key, value in metadata.items()}
    return Parsed(named, typed, problems, frozenset(unread))


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems in the order of the specification's fields; of those at one field the first."""
    order = [*_DOCUMENT_FIELDS[:-1], *(f"spec.{field}" for field in _SPEC_FIELDS)]

    def rank(problem: Problem) -> int:
        return next((i for i, field in enumerate(order) if is_within(problem.path, field)), len(order))

    first: dict[str, Problem] = {}
    for problem in problems:
        first.setdefault(problem.path, problem)
    return sorted(first.values(), key=rank)


def _read_spec(
    spec: Mapping[str, Any] | ExperimentSpec, problems: list[Problem], unread: set[str]
) -> ExperimentSpec:
    if isinstance(spec, ExperimentSpec):
        return spec.model_copy(deep=True)
    tree = _copy(spec)
    template = tree.get("trialTemplate", tree.get("trial_template"))
    if isinstance(template, dict) and template.pop("goTemplate", None) is not None:
        problems.append(Problem("spec.trialTemplate.goTemplate", _GO_TEMPLATE))
        unread.add("spec.trialTemplate")
    typed, misfits, left_out = fit_spec(tree)
    problems.extend(misfits)
    unread.update(left_out)
    return typed


def _check_type(fields: Mapping[str, Any]) -> Iterator[Problem]:
    version, kind = fields.get("apiVersion", API_VERSION), fields.get("kind", KIND)
    if version != API_VERSION:
        hint = f"write {API_VERSION}"
        if str(version).startswith("kubeflow.org/v1alpha"):
            hint += " (and trialSpec with trialParameters in place of a goTemplate)"
        yield Problem("apiVersion", f"{shown(version)} is not supported; {hint}")
    if kind != KIND:
        yield Problem("kind", f"{shown(kind)} is not supported; write {KIND}")


def _check_known(fields: Mapping[str, Any]) -> Iterator[Problem]:
    for name in fields:
        if name in _SPEC_FIELDS:
            yield Problem(name, "unknown field here; it belongs under spec")
        elif name not in _DOCUMENT_FIELDS:
            yield Problem(name, unknown_field(name, _DOCUMENT_FIELDS))


def _not_a_mapping(path: str, value: object) -> Problem:
    return Problem(
        path, "must be specified" if value is None else f"expected a mapping, found {shown(value)}"
    )


def _copy(value: Any, *, free: bool = False) -> Any:
    """Copy containers. Outside of free-form fields a null is left out: Kubernetes takes it for absence."""
    if isinstance(value, Mapping):
        return {
            key: _copy(item, free=free or key in _FREE_FIELDS)
            for key, item in value.items()
            if free or item is not None
        }
    return [_copy(item, free=free) for item in value] if isinstance(value, (list, tuple)) else value


def _kind_of(document: object) -> str:
    kind = document.get("kind") if isinstance(document, Mapping) else None
    return kind if isinstance(kind, str) else shown(document)
