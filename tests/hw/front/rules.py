"""The cycles of the front, by written-out rules."""

from lutra_model.operation import Kind
from lutra_model.schedule import Pipeline
from tests.hw.front.bench import Bench

__all__ = ["check_cycles"]


def check_cycles(bench: Bench) -> None:
    """The rules of docs/hardware.md, from when operations were taken and started and halves were freed."""
    pipe, array = Pipeline(bench.array), bench.array
    beat = turn = -10  # the last codebook beat, the last slot's first row
    for log in bench.logs:
        op, rows = log.op, []
        beat = max(beat, log.taken)
        row = log.start
        for block, size in enumerate(op.block_sizes):
            for slot in range(op.slots):
                if op.kind is Kind.PRODUCT and array.is_lookup:
                    beat = max(beat + 1, turn + 2) + op.entries - 1
                for number in range(size):
                    row += 1
                    if op.kind is Kind.PRODUCT:
                        row = max(row, log.freed[block - 2] + 1 if block >= 2 else 0)
                        if number == 0 and array.is_lookup:
                            row = turn = max(row, beat + 1)
                    elif op.to_stream and slot % (op.parts_x * op.parts_y) == op.parts_x * op.parts_y - 1:
                        while not bench.room[row]:
                            row += 1
                        assert row in log.reserved
                    rows.append((row, slot))
        if op.kind is Kind.POOL:
            assert log.pooled == [row + pipe.fetch for row, _ in rows]
            assert len(log.reserved) == (op.rows * op.groups if op.to_stream else 0)
        else:
            complete = [row for row, slot in rows if slot % array.slots == array.slots - 1 or slot == op.slots - 1]
            assert log.indexed == [row + pipe.fetch + pipe.encode for row in complete]
            assert not log.reserved
