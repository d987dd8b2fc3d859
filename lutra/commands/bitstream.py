"""Make an FPGA bitstream: a machine of table cells with a serial host link, by the open tools.

Synthesises, places, routes and packs; prints LUT4 cells, distributed RAM, block RAM, DSPs and the clock that the
design reaches against the one it runs at. A design that misses its clock is refused. The same source, tools and seed
give the same bytes. docs/fpga.md describes boards, wiring and the link.
"""

import argparse
from dataclasses import replace
from math import gcd
from pathlib import Path

from lutra_model.params import Array

from .common import Outcome, progress, shape, table

NAME = "bitstream"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("--board", required=True, metavar="B", help="ulx3s-85f, ulx3s-25f or icepi-zero")
    parser.add_argument("--array", type=shape, metavar="RxC", help="cells of the array (the board's own)")
    parser.add_argument("--encoders", type=int, metavar="E", help="encoders (the board's own)")
    parser.add_argument("--clock", type=int, metavar="MHZ", help="the machine's clock (the board's own)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the placement (1)")
    parser.add_argument("--allow-timing-fail", action="store_true", help="keep a bitstream that misses its clock")
    parser.add_argument("--output", default="build/bitstream", metavar="FOLDER",
                        help="where bitstream, report and logs go (build/bitstream)")


def chosen_array(array: Array, args: argparse.Namespace) -> Array:
    """The board's own array with the sizes that the user gave."""
    if not args.array and not args.encoders:
        return array
    rows, columns = args.array or (array.rows, array.columns)
    made = array.resized(rows=rows, columns=columns, encoders=args.encoders or min(array.encoders, rows),
                         fill=gcd(array.fill, rows))
    return replace(made, lanes=max(array.lanes, made.length * made.groups))


def run(args: argparse.Namespace) -> Outcome:
    """The bitstream and what it takes of the part."""
    from lutra_hw.board.boards import board_named  # slow to import
    from lutra_sim import fpga

    board = board_named(args.board)
    array = chosen_array(board.array, args)
    with progress(quiet=args.json) as show:
        made = fpga.build(args.board, array, clock_mhz=args.clock, seed=args.seed, out=Path(args.output),
                          allow_timing_fail=args.allow_timing_fail, progress=show)
    used = [[name, f"{use.used:,}", f"{use.available:,}", f"{100 * use.used / use.available:.0f}%"]
            for name, use in made.resources.items()]
    verdict = "meets" if made.meets_timing else "MISSES"
    return Outcome(made.as_dict(), [
        table(f"{array.rows}x{array.columns} table cells on {board.name} ({made.device})",
              ["resource", "used", "there", "share"], used),
        f"reaches {made.fmax_mhz:.1f} MHz and {verdict} its clock of {made.clock_mhz} MHz; "
        f"made in {sum(made.seconds.values()):.0f} s",
        f"bitstream: {made.bitstream}"])
