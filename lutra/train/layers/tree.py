"""Decision trees: MADDNESS (Blalock and Guttag, ICML 2021)."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lutra_model import codings, trees
from lutra_model import network as kinds
from lutra_model.params import Metric

from .nearest import SOFTNESS
from .product import Tables
from .soft_lookup import lookup
from .windows import sub_vectors, windows

__all__ = ["Tree"]


class Tree(Tables):
    """A product by lookup whose indices are leaves of trees. Trees stay as they were learned; tables and biases learn.

    A comparison has no gradient. For that of the input, each leaf has a prototype, the mean of the sub-vectors that
    come to it, and the backward pass is that of the nearest prototype (see :func:`lookup`), whose place a tree takes
    in MADDNESS. ``log_sharpness`` belongs to it.
    """

    RATES = {"log_sharpness": 10.0}

    def __init__(self, node: kinds.Product, in_scale: float, weight: NDArray[np.float64] | None = None) -> None:
        super().__init__(node, in_scale, weight)
        coding = node.coding
        assert isinstance(coding, codings.Tree)
        self.length, (codebooks, entries, _) = coding.scalars, self.table.shape
        for name, value in (("dims", coding.dims), ("thresholds", coding.thresholds)):
            self.register_buffer(name, torch.from_numpy(value.astype(np.int64)), persistent=False)
        self.register_buffer("prototypes", torch.zeros(codebooks, entries, self.length))
        self.log_sharpness = nn.Parameter(torch.tensor(0.0))

    def leaves(self, x: Tensor) -> Tensor:
        """Leaf of each sub-vector of integers ``(codebooks, length, rows)``, uint8 ``(codebooks, 1, rows)``."""
        dims, thresholds = self.get_buffer("dims"), self.get_buffer("thresholds").to(x.dtype)
        every, above = torch.arange(len(x), device=x.device), list[Tensor]()
        for level, dim in enumerate(dims.T):
            node = thresholds[:, (1 << level) - 1:(2 << level) - 1, None]
            for bit in above:  # each halves the nodes that the path can have come to; gathering is several times slower
                half = node.shape[1] // 2
                node = torch.where(bit[:, None], node[:, half:], node[:, :half])
            above.append(x[every, dim] > node[:, 0])
        index = torch.zeros(len(x), x.shape[2], dtype=torch.uint8, device=x.device)
        for bit in above:
            index.mul_(2).add_(bit)
        return index[:, None]

    def sums(self, rows: Tensor) -> Tensor:
        """See :meth:`Product.sums`."""
        x = sub_vectors(rows, len(self.table), self.length, self.taps)
        return lookup(x, self.get_buffer("prototypes"), self.entries(), self.log_sharpness.exp(), Metric.L2,
                      self.leaves(x.detach()))

    @torch.no_grad()
    def prepare(self, x: Tensor) -> None:
        """See :meth:`Product.prepare`: prototypes; the sharpness is `SOFTNESS` over the mean distance to one's own."""
        rows = sub_vectors(windows(x, self.node.window), len(self.table), self.length, self.taps)
        leaves, prototypes = self.leaves(rows)[:, 0], self.get_buffer("prototypes")
        means = trees.prototypes(rows.cpu().numpy().astype(np.int8), leaves.cpu().numpy(), self.table.shape[1])
        prototypes.copy_(torch.from_numpy(means))
        own = prototypes.gather(1, leaves.to(torch.int64)[:, :, None].expand(-1, -1, self.length))
        mean = (rows.mT - own).square().sum(2).mean().clamp(min=1.0)
        self.log_sharpness.fill_(math.log(SOFTNESS[Metric.L2] / float(mean)))
