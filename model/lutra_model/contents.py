"""What a program's memories hold: which tables stay on chip, their addresses, and those of the codebooks."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from . import images
from .network import LayerNorm
from .operation import Kind, Operation
from .params import Array
from .tiling import gathered
from .values import Step

__all__ = ["Contents", "contents"]

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False, kw_only=True)
class Contents:
    """Operations with their addresses, and the images, as in `Program`."""

    operations: tuple[Operation, ...]
    tables: Bytes
    codebooks: Bytes
    streamed: Bytes
    streamed_last: NDArray[np.bool_]


def _streaming(operations: list[Operation], array: Array, resident: bool | None) -> set[int]:
    """Products whose tables do not stay: those that are left when the ones with most blocks have been placed.

    The parameters of norms count as tables.
    """
    products = [number for number, operation in enumerate(operations) if operation.kind is Kind.PRODUCT
                or (operation.kind is Kind.ROW and not operation.maximum)]
    if resident is False:
        return set(products)
    free, streamed = array.table_words, set()
    for number in products if resident else sorted(products, key=lambda number: -operations[number].blocks):
        need = images.table_words(operations[number], array)
        if need <= free:
            free -= need
        elif resident:
            raise ValueError(f"layer {operations[number].name} needs {need} table words, the memory holds "
                             f"{array.table_words} and has {free} left")
        else:
            streamed.add(number)
    return streamed


def _joined(parts: list[Bytes], width: int) -> Bytes:
    return np.concatenate([np.zeros((0, width), np.uint8), *parts])


def _beats(step: Step, operation: Operation, array: Array) -> Bytes | None:
    """What an operation has in table memory: a product's tables, a norm's parameters."""
    if isinstance(step.row, LayerNorm):
        return images.row_beats(step.row, operation, array)
    if step.product is not None:
        return images.table_beats(step.product, step.former(array).codebooks, operation, array)
    return None


def contents(steps: list[Step], operations: list[Operation], array: Array, resident: bool | None,
             gather: bool | None = None) -> Contents:
    """Addresses and images of the table and codebook memories, and the table stream.

    Raises ``ValueError`` for the layer that a memory has no room for.
    """
    streams = _streaming(operations, array, resident)
    tables, codebooks, streamed, lasts = list[Bytes](), list[Bytes](), list[Bytes](), list[NDArray[np.bool_]]()
    done = []
    for number, (step, operation) in enumerate(zip(steps, operations, strict=True)):
        if (beats := _beats(step, operation, array)) is not None:
            operation = gathered(replace(operation, stream_tables=number in streams), array, gather)
            operation = replace(operation, codebooks=sum(map(len, codebooks)) if step.product else 0,
                                tables=0 if number in streams else sum(map(len, tables)))
            if number in streams:
                streamed += [beats] * operation.blocks
                lasts.append(np.arange(1, len(beats) * operation.blocks + 1) == len(beats) * operation.blocks)
            else:
                tables.append(beats)
            if array.has_codebooks and step.product:
                order = step.former(array).codebooks
                codebooks.append(step.product.coding.codebook_beats(order, array))
                if (need := sum(map(len, codebooks))) > array.codebook_words:
                    raise ValueError(f"layer {operation.name} needs {len(codebooks[-1])} codebook words after "
                                     f"{need - len(codebooks[-1])} of the layers before, the memory holds "
                                     f"{array.codebook_words}")
        done.append(operation)
    return Contents(operations=tuple(done), tables=_joined(tables, array.beat_bytes),
                    codebooks=_joined(codebooks, array.codebook_bytes),
                    streamed=_joined(streamed, array.beat_bytes),
                    streamed_last=np.concatenate([np.zeros(0, np.bool_), *lasts]))
