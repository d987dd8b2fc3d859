"""The float network as an ONNX file of plain operators."""

import io
import warnings
from pathlib import Path

import torch

from .resnet import ResNet8

__all__ = ["save"]

OPSET = 17


def save(net: ResNet8, shape: tuple[int, int, int], path: Path) -> None:
    """Write a folded network: input ``input`` ``(batch, channels, height, width)``, output ``logits``."""
    height, width, channels = shape
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(net, (torch.zeros(1, channels, height, width),), buffer, dynamo=False,
                          opset_version=OPSET, input_names=["input"], output_names=["logits"],
                          dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}})
    path.write_bytes(buffer.getvalue())
