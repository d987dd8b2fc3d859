"""What a run leaves behind beside networks: the float model, and its scores with where they came from."""

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from lutra_model import algorithm, golden
from lutra_model.files import locked, write_whole
from lutra_model.network import Network

from .data import Data

__all__ = ["float_outputs", "golden_outputs", "real_outputs", "save_scores", "scores"]


def float_outputs(path: Path, data: Data, batch: int = 500) -> NDArray[np.float32]:
    """What the float ONNX file makes of the test inputs in ONNX Runtime."""
    session = onnxruntime.InferenceSession(path)
    return np.concatenate([session.run(None, {"input": data.tensor(data.test[i:i + batch]).contiguous().numpy()})[0]
                           for i in range(0, len(data.test), batch)])


def golden_outputs(network: Network, data: Data, batch: int = 256) -> NDArray[np.float64]:
    """What the network's integers make of the test inputs, in real units and PyTorch's layout."""
    found = np.concatenate([golden.outputs(network, data.test[i:i + batch]) for i in range(0, len(data.test), batch)])
    return np.moveaxis(found, -1, 1) * network.nodes[-1].scale


def real_outputs(network: Network, data: Data, batch: int = 8) -> NDArray[np.float64]:
    """What the paper's equations make of the test inputs in real arithmetic, in PyTorch's layout."""
    last = network.nodes[-1].name
    return np.moveaxis(np.concatenate([algorithm.run(network, data.test[i:i + batch])[last]
                                       for i in range(0, len(data.test), batch)]), -1, 1)


def scores(path: Path) -> dict[str, Any]:
    """The scores in a file; an empty record where there is none."""
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def save_scores(path: Path, data: Data, record: Mapping[str, Any]) -> None:
    """Add to the file what was measured; variants by their names. Runs side by side lose nothing of each other's."""
    versions = {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__,
                "onnxruntime": onnxruntime.__version__}
    with locked(path.with_suffix(".lock")):
        known = scores(path)
        whole = {**known, **record, "data": data.name, "source": data.source, "unit": data.task.unit,
                 "test_inputs": len(data.test), "versions": versions,
                 "variants": {**known.get("variants", {}), **record.get("variants", {})}}
        write_whole(path, lambda beside: beside.write_text(json.dumps(whole, indent=2) + "\n"))
