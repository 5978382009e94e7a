"""Build an experiment in Python.

What: an :class:`Experiment` of typed models, with the fields of Katib's YAML in snake_case. It
searches by TPE over a double on a logarithmic scale, an int with a step, a discrete and a
categorical parameter, and keeps a second metric beside the objective.

Why: a search space that is computed, shared between DAGs or checked by a type checker is easier to
keep in Python. ``Experiment.to_yaml()`` writes the same experiment as Katib's YAML.

Prerequisites: none.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task

from airflow_katib_provider import Experiment, katib_experiment
from airflow_katib_provider.experiment.spec import (
    AlgorithmSpec,
    Distribution,
    ExperimentSpec,
    FeasibleSpace,
    MetricStrategy,
    Objective,
    ObjectiveType,
    ParameterSpec,
    ParameterType,
    Setting,
    StrategyType,
    TrialParameter,
    TrialTemplate,
)

SPACE = {
    "learning-rate": (
        ParameterType.DOUBLE,
        FeasibleSpace(min="0.001", max="1", distribution=Distribution.LOG_UNIFORM),
    ),
    "hidden-units": (ParameterType.INT, FeasibleSpace(min="4", max="64", step="4")),
    "batch-size": (ParameterType.DISCRETE, FeasibleSpace(list=("16", "32", "64"))),
    "activation": (ParameterType.CATEGORICAL, FeasibleSpace(list=("relu", "tanh", "logistic"))),
}

EXPERIMENT = Experiment(
    metadata={"name": "python-tpe"},
    spec=ExperimentSpec(
        objective=Objective(
            type=ObjectiveType.MINIMIZE,
            objective_metric_name="loss",
            additional_metric_names=("accuracy",),
            metric_strategies=(MetricStrategy(name="accuracy", value=StrategyType.MAX),),
        ),
        algorithm=AlgorithmSpec(
            algorithm_name="tpe",
            algorithm_settings=(
                Setting(name="n_startup_trials", value="4"),
                Setting(name="random_state", value="7"),
            ),
        ),
        parallel_trial_count=2,
        max_trial_count=8,
        max_failed_trial_count=2,
        parameters=tuple(
            ParameterSpec(name=name, parameter_type=type_, feasible_space=space)
            for name, (type_, space) in SPACE.items()
        ),
        trial_template=TrialTemplate(
            primary_container_name="training",
            trial_parameters=tuple(TrialParameter(name=name, reference=name) for name in SPACE),
            trial_spec={
                "apiVersion": "v1",
                "kind": "Pod",
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [
                        {
                            "name": "training",
                            "image": "registry.example.com/spirals:1",
                            "command": ["python", "train.py"],
                            "args": [f"--{name}=${{trialParameters.{name}}}" for name in SPACE],
                            "env": [{"name": "OMP_NUM_THREADS", "value": "1"}],
                        }
                    ],
                },
            },
        ),
    ),
)


@task
def describe(optimal: dict[str, Any]) -> str:
    """Say what was found; assignments have Python's types."""
    rate, units = optimal["assignments"]["learning-rate"], optimal["assignments"]["hidden-units"]
    return f"{units:d} units and a learning rate of {rate:.3g} gave {optimal['metrics']['accuracy']:.1%}"


@dag(schedule=None, catchup=False, tags=["katib", "example"])
def python_experiment() -> None:
    tuned = katib_experiment(EXPERIMENT, runner="process")
    describe(tuned.optimal_trial)


python_experiment()
