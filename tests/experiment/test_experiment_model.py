"""The Experiment: round trips, what it gives, and its errors as a user meets them."""

from __future__ import annotations

import pickle
from copy import deepcopy

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from airflow_katib_provider import Experiment
from airflow_katib_provider.exceptions import InvalidExperimentError
from airflow_katib_provider.experiment.spec import Distribution, FeasibleSpace
from tests.experiment.documents import YAML, document


def test_written_fields_come_back_and_no_others() -> None:
    experiment = Experiment.from_yaml(YAML)
    assert yaml.safe_load(experiment.to_yaml()) == document()
    again = Experiment.from_yaml(experiment.to_yaml())
    assert again == experiment
    assert again.to_yaml() == experiment.to_yaml()


def test_numbers_come_back_as_the_text_that_katib_wants() -> None:
    changed = document({"spec.parameters[1].feasibleSpace": {"min": 1, "max": 4}})
    assert Experiment.from_dict(changed).to_dict() == document()


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (0.1, "0.1"), (1e-05, "1e-05"), (np.float64(0.1), "0.1"), (True, "true"), ("x", "x")],
)
def test_scalars_become_text(value: object, text: str) -> None:
    changed = document({"spec.parameters[2].feasibleSpace.list": [value]})
    assert Experiment.from_dict(changed).spec.parameters[2].feasible_space == FeasibleSpace(
        list=(text,), distribution=Distribution.UNIFORM
    )


def test_metadata_is_free_and_a_status_is_ignored() -> None:
    metadata = {"name": "tune", "labels": {"a": "b"}, "anything": [1, None]}
    experiment = Experiment.from_dict(document({"metadata": metadata, "status": {"trials": 1}}))
    assert experiment.metadata == metadata
    assert "status" not in experiment.to_dict()


def test_what_it_gives() -> None:
    experiment = Experiment.from_yaml(YAML)
    assert experiment.name == "tune"
    assert experiment.namespace == "default"
    assert Experiment.from_dict(document({"metadata.namespace": "lab"})).namespace == "lab"
    assert experiment.objective.metric_names == ("loss", "accuracy")
    assert experiment.algorithm.algorithm_name == "random"
    assert experiment.collector.kind == "StdOut"
    assert experiment.parallel_trial_count == 2
    assert experiment.max_trial_count == 6
    assert [parameter.name for parameter in experiment.space] == ["lr", "layers", "optimizer", "batch"]


def test_it_can_be_copied_and_pickled_and_not_changed() -> None:
    experiment = Experiment.from_yaml(YAML)
    assert experiment.space.size is None
    assert pickle.loads(pickle.dumps(experiment)) == experiment
    assert deepcopy(experiment).to_yaml() == experiment.to_yaml()
    with pytest.raises(ValidationError, match="frozen"):
        experiment.spec = experiment.spec


def test_an_error_is_short_and_has_one_line_a_problem() -> None:
    pod = "spec.trialTemplate.trialSpec.spec.template.spec"
    changes = {"spec.objective.type": "min", "spec.maxFailedTrialCount": 9, f"{pod}.container": []}
    with pytest.raises(InvalidExperimentError) as caught:
        Experiment.from_dict(document(changes))
    assert str(caught.value) == (
        "Experiment 'tune' has 3 problems:\n"
        "  - spec.objective.type: 'min' is not supported; write minimize or maximize\n"
        f"  - {pod}.container: unknown field; did you mean containers?\n"
        "  - spec.maxFailedTrialCount: 9 is more than spec.maxTrialCount, which is 6"
    )
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems


def test_an_experiment_without_a_name_still_has_an_error_to_show() -> None:
    with pytest.raises(InvalidExperimentError, match=r"'unnamed' has 1 problem:\n  - metadata\.name: must"):
        Experiment.from_dict(document({"metadata": {}}))
