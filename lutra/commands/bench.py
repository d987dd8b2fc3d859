"""Measure speeds as ratios in one run: golden model against BLAS, compiled simulation against cocotb and Amaranth.

The golden lines compare whole golden inference, of the network and of ResNet-18 at 224 x 224, with the float32 matrix
products of the same shapes in NumPy. The simulation lines compare the compiled machine with two others that drive the
same machine, on the same program. One line has the cost model evaluate ResNet-18 on 32,768 machines, all at once and
one by one. The last line is the whole network on the compiled machine.
"""

import argparse
from typing import Any

from lutra_model.benchmark import golden_against_blas, points_against_exact, resnet18_against_blas
from lutra_model.fit import lookup_array

from .. import embedded
from .common import Outcome, array_options, network_argument, progress, table

NAME = "bench"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)
    array_options(parser)
    parser.add_argument("--resnet18", action="store_true",
                        help="instead, simulate ResNet-18 at 224 x 224 with random weights on 16x32 cells, 16 encoders")


def run(args: argparse.Namespace) -> Outcome:
    """The ratios and what they are made of."""
    from lutra_sim import benchmark  # slow to import

    if args.resnet18:
        with progress(quiet=args.json) as show:
            return _resnet18(benchmark.resnet18(progress=show))
    network, (rows, columns) = embedded.network(args.network), args.array
    golden, large = golden_against_blas(network), {batch: resnet18_against_blas(batch=batch) for batch in (1, 8)}
    speeds = benchmark.compare(lookup_array(network, rows=rows, columns=columns, encoders=args.encoders))
    with progress(quiet=args.json) as show:
        whole = benchmark.images(network, rows=rows, columns=columns, encoders=args.encoders, progress=show)
    lines = [[f"golden {name} over BLAS", f"{found['golden_inputs_per_s']:,.0f} inputs/s",
              f"{found['blas_inputs_per_s']:,.0f} inputs/s", f"{found['ratio']:.2f}"]
             for name, found in [("model", golden), *((f"ResNet-18, batch {batch},", found)
                                                      for batch, found in large.items())]]
    points = points_against_exact()
    lines.append(["ResNet-18 on many machines at once over one by one", f"{points['points_per_s']:,.0f} machines/CPU-s",
                  f"{points['exact_points_per_s']:,.1f} machines/CPU-s", f"{points['ratio']:,.0f}"])
    each = speeds["cycles_per_s"]
    lines += [[f"compiled machine over {name}", f"{each['compiled']:,.0f} cycles/s", f"{each[name]:,.0f} cycles/s",
               f"{lead:,.1f}"] for name, lead in speeds["lead"].items()]
    return Outcome({"golden": golden, "resnet18": large, "machines": points, "simulation": speeds, "network": whole},
                   [table(f"{network.name}, {rows}x{columns} cells", ["what", "ours", "the other", "ratio"], lines),
                    f"lookups simulated: {speeds['lookups_per_s']['compiled']:,.0f} in a second",
                    f"whole network: {whole['images_per_s']:.2f} images/s, {whole['cycles_per_s']:,.0f} cycles/s, "
                    f"{whole['cycles']['simulated']:,} cycles for one image; bit-exact: {whole['bit_exact']}, cycles "
                    f"as predicted: {whole['cycles_exact']}"])


def _resnet18(found: dict[str, Any]) -> Outcome:
    cycles = found["cycles"]["simulated"]
    speed = f"{found['cycles_per_s']:,.0f} cycles/s" if found["cycles_per_s"] else "kept from an earlier run"
    return Outcome(found, [f"resnet18 at {found['size']} x {found['size']}: {cycles:,} cycles of RTL in "
                           f"{found['seconds']:.0f} s ({speed}); bit-exact: {found['bit_exact']}, cycles as predicted: "
                           f"{found['cycles_exact']}"])
