"""Commands of `airflow katib`."""
