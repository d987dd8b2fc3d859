"""What the commands share: outcomes, array options, arrays of the user's, files written whole."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lutra_model.scaling import named
from lutra_model.technology import USUAL, Technology

from .. import embedded

__all__ = ["REST", "Outcome", "array_options", "input_options", "network_argument", "progress", "read_array", "rest",
           "shape", "some_inputs", "table", "technologies", "technology_option"]

REST = "other cycles"  # head of the column that says where the rest went


@dataclass(frozen=True)
class Outcome:
    """What a command found: ``data`` for programs, ``shown`` (text or tables) for people."""

    data: dict[str, Any]
    shown: list[Any] = field(default_factory=list)


def shape(text: str) -> tuple[int, int]:
    """Rows and columns from ``16x16``."""
    rows, _, columns = text.partition("x")
    if not (rows.isdigit() and columns.isdigit() and int(rows) and int(columns)):
        raise argparse.ArgumentTypeError(f"must be ROWSxCOLUMNS such as 16x16, not {text}")
    return int(rows), int(columns)


def encoders(text: str) -> int | Literal["auto"]:
    """A number of encoders, or ``auto``."""
    if text == "auto":
        return "auto"
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"must be auto or a number, not {text}")
    return int(text)


def array_options(parser: argparse.ArgumentParser) -> None:
    """``--array`` and ``--encoders``."""
    parser.add_argument("--array", type=shape, default=(16, 16), metavar="RxC", help="cells of the array (16x16)")
    parser.add_argument("--encoders", type=encoders, default="auto", metavar="E",
                        help="sub-vectors encoded in one cycle, at most the array's rows (auto: the fewest that keep "
                             "the array busy)")


def technology_option(parser: argparse.ArgumentParser) -> None:
    """``--technology``."""
    parser.add_argument("--technology", action="append", metavar="FILE",
                        help="a technology file or a built-in one's name, scaled to another node by @NM, as in "
                             f"horowitz-45@28; may be repeated ({', '.join(USUAL)})")


def technologies(chosen: list[str] | None) -> list[Technology]:
    """The technologies of those names or files; without any, the usual ones."""
    return [named(item) for item in chosen or USUAL]


def network_argument(parser: argparse.ArgumentParser) -> None:
    """The optional network."""
    parser.add_argument("network", nargs="?", metavar="NET", help="a .lutra file or an embedded network's name")


def input_options(parser: argparse.ArgumentParser) -> None:
    """``--input``, ``--images`` and ``--output``."""
    parser.add_argument("--input", metavar="X.npy", help="inputs (the embedded test images)")
    parser.add_argument("--images", type=int, metavar="N", help="how many of the inputs (all of INPUT, or 10)")
    parser.add_argument("--output", metavar="Y.npy", help="where to write the int8 outputs")


def some_inputs(args: argparse.Namespace) -> NDArray[Any]:
    """The inputs that these options choose, at least one."""
    found = read_array(args.input) if args.input else embedded.test_set()[0]
    count = (len(found) if args.input else 10) if args.images is None else args.images
    if not 1 <= count <= len(found):
        raise ValueError(f"images must be 1 to {len(found)}, not {count}")
    return found[:count]


def read_array(path: str) -> NDArray[Any]:
    """The array in a ``.npy`` file, or the first of an ``.npz`` archive.

    Raises ``ValueError`` for anything else.
    """
    if not Path(path).is_file():
        raise ValueError(f"array file {path} must exist")
    try:
        loaded = np.load(path, allow_pickle=False)
        return loaded[loaded.files[0]] if isinstance(loaded, np.lib.npyio.NpzFile) else loaded
    except (ValueError, OSError, EOFError, IndexError) as error:
        raise ValueError(f"{path} must be a NumPy .npy or .npz file without objects: {error}") from None


def table(title: str, head: list[str], rows: list[list[Any]]) -> Table:
    """A table for the terminal; numbers stand on the right."""
    made = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in head:
        made.add_column(name, justify="left" if name in (head[0], REST) else "right", overflow="fold")
    for row in rows:
        made.add_row(*map(str, row))
    return made


def rest(causes: dict[str, int], binding: str, ragged: int = 0) -> str:
    """What an operation's cycles went into when its binding stage was not at work, as text.

    ``ragged`` of the lookups are those that full tiles would not have needed.
    """
    parts = [f"{cause} {cycles:,}" for cause, cycles in causes.items() if cycles and cause != binding]
    return ", ".join(parts + [f"ragged {ragged:,}"] * bool(ragged))


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A callback ``(what, done, total)`` that draws a progress bar for each ``what`` on standard error."""
    bars = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                    console=Console(stderr=True), disable=quiet)
    tasks: dict[str, Any] = {}

    def show(what: str, done: int, total: int) -> None:
        if what not in tasks:
            bars.start()
            tasks[what] = bars.add_task(what, total=total)
        bars.update(tasks[what], completed=done, total=total)

    try:
        yield show
    finally:
        if tasks:
            bars.stop()
