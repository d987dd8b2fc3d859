"""Write a network's machine as Verilog, or the MAC array that it is compared with.

The ports are AXI4-Streams (s_axis_cmd, s_axis_act, s_axis_table, m_axis); docs/hardware.md is their manual. The
sizes of sub-vectors, tables and memories come from the network.
"""

import argparse
import sys
from pathlib import Path

from lutra_model.engines import ENGINES
from lutra_model.files import write_whole
from lutra_model.fit import arrays, mac_array, main_scheme, scheme_array
from lutra_model.network import Network
from lutra_model.params import Array

from .. import embedded
from .common import Outcome, array_options, network_argument

NAME = "verilog"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)
    array_options(parser)
    parser.add_argument("--engine", choices=list(ENGINES),
                        help="which array (the network's own)")
    parser.add_argument("--output", metavar="FILE.v", help="where to write it (standard output)")


def _array(network: Network, args: argparse.Namespace) -> Array:
    rows, columns = args.array
    if args.engine is None:
        made = arrays(network, rows=rows, columns=columns, encoders=args.encoders)
        return made[main_scheme(network) or next(iter(made))]
    if args.engine == "mac":
        return mac_array(network, rows=rows, columns=columns)
    return scheme_array(network, args.engine, rows=rows, columns=columns, encoders=args.encoders)


def run(args: argparse.Namespace) -> Outcome:
    """The Verilog text."""
    from lutra_hw.machine import verilog

    text = verilog(_array(embedded.network(args.network), args))
    if args.output:
        write_whole(args.output, lambda part: Path(part).write_text(text))
        return Outcome({"file": args.output, "bytes": len(text)}, [f"{len(text):,} bytes written to {args.output}"])
    if not args.json:
        sys.stdout.write(text)
    return Outcome({"verilog": text})
