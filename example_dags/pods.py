"""Run each trial as a pod of a Kubernetes cluster.

What: the experiment of ``katib_yaml.py`` with another runner. KubernetesTrialOperator is a
KubernetesPodOperator whose pod is that of the trial template, so every argument of the latter can
be given, and wins over the template.

Why: trials get images, resources and nodes of their own, and as many at a time as the cluster
holds.

Prerequisites: the connection ``kubernetes_default``, or a worker inside the cluster; an image with
numpy and ``train.py`` in place of ``registry.example.com/spirals:1``.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag

from airflow_katib_provider import katib_experiment


@dag(schedule=None, catchup=False, tags=["katib", "example"])
def pods() -> None:
    katib_experiment(
        "random.yaml",
        runner="kubernetes",
        node_selector={"example.com/pool": "training"},
        service_account_name="trainer",
        startup_timeout_seconds=600,
        execution_timeout=timedelta(hours=1),
        retries=2,
    )


pods()
