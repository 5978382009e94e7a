"""Read metrics from a file instead of from what a trial prints.

What: ``metrics-json.yaml`` collects from a file with a JSON object a line, ``metrics-text.yaml``
from a text file whose lines only a ``metricsFormat`` of its own can read. Both files are read while
the trial writes them.

Why: a program whose output is noise, or is not to be changed, often writes its metrics to a file
already. As a local process each trial has a directory of its own: ``/var/log/katib`` in the
template's command is moved there.

Prerequisites: none.
"""

from __future__ import annotations

from airflow.sdk import dag

from airflow_katib_provider import katib_experiment


@dag(schedule=None, catchup=False, tags=["katib", "example"])
def metrics_file() -> None:
    katib_experiment("metrics-json.yaml", runner="process")
    katib_experiment("metrics-text.yaml", runner="process")


metrics_file()
