"""Make an FPGA bitstream: a machine with a serial host link, by the open tools.

The machine is the board's own, that of an engine, or the one that runs a network; a bare array is the cells of one, for
parts that are too small for a machine. Synthesises, places, routes and
packs; prints LUT4 cells, distributed RAM, block RAM, DSPs and the clock that the design reaches against the one it runs
at. A design that misses its clock is refused. The same source, tools and seed give the same bytes. docs/fpga.md
describes boards, wiring and the link.
"""

import argparse
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lutra_model.bare import Bare
from lutra_model.engines import ENGINES
from lutra_model.params import Array, Metric

from .. import embedded
from .common import Outcome, progress, shape, table

if TYPE_CHECKING:
    from lutra_hw.board.boards import Board
    from lutra_sim.fpga import BitstreamReport

NAME = "bitstream"
KINDS: dict[str, tuple[Callable[[str], Any], str]] = {
    "int": (int, "a whole number"), "bool": (lambda text: bool(("0", "1").index(text)), "0 or 1"),
    "Metric": (Metric, ", ".join(Metric))}
FIELDS = {field.name: str(field.type) for field in fields(Array)
          if field.name not in ("engine", "rows", "columns", "encoders")}


def field_value(text: str) -> tuple[str, Any]:
    """A field of the machine and its value from ``weight_bits=4``."""
    name, _, value = text.partition("=")
    if name not in FIELDS:
        raise argparse.ArgumentTypeError(f"must be FIELD=VALUE, FIELD one of {', '.join(FIELDS)}, not {text}")
    kind, what = KINDS[FIELDS[name]]
    try:
        return name, kind(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{name} must be {what}, not {value}") from None


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("--board", required=True, metavar="B", help="the board; an unknown one lists them all")
    machine = parser.add_mutually_exclusive_group()
    machine.add_argument("--network", metavar="NET",
                         help="the machine that runs this network: a .lutra file or an embedded network's name")
    machine.add_argument("--engine", default="lookup", metavar="E",
                         help=f"a machine of this engine: {', '.join(ENGINES)} (lookup)")
    parser.add_argument("--bare", action="store_true",
                        help="the engine's array alone: its host feeds it one product after the other")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--array", type=shape, metavar="RxC", help="cells of the array (the board's own)")
    size.add_argument("--fit", action="store_true",
                      help="the largest array that fits and meets the clock; a long search that may be interrupted")
    parser.add_argument("--encoders", type=int, metavar="E", help="encoders (as many as suit the board)")
    parser.add_argument("--set", type=field_value, action="append", default=[], metavar="FIELD=VALUE", dest="fields",
                        help="another size of the machine, such as weight_bits=4, metric=tree or "
                             "table_words=512; may be repeated")
    parser.add_argument("--clock", type=int, metavar="MHZ", help="the machine's clock (the board's own)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the placement (1)")
    parser.add_argument("--allow-timing-fail", action="store_true", help="keep a bitstream that misses its clock")
    parser.add_argument("--output", default="build/bitstream", metavar="FOLDER",
                        help="where bitstream, report and logs go (build/bitstream)")


def chosen_array(board: "Board", args: argparse.Namespace, rows: int | None, columns: int | None) -> Array:
    """The machine that the command line asks for."""
    from lutra_hw.board.fit import bare_array, engine_array, network_array

    if not args.network:
        make = bare_array if args.bare or isinstance(board.array, Bare) else engine_array
        return make(board, args.engine, rows=rows, columns=columns, encoders=args.encoders, **dict(args.fields))
    if args.bare:
        raise ValueError("--bare must come with an engine; a network's machine is what its layers ask for")
    return network_array(board, embedded.network(args.network), rows=rows, columns=columns, encoders=args.encoders,
                         **dict(args.fields))


def run(args: argparse.Namespace) -> Outcome:
    """The bitstream and what it takes of the part."""
    from lutra_hw.board.boards import board_named  # slow to import

    board = board_named(args.board)
    with progress(quiet=args.json) as show:
        made, attempts = _made(board, args, show)
    used = [[name, f"{use.used:,}", f"{use.available:,}", f"{100 * use.used / use.available:.0f}%"]
            for name, use in made.resources.items() if use.available]
    array, verdict = made.array, "meets" if made.meets_timing else "MISSES"
    return Outcome(made.as_dict() | {"engine": array.engine, "bare": isinstance(array, Bare), "attempts": attempts}, [
        *(attempt["outcome"] for attempt in attempts),
        table(f"{array.rows}x{array.columns} {array.engine} cells{', bare,' * isinstance(array, Bare)} on {board.name} "
              f"({made.device})", ["resource", "used", "there", "share"], used),
        f"reaches {made.fmax_mhz:.1f} MHz and {verdict} its clock of {made.clock_mhz} MHz; "
        f"made in {sum(made.seconds.values()):.0f} s",
        f"bitstream: {made.bitstream}", f"SHA-256: {made.sha256}",
        f"to load it: openFPGALoader -b {board.loader} {made.bitstream}"])


def _made(board: "Board", args: argparse.Namespace, show: Any) -> tuple["BitstreamReport", list[dict[str, Any]]]:
    """The bitstream, and the attempts before it."""
    from lutra_sim import fpga

    def array(rows: int | None, columns: int | None) -> Array:
        return chosen_array(board, args, rows, columns)

    common: dict[str, Any] = {"clock_mhz": args.clock, "seed": args.seed, "progress": show}
    out = Path(args.output)
    if args.fit:
        made, attempts = fpga.fit(board, array, out=out, **common)
        return made, [asdict(attempt) for attempt in attempts]
    try:
        return fpga.build(args.board, array(*(args.array or (None, None))), out=out,
                          allow_timing_fail=args.allow_timing_fail, **common), []
    except fpga.DoesNotFit as error:
        raise ValueError(f"{error}; {fpga.advice(board, array, **common)}") from None
