"""The main job: prove a network on the RTL, price it against MAC arrays, and write a report to open in a browser.

Runs the golden model on the inputs and the RTL of the machine on the first ones, compares every bit, and writes
report.html (self-contained), report.json (every number with its source), layers.csv and the figures as PNG and SVG.
NET may be a .lutra file, an embedded network's name, or a trained CNN in ONNX (then with --calibration).
"""

import argparse
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lutra_model.fit import arrays, main_scheme
from lutra_model.network import Network

from .. import embedded
from .common import (
    REST,
    Outcome,
    array_options,
    network_argument,
    progress,
    read_array,
    rest,
    table,
    technologies,
    technology_option,
)

if TYPE_CHECKING:
    from lutra_reports.report import Report

NAME = "report"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)
    array_options(parser)
    parser.add_argument("--input", metavar="X.npy", help="inputs of your own network, with --labels")
    parser.add_argument("--labels", metavar="Y.npy", help="their classes")
    parser.add_argument("--calibration", metavar="X.npy", help="typical inputs, to convert an ONNX model")
    parser.add_argument("--pixel-scale", type=float, metavar="S",
                        help="real value of one step of a uint8 image, for an ONNX model")
    parser.add_argument("--int8", metavar="NET", help="the same network of multiplications, where it is not made here: "
                        "it is simulated, too, and energies follow both networks' data")
    parser.add_argument("--images", type=int, default=10, metavar="N", help="inputs to run on the RTL (10)")
    technology_option(parser)
    parser.add_argument("--output", default="report", metavar="FOLDER", help="where to write the report (report)")


def _network(args: argparse.Namespace, show: Callable[[str, int, int], None]) -> tuple[Network, Network | None]:
    """The network and, where there is one, its multiplying twin."""
    if str(args.network).endswith(".onnx"):
        from lutra_model.convert import convert  # slow to import

        if not args.calibration:
            raise ValueError(f"ONNX model {args.network} needs --calibration, typical inputs, to be converted")
        calibration = read_array(args.calibration)
        lookup, twin = (convert(args.network, calibration, scheme=scheme, pixel_scale=args.pixel_scale, progress=show)
                        for scheme in ("lut-nn", "int8"))
        return lookup, twin
    network = embedded.network(args.network)
    name = args.int8 or (f"{network.name}-int8" if embedded.is_default(args.network) else None)
    return network, _twin(network, name) if name else None


def _twin(network: Network, name: str) -> Network:
    """The multiplying network of that name, which must take the same inputs."""
    found = embedded.network(name)
    if main_scheme(found) or found.input_shape != network.input_shape:
        raise ValueError(f"network {name} of --int8 must multiply only and take inputs of shape {network.input_shape}")
    return found


def _inputs(args: argparse.Namespace, network: Network) -> tuple[NDArray[Any], NDArray[Any]]:
    if args.input and args.labels:
        images, labels = read_array(args.input), read_array(args.labels)
        if not len(images):
            raise ValueError(f"inputs {args.input} must be at least one, not none")
        if labels.shape != images.shape[:1]:
            raise ValueError(f"labels must have shape ({len(images)},), one class for each input, not {labels.shape}")
        if labels.dtype.kind not in "iuf":
            raise ValueError(f"labels must be numbers of classes, not {labels.dtype}")
        classes = prod(network.shapes[network.nodes[-1].name])
        wrong = labels[(labels < 0) | (labels >= classes) | (labels != np.floor(labels))]
        if len(wrong):
            raise ValueError(f"labels must be classes 0 to {classes - 1}, not {wrong[0]}")
        return images, labels
    if args.input or args.labels or not embedded.is_default(args.network):
        named = args.network or embedded.DEFAULT
        raise ValueError(f"network {named} needs both --input and --labels to be reported on")
    return embedded.test_set()


def run(args: argparse.Namespace) -> Outcome:
    """The report's data, and where its page lies."""
    from lutra_reports import report, write  # slow to import

    write.check(args.output)
    rows, columns = args.array
    with progress(quiet=args.json) as show:
        network, twin = _network(args, show)
        images, labels = _inputs(args, network)
        made = report.make(
            network, images, labels, arrays=arrays(network, rows=rows, columns=columns, encoders=args.encoders),
            int8=twin, int8_arrays=arrays(twin, rows=rows, columns=columns) if twin else None,
            accuracy=embedded.accuracy() if embedded.is_default(args.network) else None,
            technologies=technologies(args.technology), simulate_images=args.images, progress=show)
    write.write(made, args.output)
    return Outcome(made.data, [*_shown(made), f"report: {Path(args.output, 'report.html')}"])


def _shown(made: "Report") -> list[Any]:
    from lutra_reports import terminal

    data = made.data
    layers = [[layer["name"], layer["rtl"]["predicted"], layer["rtl"]["simulated"],
               "yes" if layer["rtl"]["bit_exact"] else "NO", layer["binding"],
               f"{100 * layer['binding_busy']:.0f}%", f"{100 * layer['cell_utilisation']:.0f}%",
               rest(layer["causes"], layer["binding"])] for layer in data["layers"]]
    accuracy = ", ".join(f"{view} {100 * value:.2f}%" for view, value in data["accuracy"].items()
                         if isinstance(value, float) and np.isfinite(value))
    head = ["layer", "predicted", "simulated", "exact", "bound by", "busy", "cells", REST]
    return [table(f"{data['network']['name']}: cycles of one input on the RTL", head, layers),
            terminal.summary(made), *terminal.doubts(made),
            f"bit-exact: {data['bit_exact']}; cycles predicted {data['cycles']['predicted']:,}, simulated "
            f"{data['cycles']['simulated']:,}" + (f"; on the host: {', '.join(data['host'])}" if data["host"] else ""),
            f"accuracy on the full test set: {accuracy}" if accuracy else ""]
