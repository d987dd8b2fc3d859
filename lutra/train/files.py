"""What a recipe leaves behind beside networks: ONNX, held-out images, accuracy with its provenance."""

import io
import json
import platform
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from lutra_model import algorithm, golden
from lutra_model.network import Network

from .datasets import Images
from .resnet import ResNet8

__all__ = ["answers", "float_answers", "save_accuracy", "save_onnx", "save_test_images"]

OPSET = 17
TEST_IMAGES = 256


def save_onnx(net: ResNet8, shape: tuple[int, ...], path: Path) -> None:
    """The folded float network in plain operators: ``input`` ``(batch, channels, height, width)`` to ``logits``."""
    height, width, channels = shape
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the exporter that needs no other package
        torch.onnx.export(net, (torch.zeros(1, channels, height, width),), buffer, dynamo=False,
                          opset_version=OPSET, input_names=["input"], output_names=["logits"],
                          dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}})
    path.write_bytes(buffer.getvalue())


def save_test_images(data: Images, folder: Path) -> None:
    """The first held-out images and their labels, as ``<first word of the data set>-test.npz``."""
    np.savez_compressed(folder / f"{data.name.split('-')[0]}-test.npz", images=data.test[:TEST_IMAGES],
                        labels=data.test_labels[:TEST_IMAGES].astype(np.uint8))


def float_answers(path: Path, images: NDArray[np.uint8], batch: int = 500) -> NDArray[np.int64]:
    """Answers of the float ONNX file in ONNX Runtime."""
    session = onnxruntime.InferenceSession(path)
    x = (images.astype(np.float32) / 255).transpose(0, 3, 1, 2)
    return np.concatenate([session.run(None, {"input": x[i:i + batch]})[0].argmax(axis=1)
                           for i in range(0, len(x), batch)])


def answers(dense: Path, lookup: Network, multiplying: Network, data: Images) -> dict[str, NDArray[np.int64]]:
    """Answers to the test images: of the float file, the INT8 network, and both views of the lookup network."""
    return {"float": float_answers(dense, data.test), "int8": golden.classify(multiplying, data.test),
            "converted": algorithm.classify(lookup, data.test, batch=4), "golden": golden.classify(lookup, data.test)}


def save_accuracy(found: Mapping[str, NDArray[np.int64]], data: Images, provenance: Mapping[str, Any],
                  path: Path) -> dict[str, float]:
    """Write, and return, the share of right answers of every view, with where it came from."""
    shares = {view: float(np.mean(guess == data.test_labels)) for view, guess in found.items()}
    versions = {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__,
                "onnxruntime": onnxruntime.__version__}
    path.write_text(json.dumps({"accuracy": shares, "test_images": len(data.test), **provenance,
                                "versions": versions}, indent=2) + "\n")
    return shares
