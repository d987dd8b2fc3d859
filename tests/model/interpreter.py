"""A machine in NumPy that does what docs/hardware.md says of a program's words and memory images, and nothing else.

It shares the table of fields with the machine and no code with the golden model. Faults are raised as `Fault`.
"""

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from lutra_model.operation import FIELDS, FIXED_WORDS, LANE_FIELDS, Arrange, Error, Field, Kind
from lutra_model.params import Array, Metric

__all__ = ["Fault", "Interpreter"]

Ints = NDArray[np.int64]


class Fault(Exception):
    """The machine's error and the number of the operation that it stopped in."""

    def __init__(self, error: Error, operation: int) -> None:
        super().__init__(error, operation)
        self.error, self.operation = error, operation


def _field(word: int, field: Field) -> int:
    value = word >> field.low & (1 << field.width) - 1
    return (value - (1 << field.width) if field.signed and value >> field.width - 1 else value) + field.less


class Interpreter:
    """Memories filled with noise, then with a program's images."""

    def __init__(self, array: Array, words: list[int], tables: NDArray[np.uint8], codebooks: NDArray[np.uint8],
                 functions: NDArray[np.uint32] | None = None) -> None:
        self.array, self.words = array, words
        self.functions = [] if functions is None else functions.tolist()
        self.memory = np.random.default_rng(1).integers(-128, 128, (2, array.activation_words, array.word), np.int8)
        self.tables, self.codebooks = tables.view(np.int8), codebooks.view(np.int8)
        self.number = 0

    def run(self, inputs: NDArray[np.uint8], streamed: NDArray[np.uint8], runs: int) -> NDArray[np.uint8]:
        """Output beats of so many runs, ``(beats, columns)``; every input beat must be taken."""
        self.inputs = iter(inputs)
        out: list[NDArray[np.uint8]] = []
        for _ in range(runs):
            self.stream, final, self.number = iter(streamed.view(np.int8)), 0, 0
            while not final:
                self.op = self.decode(self.number * (FIXED_WORDS + self.array.lanes))
                out += [beat.view(np.uint8) for beat in self.execute()]
                final, self.number = self.op.final, self.number + 1
            assert next(self.stream, None) is None
        assert next(self.inputs, None) is None
        return np.array(out).reshape(-1, self.array.columns)

    def fail(self, error: Error, when: bool = True) -> None:
        """Stop, if so."""
        if when:
            raise Fault(error, self.number)

    def decode(self, address: int) -> SimpleNamespace:
        """The operation at an address."""
        size = FIXED_WORDS + self.array.lanes
        self.fail(Error.PROGRAM, address + size > self.array.program_words or address + size > len(self.words))
        words = self.words[address:address + size]
        op = SimpleNamespace(**{name: _field(words[field.word], field) for name, field in FIELDS.items()})
        op.lane = {name: np.array([_field(word, field) for word in words[FIXED_WORDS:]], np.int64)
                   for name, field in LANE_FIELDS.items()}
        array = self.array
        sizes = [(op.block, array.block_rows), (op.last_block, array.block_rows), (op.entries, array.entries),
                 (op.length, array.length), (op.last_slots, array.slots), (op.last_columns, array.columns),
                 (op.word_bytes, array.word), (op.function, array.functions), (op.second, array.functions),
                 (op.row_tiles * op.block * (op.kind == Kind.PRODUCT), array.index_words)]
        self.fail(Error.SIZE, any(value > most for value, most in sizes))
        return op

    def execute(self) -> Iterator[NDArray[np.int8]]:
        """The output beats of the operation."""
        op, self.read, self.written, start = self.op, set[int](), dict[int, tuple[int, int]](), 0
        self.beat = 0
        for number in range(op.blocks):
            rows = np.arange(start, start + (op.last_block if number == op.blocks - 1 else op.block))
            match op.kind:
                case Kind.LOAD:
                    self.load(rows)
                case Kind.PRODUCT:
                    yield from self.product(rows, number)
                case Kind.POOL:
                    yield from self.pool(rows)
                case Kind.ROW:
                    yield from self.row(rows)
                case _:
                    self.fail(Error.KIND)
            start += len(rows)
        assert not self.read & self.written.keys(), "an operation must not write what it gathers"

    # Reading windows

    def gather(self, rows: Ints, group: int, part_y: int, part_x: int) -> NDArray[np.int8]:
        """Words ``(rows, lanes, word)`` of one beat for each row."""
        op, lane = self.op, self.op.lane
        oy, ox = np.divmod(rows, op.out_width)
        base = op.source + oy * ((op.out_width - 1) * op.step_x + op.step_y) + ox * op.step_x \
            + part_y * op.part_y_step + part_x * op.part_x_step + group * op.group_step
        y = (oy * op.stride_y - op.top + part_y * op.part_y_dy)[:, None] + lane["dy"]
        x = (ox * op.stride_x - op.left + part_x * op.part_x_dx)[:, None] + lane["dx"]
        on = lane["enabled_last" if group == op.groups - 1 else "enabled"].astype(bool)
        inside = on & (y >= 0) & (y < op.height) & (x >= 0) & (x < op.width)
        address = base[:, None] + lane["offset"]
        self.fail(Error.READ, bool((inside & ((address < 0) | (address >= self.array.activation_words))).any()))
        bank = np.sort(np.where(inside, address % self.array.banks, -1 - np.arange(len(on))), axis=1)
        self.fail(Error.CONFLICT, bool((bank[:, 1:] == bank[:, :-1]).any()))
        self.read.update((address[inside] * 2 + op.source_side).tolist())
        words = self.memory[op.source_side][np.where(inside, address, 0)]
        return np.where(inside[:, :, None], words, np.int8(-128 if op.kind == Kind.POOL and op.maximum else 0))

    def slots(self) -> Iterator[tuple[int, int, int]]:
        """Group, part_y and part_x of every slot."""
        op = self.op
        return ((g, y, x) for g in range(op.groups) for y in range(op.parts_y) for x in range(op.parts_x))

    def subvectors(self, words: NDArray[np.int8], group: int) -> Ints:
        """``(rows, encoders, length)``."""
        array, length = self.array, self.op.length
        found = np.zeros((len(words), array.encoders, array.length), np.int64)
        for e in range(array.encoders):
            g, b = divmod(e, array.word)
            for v in range(length):
                lane, byte = {Arrange.WINDOW: (g * array.length + v, b),
                              Arrange.RUN: (g * array.length + (b * length + v) // array.word,
                                            (b * length + v) % array.word),
                              Arrange.TAPS: (e * length + v, group)}[Arrange(self.op.arrange)]
                if lane < array.lanes:
                    found[:, e, v] = words[:, lane, byte]
        return found

    def symbols(self, rows: Ints) -> Ints:
        """Index (or scalar) of every encoder in every slot, ``(slots, rows, encoders)``."""
        op, found = self.op, []
        for slot, (group, part_y, part_x) in enumerate(self.slots()):
            vectors = self.subvectors(self.gather(rows, group, part_y, part_x), group)
            if not self.array.is_lookup:
                found.append(vectors[:, :, 0])
                continue
            if self.array.metric is Metric.TREE:
                found.append(self.leaves(vectors, slot))
                continue
            first = op.codebooks + slot * op.entries
            self.fail(Error.CODEBOOK, first + op.entries > self.array.codebook_words)
            book = self.codebooks[first:first + op.entries].reshape(op.entries, self.array.encoders, -1)
            away = np.abs(vectors - book.astype(np.int64)[:, None])  # entry, row, encoder, scalar
            distance = {Metric.L1: away.sum(3), Metric.L2: (away**2).sum(3),
                        Metric.CHEBYSHEV: away.max(3)}[self.array.metric]
            found.append(distance.argmin(axis=0))
        return np.array(found)

    def leaves(self, vectors: Ints, slot: int) -> Ints:
        """Leaf of every encoder's tree, ``(rows, encoders)``: its bits as one number, thresholds from the root on."""
        array, levels = self.array, self.array.entries.bit_length() - 1
        width = (array.length - 1).bit_length()
        words = -(-(8 * (array.entries - 1) + levels * width) // (8 * array.length))
        first = self.op.codebooks + slot * words
        self.fail(Error.CODEBOOK, first + words > array.codebook_words)
        book = self.codebooks[first:first + words].view(np.uint8).reshape(words, array.encoders, array.length)
        found = np.zeros(vectors.shape[:2], np.int64)
        for e in range(array.encoders):
            tree = int.from_bytes(book[:, e].tobytes(), "little")
            for level in range(levels):
                dim = tree >> 8 * (array.entries - 1) + level * width & (1 << width) - 1
                for row, vector in enumerate(vectors[:, e].tolist()):
                    threshold = tree >> 8 * ((1 << level) - 1 + int(found[row, e])) & 255
                    found[row, e] = 2 * found[row, e] + (vector[dim] > (threshold ^ 128) - 128)
        return found

    # Products

    def table_beat(self) -> NDArray[np.int8]:
        """The next beat, ``(fill, columns)``."""
        if self.op.stream_tables:
            beat = next(self.stream)
        else:
            address = self.op.tables + self.beat
            self.fail(Error.TABLE, address >= self.array.table_words)
            beat, self.beat = self.tables[address], self.beat + 1
        return beat.reshape(self.array.fill, self.array.columns)

    def table(self, used: int) -> Ints:
        """One table tile ``(rows, entries, columns)``."""
        groups = [[self.table_beat() for _ in range(self.op.entries)] for _ in range(-(-used // self.array.fill))]
        return np.array(groups).transpose(0, 2, 1, 3).reshape(-1, self.op.entries, self.array.columns).astype(np.int64)

    def product(self, rows: Ints, number: int) -> Iterator[NDArray[np.int8]]:
        """One block."""
        op, array = self.op, self.array
        symbols, self.beat = self.symbols(rows), 0
        assert len(symbols) == (op.row_tiles - 1) * array.slots + op.last_slots
        for tile in range(op.column_tiles):
            sums = np.zeros((len(rows), array.columns), np.int64)
            for first in range(0, len(symbols), array.slots):
                some = symbols[first:first + array.slots].transpose(1, 0, 2).reshape(len(rows), -1)
                table = self.table(some.shape[1])
                for row in range(some.shape[1]):
                    sums += table[row][some[:, row]] if array.is_lookup else some[:, row, None] * table[row]
            bias, multiplier, shift = self.parameters()
            yield from self.write(rows, tile, self.finish(sums + bias, multiplier, shift))

    def parameters(self) -> tuple[Ints, Ints, Ints]:
        """Bias, multiplier and shift of every column."""
        beats = np.concatenate([self.table_beat() for _ in range(-(-7 // self.array.fill))])[:7].view(np.uint8)
        bias = np.ascontiguousarray(beats[:4].T).view("<i4")[:, 0].astype(np.int64)
        multiplier = np.ascontiguousarray(beats[4:6].T).view("<u2")[:, 0].astype(np.int64)
        return bias, np.where(beats[6] & 128, -multiplier, multiplier), (beats[6] & 63).astype(np.int64)

    # Functions and rows

    def look_up(self, slot: int, x: int) -> int:
        """A function slot's value of one number."""
        words, found = self.functions[slot - 1], None
        for k in range(16):
            start = _field(words[2 * k], Field(0, 16, 16, signed=True))
            if k == 0 or start <= x:
                slope = _field(words[2 * k], Field(0, 0, 16, signed=True))
                found = slope * x + _field(words[2 * k + 1], Field(0, 0, 32, signed=True))
        assert found is not None
        return found >> words[32]

    def row(self, rows: Ints) -> Iterator[NDArray[np.int8]]:
        """One block."""
        op, array, self.beat = self.op, self.array, 0
        assert (op.groups, op.parts_y, op.parts_x) == (1, 3 if op.maximum else 2, op.column_tiles)
        size = (op.column_tiles - 1) * array.word + op.last_columns
        passes = [np.concatenate([self.gather(rows, 0, y, x)[:, 0] for x in range(op.parts_x)], axis=1)
                  for y in range(op.parts_y)]
        found = np.zeros((len(rows), op.column_tiles * array.word), np.int64)
        for number, row in enumerate(passes[-1][:, :size].tolist()):
            assert all(words[number, :size].tolist() == row for words in passes)
            found[number, :size] = self.softmax(row) if op.maximum else self.norm(row)
        for tile in range(op.column_tiles):
            wide = np.zeros((len(rows), array.columns), np.int64)
            wide[:, :array.word] = found[:, tile * array.word:(tile + 1) * array.word]
            bias, multiplier, shift = (0, op.multiplier, op.shift) if op.maximum else self.parameters()
            yield from self.write(rows, tile, self.finish(wide + bias, np.array(multiplier), np.array(shift)))

    def softmax(self, row: list[int]) -> list[int]:
        """Values before the finisher."""
        parts = [min(max(self.look_up(self.op.function, x - max(row)), 0), 32767) for x in row]
        total = max(sum(parts), 1)
        place = total.bit_length() - 1
        mantissa = total << 14 - place if place < 14 else total >> place - 14
        inverse = min(max(self.look_up(self.op.second, mantissa), 0), 32767)
        return [part * inverse >> place for part in parts]

    def norm(self, row: list[int]) -> list[int]:
        """Values before the finisher."""
        count, total = len(row), sum(row)
        spread = count * sum(x * x for x in row) - total**2 + self.op.epsilon
        even = (spread.bit_length() - 1) // 2 * 2
        mantissa = spread << 12 - even if even < 12 else spread >> even - 12
        inverse = min(max(self.look_up(self.op.function, mantissa), 0), 32767)
        return [(count * x - total) * inverse >> even // 2 + 3 for x in row]

    def pool(self, rows: Ints) -> Iterator[NDArray[np.int8]]:
        """One block."""
        op, sums = self.op, dict[int, Ints]()
        assert op.row_tiles == op.parts_x * op.parts_y
        assert op.column_tiles == op.groups
        for group, part_y, part_x in self.slots():
            words = self.gather(rows, group, part_y, part_x).astype(np.int64)
            if op.maximum:
                part = words.max(axis=1, where=self.on(group)[:, None], initial=-128)
                sums[group] = np.maximum(sums.get(group, -128), part)
            else:
                sums[group] = sums.get(group, 0) + words.sum(axis=1, where=self.on(group)[:, None])
        for group, total in sums.items():
            wide = np.zeros((len(rows), self.array.columns), np.int64)
            wide[:, :self.array.word] = total
            yield from self.write(rows, group, self.finish(wide, np.array(op.multiplier), np.array(op.shift)))

    def on(self, group: int) -> NDArray[np.bool_]:
        """Lanes of a group that take part."""
        return self.op.lane["enabled_last" if group == self.op.groups - 1 else "enabled"].astype(bool)

    def finish(self, sums: Ints, multiplier: Ints, shift: Ints) -> Ints:
        """Rescale, round half up, function, clamp; columns without a shift do not matter."""
        half = np.where(shift, 1 << np.maximum(shift, 1) - 1, 0)
        values = (sums * multiplier + half) >> shift
        if self.op.function and self.op.kind != Kind.ROW:
            wide = np.clip(values, -32768, 32767).ravel().tolist()
            values = np.array([self.look_up(self.op.function, x) for x in wide]).reshape(values.shape)
        return np.clip(values, self.op.low, self.op.high)

    # Writing

    def places(self, rows: Ints, tile: int, first: int, step: int, jump: int) -> Ints:
        """Address of each row's first word."""
        oy, ox = np.divmod(rows, self.op.out_width)
        return first + oy * ((self.op.out_width - 1) * step + jump) + ox * step + tile * self.op.tile_step

    def write(self, rows: Ints, tile: int, values: Ints) -> Iterator[NDArray[np.int8]]:
        """Add stage and writer for the rows of a column tile."""
        op, word = self.op, self.array.word
        used = op.last_columns if tile == op.column_tiles - 1 else self.array.columns
        used = min(used, word) if op.kind in (Kind.POOL, Kind.ROW) else used
        words, size = -(-used // word), self.array.activation_words
        values = np.where(np.arange(self.array.columns) < used, values, 0)[:, :words * word]
        places = self.places(rows, tile, op.target, op.target_step, op.target_jump)[:, None] + np.arange(words)
        if op.residual:
            sources = self.places(rows, tile, op.residual_source, op.residual_step, op.residual_jump)
            sources = sources[:, None] + np.arange(words)
            self.fail(Error.READ, bool((sources >= size).any() or (sources < 0).any()))
            for address, key in zip((sources * 2 + 1 - op.source_side).ravel().tolist(),
                                    [(tile, int(row)) for row in rows for _ in range(words)], strict=True):
                assert self.written.get(address, key) == key, "an addend must be read before it is written over"
            other = self.memory[1 - op.source_side][sources].reshape(len(rows), -1).astype(np.int64)
            total = values * op.own_factor + other * op.residual_factor + (1 << op.add_shift - 1)
            values = np.clip(total >> op.add_shift, op.add_low, op.add_high)
            values = np.where(np.arange(words * word) < used, values, 0)
        if op.to_stream:
            yield from np.pad(values, ((0, 0), (0, self.array.columns - words * word))).astype(np.int8)
        else:
            self.store(places, values, [(tile, int(row)) for row in rows])

    def store(self, places: Ints, values: Ints, keys: list[tuple[int, int]]) -> None:
        """Words to memory."""
        side, count = self.op.side, places.shape[1]
        self.fail(Error.WRITE, bool((places < 0).any() or (places >= self.array.activation_words).any()))
        for address, key in zip((places * 2 + side).ravel().tolist(), [k for k in keys for _ in range(count)],
                                strict=True):
            assert address not in self.written, "an operation must write a word once"
            self.written[address] = key
        self.memory[side][places] = values.reshape(*places.shape, self.array.word)

    def load(self, rows: Ints) -> None:
        """One block of a LOAD."""
        op, array = self.op, self.array
        for tile in range(op.column_tiles):
            used = op.last_columns if tile == op.column_tiles - 1 else array.columns
            words = -(-used // op.word_bytes)
            beats = np.array([next(self.inputs) for _ in rows]).view(np.int8)[:, :words * op.word_bytes]
            values = np.zeros((len(rows), words, array.word), np.int64)
            values[:, :, :op.word_bytes] = beats.reshape(len(rows), words, op.word_bytes)
            places = self.places(rows, tile, op.target, op.target_step, op.target_jump)[:, None] + np.arange(words)
            self.store(places, values, [(tile, int(row)) for row in rows])
