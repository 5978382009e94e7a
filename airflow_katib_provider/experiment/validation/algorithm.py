"""``spec.algorithm`` and ``spec.earlyStopping``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_katib_provider.algorithms import registry as algorithms
from airflow_katib_provider.early_stopping import registry as early_stopping
from airflow_katib_provider.exceptions import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_katib_provider.experiment.spec import ExperimentSpec


def check_algorithm(spec: ExperimentSpec) -> Iterator[Problem]:
    """Check the algorithm's name and settings. What it cannot do with the rest, the algorithm says itself."""
    if spec.algorithm is None:
        yield Problem("spec.algorithm", "must be specified")
    elif not spec.algorithm.algorithm_name:
        yield Problem("spec.algorithm.algorithmName", "must be specified")
    else:
        yield from algorithms.check_spec(spec.algorithm)


def check_early_stopping(spec: ExperimentSpec) -> Iterator[Problem]:
    """Check the early-stopping rule, where there is one."""
    if spec.early_stopping is not None:
        yield from early_stopping.check(spec.early_stopping)
