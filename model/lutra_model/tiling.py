"""One step of a network as an operation of the machine: blocks, tiles, lanes and addresses from shapes and layouts."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from .latency import network_latency
from .layout import Layout, packed
from .network import Window
from .operation import Kind, Lane, Operation
from .params import Array, Layer
from .windows import Former, pool_former, product_former, row_former

__all__ = ["PIXEL", "Addend", "gathered", "load", "pool", "product", "product_shape", "row"]

PIXEL = Window(kernel=(1, 1))
MOST_TILES = 1 << 16
COUNTS = tuple(count << power for power in range(12) for count in (2, 3))  # of blocks, tried
SOFTMAX_PASSES, NORM_PASSES = 3, 2
WORSE = 1.05  # where the search for blocks ends
product_shape = lru_cache(maxsize=4096)(product_former)


@dataclass(frozen=True, kw_only=True)
class Addend:
    """What the add stage adds: ``clamp((own * own_factor + addend * factor + half) >> shift, low, high)``."""

    source: Layout
    own_factor: int
    factor: int
    shift: int
    low: int = -128
    high: int = 127

    def fields(self) -> dict[str, Any]:
        """Fields of the operation."""
        return {"residual": True, "own_factor": self.own_factor, "residual_factor": self.factor,
                "add_shift": self.shift, "add_low": self.low, "add_high": self.high,
                "residual_source": self.source.base, "residual_step": self.source.pitch_x,
                "residual_jump": self.source.jump}


def _up(count: int, size: int) -> int:
    return -(-count // size)


def _reads(former: Former, source: Layout, window: Window) -> dict[str, Any]:
    """Fields of the feeder."""
    top, left, _, _ = window.padding
    out_width = window.output(source.height, source.width)[1]
    step_x = window.stride[1] * source.pitch_x
    lanes = tuple(Lane(offset=place.word + place.dy * source.pitch_y + place.dx * source.pitch_x, dy=place.dy,
                       dx=place.dx, enabled=place.enabled, enabled_last=place.enabled_last)
                  if place.enabled or place.enabled_last else Lane() for place in former.lanes)
    return {"source_side": source.side, "source": source.base - top * source.pitch_y - left * source.pitch_x,
            "step_x": step_x, "step_y": window.stride[0] * source.pitch_y - (out_width - 1) * step_x,
            "height": source.height, "width": source.width, "stride_y": window.stride[0],
            "stride_x": window.stride[1], "top": top, "left": left, "out_width": out_width,
            "arrange": former.arrange, "parts_x": former.parts_x, "parts_y": former.parts_y,
            "groups": former.groups, "part_x_step": former.part_dx * source.pitch_x, "part_x_dx": former.part_dx,
            "part_y_step": former.part_dy * source.pitch_y, "part_y_dy": former.part_dy,
            "group_step": former.group_words, "lanes": lanes}


def _writes(target: Layout | None) -> dict[str, Any]:
    """Fields of the writer; without a target the results leave by the stream."""
    if target is None:
        return {"to_stream": True}
    return {"side": target.side, "target": target.base, "target_step": target.pitch_x, "target_jump": target.jump}


def _blocks(rows: int, size: int) -> dict[str, Any]:
    """Blocks of so many rows, the last one smaller."""
    count = _up(rows, size)
    return {"blocks": count, "block": min(size, rows), "last_block": rows - (count - 1) * size}


def _even(rows: int, most: int) -> dict[str, Any]:
    """As few blocks as can be, of one size but for the last."""
    return _blocks(rows, _up(rows, _up(rows, most)))


@lru_cache(maxsize=1 << 14)
def _cycles(shape: Operation, array: Array) -> int:
    return network_latency([shape], array).cycles


def _fastest(operation: Operation, most: int, array: Array) -> Operation:
    """The operation in the blocks that take the fewest cycles; the fewer of those that tie."""
    shape = Operation(kind=operation.kind, entries=operation.entries, groups=operation.slots,
                      row_tiles=operation.row_tiles, last_slots=operation.last_slots,
                      column_tiles=operation.column_tiles, to_stream=operation.to_stream,
                      stream_tables=operation.stream_tables, gather=operation.gather)
    timed = replace(array, codebooks=1, block_rows=1, index_words=1, activation_words=1, table_words=1,
                    codebook_words=1, program_words=1)  # timing does not depend on these, but the cache would
    rows, least, found = operation.rows, _up(operation.rows, most), list[tuple[int, int]]()
    for count in sorted({least, *(count for count in COUNTS if least < count <= rows)}):
        size = _up(rows, count)
        found.append((_cycles(replace(shape, **_blocks(rows, size)), timed), -size))
        if found[-1][0] > WORSE * min(found)[0]:
            break
    return replace(operation, **_blocks(rows, -min(found)[1]))


def _swept(operation: Operation, array: Array) -> Operation:
    """The operation in as few sweeps over its outputs as can be, of one size but for the last."""
    most = array.block_rows // array.columns
    sweeps = _up(operation.column_tiles, most)
    return replace(operation, sweep=_up(operation.column_tiles, sweeps))


def gathered(operation: Operation, array: Array, gather: bool | None = None) -> Operation:
    """A product whose tables stay on the chip, as a gather: if ``gather``, or (None) if that takes fewer cycles.

    The activation rows of a gather's block find their entries side by side in the cells: a block has at most as many
    rows as a cell has entries.
    """
    if gather is False or not array.gather or operation.kind is not Kind.PRODUCT or operation.stream_tables:
        return operation
    most = min(array.entries, array.block_rows, array.index_words // operation.row_tiles)
    if _up(operation.rows, most) > MOST_TILES:
        return operation
    found = _fastest(replace(operation, gather=True), most, array)
    return found if gather or network_latency([found], array).cycles < network_latency([operation], array).cycles \
        else operation


def _check(layer: Layer, former: Former, array: Array) -> None:
    """Refuse a layer that the array does not hold."""
    if not array.cell.runs(layer.engine):
        raise ValueError(f"layer {layer.name} needs the engine {layer.engine}, the array's is {array.engine}")
    rows = former.slots * array.encoders
    for what, need, have in [("entries", layer.entries, array.entries), ("codebooks", rows, array.codebooks),
                             ("row tiles", _up(former.slots, array.slots), array.index_words)]:
        if need > have:
            raise ValueError(f"layer {layer.name} needs {what} {need}, the array holds at most {have}")


def _image(source: Layout | None, height: int, width: int, channels: int, array: Array) -> Layout:
    return packed(height, width, channels, array) if source is None else source


def product(layer: Layer, channels: int, array: Array, *, height: int = 1, width: int | None = None,
            window: Window | None = None, source: Layout | None = None, target: Layout | None = None,
            to_stream: bool = False, addend: Addend | None = None, stream_tables: bool = False,
            block: int | None = None, low: int = -128, high: int = 127, tables: int = 0,
            codebooks: int = 0) -> Operation:
    """A product on an image of ``height x width`` pixels (a linear layer: ``1 x rows``) of so many channels.

    Layouts not given are packed ones at address 0. ``block`` None is the choice that takes the fewest cycles.
    Raises ``ValueError`` when the array cannot hold the layer or cannot form its windows.
    """
    if layer.length > array.length:
        raise ValueError(f"layer {layer.name} needs sub-vector length {layer.length}, the array holds at most "
                         f"{array.length}")
    window, source = window or PIXEL, _image(source, height, layer.rows if width is None else width, channels, array)
    out = window.output(source.height, source.width)
    if layer.rows != out[0] * out[1]:
        raise ValueError(f"layer {layer.name} must have {out[0] * out[1]} rows, not {layer.rows}")
    former = product_shape(layer, channels, window.kernel, array)
    _check(layer, former, array)
    row_tiles, column_tiles = _up(former.slots, array.slots), _up(layer.columns, array.columns)
    if target is None and not to_stream:
        target = packed(*out, layer.columns, array, side=1 - source.side)
    rows = array.columns if array.cell.vector else array.block_rows
    most = min(rows, array.index_words // row_tiles)
    if block is not None and not 1 <= block <= most:
        raise ValueError(f"block must be 1 to {most}, not {block}")
    fields = _reads(former, source, window) | _writes(None if to_stream else target) \
        | _blocks(layer.rows, block or layer.rows) | (addend.fields() if addend else {})
    found = Operation(name=layer.name, kind=Kind.PRODUCT, row_tiles=row_tiles,
                      last_slots=former.slots - (row_tiles - 1) * array.slots, column_tiles=column_tiles,
                      last_columns=layer.columns - (column_tiles - 1) * array.columns, entries=layer.entries,
                      length=layer.length, tables=tables, codebooks=codebooks, low=low, high=high,
                      tile_step=array.output_words, stream_tables=stream_tables, **fields)
    if array.cell.vector:
        found = _swept(found, array)
        return found if block else replace(found, **_even(found.rows, most))
    return found if block else _fastest(found, most, array)


def pool(name: str, channels: int, array: Array, *, height: int = 1, width: int = 1, window: Window = PIXEL,
         maximum: bool = True, source: Layout | None = None, target: Layout | None = None, to_stream: bool = False,
         addend: Addend | None = None, multiplier: int = 1 << 15, shift: int = 15, low: int = -128,
         high: int = 127) -> Operation:
    """A pool; the default one is the identity. Layouts as in `product`."""
    source = _image(source, height, width, channels, array)
    out = window.output(source.height, source.width)
    former = pool_former(channels, window.kernel, array)
    if target is None and not to_stream:
        target = packed(*out, channels, array, side=1 - source.side)
    fields = _reads(former, source, window) | _writes(None if to_stream else target) \
        | _even(out[0] * out[1], array.block_rows) | (addend.fields() if addend else {})
    return Operation(name=name, kind=Kind.POOL, maximum=maximum, row_tiles=former.parts_y * former.parts_x,
                     column_tiles=former.groups, last_columns=channels - (former.groups - 1) * array.word,
                     multiplier=multiplier, shift=shift, low=low, high=high, tile_step=1, **fields)


def row(name: str, channels: int, array: Array, *, softmax: bool, height: int = 1, width: int = 1,
        source: Layout | None = None, target: Layout | None = None, to_stream: bool = False,
        addend: Addend | None = None, multiplier: int = 1 << 15, shift: int = 15, epsilon: int = 0, low: int = -128,
        high: int = 127, tables: int = 0, stream_tables: bool = False) -> Operation:
    """A softmax or a norm of the channels of every pixel, in three passes or two. Layouts as in `product`.

    ``multiplier`` and ``shift`` are a softmax's, ``epsilon``, ``tables`` and ``stream_tables`` a norm's.
    """
    source = _image(source, height, width, channels, array)
    former = row_former(channels, SOFTMAX_PASSES if softmax else NORM_PASSES, array)
    if target is None and not to_stream:
        target = packed(source.height, source.width, channels, array, side=1 - source.side)
    fields = _reads(former, source, PIXEL) | _writes(None if to_stream else target) | {"part_x_step": 1} \
        | _even(source.height * source.width, array.block_rows) | (addend.fields() if addend else {})
    return Operation(name=name, kind=Kind.ROW, maximum=softmax, column_tiles=former.parts_x,
                     last_columns=channels - (former.parts_x - 1) * array.word, multiplier=multiplier, shift=shift,
                     epsilon=epsilon, low=low, high=high, tile_step=1, tables=tables, stream_tables=stream_tables,
                     **fields)


def _word_bytes(channels: int, array: Array) -> int:
    """Stream bytes of each word: no more than the channels need, as far as a beat's words lie in different banks."""
    return next(size for size in range(1, array.word + 1)
                if not array.word % size and array.columns // size <= array.beat_words
                and size >= min(channels, array.word))


def load(name: str, channels: int, array: Array, *, height: int = 1, width: int = 1,
         target: Layout | None = None) -> Operation:
    """The network's input into memory; rows, or the whole image, are one long pixel where the layout has no gaps.

    Of each word the stream carries the first ``word_bytes`` bytes, see `Operation`.
    """
    target = target or packed(height, width, channels, array)
    size, words = _word_bytes(channels, array), _up(channels, array.word)
    per = array.columns // size  # words of a beat
    height, width, step, jump = target.height, target.width, target.pitch_x, target.jump
    if target.pitch_x == words:  # a row is one pixel
        height, width, words, step, jump = 1, height, words * width, target.pitch_y, 0
        if step == words and _up(words * width, per) <= MOST_TILES:  # and so is the image
            width, words = 1, words * width
    tiles = _up(words, per)
    return Operation(name=name, kind=Kind.LOAD, side=target.side, target=target.base, target_step=step,
                     target_jump=jump, tile_step=per, out_width=width, column_tiles=tiles, word_bytes=size,
                     last_columns=(words - (tiles - 1) * per) * size, **_even(height * width, array.block_rows))
