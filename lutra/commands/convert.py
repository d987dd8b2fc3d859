"""Convert a trained network from ONNX to a lookup network of any scheme (or to a multiplying twin).

MODEL.onnx may be built from Conv (grouped and depthwise too), Gemm, MatMul (of two activations as well: attention),
BatchNormalization, LayerNormalization, Relu, Clip, Add, Mul, Concat, pools, reshapes and transposes, functions of
single values such as Sigmoid or Gelu, and Softmax; pairs of QuantizeLinear and DequantizeLinear are understood.
Anything else is refused by name. What the machine does not run is run by the host: see "lutra info". CALIBRATION is a
floating-point .npy array in the model's own input layout, (batch, channels, height, width): a few hundred typical
inputs.
"""

import argparse

from lutra_model.netfile import save
from lutra_model.network import placement
from lutra_model.params import Metric
from lutra_model.schemes import SCHEMES

from .common import Outcome, progress, read_array

NAME = "convert"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("model", metavar="MODEL.onnx", help="the trained network")
    parser.add_argument("--calibration", required=True, metavar="X.npy", help="typical inputs")
    parser.add_argument("--scheme", choices=list(SCHEMES), default="lut-nn", help="how products are formed (lut-nn)")
    parser.add_argument("--layer", action="append", default=[], metavar="NAME=SCHEME",
                        help="another scheme for one layer, or for all that a pattern such as *.query* names; may be "
                             "given often, the last one that names a layer counts")
    parser.add_argument("--bits", type=int, default=4, metavar="B", help="of a weight, where a scheme has few (4)")
    parser.add_argument("--group", type=int, default=4, metavar="G", help="ternary weights in one index (4)")
    parser.add_argument("--levels", type=int, default=33, metavar="L",
                        help="of activations and weights, where a scheme has few (33)")
    parser.add_argument("--entries", type=int, default=16, metavar="C", help="centroids of a codebook (16)")
    parser.add_argument("--metric", type=Metric, choices=list(Metric), default=Metric.L2,
                        help="encoder's distance; tree: decision trees, of lut-dla only (l2)")
    parser.add_argument("--length", type=int, metavar="V",
                        help="scalars of a sub-vector (9 for 3x3, one kernel row for larger windows, else 4)")
    parser.add_argument("--by-tap", action="store_true",
                        help="cut windows into runs of channels of one tap, not taps of one channel")
    parser.add_argument("--pixel-scale", type=float, metavar="S",
                        help="real value of one step of a uint8 image, so that images can be given as they are")
    parser.add_argument("--no-refine", action="store_true",
                        help="leave tables, scales and biases as weights alone make them, where a scheme fits them to "
                             "the float layer's outputs (can be better where a few rows are far from all others)")
    parser.add_argument("--functions", action="store_true",
                        help="softmax, GELU and other functions by piecewise linear tables, which the machine runs "
                             "(otherwise the host does)")
    parser.add_argument("--calibrated", action="store_true",
                        help="with --functions: fit tables of functions such as GELU to what calibration brings to "
                             "them (otherwise to their whole range)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the k-means (0)")
    parser.add_argument("--output", required=True, metavar="NET.lutra", help="where to write the network")


def _by_layer(pairs: list[str]) -> dict[str, str]:
    """Schemes by layer from NAME=SCHEME."""
    for pair in pairs:
        if "=" not in pair:
            raise ValueError(f"--layer must be NAME=SCHEME, not {pair}")
    return dict(pair.rsplit("=", 1) for pair in pairs)


def run(args: argparse.Namespace) -> Outcome:
    """The network written."""
    from lutra_model.convert import convert  # slow to import

    calibration = read_array(args.calibration)
    with progress(quiet=args.json) as show:
        network = convert(args.model, calibration, scheme=args.scheme, schemes=_by_layer(args.layer),
                          entries=args.entries, metric=args.metric, lengths=args.length, by_tap=args.by_tap,
                          bits=args.bits, group=args.group, levels=args.levels, pixel_scale=args.pixel_scale,
                          seed=args.seed, functions=args.functions, calibrated=args.calibrated,
                          refine=not args.no_refine,
                          progress=show)
    save(network, args.output)
    host = [node.name for node in network.nodes if placement(node) == "host"]
    data = {"file": args.output, "layers": len(network.products), "macs": network.macs, "host_nodes": host}
    on_host = f", {len(host)} of {len(network.nodes)} nodes run on the host" if host else ""
    return Outcome(data, [f"{network.name}: {len(network.products)} product layers ({network.macs:,} MACs){on_host}, "
                          f"written to {args.output}"])
