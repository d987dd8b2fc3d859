"""The command line: one function for each command; a user's mistake is one sentence and exit code 2."""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from rich.console import Console

import lutra as package

from . import __version__
from .commands import COMMANDS
from .commands.common import Outcome

__all__ = ["main", "parser"]

EPILOG = "Every command explains itself: lutra COMMAND --help. Without a network, the embedded default is used."


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(prog="lutra", description=package.__doc__, epilog=EPILOG)
    top.add_argument("--version", action="version", version=f"lutra {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        lines = (command.__doc__ or "").strip().split("\n", 1)
        sub = commands.add_parser(command.NAME, help=lines[0].rstrip("."), description=(command.__doc__ or ""),
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
        sub.add_argument("--json", action="store_true", help="print one JSON object for programs")
        command.arguments(sub)
        sub.set_defaults(run=command.run)
    return top


def _print(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        print(json.dumps(outcome.data, indent=2))
    else:
        console = Console()
        for part in outcome.shown:
            console.print(part)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'file'}: {error.strerror}"
    return str(error)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, 2 for a mistake of the user's, 130 for an interruption."""
    arguments = parser().parse_args(argv)
    try:
        _print(arguments.run(arguments), arguments.json)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, OSError) as error:
        print(f"lutra: {_sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("lutra: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
