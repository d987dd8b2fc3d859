"""One layer in real numbers, of seeded random weights, and activations for it: what every scheme is tried on."""

from functools import cached_property
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from .graph import Affine, FloatGraph
from .nodes import Window
from .places import Places

__all__ = ["STATISTICS", "OneLayer"]

STATISTICS = ("weights normal with variance 2/K, bias normal with deviation 0.1, activations max(0, standard normal), "
              "all independent")


class OneLayer:
    """``y = x @ weight + bias`` on ``rows`` vectors of ``reduction`` scalars each, as a convolution of 1 x 1.

    Independent scalars are the hardest case for schemes that approximate whole sub-vectors: real activations have
    structure that centroids find.

    Parameters
    ----------
    rows, reduction, columns : M, K and N of the matrix product of one input.
    seed : of weights; with another word, of activations.
    """

    def __init__(self, rows: int, reduction: int, columns: int, seed: int = 0) -> None:
        for name, value in [("rows", rows), ("reduction", reduction), ("columns", columns)]:
            if value < 1:
                raise ValueError(f"{name} of the layer must be at least 1, not {value}")
        if seed < 0:
            raise ValueError(f"seed must be at least 0, not {seed}")
        self.rows, self.reduction, self.columns, self.seed = rows, reduction, columns, seed
        rng = np.random.default_rng((seed, 0))
        self.weight = rng.normal(0, np.sqrt(2 / reduction), (reduction, columns)).astype(np.float32).astype(np.float64)
        self.bias = rng.normal(0, 0.1, columns).astype(np.float32).astype(np.float64)

    def activations(self, count: int, draw: int = 0) -> NDArray[np.float32]:
        """Inputs ``(count, reduction, 1, rows)`` as the model takes them; other ones for another ``draw``."""
        rng = np.random.default_rng((self.seed, 1, draw))
        return np.maximum(rng.standard_normal((count, self.reduction, 1, self.rows), np.float32), 0)

    def images(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same as the network takes them, ``(count, 1, rows, reduction)``."""
        return np.ascontiguousarray(np.moveaxis(x, 1, -1))

    def expected(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """The float layer's outputs for what ``images`` gives, ``(count, 1, rows, columns)``."""
        return x.astype(np.float64) @ self.weight + self.bias

    def _model(self) -> onnx.ModelProto:
        weight = self.weight.T[:, :, None, None].astype(np.float32)
        tensors = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(self.bias.astype(np.float32),
                                                                                     "bias")]
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", channels, 1, self.rows])
                  for name, channels in [("input", self.reduction), ("output", self.columns)]]
        graph = helper.make_graph([helper.make_node("Conv", ["input", "weight", "bias"], ["output"])], "layer",
                                  values[:1], values[1:], tensors)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    @cached_property
    def graph(self) -> FloatGraph:
        """What the converters take."""
        step = Affine(name="layer", inputs=("input",), tensor="output", weight=self.weight, bias=self.bias,
                      places=Places.channels_first((self.columns, 1, self.rows)), window=Window(kernel=(1, 1)))
        return FloatGraph(name=self.name, places=Places.channels_first((self.reduction, 1, self.rows)), steps=(step,),
                          model=self._model(), source={"weights": "random", "seed": str(self.seed)})

    @property
    def name(self) -> str:
        """The layer's shape."""
        return f"layer-{self.rows}x{self.reduction}x{self.columns}"

    def facts(self) -> dict[str, Any]:
        """What a report says of it."""
        return {"rows": self.rows, "reduction": self.reduction, "columns": self.columns, "seed": self.seed,
                "statistics": STATISTICS}
