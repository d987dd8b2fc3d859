"""model.onnx_read: what it does not support, and files that are no models."""

import re
from pathlib import Path

import numpy as np
import pytest

from lutra_model import onnx_read
from tests.model.onnx_read.networks import PLAIN, PLAIN_SHAPES
from tests.model.onnx_text import random, written

ANY = "(float[N,4,6,6] x) => (float y)"
KNOWN = ", ".join(sorted(onnx_read.SUPPORTED))
REFUSALS: dict[str, tuple[str, dict[str, tuple[int, ...]], str]] = {
    "operator": (ANY + " {\ns = ConvTranspose(x, w)\ny = Relu(s)\n}", {"w": (4, 2, 2, 2)},
                 f"operator ConvTranspose (node s) is not supported; supported are {KNOWN}"),
    "joined": (ANY + " {\ny = Concat<axis=0>(x, x)\n}", {},
               "y (Concat) joins axis 0 of 4, only those of images and vectors but the batch are supported"),
    "groups": (ANY + " {\ny = Conv<group=2, kernel_shape=[3,3]>(x, w)\n}", {"w": (3, 2, 3, 3)},
               "y (Conv) must have a weight for each of 4 channels in 2 groups, not 3 columns of 2 weights"),
    "channels": (ANY + " {\ny = Conv<kernel_shape=[3,3]>(x, w)\n}", {"w": (2, 3, 3, 3)},
                 "y (Conv) must have a weight for each of 4 channels in 1 groups, not 2 columns of 3 weights"),
    "dilation": (ANY + " {\ny = Conv<dilations=[2,2], kernel_shape=[3,3]>(x, w)\n}", {"w": (2, 4, 3, 3)},
                 "y (Conv) has dilations (2, 2), only 1 is supported"),
    "weight": ("(float[N,4] x) => (float y) {\na = MatMul(x, w)\ny = Gemm<transB=1>(x, a)\n}", {"w": (4, 4)},
               "y (Gemm) must have a constant weight"),
    "inputs": ("(float[N,4] x, float[N,4] z) => (float[N,4] y) {\ny = Add(x, z)\n}", {},
               "the model has 2 inputs (x, z), only 1 is supported"),
    "outputs": ("(float[N,4] x) => (float[N,4] y, float[N,4] z) {\ny = Relu(x)\nz = Relu(y)\n}", {},
                "the model has 2 outputs (y, z), only 1 is supported"),
    "free": ("(float[N,4,h,w] x) => (float y) {\ny = Relu(x)\n}", {},
             "input x has shape (N, 4, h, w), only its batch may be free"),
    "batch": ("(float[5,4] x) => (float[5,4] y) {\ny = Relu(x)\n}", {},
              "input x has shape (5, 4), its batch must be free or 1"),
    "dtype": ("(double[N,4] x) => (double[N,4] y) {\ny = Relu(x)\n}", {}, "input x must be float, not double"),
    "bias": (ANY + " {\nc = Conv<kernel_shape=[1,1]>(x, w)\ny = Add(c, b)\n}", {"w": (4, 4, 1, 1), "b": (6,)},
             "y (Add) must have one constant for each of 4 columns, not constants of shape (6,)"),
    "average": (ANY + " {\ny = AveragePool<kernel_shape=[3,3], pads=[1,1,1,1]>(x)\n}", {},
                "y (AveragePool) must count its padding as zeros (count_include_pad), or have none"),
    "mean": (ANY + " {\ny = ReduceMean<axes=[1]>(x)\n}", {},
             "y (ReduceMean) must reduce the height and width of an image"),
    "transA": ("(float[1,1] x) => (float y) {\ny = Gemm<transA=1>(x, w)\n}", {"w": (1, 2)},
               "y (Gemm) has its input transposed, which is not supported"),
    "rank": ("(float[N,4,5,2,2] x) => (float y) {\ny = Relu(x)\n}", {},
             "input x must be a batch of images, sequences or vectors, not of shape (N, 4, 5, 2, 2)"),
    "batch moved": (ANY + " {\ny = Flatten<axis=2>(x)\n}", {}, "y (Flatten) must leave the batch as it is"),
    "quotient": (ANY + " {\nm = MaxPool<kernel_shape=[1,1]>(x)\ny = Div(x, m)\n}", {},
                 "y (Div) must have a constant, the quotient of two activations is not supported"),
    "subtraction": (ANY + " {\nm = MaxPool<kernel_shape=[1,1]>(x)\ny = Sub(x, m)\n}", {},
                    "y (Sub) must have a constant, the difference of two activations is not supported"),
    "larger": (ANY + " {\nm = MaxPool<kernel_shape=[1,1]>(x)\ny = Max(x, m)\n}", {},
               "y (Max) must have a constant, the extreme of two activations is not supported"),
    "broadcast": (ANY + " {\nm = GlobalAveragePool(x)\ny = Add(x, m)\n}", {},
                  "y (Add) must join two activations of one shape, not (4, 6, 6) and (4, 1, 1)"),
    "gate": (ANY + " {\nm = ReduceMean<axes=[1]>(x)\ny = Mul(x, m)\n}", {},
             "m (ReduceMean) must reduce the height and width of an image"),
    "product": (ANY + " {\nm = MaxPool<kernel_shape=[6,1]>(x)\ny = Mul(x, m)\n}", {},
                "y (Mul) must multiply activations of one shape or by one pixel, not (4, 6, 6) and (4, 1, 6)"),
    "log": (ANY + " {\ns = LogSoftmax<axis=1>(x)\ny = Relu(s)\n}", {},
            "s (LogSoftmax) must be the model's last operator"),
    "batched": (ANY + " {\ny = MatMul(x, w)\n}", {"w": (4, 6, 2)},
                "y (MatMul) must multiply vectors or their sequences by a matrix, not (4, 6, 6) by (4, 6, 2)"),
    "padded": (ANY + " {\np = Pad(x, k)\ny = MaxPool<kernel_shape=[2,2]>(p)\n}", {},
               "y (MaxPool) reads padded zeros, which only a convolution may"),
    "reflected": (ANY + ' {\ny = Pad<mode="reflect">(x, k)\n}', {}, "y (Pad) must pad constant zeros around an image"),
    "scales": (ANY + " {\nq = QuantizeLinear<axis=1>(x, v, none)\ny = DequantizeLinear<axis=1>(q, v, none)\n}",
               {"v": (4,)}, "q (QuantizeLinear) must have one scale for the whole activation, not 4"),
    "nothing": (ANY + " {\ny = Identity(x)\n}", {}, "the model must have at least one layer"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_not_supported_is_refused_by_name(name: str, tmp_path: Path) -> None:
    text, shapes, sentence = REFUSALS[name]
    constants = {"k": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "none": np.zeros(4, np.uint8)}
    used = {key: value for key, value in constants.items() if re.search(rf"\b{key}\b", text)}
    path = written(tmp_path, text, random(5, shapes) | used)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        onnx_read.read(path)


@pytest.mark.parametrize("content", ["missing", "empty", "text", "truncated", "folder"])
def test_a_file_that_is_no_model_gives_one_sentence(content: str, tmp_path: Path) -> None:
    whole = written(tmp_path, PLAIN, random(6, PLAIN_SHAPES)).read_bytes()
    path = tmp_path / "given.onnx"
    if content == "folder":
        path.mkdir()
    elif content != "missing":
        path.write_bytes({"empty": b"", "text": b"not a model\n" * 9, "truncated": whole[:-100]}[content])
    sentence = re.escape(f"{path} must be a valid ONNX model, but it cannot be read: ")
    with pytest.raises(ValueError, match=f"^{sentence}.+$") as caught:
        onnx_read.read(path)
    assert "\n" not in str(caught.value)
