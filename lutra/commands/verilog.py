"""Write the machine as Verilog: the lookup array, or the MAC array that it is compared with.

The ports are AXI4-Streams (s_axis_cmd, s_axis_act, s_axis_table, m_axis); docs/hardware.md is their manual. The
sizes of sub-vectors, tables and memories come from the network.
"""

import argparse
import sys
from pathlib import Path

from lutra_model.engines import ENGINES
from lutra_model.files import write_whole
from lutra_model.fit import mac_array, scheme_array

from .. import embedded
from .common import Outcome, array_options, network_argument

NAME = "verilog"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)
    array_options(parser)
    parser.add_argument("--engine", choices=list(ENGINES), default="lookup", help="which array (lookup)")
    parser.add_argument("--output", metavar="FILE.v", help="where to write it (standard output)")


def run(args: argparse.Namespace) -> Outcome:
    """The Verilog text."""
    from lutra_hw.machine import verilog

    network, (rows, columns) = embedded.network(args.network), args.array
    array = (mac_array(network, rows=rows, columns=columns) if args.engine == "mac"
             else scheme_array(network, args.engine, rows=rows, columns=columns, encoders=args.encoders))
    text = verilog(array)
    if args.output:
        write_whole(args.output, lambda part: Path(part).write_text(text))
        return Outcome({"file": args.output, "bytes": len(text)}, [f"{len(text):,} bytes written to {args.output}"])
    if not args.json:
        sys.stdout.write(text)
    return Outcome({"verilog": text})
