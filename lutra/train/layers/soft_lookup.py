"""Table lookup with a gradient: hard in the forward pass, soft assignment in the backward pass.

For tables of 16 entries :mod:`native` does the same several times as fast; what stands here is its definition.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from lutra_model.params import Metric

from . import native

__all__ = ["backward", "forward", "lookup", "packed_distances", "picked"]

CHUNK = 1 << 17  # elements of an intermediate that stay in a core's cache


def _groups(codebooks: int, entries: int, rows: int) -> Iterator[slice]:
    step = max(1, CHUNK // (entries * rows))
    return (slice(start, start + step) for start in range(0, codebooks, step))


def _differences(x: Tensor, centroids: Tensor) -> Tensor:
    """``a - p``, ``(codebooks, entries, length, rows)``."""
    return x[:, None] - centroids[..., None]


def _distances(x: Tensor, centroids: Tensor, metric: Metric, sharpness: float) -> Tensor:
    """``sharpness`` times the distances, ``(codebooks, entries, rows)``; those of L2 are squared and lack ``|a|^2``."""
    if metric is Metric.L2:
        offset = centroids.square().sum(2, keepdim=True) * sharpness
        return torch.baddbmm(offset, centroids * (-2 * sharpness), x)
    size = _differences(x, centroids).abs_()
    return sharpness * (size.sum(2) if metric is Metric.L1 else size.amax(2))


def packed_distances(x: Tensor, centroids: Tensor, metric: Metric = Metric.L2) -> Tensor:
    """``entries * distance + c``: ordered as ``(distance, c)``, so the lowest index wins a tie.

    ``x`` is ``(codebooks, length, rows)``, ``centroids`` ``(codebooks, entries, length)``, both integers in float32.
    Distances are as in `_distances`; the result is exact for the lengths and entries asserted.
    """
    entries, length = centroids.shape[1:]
    assert entries * length * (3 * 128**2 if metric is Metric.L2 else 255) + entries < 2**24
    return _distances(x, centroids, metric, entries) + torch.arange(entries, device=x.device)[:, None]


def _slopes(x: Tensor, centroids: Tensor, gain: Tensor, metric: Metric) -> tuple[Tensor, Tensor]:
    """Slopes of ``x`` and of the centroids, from those of the distances.

    Autograd's choice where a distance has a corner: the sign of 0 is 0, and the farthest scalars share evenly.
    """
    if metric is Metric.L2:
        return torch.bmm(centroids.mT, gain) * -2, 2 * (centroids * gain.sum(2, keepdim=True) - torch.bmm(gain, x.mT))
    by = _differences(x, centroids)
    share = gain[:, :, None]
    if metric is Metric.CHEBYSHEV:
        farthest = by.abs() == by.abs().amax(2, keepdim=True)
        share = share / farthest.sum(2, keepdim=True) * farthest
    share = share * by.sign_()
    return share.sum(1), -share.sum(3)


def _one_hot(index: Tensor, entries: int) -> Tensor:
    """``(codebooks * entries, rows)`` from indices ``(codebooks, 1, rows)``."""
    codebooks, _, rows = index.shape
    hot = torch.zeros(codebooks, entries, rows, device=index.device)
    return hot.scatter_(1, index.to(torch.int64), 1.0).flatten(0, 1)


def forward(x: Tensor, centroids: Tensor, table: Tensor, metric: Metric = Metric.L2) -> tuple[Tensor, Tensor]:
    """Sums ``(columns, rows)`` and chosen indices ``(codebooks, 1, rows)``."""
    codebooks, entries, columns = table.shape
    index = torch.empty(codebooks, 1, x.shape[2], dtype=torch.uint8, device=x.device)
    sums = x.new_zeros(columns, x.shape[2])
    for group in _groups(codebooks, entries, x.shape[2]):
        index[group] = packed_distances(x[group], centroids[group], metric).amin(1, keepdim=True).remainder(entries)
        sums.addmm_(table[group].flatten(0, 1).T, _one_hot(index[group], entries))
    return sums, index


def picked(table: Tensor, index: Tensor) -> Tensor:
    """``sum over k of table[k, index[k]]`` as ``(columns, rows)``, of indices ``(codebooks, 1, rows)``."""
    codebooks, entries, columns = table.shape
    places = index[:, 0].T.to(torch.int64) + torch.arange(codebooks, device=index.device) * entries
    return nn.functional.embedding_bag(places, table.view(-1, columns), mode="sum").T


def backward(x: Tensor, centroids: Tensor, table: Tensor, sharpness: float, index: Tensor, slope: Tensor,
             with_x: bool, metric: Metric = Metric.L2) -> tuple[Tensor | None, Tensor, Tensor, Tensor]:
    """Slopes of ``x`` (if wanted), centroids, table and sharpness."""
    codebooks, entries, _ = table.shape
    x_slope = torch.empty_like(x) if with_x else None
    centroid_slope, table_slope, sharper = torch.empty_like(centroids), torch.empty_like(table), x.new_zeros(())
    for group in _groups(codebooks, entries, x.shape[2]):
        a, p, t = x[group], centroids[group], table[group]
        table_slope[group] = (_one_hot(index[group], entries) @ slope.T).view_as(t)
        logits = _distances(a, p, metric, -sharpness)
        soft = torch.softmax(logits, dim=1)
        gain = (t.flatten(0, 1) @ slope).view_as(soft).mul_(soft)
        gain -= soft * gain.sum(1, keepdim=True)
        sharper += torch.dot(gain.flatten(), logits.flatten()) / sharpness
        of_x, centroid_slope[group] = _slopes(a, p, gain * -sharpness, metric)
        if x_slope is not None:
            x_slope[group] = of_x
    return x_slope, centroid_slope, table_slope, sharper


class _Lookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, centroids: Tensor, table: Tensor, sharpness: Tensor,
                metric: Metric, index: Tensor | None) -> Tensor:
        x, centroids, table = x.contiguous(), centroids.contiguous(), table.contiguous()
        ctx.fast = x.is_cpu and table.shape[1] == native.ENTRIES and native.library() is not None
        ctx.metric = metric
        if index is None:
            sums, index = (native.forward if ctx.fast else forward)(x, centroids, table, metric)
        else:
            sums = picked(table, index)
        ctx.save_for_backward(x, centroids, table, sharpness, index)
        return sums

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Any, ...]:
        x, centroids, table, sharpness, index = ctx.saved_tensors
        slopes = (native.backward if ctx.fast else backward)(x, centroids, table, float(sharpness), index,
                                                             slope.contiguous(), ctx.needs_input_grad[0], ctx.metric)
        return *slopes, None, None


def lookup(x: Tensor, centroids: Tensor, table: Tensor, sharpness: Tensor, metric: Metric = Metric.L2,
           index: Tensor | None = None) -> Tensor:
    """``sum over k of table[k, argmin_c distance(x_k, centroids[k, c])]`` as ``(columns, rows)``.

    ``x`` is ``(codebooks, length, rows)``, ``table`` ``(codebooks, entries, columns)``. The gradient of the table
    is exact. Those of ``x``, ``centroids`` and ``sharpness`` (the inverse temperature) are of the soft assignment
    ``softmax(-sharpness * distance)`` that LUT-NN puts in place of the argmin. The distance of L2 is squared.
    ``index`` uint8 ``(codebooks, 1, rows)`` stands in the forward pass for the argmin where another encoder chooses.
    """
    return _Lookup.apply(x, centroids, table, sharpness, metric, index)
