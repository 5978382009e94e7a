"""What the experiments found: every trial, and the optimal one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from quickstart.words import short, value_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from airflow_katib_provider.experiment.experiment import Experiment
    from airflow_katib_provider.experiment.trial import Trial
    from quickstart.tuning import Tuning


def print_report(console: Console, tunings: Sequence[Tuning], optimal: Mapping[str, Any]) -> None:
    """Print a table of trials for each experiment, then the optimal trial of all.

    :param optimal: ``{"trial", "assignments", "metrics"}``, as the DAG's last task returned it.
    """
    for tuning in tunings:
        experiment = tuning.experiment
        console.print(f"\n[bold]{experiment.name}[/] ({experiment.algorithm.algorithm_name})")
        console.print(trial_table(tuning, optimal["trial"]))
    metrics = ", ".join(f"{name} {value_text(value)}" for name, value in optimal["metrics"].items())
    console.print(f"\nOptimal trial: [bold green]{optimal['trial']}[/] ({metrics})")
    for name, value in optimal["assignments"].items():
        console.print(f"  {name} = {value}")


def trial_table(tuning: Tuning, optimal: str) -> Table:
    """Return a table of an experiment's trials.

    :param optimal: the name of the trial to be marked.
    """
    experiment = tuning.experiment
    metrics = [experiment.objective.objective_metric_name, *experiment.objective.additional_metric_names]
    table = Table(box=None, pad_edge=False, header_style="underline")
    for heading in ("Trial", "Condition", *(parameter.name for parameter in experiment.spec.parameters)):
        table.add_column(heading, overflow="fold")
    for heading in (*metrics, "time"):
        table.add_column(heading, justify="right", overflow="fold")
    for trial in tuning.trials:
        table.add_row(
            trial.name.removeprefix(f"{experiment.name}-"),
            trial.condition.value,
            *(short(value) for value in trial.assignments.values()),
            *(_metric(experiment, trial, name) for name in metrics),
            "-" if trial.duration is None else f"{trial.duration:.1f} s",
            style="bold green" if trial.name == optimal else None,
        )
    return table


def _metric(experiment: Experiment, trial: Trial, name: str) -> str:
    """Return a metric's value by its strategy."""
    if trial.observation is None:
        return "-"
    value = getattr(trial.observation[name], experiment.objective.strategy(name).value)
    return "-" if value is None else short(value)
