"""The `edge` command. Each subcommand is one file in `commands/`, imported when it is called and not before."""

from __future__ import annotations

import errno
import gc
import importlib
import io
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from edgescript.cli import console

COMMANDS = Path(__file__).parent / "commands"


class Commands(click.Group):
    """Lists the files of `commands/`; `not_.py` would hold the command `not`."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(file.stem.rstrip("_") for file in COMMANDS.glob("[!_]*.py"))

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        for stem in (name, f"{name}_"):
            if (COMMANDS / f"{stem}.py").is_file():
                found: click.Command = importlib.import_module(f"edgescript.cli.commands.{stem}").command
                return found
        return None

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(context, arguments)
        except click.UsageError as error:
            from edgescript.text.problem import did_you_mean

            hint = did_you_mean(arguments[0], self.list_commands(context))
            raise click.UsageError(f"{error.format_message()} {hint or ''}".strip(), context) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def edge() -> None:
    """A web server and reverse proxy, described in an Edgefile."""


def main() -> NoReturn:
    """
    Run the command line, and end the process with its exit code: 0 ok, 1 problems found, 2 wrong usage.

    What the operating system refuses (a missing file, a taken port, a missing permission) is one line.
    """
    _open_closed_streams()
    # Commands end before garbage matters. `run` does not, and turns the collector on.
    gc.disable()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    try:
        # Without standalone mode click returns the code of an Exit, and otherwise what the command returns: None, or something
        # that is better held until the process has ended.
        result = edge.main(prog_name="edge", standalone_mode=False)
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except click.UsageError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        console.complain(error.format_message())
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except SystemExit:
        # So click ends, and only so, when whoever read our output has gone (`edge adapt | head`); it would be code 1.
        code = 0
    except OSError as error:
        code = _refused(error)
    _end(code)


def _end(code: int) -> NoReturn:
    """End the process at once: to give back the million objects of a large file takes a fifth of the time of checking it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _open_closed_streams() -> None:
    """What was started without standard input or output (`>&-`) reads nothing, and writes nowhere."""
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _refused(error: OSError) -> int:
    if error.errno == errno.EPIPE:
        # The same, of what was still to be flushed. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    console.complain(console.reason(error))
    return 1
