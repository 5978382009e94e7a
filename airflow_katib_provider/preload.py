"""Import once, in the executor's parent, what trial tasks would otherwise import in every process.

A task runs in a process that is forked for it. What the parent has imported the fork inherits, so that the
start of a trial takes a tenth of a second instead of several. Put ``import airflow_katib_provider.preload``
into ``airflow_local_settings.py`` of the scheduler (LocalExecutor) or of the workers (Celery's prefork pool).
"""

from __future__ import annotations

import importlib

MODULES = (
    "airflow_katib_provider.dags",
    "airflow_katib_provider.operators.experiment",
    "airflow_katib_provider.operators.process",
    "airflow_katib_provider.operators.trial",
    "airflow_katib_provider.sensors.metrics",
    "airflow_katib_provider.store.store",
    "cmaes",
    "optuna",
    "scipy.stats.qmc",
    "skopt",
)
"""What trials, algorithms and the store import when they are first used."""

for _module in MODULES:
    importlib.import_module(_module)
