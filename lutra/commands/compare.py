"""Compare all schemes and baselines on the same layer, trained model or workload: one table, one figure, one JSON.

A layer MxKxN has seeded random numbers (K scalars of each of M vectors, N outputs). A MODEL.onnx is converted to every
scheme with the same calibration inputs; without one, and without --layer or --workload, the default Fashion-MNIST
model is. Every scheme gets an array of as many cells, runs on the compiled RTL, bit by bit against its golden model,
and is priced in every technology. Machines are built once; a workload is known by shape only: nothing runs on the RTL.
"""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lutra_model.llm import MODELS
from lutra_model.params import Metric
from lutra_model.schemes import Options
from lutra_model.workloads import bert_base, resnet18

from .. import embedded
from .common import Outcome, encoders, progress, read_array, shape, technologies, technology_option

if TYPE_CHECKING:
    from lutra_reports.subjects import Subject

NAME = "compare"
BY_TOKENS = {"bert-base": bert_base, **{name: model.works for name, model in MODELS.items()}}
SHAPES = ["resnet18", *BY_TOKENS]
LAYER = (64, 64, 64)
MOST = 1 << 24  # multiply-accumulates that are simulated
Show = Callable[[str, int, int], None]


def layer_shape(text: str) -> tuple[int, int, int]:
    parts = text.split("x")
    if len(parts) != 3 or not all(part.isdigit() and int(part) for part in parts):
        raise argparse.ArgumentTypeError(f"must be ROWSxREDUCTIONxCOLUMNS such as 64x64x64, not {text}")
    rows, reduction, columns = map(int, parts)
    return rows, reduction, columns


def _bits(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isdigit() and 1 <= int(part) <= 8 for part in parts):
        raise argparse.ArgumentTypeError(f"must be numbers from 1 to 8 such as 2,4, not {text}")
    return tuple(map(int, parts))


def scheme_options(parser: argparse.ArgumentParser) -> None:
    """What the schemes may be told, and which of them take part."""
    known = Options()
    parser.add_argument("--schemes", type=lambda text: text.split(","), metavar="A,B",
                        help="which schemes and baselines (all)")
    parser.add_argument("--entries", type=int, default=known.entries, metavar="C",
                        help=f"centroids of a codebook ({known.entries})")
    parser.add_argument("--metric", type=Metric, choices=list(Metric), default=known.metric,
                        help=f"distance of nearest-centroid encoders ({known.metric})")
    parser.add_argument("--length", type=int, metavar="V", help="scalars of a sub-vector (each scheme's own choice)")
    parser.add_argument("--group", type=int, default=known.group, metavar="G",
                        help=f"ternary weights in one index ({known.group})")
    parser.add_argument("--levels", type=int, default=known.levels, metavar="L",
                        help=f"levels of activations and weights, where both have few ({known.levels})")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of all random numbers (0)")


def options(args: argparse.Namespace) -> Options:
    """The options of the command line."""
    return Options(entries=args.entries, metric=args.metric, lengths=args.length, group=args.group,
                   levels=args.levels, seed=args.seed)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("model", nargs="?", metavar="MODEL.onnx", help="a trained network, with --calibration")
    what.add_argument("--layer", type=layer_shape, nargs="?", const=LAYER, metavar="MxKxN",
                      help=f"one layer of random numbers ({'x'.join(map(str, LAYER))})")
    what.add_argument("--workload", choices=SHAPES, help="a workload by shape")
    parser.add_argument("--tokens", type=int, default=128, metavar="M", help="of a language workload (128)")
    scheme_options(parser)
    parser.add_argument("--bits", type=_bits, default=(), metavar="B,B",
                        help="bits of a weight, for schemes that have few (4)")
    parser.add_argument("--calibration", metavar="X.npy", help="typical inputs of MODEL.onnx")
    parser.add_argument("--input", metavar="X.npy",
                        help="inputs that it is judged on (the last quarter of the calibration's, then unseen by it)")
    parser.add_argument("--labels", metavar="Y.npy", help="classes of INPUT")
    parser.add_argument("--array", type=shape, default=(8, 8), metavar="RxC", help="cells of every array (8x8)")
    parser.add_argument("--encoders", type=encoders, default="auto", metavar="E",
                        help="sub-vectors encoded in one cycle (auto: the fewest that keep the array busy)")
    parser.add_argument("--images", type=int, default=1, metavar="N", help="inputs to run on the RTL (1)")
    parser.add_argument("--no-simulate", action="store_true", help="predict cycles only")
    parser.add_argument("--batch", type=int, default=1, metavar="B",
                        help="inputs that pay together for what is loaded once (1)")
    technology_option(parser)
    parser.add_argument("--output", metavar="FOLDER", help="write compare.json and compare.svg there")


def _default() -> "Subject":
    """The embedded model: half of the embedded images to calibrate on, the others to judge."""
    from lutra_model import onnx_read
    from lutra_reports.subjects import model_subject

    images, labels = embedded.test_set()
    network = embedded.network()
    x = (images.transpose(0, 3, 1, 2) * (network.pixel_scale or 1.0)).astype("float32")
    half = len(x) // 2
    graph = onnx_read.read(embedded.path(f"{embedded.DEFAULT}.onnx"), x.shape[1:])
    return model_subject(graph, x[:half], x[half:], labels[half:], {"fine-tuned": network})


def _model(args: argparse.Namespace) -> "Subject":
    from lutra_model import onnx_read
    from lutra_reports.subjects import model_subject

    if not args.calibration:
        raise ValueError(f"ONNX model {args.model} needs --calibration, typical inputs, to be converted")
    if args.labels and not args.input:
        raise ValueError("labels need --input, the inputs that they belong to")
    calibration = read_array(args.calibration)
    graph = onnx_read.read(args.model, calibration.shape[1:])
    if args.input:
        return model_subject(graph, calibration, read_array(args.input),
                             read_array(args.labels) if args.labels else None)
    if len(calibration) < 4:
        raise ValueError(f"calibration data without --input must hold at least 4 inputs, not {len(calibration)}")
    kept = -(-3 * len(calibration) // 4)
    return model_subject(graph, calibration[:kept], calibration[kept:])


def _subject(args: argparse.Namespace) -> "Subject":
    from lutra_reports.subjects import layer_subject, shape_subject

    if args.workload:
        works = BY_TOKENS[args.workload](args.tokens) if args.workload in BY_TOKENS else resnet18()
        return shape_subject(args.workload, works)
    if args.layer:
        return layer_subject(*args.layer, images=max(1, args.images), seed=args.seed)
    return _model(args) if args.model else _default()


def run(args: argparse.Namespace) -> Outcome:
    """The comparison's data, its tables, and where its files lie."""
    from lutra_reports import contest, contest_figure, contest_words, write  # slow to import

    chosen = contest.entries(args.schemes, options(args), args.bits)
    if args.images < 1:
        raise ValueError(f"images must be at least 1, not {args.images}")
    if args.output:
        write.check(args.output)
    rows, columns = args.array
    with progress(quiet=args.json) as show:
        subject = _subject(args)
        chosen += [contest.Entry(network.products[0].scheme, options(args), special, network)
                   for special, network in subject.trained.items()
                   if network.products[0].scheme in {entry.scheme for entry in chosen}]
        machine = contest.Machine(rows=rows, columns=columns, batch=args.batch,
                                  encoders=None if args.encoders == "auto" else args.encoders,
                                  simulate=0 if args.no_simulate else args.images)
        data = contest.make(subject, chosen, machine=machine, technologies=technologies(args.technology),
                            progress=show)
    shown: list[Any] = contest_words.tables(data)
    if args.output:
        drawn = contest_figure.figure(data)
        paths = write.store({"compare.svg": drawn.svg, "compare.png": drawn.png, "compare.json": write.as_json(data)},
                            args.output)
        shown.append("written: " + ", ".join(map(str, paths)))
    return Outcome(data, shown)
