"""hw.tree_encoder against a walk written out."""

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Signal
from amaranth.sim import SimulatorContext

from lutra_hw.tree_encoder import TreeEncoder, tree_words
from lutra_model.params import Array
from tests.hw.words import packed

Simulate = Callable[..., None]
Tree = tuple[list[int], list[int]]  # scalar of each level; thresholds, the root first


def leaf(x: list[int], tree: Tree) -> int:
    """A walk down the tree as a heap: the sons of node n are nodes 2n + 1 and 2n + 2."""
    dims, thresholds = tree
    node = 0
    for dim in dims:
        node = 2 * node + (2 if x[dim] > thresholds[node] else 1)
    return node - len(thresholds)


def words(tree: Tree, length: int) -> list[int]:
    """The tree bit after bit, cut into bytes."""
    dims, thresholds = tree
    width = (length - 1).bit_length()
    value = packed(thresholds) | packed(dims, width) << 8 * len(thresholds)
    count = -(-(8 * len(thresholds) + width * len(dims)) // 8)
    return [value >> 8 * word & 255 for word in range(count)]


@pytest.mark.parametrize(("entries", "length", "count"), [
    (16, 9, 17), (16, 4, 16), (16, 1, 15), (4, 3, 4), (2, 1, 1), (2, 4, 2), (256, 9, 259), (8, 2, 8)])
def test_bytes_of_a_tree(entries: int, length: int, count: int) -> None:
    array = Array(rows=1, columns=1, encoders=1, length=length, entries=entries)
    assert tree_words(array) == count
    levels = entries.bit_length() - 1
    assert len(words(([0] * levels, [0] * (entries - 1)), length)) == count


@pytest.mark.parametrize("data", ["random", "ties", "edges"])
@pytest.mark.parametrize(("entries", "length"), [(2, 1), (2, 3), (4, 3), (8, 5), (16, 9), (16, 4), (64, 2), (256, 9)])
def test_index_is_the_leaf(simulate: Simulate, entries: int, length: int, data: str) -> None:
    array = Array(rows=2, columns=1, encoders=2, length=length, entries=entries, codebooks=6)
    encoder, rng = TreeEncoder(array), random.Random(f"{entries} {length} {data}")
    levels = entries.bit_length() - 1
    values = {"random": range(-128, 128), "ties": range(-1, 2), "edges": (-128, 127)}[data]

    def scalars(count: int) -> list[int]:
        return rng.choices(values, k=count)

    trees = [(rng.choices(range(length), k=levels), scalars(entries - 1)) for _ in range(6)]
    work = [[scalars(length) for _ in range(rng.choice([1, 2, 20]))] for _ in trees]
    results = []
    loads = dict[int, tuple[int, int]]()          # cycle: word and its number
    fed = dict[int, tuple[list[int], bool]]()     # cycle: sub-vector; whether it is the first of its tree
    expected = dict[int, int]()
    free = begin = 0
    for tree, vectors in zip(trees, work, strict=True):  # each as soon as it may be
        parts = words(tree, length)
        loads |= {free + number: (number, word) for number, word in enumerate(parts)}
        begin = max(begin, free + len(parts))
        free = begin + levels
        for number, vector in enumerate(vectors):
            expected[begin + 2 + levels] = leaf(vector, tree)
            fed[begin] = vector, number == 0
            begin += rng.choice([1, 1, 1, 2])

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        for cycle in range(max(expected) + 1):
            number, word = loads.get(cycle, (0, rng.getrandbits(8)))
            vector, first = fed.get(cycle, (scalars(length), False))
            for port, value in [(encoder.load, cycle in loads), (encoder.entry, number), (encoder.centroid, word),
                                (encoder.vector, cycle in fed), (encoder.turn, first),
                                (encoder.data, packed(vector))]:
                ctx.set(port, value)
            results.append(ctx.get(encoder.o))
            await ctx.tick()

    simulate(encoder, bench)
    assert {cycle: results[cycle] for cycle in expected} == expected
