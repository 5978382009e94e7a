"""A first look at the provider: real experiments on a real Airflow, all of it in one folder."""
