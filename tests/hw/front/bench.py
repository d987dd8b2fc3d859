"""What stands around the front: memories by naive windows, a sequencer and a rear that stall at random."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from amaranth.sim import SimulatorContext

from lutra_hw.front import Front
from lutra_model.operation import Error, Kind, Operation
from lutra_model.params import Array
from tests.hw.windows import assign, gathered, nearest, put, random_operation, scalars
from tests.hw.words import packed, signed

__all__ = ["Bench"]


@dataclass
class Log:
    """Cycles in which things happened to one operation."""

    op: Operation
    taken: int = -1
    start: int = -1
    freed: list[int] = field(default_factory=list)
    indexed: list[int] = field(default_factory=list)
    pooled: list[int] = field(default_factory=list)
    reserved: list[int] = field(default_factory=list)


class Bench:
    """Stands for the sequencer and the rear: starts operations, reads every index word, frees halves at random."""

    def __init__(self, array: Array, seed: int, operations: int = 8):
        self.array, self.rng = array, random.Random(seed)
        self.front = Front(array)
        self.ops = [self._operation() for _ in range(operations)]
        byte = lambda: signed(self.rng.getrandbits(8) if seed % 2 else self.rng.choice([0, 1, 2, 255]))  # noqa: E731
        self.memory = [[[byte() for _ in range(array.word)] for _ in range(array.activation_words)] for _ in range(2)]
        self.books = [[[byte() for _ in range(array.length)] for _ in range(array.encoders)]
                      for _ in range(array.codebook_words)]
        self.logs: list[Log] = []
        self.room: list[int] = []

    def _operation(self) -> Operation:
        op = random_operation(self.rng, self.array, self.rng.choice([Kind.PRODUCT, Kind.PRODUCT, Kind.POOL]))
        return replace(op, codebooks=self.rng.randint(0, self.array.codebook_words - op.slots * op.entries))

    async def fill(self, ctx: SimulatorContext) -> None:
        """Writes both memories through the ports."""
        front, array, write = self.front, self.array, self.front.codebook_write
        for side in range(2):
            address = 0
            while address < array.activation_words:
                count = self.rng.randint(0, min(array.banks, array.activation_words - address))
                words = self.memory[side][address:address + count]
                assign(ctx, front.write, en=1, side=side, address=address, count=count,
                       data=packed([byte for word in words for byte in word]))
                address += count
                await ctx.tick()
        ctx.set(front.write.en, 0)
        for address, word in enumerate(self.books if array.is_lookup else []):
            data = packed([byte for centroid in word for byte in centroid])
            for piece in range(-(-array.encoders * array.length // 4)):
                assign(ctx, write, en=1, address=address, piece=piece, data=data >> 32 * piece & 0xFFFFFFFF)
                await ctx.tick()
        ctx.set(write.en, 0)

    def symbols(self, op: Operation, row: int, slot: int) -> list[int]:
        vectors = scalars(op, self.array, gathered(op, self.memory, row, slot), slot)
        if not self.array.is_lookup:
            return [vector[0] & 255 for vector in vectors]
        entries = [self.books[op.codebooks + slot * op.entries + entry] for entry in range(op.entries)]
        return [nearest(vector, [word[encoder] for word in entries], self.array.metric)
                for encoder, vector in enumerate(vectors)]

    def words(self, op: Operation) -> Iterator[tuple[int, list[int], bool]]:
        """Every index word in the order in which they are complete: where, what, whether its half ends."""
        first, each = 0, self.array.slots
        for block, size in enumerate(op.block_sizes):
            for tile, slots in enumerate(op.tile_slots(self.array)):
                for row in range(size):
                    yield (block % 2 * self.array.index_words + tile * size + row,
                           [symbol for slot in range(slots)
                            for symbol in self.symbols(op, first + row, tile * each + slot)],
                           tile == op.row_tiles - 1 and row == size - 1)
            first += size

    def sums(self, op: Operation) -> Iterator[tuple[tuple[int, bool, bool, bool], list[int]]]:
        """Every row of a pool: its flags and sums."""
        first, parts = 0, op.parts_x * op.parts_y
        for block, size in enumerate(op.block_sizes):
            for slot in range(op.slots):
                for row in range(size):
                    bytes_of = list(zip(*gathered(op, self.memory, first + row, slot), strict=True))
                    part = slot % parts
                    end = block == op.blocks - 1 and slot == op.slots - 1 and row == size - 1
                    yield ((row, part == 0, part == parts - 1, end),
                           [max(column) if op.maximum else sum(column) for column in bytes_of])
            first += size

    async def run(self, ctx: SimulatorContext) -> None:
        front, rng, cycle = self.front, self.rng, 0
        symbol = len(front.symbols) // self.array.rows
        width = len(front.sums) // self.array.word
        pending, ready_at, log = list(self.ops), 3, None
        taken, words, sums, busy = -1, iter(()), iter(()), False
        frees: list[int] = []
        expected_word: tuple[int, list[int], bool] | None = None  # readable in this cycle
        expected_data: list[int] | None = None  # read in the cycle before
        coming: list[list[int] | None] = [None, None]  # sums that are there in two cycles; in the next one
        while pending or busy:
            assert cycle < 20000
            ready = bool(pending) and cycle >= ready_at
            ctx.set(front.next_ready, ready)
            if ready:
                put(ctx, front.next, pending[0], self.array)
            if ready and ctx.get(front.next_taken):
                assert taken < 0
                taken = cycle
            start = ready and taken >= 0 and not busy and rng.random() < 0.7
            ctx.set(front.start, start)
            free = bool(frees) and frees[0] <= cycle
            ctx.set(front.free_half, free)
            self.room.append(rng.random() < 0.6)
            ctx.set(front.room, self.room[-1])
            ctx.set(front.read, expected_word is not None)
            if expected_data is not None:
                got = ctx.get(front.symbols)
                assert [got >> symbol * place & (1 << symbol) - 1
                        for place in range(len(expected_data))] == expected_data
            if coming[0] is not None:
                assert ctx.get(front.sums) == packed(coming[0], width)
            coming = [coming[1], None]
            expected_data = None
            if expected_word is not None:
                ctx.set(front.read_word, expected_word[0])
                expected_data = expected_word[1]
                if expected_word[2]:
                    frees.append(cycle + rng.choice([0, 0, 3, 30]) + 1)
                expected_word = None
            assert ctx.get(front.fault) == Error.NONE
            if ctx.get(front.indexed):
                expected_word = next(words)
                log.indexed.append(cycle)
            if ctx.get(front.pooled.valid):
                flags, coming[1] = next(sums)
                assert tuple(ctx.get(getattr(front.pooled, name)) for name in ("row", "first", "last", "end")) == flags
                log.pooled.append(cycle)
            if ctx.get(front.reserve):
                log.reserved.append(cycle)
            if free:
                log.freed.append(frees.pop(0))
                log.freed[-1] = cycle
            await ctx.tick()
            if log and busy:
                expected = [log.op.row_tiles * size for size in log.op.block_sizes]
                busy = len(log.freed) < log.op.blocks if log.op.kind is Kind.PRODUCT else \
                    len(log.pooled) < log.op.rows * log.op.slots or coming != [None, None]
                if not busy and log.op.kind is Kind.PRODUCT:
                    assert len(log.indexed) == sum(expected)
            if start:
                op = pending.pop(0)
                put(ctx, front.settings, op, self.array)
                log = Log(op=op, taken=taken, start=cycle)
                self.logs.append(log)
                words, sums = self.words(op), self.sums(op)
                taken, busy, ready_at = -1, True, cycle + rng.randint(2, 60)
            cycle += 1
