"""An experiment without a scheduler: a DAG file that is run as a program calls ``dag.test()``."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

from airflow_katib_provider.experiment.trial import TrialCondition
from airflow_katib_provider.store.store import KatibStore
from devtools.airflow import LocalAirflow
from tests.example_dags.conftest import EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path


def test_an_example_without_a_scheduler(tmp_path: Path) -> None:
    airflow = LocalAirflow(tmp_path, dags=EXAMPLES, env={"EXAMPLE_STORAGE": str(tmp_path)})
    airflow.configure()  # its settings and its database; nothing is started
    program = [sys.executable, str(EXAMPLES / "katib_yaml.py")]
    result = subprocess.run(
        program, env=airflow.env, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr

    with sqlite3.connect(next(tmp_path.glob("airflow-*.db"))) as database:
        states = set(database.execute("SELECT state FROM task_instance"))
    assert states == {("success",)}
    store = KatibStore(f"sqlite:///{tmp_path / 'katib.db'}")
    (record,) = store.list_experiments(limit=2, offset=0)
    trials = store.trials(record.id)
    assert [trial.condition for trial in trials] == [TrialCondition.SUCCEEDED] * 6
    best = min(trials, key=lambda trial: trial.value or 0)
    deployed = json.loads((tmp_path / "deployed.json").read_text())
    assert (deployed["trial"], deployed["metrics"]["loss"]) == (best.name, best.value)
    store.dispose()
