"""The commands of ``airflow katib``, as Airflow lists them."""

from __future__ import annotations

from airflow.cli.cli_config import ActionCommand, Arg, CLICommand, GroupCommand, lazy_load_command

_COMMANDS = "airflow_katib_provider.cli.commands"

_CONN_ID = Arg(("--conn-id",), default="katib_default", help="the connection of the store (katib_default)")  # type: ignore[no-untyped-call]
_FILES = Arg(("files",), nargs="+", help="YAML files, one Experiment each")  # type: ignore[no-untyped-call]


def get_katib_commands() -> list[CLICommand]:
    """Return what the provider adds to Airflow's command line."""
    return [
        GroupCommand(
            name="katib",
            help="Hyperparameter tuning after Katib",
            subcommands=(
                ActionCommand(
                    name="migrate",
                    help="Create the tables of the store, or bring them up to date",
                    description=(
                        "The first task that uses the store does the same. Run this where database users of "
                        "tasks may not change tables, or to have it done before an upgrade goes live."
                    ),
                    func=lazy_load_command(f"{_COMMANDS}.migrate"),
                    args=(_CONN_ID,),
                ),
                ActionCommand(
                    name="validate",
                    help="Check Experiment files as the parsing of a DAG does",
                    func=lazy_load_command(f"{_COMMANDS}.validate"),
                    args=(_FILES,),
                ),
            ),
        )
    ]
