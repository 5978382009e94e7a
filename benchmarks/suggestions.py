"""CPU time of one suggestion by the number of finished trials, beside the library with a study that lives on.

Run ``python benchmarks/suggestions.py [--sizes 0,100,500,2000] [--algorithms tpe,random]``.

Ours reads the trials from a store on SQLite and rebuilds what the library needs. ``live`` is the library alone, asked
for one more point while it still holds everything in memory. ``public`` is what rebuilding by Optuna's public calls
takes where nothing is done about it. Two thirds of the time of TPE at 2,000 trials is that rebuilding: making Optuna's
trial objects and copying them into its storage.
"""

from __future__ import annotations

import argparse
import math
import random
import tempfile
import time
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_katib_provider.algorithms import available, suggest
from airflow_katib_provider.experiment.experiment import Experiment
from airflow_katib_provider.experiment.trial import Metric, Observation, Trial, TrialCondition
from airflow_katib_provider.store.records import ExperimentKey
from airflow_katib_provider.store.store import KatibStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIZES = (0, 100, 500, 2000)
REPEATS = 5
LARGEST_FIT = 100
"""With more observations, a Gaussian process that learns from all of them takes too long to be compared."""

PARAMETERS: dict[str, dict[str, Any]] = {
    "rate": {
        "type": "double",
        "min": "0.00001",
        "max": "0.1",
        "step": "0.00001",
        "distribution": "logUniform",
    },
    "momentum": {"type": "double", "min": "0", "max": "1", "step": "0.01"},
    "layers": {"type": "int", "min": "1", "max": "12"},
    "units": {"type": "int", "min": "8", "max": "512"},
    "batch": {"type": "discrete", "list": ["16", "32", "64", "128"]},
    "optimizer": {"type": "categorical", "list": ["adam", "sgd", "lion"]},
}
"""The space. Only grid search gets the steps of the two doubles."""


class Row(NamedTuple):
    """CPU milliseconds; ``None`` where there is nothing to compare."""

    algorithm: str
    finished: int
    ours: float
    live: float | None
    public: float | None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=lambda text: tuple(map(int, text.split(","))), default=SIZES)
    parser.add_argument("--algorithms", type=lambda text: tuple(text.split(",")), default=available())
    arguments = parser.parse_args()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    print(
        f"{'algorithm':22}{'finished':>9}{'ours ms':>10}{'live ms':>10}{'ratio':>8}{'public ms':>11}{'ratio':>8}"
    )
    for algorithm in arguments.algorithms:
        for finished in arguments.sizes:
            row = compare(algorithm, finished)
            print(
                f"{row.algorithm:22}{row.finished:9}{row.ours:10.1f}{_beside(row.ours, row.live, 10)}"
                f"{_beside(row.ours, row.public, 11)}",
                flush=True,
            )


def compare(algorithm: str, finished: int) -> Row:
    """Measure one algorithm with so many finished trials."""
    experiment = experiment_for(algorithm)
    trials = history_in_memory(experiment, finished)
    live = LIVE.get(algorithm)
    with tempfile.TemporaryDirectory() as directory:
        read = history_in_store(f"sqlite:///{directory}/katib.db", experiment, trials)
        ours = from_history(experiment, read)
    return Row(
        algorithm,
        finished,
        ours,
        live(trials) if live else None,
        rebuilt(trials, is_multivariate=algorithm != "tpe") if algorithm.endswith("tpe") else None,
    )


def history_in_store(
    url: str, experiment: Experiment, trials: Sequence[Trial]
) -> Callable[[], Sequence[Trial]]:
    """Put finished trials into a new store and return what reads them, as binding a suggestion does."""
    store = KatibStore(url)
    key = ExperimentKey("benchmark", "run", "experiment")
    record = store.create_experiment(
        key, experiment.to_dict(), name=experiment.name, namespace=experiment.namespace, seed=0
    )
    with store.lease(record.id) as lease, store.locked(record.id) as transaction:
        for trial in trials:
            transaction.add_trial(
                lease, slot=trial.number, name=trial.name, assignments=trial.assignments, labels=trial.labels
            )
            value = str(trial.value)
            observation = Observation((Metric("loss", value, value, value),))
            transaction.set_trial_condition(
                trial.name, trial.condition, "TrialSucceeded", "", observation=observation, value=trial.value
            )
    return lambda: store.trials(record.id)


def from_history(experiment: Experiment, read: Callable[[], Sequence[Trial]]) -> float:
    """Return the milliseconds of one suggestion, the reading of its history included.

    :param read: gives the trials so far, from memory or from wherever they are kept.
    """
    return milliseconds(lambda: suggest(experiment, read(), 1))


def milliseconds(work: Callable[[], object]) -> float:
    """Return the least CPU time of a few runs; what is imported on the way counts only in the first."""
    times = []
    for _ in range(REPEATS + 1):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * min(times)


def experiment_for(algorithm: str) -> Experiment:
    """Return an experiment of six parameters."""
    parameters = []
    for name, parameter in PARAMETERS.items():
        space = {key: value for key, value in parameter.items() if key != "type"}
        if algorithm != "grid" and parameter["type"] == "double":
            space.pop("step")
        parameters.append({"name": name, "parameterType": parameter["type"], "feasibleSpace": space})
    command = ["train", *(f"${{trialParameters.{name}}}" for name in PARAMETERS)]
    pod = {"containers": [{"name": "main", "image": "train", "command": command}], "restartPolicy": "Never"}
    return Experiment.from_dict(
        {
            "metadata": {"name": "suggestions"},
            "spec": {
                "objective": {"type": "minimize", "objectiveMetricName": "loss"},
                "algorithm": {"algorithmName": algorithm},
                "parameters": parameters,
                "trialTemplate": {
                    "primaryContainerName": "main",
                    "trialParameters": [{"name": name, "reference": name} for name in PARAMETERS],
                    "trialSpec": {
                        "apiVersion": "batch/v1",
                        "kind": "Job",
                        "spec": {"template": {"spec": pod}},
                    },
                },
            },
        }
    )


def history_in_memory(experiment: Experiment, finished: int) -> list[Trial]:
    """Return finished trials with random assignments, in the generations that CMA-ES would have made of them."""
    numbers = random.Random(finished)
    population = 4 + math.floor(3 * math.log(len(PARAMETERS)))
    trials = []
    for number in range(finished):
        assignments = {
            parameter.name: parameter.from_unit(numbers.random()) for parameter in experiment.space
        }
        labels = {"cmaes/restart": "0", "cmaes/generation": str(number // population)}
        value = (math.log10(float(assignments["rate"])) + 3) ** 2 + numbers.gauss(0, 0.1)
        trials.append(
            Trial(
                f"suggestions-{number}",
                number,
                TrialCondition.SUCCEEDED,
                assignments,
                value,
                None,
                labels,
                60.0,
            )
        )
    return trials


def optuna_space() -> dict[str, Any]:
    """Return the space as an Optuna user writes it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    return {
        "rate": FloatDistribution(1e-5, 0.1, log=True),
        "momentum": FloatDistribution(0, 1),
        "layers": IntDistribution(1, 12),
        "units": IntDistribution(8, 512),
        "batch": CategoricalDistribution((16, 32, 64, 128)),
        "optimizer": CategoricalDistribution(("adam", "sgd", "lion")),
    }


def optuna_point(trial: Trial) -> dict[str, Any]:
    """Return a trial's assignments as Optuna's values."""
    values = trial.assignments
    return {
        "rate": float(values["rate"]),
        "momentum": float(values["momentum"]),
        "layers": int(values["layers"]),
        "units": int(values["units"]),
        "batch": int(values["batch"]),
        "optimizer": values["optimizer"],
    }


def live_study(sampler: Callable[[], Any]) -> Callable[[Sequence[Trial]], float]:
    """Return a measurement of ``ask`` on an Optuna study that has been told all trials."""

    def measure(trials: Sequence[Trial]) -> float:
        import optuna

        study = optuna.create_study(sampler=sampler())
        space = optuna_space()
        for trial in trials:
            study.enqueue_trial(optuna_point(trial))
            study.tell(study.ask(space), trial.value)

        def ask() -> None:
            study.tell(study.ask(space), state=optuna.trial.TrialState.FAIL)

        return milliseconds(ask)

    return measure


def live_optimizer(trials: Sequence[Trial]) -> float | None:
    """Measure a Gaussian process of scikit-optimize that learns one more observation, then is asked."""
    from skopt import Optimizer
    from skopt.space import Categorical, Integer, Real

    if len(trials) > LARGEST_FIT:
        return None
    optimizer = Optimizer(
        [
            Real(1e-5, 0.1, prior="log-uniform"),
            Real(0, 1),
            Integer(1, 12),
            Integer(8, 512),
            Categorical([16, 32, 64, 128]),
            Categorical(["adam", "sgd", "lion"]),
        ],
        random_state=0,
    )
    points = [list(optuna_point(trial).values()) for trial in trials]
    for point, trial in zip(points, trials, strict=True):
        optimizer.tell(point, trial.value, fit=False)

    def ask() -> None:
        if points:
            optimizer.tell(points[-1], trials[-1].value)
        optimizer.ask()

    return milliseconds(ask)


def rebuilt(trials: Sequence[Trial], *, is_multivariate: bool) -> float:
    """Measure a study that is made anew by ``create_trial`` and ``add_trials``, then asked."""
    import optuna

    space, points = optuna_space(), [optuna_point(trial) for trial in trials]

    def work() -> None:
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(multivariate=is_multivariate, seed=0))
        study.add_trials(
            optuna.create_trial(params=point, distributions=space, value=trial.value)
            for point, trial in zip(points, trials, strict=True)
        )
        study.ask(space)

    return milliseconds(work)


def _sampler(name: str, **arguments: Any) -> Callable[[], Any]:
    def make() -> Any:
        import optuna

        return getattr(optuna.samplers, name)(seed=0, **arguments)

    return make


LIVE: dict[str, Callable[[Sequence[Trial]], float | None]] = {
    "random": live_study(_sampler("RandomSampler")),
    "sobol": live_study(_sampler("QMCSampler", qmc_type="sobol", scramble=True)),
    "tpe": live_study(_sampler("TPESampler", multivariate=False)),
    "multivariate-tpe": live_study(_sampler("TPESampler", multivariate=True)),
    "cmaes": live_study(_sampler("CmaEsSampler", with_margin=True)),
    "bayesianoptimization": live_optimizer,
}
"""The library that an algorithm stands on, or the nearest one, as its users call it; none has a grid like ours."""


def _beside(ours: float, other: float | None, width: int) -> str:
    return f"{other:{width}.1f}{ours / other:8.1f}" if other else f"{'-':>{width}}{'-':>8}"


if __name__ == "__main__":
    main()
