"""Model files from ONNX's own text form."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

__all__ = ["random", "written"]

HEAD = '<ir_version: 8, opset_import: ["" : {}]> net '


def written(path: Path, text: str, weights: Mapping[str, NDArray[Any]], opset: int = 13) -> Path:
    """A model file from ONNX's own text form and its weights."""
    model = onnx.parser.parse_model(HEAD.format(opset) + text)
    for node in model.graph.node:
        node.name = node.output[0]
    model.graph.initializer.extend(onnx.numpy_helper.from_array(value, name) for name, value in weights.items())
    onnx.save(model, path / "net.onnx")
    return path / "net.onnx"


def random(seed: int, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    """Normal weights that keep an activation's size; those named v, variances, are 0.5 to 1.5."""
    rng = np.random.default_rng(seed)
    return {name: (rng.uniform(0.5, 1.5, shape) if name.startswith("v")
                   else rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
            for name, shape in shapes.items()}
