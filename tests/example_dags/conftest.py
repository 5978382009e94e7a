"""A real Airflow that has the examples as its DAGs, and a second folder for DAG files that are broken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_katib_provider.store.store import KatibStore
from tests.flow.conftest import FlowAirflow

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[2] / "example_dags"
RUN_HERE = (
    "error_budget_and_retries",
    "explicit_rounds",
    "katib_yaml",
    "metrics_file",
    "python_experiment",
    "three_classes",
)
"""The DAGs of the examples that need no cluster."""


class ExampleAirflow(FlowAirflow):
    """An Airflow on embedded defaults, whose home is the examples' storage too.

    :ivar broken: a folder of DAG files, empty at first.
    """

    def __init__(self, home: Path) -> None:
        self.broken = home / "broken"
        self.broken.mkdir(parents=True)
        super().__init__(
            home / "airflow",
            dags=[EXAMPLES, self.broken],
            env={"EXAMPLE_STORAGE": str(home)},
            preload="airflow_katib_provider.preload",
        )
        self.storage = home
        self.store = KatibStore(f"sqlite:///{self.home / 'katib.db'}")


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExampleAirflow]:
    with ExampleAirflow(tmp_path_factory.mktemp("examples")) as airflow:
        yield airflow
        airflow.store.dispose()


@pytest.fixture(scope="session")
def runs(airflow: ExampleAirflow) -> dict[str, str]:
    """One run of each example, all started at once; their ids by DAG."""
    return {dag_id: airflow.run(dag_id) for dag_id in RUN_HERE}
