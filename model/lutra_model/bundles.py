"""Grouped products: one step for each bundle of groups, whose table is block-diagonal."""

from dataclasses import replace
from typing import Any

import numpy as np

from .network import Product
from .params import Array
from .support import groups_that_fit
from .tiling import PIXEL
from .values import Step, View

__all__ = ["bundles"]


def _bundle(node: Product, first: int, count: int) -> Product:
    """Some groups as one layer: every group's codebooks feed its own columns only, the other entries add nothing."""
    groups = [node.group(first + number) for number in range(count)]
    codebooks, entries, columns = groups[0].table.shape
    table = np.full((count, codebooks, entries, count, columns), node.coding.blank or 0, np.int8)
    for number, group in enumerate(groups):
        table[number, :, :, number] = group.table
    coding = groups[0].coding.joined([group.coding for group in groups])
    whole: dict[str, Any] = {what: np.concatenate([getattr(group, what) for group in groups])
             for what in ("bias", "multiplier", "shift", "table_scale")}
    return replace(node, groups=1, reduction=count * node.reduction, coding=coding,
                   table=table.reshape(count * codebooks, entries, count * columns), **whole)


def _cost(node: Product, count: int, array: Array) -> int:
    """Array passes of all bundles for one pixel, roughly."""
    codebooks, _, columns = node.table.shape
    passes = -(-codebooks // node.groups * count // array.rows) * -(-columns * count // array.columns)
    return -(-node.groups // count) * passes


def _size(node: Product, channels: int, array: Array) -> int:
    """Groups of a bundle: those with the fewest passes of the array."""
    fits = groups_that_fit(node, channels, array)
    return min(fits, key=lambda count: (_cost(node, count, array), count))


def bundles(node: Product, source: View, target: View, array: Array) -> list[Step]:
    """The steps of a product; of one without groups, a single step."""
    window = node.window or PIXEL
    if node.groups == 1:
        return [Step(name=node.name, node=node.name, source=source, target=target, product=node, window=window,
                     functions=(node.function,) if node.function else ())]
    size, steps = _size(node, source.channels, array), []
    inputs, outputs = source.channels // node.groups, target.channels // node.groups
    for first in range(0, node.groups, size):
        count = min(size, node.groups - first)
        steps.append(Step(
            name=node.name, node=node.name, product=_bundle(node, first, count), window=window,
            functions=(node.function,) if node.function else (),
            source=replace(source, channels=count * inputs, first=source.first + first * inputs // array.word),
            target=replace(target, channels=count * outputs, first=target.first + first * outputs // array.word)))
    return steps
