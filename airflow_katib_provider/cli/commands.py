"""What the commands of ``airflow katib`` do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from airflow_katib_provider.exceptions import InvalidExperimentError
from airflow_katib_provider.experiment.experiment import Experiment
from airflow_katib_provider.hooks.katib import KatibHook

if TYPE_CHECKING:
    from argparse import Namespace


def migrate(arguments: Namespace) -> None:
    """Bring the tables of the store up to date."""
    store = KatibHook(arguments.conn_id).store
    print(f"The store of connection {arguments.conn_id} is up to date: {store.ping()}")


def validate(arguments: Namespace) -> None:
    """Check experiments; the exit code is 1 if one of them is not valid."""
    failed = False
    for file in arguments.files:
        try:
            experiment = Experiment.from_yaml(file)
        except (InvalidExperimentError, OSError) as error:
            failed = True
            print(f"{file}: {error}", file=sys.stderr)
        else:
            print(f"{file}: Experiment {experiment.name!r} is valid")
    if failed:
        sys.exit(1)
