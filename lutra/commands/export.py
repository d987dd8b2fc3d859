"""Write a network as ONNX with standard integer operators.

ONNX Runtime, which nobody here wrote, then gives the golden model's integers exactly. The input is int8, named
"input", laid out (batch, height, width, channels), on the network's input scale (see lutra golden --help).
"""

import argparse

from .. import embedded
from .common import Outcome, network_argument

NAME = "export"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)
    parser.add_argument("--onnx", required=True, metavar="FILE.onnx", help="where to write it")


def run(args: argparse.Namespace) -> Outcome:
    """The file written."""
    from lutra_model.onnx_write import export  # slow to import

    network = embedded.network(args.network)
    model = export(network, args.onnx)
    operators = sorted({node.op_type for node in model.graph.node})
    return Outcome({"file": args.onnx, "operators": operators},
                   [f"{network.name} written to {args.onnx}: {len(model.graph.node)} nodes of {', '.join(operators)}"])
