"""model.host: a naive machine that reads the beats in the order of docs/hardware.md computes the golden model."""

import numpy as np
import pytest

from lutra_model import golden
from lutra_model.host import pack, unpack
from lutra_model.network import Product
from lutra_model.params import Array
from lutra_model.schedule import Schedule


def product(seed: int, reduction: int, columns: int, entries: int, length: int) -> Product:
    rng = np.random.default_rng(seed)
    dense = entries == 1
    codebooks = -(-reduction // length)
    return Product(name="p", inputs=("input",), scale=1.0, low=-90, high=101, reduction=reduction,
                   table=rng.integers(-128, 128, (codebooks, entries, columns), np.int8),
                   centroids=None if dense else rng.integers(-128, 128, (codebooks, entries, length), np.int8),
                   bias=rng.integers(-2**20, 2**20, columns), multiplier=rng.integers(1, 2**16, columns),
                   shift=rng.integers(15, 30, columns), table_scale=np.ones(columns))


class NaiveMachine:
    """Reads the three input streams beat by beat, as docs/hardware.md tells a machine to."""

    def __init__(self, array: Array, traffic: object) -> None:
        self.array = array
        self.command = traffic.command  # type: ignore[attr-defined]
        self.activations = iter(traffic.activations.view(np.int8).tolist())  # type: ignore[attr-defined]
        self.tables = iter(traffic.tables.tolist())  # type: ignore[attr-defined]

    def run(self) -> list[list[int]]:
        blocks, full, last, rows, columns, entries, clamp, _ = self.command
        row_tiles, last_rows = (rows & 0xffff) + 1, rows >> 16
        used = [self.array.rows] * (row_tiles - 1) + [last_rows]
        low, high = ((clamp >> s & 255 ^ 128) - 128 for s in (0, 8))
        centroids = self.centroids(used, entries) if self.array.is_lookup else None
        out = []
        for block in range(blocks + 1):
            size = last if block == blocks else full
            indices = self.encode(used, size, centroids)
            for _ in range((columns & 0xffff) + 1):
                out += self.column_tile(used, size, entries, indices, low, high)
        assert next(self.activations, None) is None
        assert next(self.tables, None) is None
        return out

    def slots(self, rows: int) -> range:
        return range(-(-rows // self.array.encoders))

    def vectors(self) -> list[list[int]]:
        beat, length = next(self.activations), self.array.length
        return [beat[e * length:(e + 1) * length] for e in range(self.array.encoders)]

    def centroids(self, used: list[int], entries: int) -> dict[tuple[int, int], list[list[int]]]:
        found: dict[tuple[int, int], list[list[int]]] = {}
        for tile, rows in enumerate(used):
            for slot in self.slots(rows):
                for _ in range(entries):
                    for e, vector in enumerate(self.vectors()):
                        found.setdefault((tile, slot * self.array.encoders + e), []).append(vector)
        return found

    def encode(self, used: list[int], size: int, centroids: dict | None) -> dict[tuple[int, int, int], int]:
        found = {}
        for tile, rows in enumerate(used):
            for m in range(size):
                for slot in self.slots(rows):
                    for e, vector in enumerate(self.vectors()):
                        row = slot * self.array.encoders + e
                        if row < rows and centroids is not None:
                            distances = [sum((a - p)**2 for a, p in zip(vector, c, strict=True))
                                         for c in centroids[tile, row]]
                            found[tile, m, row] = distances.index(min(distances))
                        elif row < rows:
                            found[tile, m, row] = vector[0]
        return found

    def column_tile(self, used: list[int], size: int, entries: int, indices: dict, low: int, high: int) -> list:
        sums = [[0] * self.array.columns for _ in range(size)]
        for tile, rows in enumerate(used):
            table = [[next(self.tables) for _ in range(entries)] for _ in range(rows)]
            for m in range(size):
                for row in range(rows):
                    index = indices[tile, m, row]
                    picked, weight = (table[row][index], 1) if entries > 1 else (table[row][0], index)
                    sums[m] = [s + weight * ((t ^ 128) - 128) for s, t in zip(sums[m], picked, strict=True)]
        bytes_of = [next(self.tables) for _ in range(7)]
        out = []
        for row_sums in sums:
            line = []
            for n, total in enumerate(row_sums):
                lane = [beat[n] for beat in bytes_of]
                bias = int.from_bytes(bytes(lane[:4]), "little", signed=True)
                multiplier, shift = lane[4] | lane[5] << 8, lane[6]
                scaled = ((total + bias) * multiplier + (1 << shift >> 1)) >> shift
                line.append(max(low, min(high, scaled)) & 255)
            out.append(line)
        return out


ARRAYS = [Array(rows=1, columns=1, encoders=1, entries=2, length=3),
          Array(rows=4, columns=3, encoders=3, entries=4, length=5, block_rows=4, index_words=9),
          Array(rows=5, columns=8, encoders=2, block_rows=16, index_words=16),
          Array.mac(rows=4, columns=4, encoders=3, block_rows=7, index_words=40)]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.engine}-{a.rows}x{a.columns}e{a.encoders}")
@pytest.mark.parametrize("seed", range(6))
def test_a_naive_machine_computes_the_golden_model(array: Array, seed: int) -> None:
    rng = np.random.default_rng(seed)
    length = int(rng.integers(1, array.length + 1)) if array.is_lookup else 1
    entries = int(rng.integers(2, array.entries + 1)) if array.is_lookup else 1
    node = product(seed, int(rng.integers(1, 40)), int(rng.integers(1, 20)), entries, length)
    x = rng.integers(-128, 128, (int(rng.integers(1, 12)), node.reduction), np.int8)
    schedule = Schedule(node.layer(len(x)), array)
    beats = NaiveMachine(array, pack(schedule, node, golden.windows(x, None))).run()
    assert unpack(schedule, np.array(beats, np.uint8)).tolist() == golden.evaluate(node, x).tolist()
