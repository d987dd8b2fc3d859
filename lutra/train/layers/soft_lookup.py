"""Table lookup with a gradient: hard in the forward pass, soft assignment in the backward pass.

For tables of 16 entries :mod:`native` does the same several times as fast; what stands here is its definition.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from . import native

__all__ = ["backward", "forward", "lookup", "packed_distances"]

CHUNK = 1 << 17  # elements of an intermediate that stay in a core's cache


def _groups(codebooks: int, entries: int, rows: int) -> Iterator[slice]:
    step = max(1, CHUNK // (entries * rows))
    return (slice(start, start + step) for start in range(0, codebooks, step))


def packed_distances(x: Tensor, centroids: Tensor) -> Tensor:
    """``entries * (|p|^2 - 2 a.p) + c``: ordered as ``(|a - p|^2, c)``, so the lowest index wins a tie.

    ``x`` is ``(codebooks, length, rows)``, ``centroids`` ``(codebooks, entries, length)``, both integers in
    float32; the result ``(codebooks, entries, rows)`` is exact for the lengths and entries asserted.
    """
    entries, length = centroids.shape[1:]
    assert entries * 3 * length * 128**2 + entries < 2**24
    offset = entries * centroids.square().sum(2) + torch.arange(entries, device=x.device)
    return torch.baddbmm(offset[:, :, None], centroids * (-2 * entries), x)


def _one_hot(index: Tensor, entries: int) -> Tensor:
    """``(codebooks * entries, rows)`` from indices ``(codebooks, 1, rows)``."""
    codebooks, _, rows = index.shape
    hot = torch.zeros(codebooks, entries, rows, device=index.device)
    return hot.scatter_(1, index.to(torch.int64), 1.0).flatten(0, 1)


def forward(x: Tensor, centroids: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
    """Sums ``(columns, rows)`` and chosen indices ``(codebooks, 1, rows)``."""
    codebooks, entries, columns = table.shape
    index = torch.empty(codebooks, 1, x.shape[2], dtype=torch.uint8, device=x.device)
    sums = x.new_zeros(columns, x.shape[2])
    for group in _groups(codebooks, entries, x.shape[2]):
        index[group] = packed_distances(x[group], centroids[group]).amin(1, keepdim=True).remainder(entries)
        sums.addmm_(table[group].flatten(0, 1).T, _one_hot(index[group], entries))
    return sums, index


def backward(x: Tensor, centroids: Tensor, table: Tensor, sharpness: float, index: Tensor, slope: Tensor,
             with_x: bool) -> tuple[Tensor | None, Tensor, Tensor, Tensor]:
    """Slopes of ``x`` (if wanted), centroids, table and sharpness."""
    codebooks, entries, _ = table.shape
    x_slope = torch.empty_like(x) if with_x else None
    centroid_slope, table_slope, sharper = torch.empty_like(centroids), torch.empty_like(table), x.new_zeros(())
    steep = centroids * (2 * sharpness)
    offset = centroids.square().sum(2, keepdim=True) * -sharpness
    for group in _groups(codebooks, entries, x.shape[2]):
        a, p, t = x[group], steep[group], table[group]
        table_slope[group] = (_one_hot(index[group], entries) @ slope.T).view_as(t)
        logits = torch.baddbmm(offset[group], p, a)
        soft = torch.softmax(logits, dim=1)
        gain = (t.flatten(0, 1) @ slope).view_as(soft).mul_(soft)
        gain -= soft * gain.sum(1, keepdim=True)
        sharper += torch.dot(gain.flatten(), logits.flatten()) / sharpness
        centroid_slope[group] = torch.bmm(gain, a.mT) * (2 * sharpness) - p * gain.sum(2, keepdim=True)
        if x_slope is not None:
            torch.bmm(p.mT, gain, out=x_slope[group])
    return x_slope, centroid_slope, table_slope, sharper


class _Lookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, centroids: Tensor, table: Tensor, sharpness: Tensor) -> Tensor:
        x, centroids, table = x.contiguous(), centroids.contiguous(), table.contiguous()
        ctx.fast = x.is_cpu and table.shape[1] == native.ENTRIES and native.library() is not None
        sums, index = (native.forward if ctx.fast else forward)(x, centroids, table)
        ctx.save_for_backward(x, centroids, table, sharpness, index)
        return sums

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        x, centroids, table, sharpness, index = ctx.saved_tensors
        return (native.backward if ctx.fast else backward)(x, centroids, table, float(sharpness), index,
                                                           slope.contiguous(), ctx.needs_input_grad[0])


def lookup(x: Tensor, centroids: Tensor, table: Tensor, sharpness: Tensor) -> Tensor:
    """``sum over k of table[k, argmin_c |x_k - centroids[k, c]|^2]`` as ``(columns, rows)``.

    ``x`` is ``(codebooks, length, rows)``, ``table`` ``(codebooks, entries, columns)``. The gradient of the table
    is exact. Those of ``x``, ``centroids`` and ``sharpness`` (the inverse temperature) are of the soft assignment
    ``softmax(-sharpness * |x_k - centroids[k, c]|^2)`` that LUT-NN puts in place of the argmin.
    """
    return _Lookup.apply(x, centroids, table, sharpness)
