"""Measure speeds as ratios in one run: golden model against BLAS, compiled simulation against cocotb.

The first line compares whole golden inference of the network with the float32 matrix products of the same shapes in
NumPy; the second does so for ResNet-18 on 224 x 224 images (random weights), and its peak memory is told; the third
compares the compiled machine with per-cycle driving from Python.
"""

import argparse

from lutra_model.benchmark import golden_against_blas, resnet18_against_blas
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
    golden, large = golden_against_blas(network), resnet18_against_blas()
    simulation = compare(lookup_array(network, rows=rows, columns=columns, encoders=args.encoders))
    lines = [*([f"golden model over BLAS products, {name}", f"{found['golden_inputs_per_s']:,.0f} inputs/s",
                f"{found['blas_inputs_per_s']:,.0f} inputs/s", f"{found['ratio']:.2f}"]
               for name, found in ((network.name, golden), ("ResNet-18", large))),
             ["compiled machine over cocotb", f"{simulation['compiled_cycles_per_s']:,.0f} cycles/s",
              f"{simulation['cocotb_cycles_per_s']:,.0f} cycles/s", f"{simulation['ratio']:.1f}"]]
    peak, windows = (f"{large[name] / 2**20:.0f} MiB" for name in ("peak_bytes", "windows_bytes"))
    memory = (f"golden inference of {large['batch']} ResNet-18 inputs takes at most {peak} beside the network; "
              f"one layer's windows alone would be {windows}")
    return Outcome({"golden": golden, "resnet18": large, "simulation": simulation},
                   [table(f"{rows}x{columns} cells", ["what", "ours", "the other", "ratio"], lines), memory])
