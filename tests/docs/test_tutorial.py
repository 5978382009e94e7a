"""The tutorial, followed to its end."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from airflow_katib_provider.experiment.trial import ExperimentCondition
from airflow_katib_provider.store.store import KatibStore
from devtools.airflow import LocalAirflow
from tests.docs.blocks import ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path


def test_the_tutorial_finds_an_optimum(tmp_path: Path) -> None:
    dags = tmp_path / "dags"
    dags.mkdir()
    for block in blocks(ROOT / "docs" / "tutorial.md"):
        if block.title:
            (dags / block.title).write_text(block.text)
    airflow = LocalAirflow(tmp_path / "airflow", dags=dags)
    airflow.configure()  # its settings and its database; nothing is started
    command = [sys.executable, "-m", "airflow", "dags", "test", "tune_wine"]
    env = {**airflow.env, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr

    store = KatibStore(f"sqlite:///{airflow.home / 'katib.db'}")
    (record,) = store.list_experiments(limit=2, offset=0)
    assert record.condition is ExperimentCondition.SUCCEEDED
    best = max(trial.value or 0 for trial in store.trials(record.id))
    assert best > 0.9
    assert f"has accuracy {best:.1%}" in result.stdout
    store.dispose()
