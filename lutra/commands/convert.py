"""Convert a trained CNN from ONNX to a lookup network (or to its INT8 twin).

MODEL.onnx may use Conv, Gemm, MatMul, BatchNormalization, Relu, Add, MaxPool, AveragePool, GlobalAveragePool,
Flatten and a final Softmax; anything else is refused by name. CALIBRATION is a floating-point .npy array in the
model's own input layout, (batch, channels, height, width): a few hundred typical inputs.
"""

import argparse

from lutra_model.netfile import save
from lutra_model.params import Metric

from .common import Outcome, progress, read_array

NAME = "convert"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("model", metavar="MODEL.onnx", help="the trained network")
    parser.add_argument("--calibration", required=True, metavar="X.npy", help="typical inputs")
    parser.add_argument("--scheme", choices=["lut-nn", "int8"], default="lut-nn",
                        help="how products are formed (lut-nn)")
    parser.add_argument("--entries", type=int, default=16, metavar="C", help="centroids of a codebook (16)")
    parser.add_argument("--metric", type=Metric, choices=list(Metric), default=Metric.L2,
                        help="encoder's distance (l2)")
    parser.add_argument("--length", type=int, metavar="V",
                        help="scalars of a sub-vector (9 for 3x3, one kernel row for larger windows, else 4)")
    parser.add_argument("--pixel-scale", type=float, metavar="S",
                        help="real value of one step of a uint8 image, so that images can be given as they are")
    parser.add_argument("--seed", type=int, default=0, help="seed of the k-means (0)")
    parser.add_argument("--output", required=True, metavar="NET.lutra", help="where to write the network")


def run(args: argparse.Namespace) -> Outcome:
    """The network written."""
    from lutra_model.convert import convert  # slow to import

    calibration = read_array(args.calibration)
    with progress(quiet=args.json) as show:
        network = convert(args.model, calibration, scheme=args.scheme, entries=args.entries, metric=args.metric,
                          lengths=args.length, pixel_scale=args.pixel_scale, seed=args.seed, progress=show)
    save(network, args.output)
    macs = sum(layer.macs for layer in network.layers())
    return Outcome({"file": args.output, "layers": len(network.products), "macs": macs},
                   [f"{network.name}: {len(network.products)} product layers ({macs:,} MACs) written to {args.output}"])
