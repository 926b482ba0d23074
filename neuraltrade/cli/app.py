"""The group of commands: loaded on use, and every error turned into one line and a status.

Status 0 done, 1 something is wrong with what was examined or with the machine, 2 wrong input, 130 interrupted.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import click

from .._version import __version__
from ..errors import InputError, NeuralTradeError

# Command -> module of this package with a click command of that name, and one line about it. Imported on first use, and
# not for the list of commands, so that `--help` stays fast.
COMMANDS = {
    "demo": ("demo", "The main job on bundled data, ending with a report."),
    "backtest": ("backtest", "A strategy over bundled data or files."),
    "sweep": ("sweep", "Many sets of parameters, and the best of them."),
    "walkforward": ("walkforward", "Parameters chosen on the past, traded on what came next."),
    "lookahead": ("lookahead", "Whether a strategy sees the future, and where."),
    "similar": ("similar", "What a remembered bar resembles, and what followed."),
    "verify": ("verify", "Check an audit log and a store, every byte."),
    "doctor": ("doctor", "Build flags, CPU, versions, cache folders."),
}


class LazyGroup(click.Group):
    """Commands come from their modules when asked for, in the order of COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"{__package__}.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="neuraltrade")
@click.pass_context
def cli(context: click.Context) -> None:
    """A trading engine that remembers.

    \b
    Example: neuraltrade demo
             neuraltrade backtest AAPL --param lookback=60
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        context.exit(2)


def run(arguments: Sequence[str]) -> int:
    """Runs a command line and returns its exit status; an error is one line on stderr."""
    try:
        status = cli.main(list(arguments), prog_name="neuraltrade", standalone_mode=False)
    except click.Abort:
        return complain("interrupted", 130)
    except click.ClickException as error:
        return complain(error.format_message(), error.exit_code)
    except (NeuralTradeError, OSError) as error:
        return complain(str(error), 2 if isinstance(error, InputError) else 1)
    return status if isinstance(status, int) else 0


def complain(message: str, status: int) -> int:
    """One line on stderr, whatever the message holds."""
    click.echo(f"neuraltrade: {' '.join(message.split())}", err=True)
    return status
