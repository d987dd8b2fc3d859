"""Run a network on the compiled RTL, layer by layer, and compare every bit with the golden model.

INPUT is an array as for lutra golden; without it, the first embedded test images. The first run of an array compiles
it with Verilator (cached afterwards).
"""

import argparse

import numpy as np

from lutra_model.files import write_whole
from lutra_model.fit import arrays

from .. import embedded
from .common import Outcome, array_options, network_argument, progress, read_array, table
from .golden import save_array

NAME = "simulate"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)
    array_options(parser)
    parser.add_argument("--input", metavar="X.npy", help="inputs (the first embedded test images)")
    parser.add_argument("--images", type=int, default=10, metavar="N", help="how many embedded images (10)")
    parser.add_argument("--output", metavar="Y.npy", help="where to write the int8 outputs")


def run(args: argparse.Namespace) -> Outcome:
    """Verdict, cycles predicted and simulated, layer by layer."""
    from lutra_sim.network import simulate

    network, (rows, columns) = embedded.network(args.network), args.array
    inputs = read_array(args.input) if args.input else embedded.test_set()[0][:args.images]
    with progress(quiet=args.json) as show:
        found = simulate(network, inputs, arrays(network, rows=rows, columns=columns, encoders=args.encoders),
                         progress=show)
    if args.output:
        write_whole(args.output, lambda part: save_array(part, found.outputs))
    data = found.as_dict() | {"classes": np.reshape(found.outputs, (len(inputs), -1)).argmax(axis=1).tolist()}
    rows_shown = [[layer["name"], layer["scheme"], layer["predicted"], layer["simulated"],
                   "yes" if layer["bit_exact"] else "NO"] for layer in data["layers"]]
    title = f"{network.name} on {rows}x{columns} cells, {len(inputs)} inputs: cycles of one input"
    return Outcome(data, [table(title, ["layer", "scheme", "predicted", "simulated", "bit-exact"], rows_shown),
                          f"bit-exact: {data['bit_exact']}; cycles predicted {data['cycles']['predicted']:,}, "
                          f"simulated {data['cycles']['simulated']:,}"])
