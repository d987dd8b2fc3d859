"""Random operations, offered to the loader."""

import random
from typing import Any

from amaranth.sim import SimulatorContext

from lutra_hw.loader import Loader
from lutra_model.operation import Kind, Operation
from tests.hw.windows import tell

__all__ = ["offer", "operation"]


def offer(ctx: SimulatorContext, loader: Loader, op: Operation) -> None:
    tell(ctx, loader.next, op)
    ctx.set(loader.offered, 1)


def operation(rng: random.Random, **fields: Any) -> Operation:
    chosen = {"kind": Kind.PRODUCT, "entries": rng.randint(1, 4), "row_tiles": rng.randint(1, 3),
              "last_slots": rng.randint(1, 6), "column_tiles": rng.randint(1, 3), "blocks": rng.randint(1, 2),
              "tables": rng.randrange(20)}
    return Operation(**chosen | fields)
