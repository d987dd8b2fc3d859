"""What a recipe leaves behind: network files, ONNX, held-out images, licence, accuracy with its provenance."""

import io
import json
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from lutra_model import algorithm, golden, netfile
from lutra_model.network import Network
from numpy.typing import NDArray

from .datasets import Images

__all__ = ["answers", "float_answers", "save_accuracy", "save_network", "save_test_images", "versions"]

TEST_IMAGES = 256


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    return {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__,
            "onnxruntime": onnxruntime.__version__}


def float_answers(path: Path, images: NDArray[np.uint8], batch: int = 500) -> NDArray[np.int64]:
    """Answers of the float ONNX file in ONNX Runtime."""
    session = onnxruntime.InferenceSession(path)
    pixels = (images.astype(np.float32) / 255).transpose(0, 3, 1, 2)
    return np.concatenate([session.run(None, {"input": pixels[i:i + batch]})[0].argmax(axis=1)
                           for i in range(0, len(pixels), batch)])


def answers(dense: Path, lookup: Network, multiplying: Network, data: Images) -> dict[str, NDArray[np.int64]]:
    """Answers to the test images of the float file, the INT8 network and both views of the lookup network."""
    return {"float": float_answers(dense, data.test), "int8": golden.classify(multiplying, data.test),
            "converted": algorithm.classify(lookup, data.test), "golden": golden.classify(lookup, data.test)}


def save_accuracy(found: Mapping[str, NDArray[np.int64]], data: Images, provenance: Mapping[str, Any],
                  path: Path) -> None:
    """Share of right answers of every view, with where it came from."""
    shares = {view: round(float(np.mean(guess == data.test_labels)), 6) for view, guess in found.items()}
    text = {"accuracy": shares, "images": len(data.test), **provenance, "versions": versions()}
    path.write_text(json.dumps(text, indent=2) + "\n")
