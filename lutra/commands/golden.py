"""Run the golden model: whole-network integer inference in NumPy.

INPUT is a .npy array (batch, height, width, channels) or (batch, features): uint8 images, floating point in the
units that the network was trained on, or int8 values already on the input's scale. Without it, the embedded test
images are classified.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lutra_model import golden as model
from lutra_model.files import write_whole

from .. import embedded
from .common import Outcome, network_argument, read_array

NAME = "golden"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    network_argument(parser)
    parser.add_argument("--input", metavar="X.npy", help="inputs (the embedded test images)")
    parser.add_argument("--output", metavar="Y.npy", help="where to write the int8 outputs")


def run(args: argparse.Namespace) -> Outcome:
    """Outputs of every input, and the accuracy where labels are known."""
    network = embedded.network(args.network)
    images, labels = (read_array(args.input), None) if args.input else embedded.test_set()
    outputs = model.outputs(network, images)
    classes = outputs.reshape(len(outputs), -1).argmax(axis=1)
    data = {"network": network.name, "inputs": len(images), "classes": classes.tolist()}
    shown = [f"{network.name}: {len(images)} inputs, output {outputs.shape} int8"]
    if labels is not None:
        data["correct"] = int((classes == labels).sum())
        shown.append(f"{data['correct']} of {len(labels)} embedded test images classified correctly")
    if args.output:
        write_whole(args.output, lambda part: save_array(part, outputs))
        shown.append(f"written to {args.output}")
    else:
        shown.append("classes: " + " ".join(map(str, classes[:40])) + (" ..." if len(classes) > 40 else ""))
    return Outcome(data, shown)


def save_array(path: Path, outputs: NDArray[np.int8]) -> None:
    with path.open("wb") as file:
        np.save(file, outputs)
