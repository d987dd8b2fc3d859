"""What docs/hardware.md says of windows, one number at a time, and random operations to try it on."""

import random
from dataclasses import replace
from typing import Any

from lutra_model.operation import FIELDS, LANE_FIELDS, Arrange, Kind, Lane, Operation
from lutra_model.params import Array, Metric

__all__ = ["addresses", "assign", "gathered", "nearest", "put", "random_operation", "scalars", "slot_parts", "tell"]


def assign(ctx: Any, port: Any, **values: int) -> None:
    """Sets members of an interface."""
    for name, value in values.items():
        ctx.set(getattr(port, name), value)


def tell(ctx: Any, port: Any, op: Operation) -> None:
    """Sets the fields of an operation, but its lanes, as they are stored."""
    for name, field in FIELDS.items():
        ctx.set(getattr(port, name), int(getattr(op, name)) - field.less)


def put(ctx: Any, port: Any, op: Operation, array: Array) -> None:
    """Sets the fields and lanes of an operation as they are stored."""
    tell(ctx, port, op)
    lanes = [*op.lanes, *[Lane()] * (array.lanes - len(op.lanes))]
    ctx.set(port.lanes, [{name: int(getattr(lane, name)) for name in LANE_FIELDS} for lane in lanes])


def slot_parts(op: Operation, slot: int) -> tuple[int, int, int]:
    """Group, part_y and part_x of a slot."""
    places = [(group, part_y, part_x) for group in range(op.groups) for part_y in range(op.parts_y)
              for part_x in range(op.parts_x)]
    return places[slot]


def addresses(op: Operation, row: int, slot: int) -> list[int | None]:
    """Each lane's address for an output pixel; None for padding."""
    group, part_y, part_x = slot_parts(op, slot)
    base = op.source + group * op.group_step + part_y * op.part_y_step + part_x * op.part_x_step
    y = x = 0
    for _ in range(row):
        x, base = x + 1, base + op.step_x
        if x == op.out_width:
            x, y, base = 0, y + 1, base - op.step_x + op.step_y
    found: list[int | None] = []
    for lane in op.lanes:
        py = -op.top + y * op.stride_y + part_y * op.part_y_dy + lane.dy
        px = -op.left + x * op.stride_x + part_x * op.part_x_dx + lane.dx
        enabled = lane.enabled_last if group == op.groups - 1 else lane.enabled
        inside = 0 <= py < op.height and 0 <= px < op.width
        found.append(base + lane.offset if enabled and inside else None)
    return found


def gathered(op: Operation, memory: list[list[list[int]]], row: int, slot: int) -> list[list[int]]:
    """Each lane's word, signed bytes; ``memory[side][address]`` are words of signed bytes."""
    padding = -128 if op.kind is Kind.POOL and op.maximum else 0
    word = len(memory[0][0])
    return [[padding] * word if address is None else memory[op.source_side][address]
            for address in addresses(op, row, slot)]


def scalars(op: Operation, array: Array, words: list[list[int]], slot: int) -> list[list[int]]:
    """Sub-vectors of all encoders, filled up to the machine's length."""
    group, v_count, w = slot_parts(op, slot)[0], op.length, array.word
    vectors = []
    for encoder in range(array.encoders):
        g, b = divmod(encoder, w)
        vector = [0] * array.length
        for v in range(v_count):
            if op.arrange is Arrange.WINDOW:
                vector[v] = words[g * array.length + v][b]
            elif op.arrange is Arrange.RUN:
                vector[v] = words[g * array.length + (b * v_count + v) // w][(b * v_count + v) % w]
            elif encoder * v_count + v < array.lanes:
                vector[v] = words[encoder * v_count + v][group]
        vectors.append(vector)
    return vectors


def nearest(a: list[int], codebook: list[list[int]], metric: Metric) -> int:
    best, found = None, 0
    for number, p in enumerate(codebook):
        differences = [abs(x - y) for x, y in zip(a, p, strict=True)]
        distance = {"l2": sum(d * d for d in differences), "l1": sum(differences),
                    "chebyshev": max(differences)}[metric]
        if best is None or distance < best:
            best, found = distance, number
    return found


def random_operation(rng: random.Random, array: Array, kind: Kind, **fixed: Any) -> Operation:
    """A product or pool without faults: its lanes lie in different banks, its addresses in memory."""
    while True:
        op = _any(rng, array, kind, **fixed)
        used = [address for row in range(op.rows) for slot in range(op.slots)
                for address in addresses(op, row, slot) if address is not None]
        span = max(used) - min(used) if used else 0
        if span < array.activation_words and op.row_tiles * op.block <= array.index_words:
            first = rng.randint(0, array.activation_words - 1 - span)
            return replace(op, source=op.source + first - min(used, default=op.source))


def _any(rng: random.Random, array: Array, kind: Kind, **fixed: Any) -> Operation:
    arrange = rng.choice([*Arrange])
    groups = rng.randint(1, array.word if arrange is Arrange.TAPS else 3)
    parts_x, parts_y = rng.randint(1, 3), rng.randint(1, 2)
    slots, blocks = groups * parts_x * parts_y, rng.randint(1, 4)
    banks = rng.sample(range(array.banks), array.lanes)
    lanes = tuple(Lane(offset=bank + array.banks * rng.randrange(2), dy=rng.randrange(4), dx=rng.randrange(4),
                       enabled=rng.random() < 0.9, enabled_last=rng.random() < 0.6) for bank in banks)
    block = rng.randint(1, 5)
    fields: dict[str, Any] = {
        "arrange": arrange, "groups": groups, "parts_x": parts_x, "parts_y": parts_y, "blocks": blocks,
        "block": block, "last_block": rng.randint(1, block), "lanes": lanes, "source_side": rng.randrange(2),
        "row_tiles": -(-slots // array.slots), "last_slots": (slots - 1) % array.slots + 1,
        "length": rng.randint(1, array.length), "entries": rng.randint(1, array.entries),
        "step_x": rng.randint(-9, 9), "step_y": rng.randint(-20, 20), "group_step": rng.randrange(5),
        "part_x_step": rng.randrange(9), "part_y_step": rng.randrange(9), "part_x_dx": rng.randrange(3),
        "part_y_dy": rng.randrange(3), "height": rng.randint(1, 9), "width": rng.randint(1, 9),
        "stride_y": rng.randint(1, 3), "stride_x": rng.randint(1, 3), "top": rng.randrange(3),
        "left": rng.randrange(3), "out_width": rng.randint(1, 4), "maximum": rng.random() < 0.5,
        "to_stream": rng.random() < 0.5}
    if kind is Kind.POOL:
        fields |= {"row_tiles": parts_x * parts_y, "column_tiles": groups}
    return Operation(kind=kind, **fields | fixed)
