"""How many trial slots an experiment has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk.configuration import conf

from airflow_katib_provider.algorithms import get
from airflow_katib_provider.exceptions import InvalidExperimentError, Problem

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.experiment import Experiment


def slot_count(experiment: Experiment) -> int:
    """Return how many trials an experiment can have: its budget, its grid, or what Airflow can map over.

    :raises InvalidExperimentError: if maxTrialCount is more than Airflow maps over.
    """
    ceiling = conf.getint("core", "max_map_length", fallback=1024)
    wanted = experiment.max_trial_count
    if wanted is not None and wanted > ceiling:
        raise InvalidExperimentError(
            experiment.name,
            [
                Problem(
                    "spec.maxTrialCount",
                    f"{wanted} is more than the {ceiling} task instances that Airflow maps over; "
                    "raise [core] max_map_length or lower it",
                )
            ],
        )
    limit = get(experiment.algorithm.algorithm_name).limit(experiment)
    return min(number for number in (wanted, limit, ceiling) if number is not None)
