"""im2col with a gradient."""

from typing import Any

import torch
from torch import Tensor, nn

from lutra_model.network import Window

__all__ = ["sub_vectors", "windows"]


class _Windows(torch.autograd.Function):
    """im2col; the backward pass adds every tap's slope in place, which autograd's own slices do not."""

    @staticmethod
    def _taps(padded: Tensor, window: Window, size: tuple[int, int]) -> list[Tensor]:
        (height, width), (down, across), (rows, columns) = size, window.stride, window.kernel
        return [padded[:, :, i:i + (height - 1) * down + 1:down, j:j + (width - 1) * across + 1:across]
                for i in range(rows) for j in range(columns)]

    @staticmethod
    def forward(ctx: Any, x: Tensor, window: Window) -> Tensor:
        top, left, bottom, right = window.padding
        padded = nn.functional.pad(x, (left, right, top, bottom))
        ctx.window, ctx.inner, ctx.padded = window, x.shape, padded.shape
        return torch.stack(_Windows._taps(padded, window, window.output(*x.shape[2:])), 1)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        padded = slope.new_zeros(ctx.padded)
        taps = _Windows._taps(padded, ctx.window, slope.shape[3:])
        for number, tap in enumerate(taps):
            tap += slope[:, number]
        top, left = ctx.window.padding[:2]
        return padded[:, :, top:top + ctx.inner[2], left:left + ctx.inner[3]], None


def windows(x: Tensor, window: Window | None) -> Tensor:
    """Rows of a product, transposed: ``(reduction, rows)``, in the order channel, kernel row, kernel column."""
    if window is None:
        return x
    taps = _Windows.apply(x, window)
    return taps.reshape(taps.shape[0] * taps.shape[1], -1)


def sub_vectors(rows: Tensor, codebooks: int, length: int, taps: int = 0) -> Tensor:
    """``(codebooks, length, rows)``; the last sub-vector is padded with zeros.

    With ``taps`` they are runs of channels of one tap, padded for each.
    """
    if taps:
        channels = rows.view(-1, taps, rows.shape[1]).transpose(0, 1)
        padded = nn.functional.pad(channels, (0, 0, 0, -channels.shape[1] % length))
        rows = padded.reshape(-1, rows.shape[1])
    missing = codebooks * length - len(rows)
    padded = nn.functional.pad(rows, (0, 0, 0, missing)) if missing else rows  # pad copies even for nothing
    return padded.view(codebooks, length, -1)


def convolved(x: Tensor, weights: Tensor, window: Window | None) -> Tensor:
    """Weights ``(reduction, columns)`` times all windows, ``(columns, rows)``: ``weights.T @ windows(x, window)``.

    By PyTorch's convolution, which cuts no windows; its sums may be rounded.
    """
    if window is None:
        return weights.T @ x
    top, left, bottom, right = window.padding
    padded = nn.functional.pad(x, (left, right, top, bottom)).transpose(0, 1)
    kernels = weights.T.reshape(-1, len(x), *window.kernel)
    return nn.functional.conv2d(padded, kernels, stride=window.stride).transpose(0, 1).flatten(1)
