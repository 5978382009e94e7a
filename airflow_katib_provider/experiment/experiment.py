"""The Experiment: read from YAML, a dictionary or Python, checked as a whole, written back without loss."""

from __future__ import annotations

from copy import deepcopy
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import PrivateAttr

from airflow_katib_provider.algorithms import registry as algorithms
from airflow_katib_provider.exceptions import InvalidExperimentError
from airflow_katib_provider.experiment.defaults import with_defaults
from airflow_katib_provider.experiment.parsing import (
    API_VERSION,
    KIND,
    in_order,
    parse_document,
    read_yaml,
)
from airflow_katib_provider.experiment.space import SearchSpace, parameter_from_spec
from airflow_katib_provider.experiment.spec import (
    AlgorithmSpec,
    ExperimentSpec,
    MetricsCollectorSpec,
    Objective,
    SpecModel,
    TrialTemplate,
)
from airflow_katib_provider.experiment.validation import check
from airflow_katib_provider.experiment.wording import is_within
from airflow_katib_provider.experiment.yaml_text import dump_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

T = TypeVar("T")

_SEARCH_FIELDS = (
    "metadata.name",
    "spec.parameters",
    "spec.nasConfig",
    "spec.objective",
    "spec.algorithm",
    "spec.parallelTrialCount",
    "spec.maxTrialCount",
)
"""What an algorithm judges an experiment by; it is asked only where these are sound."""


class Experiment(SpecModel):
    """A valid Katib v1beta1 Experiment.

    Making one checks everything that can be known without a cluster, so an object of this class can be run.

    :param metadata: Kubernetes metadata; ``name`` is required, the rest is free.
    :param spec: an :class:`~airflow_katib_provider.experiment.spec.ExperimentSpec` or a mapping in Katib's
        camelCase or in Python's snake_case. After construction ``spec`` has Katib's defaults filled in.
    :raises InvalidExperimentError: with every problem at once, each by its field.

    Example::

        experiment = Experiment.from_yaml("random.yaml")
        print(experiment.space.size, experiment.algorithm.algorithm_name)
    """

    api_version: str = API_VERSION
    kind: str = KIND
    metadata: dict[str, Any]
    spec: ExperimentSpec
    _written: ExperimentSpec = PrivateAttr()

    def __init__(self, **document: Any) -> None:
        parsed = parse_document(document)
        spec = with_defaults(parsed.spec)
        fields: dict[str, Any] = {"metadata": parsed.metadata, "spec": spec}
        super().__init__(**fields)
        self._written = parsed.spec
        problems = [*parsed.problems, *parsed.unreported(check(parsed.metadata, spec))]
        if _is_searchable({*parsed.unread, *(problem.path for problem in problems)}):
            problems += algorithms.check(self)
        if problems:
            raise InvalidExperimentError(str(parsed.metadata.get("name") or "unnamed"), in_order(problems))

    @classmethod
    def from_yaml(cls, source: str | Path) -> Self:
        """Read an experiment from a YAML (or JSON) file, or from YAML text.

        :param source: a path, or the text itself: a string that has a line break or starts with a brace.
        :raises InvalidExperimentError: if the text is not YAML, not one Experiment, or not a valid one.
        :raises FileNotFoundError: if there is no such file.
        """
        return cls.from_dict(read_yaml(source))

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Read an experiment from a mapping in Katib's camelCase.

        :raises InvalidExperimentError: with every problem at once.
        """
        return cls(**document)

    def to_dict(self) -> dict[str, Any]:
        """Return the experiment as it was written: Katib's camelCase, without the defaults."""
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": deepcopy(self.metadata),
            "spec": self._written.model_dump(mode="json", by_alias=True, exclude_unset=True),
        }

    def to_yaml(self) -> str:
        """Return the experiment as YAML that reads back as an equal experiment."""
        return dump_document(self.to_dict())

    @property
    def name(self) -> str:
        """``metadata.name``."""
        return str(self.metadata["name"])

    @property
    def namespace(self) -> str:
        """``metadata.namespace``; ``default`` where none is written."""
        return str(self.metadata.get("namespace") or "default")

    @property
    def objective(self) -> Objective:
        """``spec.objective``."""
        return _present(self.spec.objective)

    @property
    def algorithm(self) -> AlgorithmSpec:
        """``spec.algorithm``."""
        return _present(self.spec.algorithm)

    @property
    def trial_template(self) -> TrialTemplate:
        """``spec.trialTemplate``."""
        return _present(self.spec.trial_template)

    @property
    def collector(self) -> MetricsCollectorSpec:
        """``spec.metricsCollectorSpec``."""
        return _present(self.spec.metrics_collector_spec)

    @property
    def parallel_trial_count(self) -> int:
        """``spec.parallelTrialCount``: how many trials run at the same time."""
        return _present(self.spec.parallel_trial_count)

    @property
    def max_trial_count(self) -> int | None:
        """``spec.maxTrialCount``: how many trials there are at most; ``None`` for no limit."""
        return self.spec.max_trial_count

    @cached_property
    def space(self) -> SearchSpace:
        """The search space of ``spec.parameters``."""
        return SearchSpace(tuple(parameter_from_spec(parameter) for parameter in self.spec.parameters))


def _is_searchable(broken: Iterable[str]) -> bool:
    return not any(
        is_within(path, field) or is_within(field, path) for path in broken for field in _SEARCH_FIELDS
    )


def _present(value: T | None) -> T:
    if value is None:
        raise ValueError("the experiment was not validated")
    return value
