"""What the scheduler imports for both sides of the comparison: trials, and the bare tasks beside them."""

import airflow.providers.standard.operators.bash  # noqa: F401

import airflow_katib_provider.preload  # noqa: F401
