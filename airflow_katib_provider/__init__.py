"""Hyperparameter tuning and neural architecture search, after Katib, as a step of an Airflow DAG."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_katib_provider.dags import katib_experiment
    from airflow_katib_provider.experiment.experiment import Experiment

__version__ = "0.1.0"
__all__ = ["Experiment", "__version__", "katib_experiment"]

_LAZY = {
    "Experiment": "airflow_katib_provider.experiment.experiment",
    "katib_experiment": "airflow_katib_provider.dags",
}


def __getattr__(name: str) -> object:
    """Import the public names when they are first used: provider discovery must stay cheap."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
