"""What parsing a DAG file may import: neither Kubernetes nor a database nor a search library."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "kubernetes",
    "kubernetes_asyncio",
    "optuna",
    "sklearn",
    "skopt",
    "scipy",
    "sqlalchemy",
    "cmaes",
    "alembic",
)
"""What a trial may need, and a DAG file not. Airflow itself imports some of it; that is not ours to count."""

DAG = """
import json, sys
from airflow.sdk import dag, task, BaseHook, BaseOperator, BaseSensorOperator, TaskGroup, XComArg
from airflow.triggers.base import BaseTrigger
before = set(sys.modules)
{imports}
@dag(schedule=None)
def tuning():
    {body}
tuning()
print(json.dumps(sorted({{name.split(".")[0] for name in set(sys.modules) - before}})))
"""

QUICKSTART = Path(__file__).parents[1] / "quickstart" / "dags" / "digits.yaml"

CASES = {
    "experiment": (
        "from airflow_katib_provider import Experiment",
        f"Experiment.from_yaml({str(QUICKSTART)!r})",
    ),
    "process": (
        "from airflow_katib_provider import katib_experiment",
        f"katib_experiment({str(QUICKSTART)!r}, runner='process')",
    ),
    "classes": (
        "from airflow_katib_provider.operators.experiment import ExperimentOperator\n"
        "from airflow_katib_provider.operators.process import ProcessTrialOperator\n"
        "from airflow_katib_provider.sensors.metrics import MetricsSensor\n"
        "from airflow_katib_provider.hooks.katib import KatibHook",
        f"ExperimentOperator(task_id='experiment', experiment={str(QUICKSTART)!r})",
    ),
    "every algorithm's settings": (
        "from airflow_katib_provider import Experiment\n"
        "from airflow_katib_provider.algorithms import available",
        f"experiment = Experiment.from_yaml({str(QUICKSTART)!r}).to_dict()\n"
        "    for name in available():\n"
        "        experiment['spec']['algorithm'] = {'algorithmName': name}\n"
        "        try: Experiment.from_dict(experiment)\n"
        "        except ValueError: pass",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_dag_file_imports_nothing_heavy(case: str) -> None:
    imports, body = CASES[case]
    code = DAG.format(imports=imports, body=body)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    imported = json.loads(result.stdout.splitlines()[-1])
    assert "airflow_katib_provider" in imported
    assert not set(imported) & set(HEAVY)


def test_pods_bring_the_kubernetes_client_and_nothing_else() -> None:
    """A DAG that runs trials as pods names KubernetesPodOperator's class, as any other DAG with pods does."""
    code = DAG.format(
        imports="from airflow_katib_provider.operators.trial import KubernetesTrialOperator", body="pass"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = json.loads(result.stdout.splitlines()[-1])
    assert not set(imported) & {"optuna", "sklearn", "skopt", "scipy", "cmaes", "alembic"}
