"""The store: experiments, trials and observation logs in SQLite, PostgreSQL or MySQL."""
