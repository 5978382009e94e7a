"""What is wrong with an experiment, as far as it can be known without a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_katib_provider.experiment.validation.algorithm import check_algorithm, check_early_stopping
from airflow_katib_provider.experiment.validation.collector import check_collector
from airflow_katib_provider.experiment.validation.counts import check_counts
from airflow_katib_provider.experiment.validation.metadata import check_metadata
from airflow_katib_provider.experiment.validation.objective import check_objective
from airflow_katib_provider.experiment.validation.parameters import check_search_space
from airflow_katib_provider.experiment.validation.template import check_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_katib_provider.exceptions import Problem
    from airflow_katib_provider.experiment.spec import ExperimentSpec

_CHECKS: tuple[Callable[[ExperimentSpec], Iterable[Problem]], ...] = (
    check_search_space,
    check_objective,
    check_algorithm,
    check_early_stopping,
    check_template,
    check_counts,
    check_collector,
)


def check(metadata: Mapping[str, Any], spec: ExperimentSpec) -> list[Problem]:
    """Return everything that is wrong, each by its field; empty for an experiment that can be run.

    These are the rules of Katib's admission webhook, and those that Katib leaves for its services to stumble
    over. What the chosen algorithm makes of the rest is checked by the algorithm.

    :param metadata: ``metadata`` of the experiment.
    :param spec: the specification with its defaults filled in.
    """
    return [*check_metadata(metadata), *(problem for checker in _CHECKS for problem in checker(spec))]
