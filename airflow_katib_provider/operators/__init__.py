"""Airflow operators: the experiment, and one module for each way to run a trial."""
