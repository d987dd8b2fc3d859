"""Measure speeds as ratios in one run: golden model against BLAS, compiled simulation against cocotb.

The first line compares whole golden inference of the network with the float32 matrix products of the same shapes in
NumPy; the second the compiled machine with per-cycle driving from Python, on the same array and layer.
"""

import argparse

from lutra_model.benchmark import golden_against_blas
from lutra_model.fit import lookup_array

from .. import embedded
from .common import Outcome, array_options, network_argument, table

NAME = "bench"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)
    array_options(parser)


def run(args: argparse.Namespace) -> Outcome:
    """The two ratios and what they are made of."""
    from lutra_sim.benchmark import compare  # slow to import

    network, (rows, columns) = embedded.network(args.network), args.array
    golden = golden_against_blas(network)
    simulation = compare(lookup_array(network, rows=rows, columns=columns, encoders=args.encoders))
    lines = [["golden model over BLAS products", f"{golden['golden_inputs_per_s']:,.0f} inputs/s",
              f"{golden['blas_inputs_per_s']:,.0f} inputs/s", f"{golden['ratio']:.2f}"],
             ["compiled machine over cocotb", f"{simulation['compiled_cycles_per_s']:,.0f} cycles/s",
              f"{simulation['cocotb_cycles_per_s']:,.0f} cycles/s", f"{simulation['ratio']:.1f}"]]
    return Outcome({"golden": golden, "simulation": simulation},
                   [table(f"{network.name}, {rows}x{columns} cells", ["what", "ours", "the other", "ratio"], lines)])
