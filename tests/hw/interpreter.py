"""What docs/hardware.md says that a program does, one number at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lutra_model.operation import Arrange, Kind, Operation
from lutra_model.params import Array, Metric
from tests.hw.rows import Function, norm, softmax
from tests.hw.words import signed

__all__ = ["Beat", "Interpreter"]

Beat = tuple[int, int, int]  # data, keep, last


def clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


def distance(a: list[int], p: list[int], metric: Metric) -> int:
    pairs = [abs(x - y) for x, y in zip(a, p, strict=True)]
    return {Metric.L2: sum(d * d for d in pairs), Metric.L1: sum(pairs), Metric.CHEBYSHEV: max(pairs)}[metric]


@dataclass
class Interpreter:
    """A machine's memories, and what leaves it. Bytes are 0 to 255; beats and words are lists of bytes."""

    array: Array
    tables: list[list[int]]
    codebooks: list[list[int]]
    activations: Iterator[list[int]]
    streamed: Iterator[list[int]]
    functions: list[Function] = field(default_factory=list)
    out: list[Beat] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.memory = [[[0] * self.array.word for _ in range(self.array.activation_words)] for _ in range(2)]

    def run(self, operations: list[Operation], runs: int = 1) -> list[Beat]:
        for _ in range(runs):
            for op in operations:
                {Kind.PRODUCT: self._product, Kind.POOL: self._pool, Kind.LOAD: self._load,
                 Kind.ROW: self._row}[op.kind](op)
        return self.out

    def _load(self, op: Operation) -> None:
        size, columns = op.word_bytes, self.array.columns
        for tile, pixel, edge, _ in self._order(op):
            data = next(self.activations)
            used = op.last_columns if edge else columns // size * size
            at = op.target + self._pixel(op, pixel, op.target_step, op.target_jump) + tile * op.tile_step
            data = data[:used] + [0] * (columns - used)
            for word in range(-(-used // size)):
                new = data[word * size:(word + 1) * size]
                self.memory[op.side][at + word] = new + [0] * (self.array.word - len(new))

    def _order(self, op: Operation) -> Iterator[tuple[int, int, bool, bool]]:
        """Column tile, pixel, whether the tile is the last, whether the beat is."""
        start = 0
        for block, size in enumerate(op.block_sizes):
            for tile in range(op.column_tiles):
                edge = tile == op.column_tiles - 1
                for row in range(size):
                    yield tile, start + row, edge, edge and block == op.blocks - 1 and row == size - 1
            start += size

    def _pixel(self, op: Operation, pixel: int, step: int, jump: int) -> int:
        y, x = divmod(pixel, op.out_width)
        return y * (jump + (op.out_width - 1) * step) + x * step

    def _gather(self, op: Operation, pixel: int, group: int, part_y: int, part_x: int) -> list[list[int]]:
        """The word of every lane."""
        y, x = divmod(pixel, op.out_width)
        base = (op.source + self._pixel(op, pixel, op.step_x, op.step_y) + group * op.group_step
                + part_y * op.part_y_step + part_x * op.part_x_step)
        words = []
        for lane in op.lanes:
            at_y = y * op.stride_y - op.top + part_y * op.part_y_dy + lane.dy
            at_x = x * op.stride_x - op.left + part_x * op.part_x_dx + lane.dx
            on = lane.enabled_last if group == op.groups - 1 else lane.enabled
            if on and 0 <= at_y < op.height and 0 <= at_x < op.width:
                words.append(self.memory[op.source_side][(base + lane.offset) % 2**32])
            else:
                words.append([128 if op.kind is Kind.POOL and op.maximum else 0] * self.array.word)
        empty = [128 if op.kind is Kind.POOL and op.maximum else 0] * self.array.word
        return words + [empty] * (self.array.lanes - len(words))

    def _vectors(self, op: Operation, words: list[list[int]], group: int) -> list[list[int]]:
        """The sub-vector of every encoder."""
        vectors, length, width = [], op.length, self.array.word
        for encoder in range(self.array.encoders):
            g, b = divmod(encoder, width)
            vector = []
            for v in range(length):
                if op.arrange is Arrange.WINDOW:
                    byte = words[g * self.array.length + v][b]
                elif op.arrange is Arrange.RUN:
                    byte = words[g * self.array.length + (b * length + v) // width][(b * length + v) % width]
                else:
                    lane = encoder * length + v
                    byte = words[lane][group % width] if lane < self.array.lanes else 0
                vector.append(signed(byte))
            vectors.append(vector)
        return vectors

    def _slots(self, op: Operation) -> list[tuple[int, int, int]]:
        return [(group, y, x) for group in range(op.groups) for y in range(op.parts_y) for x in range(op.parts_x)]

    def _symbols(self, op: Operation, pixel: int) -> list[int]:
        """Index (or activation) of every array row of all row tiles, slots one after the other."""
        symbols = []
        for slot, place in enumerate(self._slots(op)):
            for encoder, vector in enumerate(self._vectors(op, self._gather(op, pixel, *place), place[0])):
                if not self.array.is_lookup:
                    symbols.append(vector[0])
                    continue
                first = encoder * self.array.length
                words = [self.codebooks[op.codebooks + slot * op.entries + entry] for entry in range(op.entries)]
                distances = [distance(vector, [signed(byte) for byte in word[first:first + op.length]],
                                      self.array.metric) for word in words]
                symbols.append(distances.index(min(distances)))
        return symbols

    def _product(self, op: Operation) -> None:
        start = 0
        for block, size in enumerate(op.block_sizes):
            symbols = [self._symbols(op, start + row) for row in range(size)]
            beats = self.streamed if op.stream_tables else iter(self.tables[op.tables:])
            for tile in range(op.column_tiles):
                table, parameters = self._tile(op, beats)
                for row in range(size):
                    sums = [0] * self.array.columns
                    for symbol, entries in zip(symbols[row], table, strict=True):
                        for column in range(self.array.columns):
                            if self.array.is_lookup:
                                sums[column] += entries[symbol][column]
                            else:
                                sums[column] += entries[0][column] * symbol
                    edge = tile == op.column_tiles - 1
                    self._result(op, start + row, tile, self._finish(op, sums, parameters),
                                 op.last_columns if edge else self.array.columns,
                                 edge and block == op.blocks - 1 and row == size - 1)
            start += size

    def _tile(self, op: Operation, beats: Iterator[list[int]]) -> tuple[list[list[list[int]]], list[list[int]]]:
        """Tables of a column tile ``[row][entry][column]`` and its finisher parameters."""
        array, table = self.array, []
        for slots in op.tile_slots(array):
            used = slots * array.encoders
            groups = -(-used // array.fill)
            rows: list[list[list[int]]] = [[[] for _ in range(op.entries)] for _ in range(groups * array.fill)]
            for group in range(groups):
                for entry in range(op.entries):
                    for r, values in enumerate(self._words(next(beats))):
                        rows[group * array.fill + r][entry] = [signed(byte) for byte in values]
            table += rows[:used]
        return table, self._parameters(beats)

    def _parameters(self, beats: Iterator[list[int]]) -> list[list[int]]:
        """Of every column: bias, multiplier, shift."""
        raw = [values for _ in range(-(-7 // self.array.fill)) for values in self._words(next(beats))]
        parameters = []
        for column in range(self.array.columns):
            b = [raw[byte][column] for byte in range(7)]
            bias = int.from_bytes(bytes(b[:4]), "little", signed=True)
            sign = -1 if b[6] > 127 else 1
            parameters.append([bias, sign * (b[4] | b[5] << 8), b[6] & 63])
        return parameters

    def _words(self, beat: list[int]) -> list[list[int]]:
        columns = self.array.columns
        return [beat[r * columns:(r + 1) * columns] for r in range(self.array.fill)]

    def _finish(self, op: Operation, sums: list[int], parameters: list[list[int]]) -> list[int]:
        scaled = [((total + bias) * multiplier + (1 << shift - 1)) >> shift
                  for total, (bias, multiplier, shift) in zip(sums, parameters, strict=True)]
        if op.function and op.kind is not Kind.ROW:
            scaled = [self.functions[op.function - 1](clamp(value, -2**15, 2**15 - 1)) for value in scaled]
        return [clamp(value, op.low, op.high) for value in scaled]

    def _row(self, op: Operation) -> None:
        start, width = 0, self.array.word
        for block, size in enumerate(op.block_sizes):
            rows = []
            for row in range(size):
                words = [self._gather(op, start + row, 0, 0, word)[0] for word in range(op.parts_x)]
                channels = (op.parts_x - 1) * width + op.last_columns
                x = [signed(byte) for word in words for byte in word][:channels]
                first = self.functions[op.function - 1]
                rows.append(softmax(x, first, self.functions[op.second - 1]) if op.maximum
                            else norm(x, op.epsilon, first))
            beats = self.streamed if op.stream_tables else iter(self.tables[op.tables:])
            for tile in range(op.column_tiles):
                parameters = [[0, op.multiplier, op.shift]] * width if op.maximum else self._parameters(beats)
                edge = tile == op.column_tiles - 1
                used = op.last_columns if edge else width
                for row in range(size):
                    y = self._finish(op, rows[row][tile * width:tile * width + used], parameters[:used])
                    self._result(op, start + row, tile, y + [0] * (self.array.columns - used), used,
                                 edge and block == op.blocks - 1 and row == size - 1)
            start += size

    def _pool(self, op: Operation) -> None:
        start = 0
        for block, size in enumerate(op.block_sizes):
            for group in range(op.groups):
                for row in range(size):
                    values: list[list[int]] = [[] for _ in range(self.array.word)]
                    for y in range(op.parts_y):
                        for x in range(op.parts_x):
                            for word in self._gather(op, start + row, group, y, x):
                                for byte, seen in zip(word, values, strict=True):
                                    seen.append(signed(byte))
                    totals = [max(seen) if op.maximum else sum(seen) for seen in values]
                    y_ = self._finish(op, totals, [[0, op.multiplier, op.shift]] * self.array.word)
                    edge = group == op.groups - 1
                    self._result(op, start + row, group, y_ + [0] * (self.array.columns - len(y_)),
                                 op.last_columns if edge else self.array.word,
                                 edge and block == op.blocks - 1 and row == size - 1)
            start += size

    def _result(self, op: Operation, pixel: int, tile: int, y: list[int], used: int, last: bool) -> None:
        width = self.array.word
        if op.residual:
            at = op.residual_source + self._pixel(op, pixel, op.residual_step, op.residual_jump) + tile * op.tile_step
            for column in range(used):
                r = signed(self.memory[1 - op.source_side][at + column // width][column % width])
                total = y[column] * op.own_factor + r * op.residual_factor + (1 << op.add_shift - 1)
                y[column] = clamp(total >> op.add_shift, op.add_low, op.add_high)
        data = [value & 255 for value in y[:used]] + [0] * (self.array.columns - used)
        if op.to_stream:
            self.out.append((int.from_bytes(bytes(data), "little"), (1 << used) - 1, int(last)))
            return
        at = op.target + self._pixel(op, pixel, op.target_step, op.target_jump) + tile * op.tile_step
        for word in range(-(-used // width)):
            self.memory[op.side][at + word] = data[word * width:(word + 1) * width]
