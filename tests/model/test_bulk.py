"""Many machines at once: cycles, events, memories, energy and area equal the exact model's, machine by machine."""

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import reduce
from typing import Any

import numpy as np
import pytest

from lutra import embedded
from lutra_model import technology
from lutra_model.bulk import Designs, cut, evaluate
from lutra_model.bulk import blocks as blocks_module
from lutra_model.events import DramBits, Events
from lutra_model.params import Array, Metric
from lutra_model.runs import Design, Run, run, sized
from lutra_model.workloads import Work, bert_base, of_network, resnet18

RESNET18, TECHNOLOGY = resnet18(), technology.builtin("horowitz-45")
SMALL = of_network(embedded.network("fashion-resnet8"))


def draw(seed: int, count: int, engine: str, *, most_rows: int = 256, **fixed: Any) -> Designs:
    """Random machines, small memories that make many short blocks among them."""
    rng = np.random.default_rng(seed)
    rows, columns = (rng.choice(sizes, count) for sizes in ([4, 8, 16, 32, 64, 128, 256], [4, 8, 24, 32, 64]))
    rows = np.minimum(rows, most_rows)
    encoders, fill = (rows // np.minimum(rng.choice([1, 2, 4, 8], count), rows) for _ in range(2))
    if engine == "sign-flip":  # two bits a weight, and whole bytes in a beat
        fill = rows
    lookup = {"length": 9, "entries": 16} if engine == "lookup" else {"length": 1, "entries": 1}
    return Designs(**({"engine": engine, "rows": rows, "columns": columns, "encoders": encoders, "fill": fill,
                       "index_words": rng.choice([64, 300, 1024, 4096, 16384], count),
                       "block_rows": rng.choice([7, 64, 300, 1024, 4096], count)} | lookup | fixed))


def exactly(works: Sequence[Work], array: Array, streamed: bool | None, images: int) -> Run | None:
    """The exact model of one machine; None where it does not run the works."""
    works = works if array.is_lookup else [work.as_dense(array.engine) for work in works]
    try:
        fitting, flows = sized(array, works, streamed=streamed)
    except ValueError:
        return None
    return run(Design("one", fitting), works, images=images, streamed=flows)


def at(counts: Any, place: int) -> dict[str, int]:
    """Counts of one place."""
    return {field.name: int(value[place]) if isinstance(value, np.ndarray) else value
            for field in fields(counts) if not isinstance(value := getattr(counts, field.name), DramBits)}


def check(works: Sequence[Work], designs: Designs, *, streamed: bool | None = None, images: int = 1,
          recut: bool = False) -> int:
    """Hold every machine to the exact model; how many run the works."""
    points, ran = evaluate(works, designs, streamed=streamed, images=images, recut=recut), 0
    energy, area = points.picojoules(TECHNOLOGY), points.area(TECHNOLOGY)
    for place in range(len(designs)):
        array = designs.at(place)
        mine = [cut(work, array.length, array.entries) for work in works] if recut else works
        found = exactly(mine, array, streamed, images)
        assert points.fits[place] == (found is not None), array
        if found is None:
            continue
        events, priced = reduce(Events.__add__, found.events), found.priced(TECHNOLOGY)
        assert points.cycles[place] * images == found.cycles, array
        assert at(points.events, place) == at(events, 0), array
        assert at(points.events.dram, place) == at(events.dram, 0), array
        assert points.designs.at(place) == found.design.array
        assert energy[place] == pytest.approx(priced.bill.picojoules, rel=1e-12)
        assert area[place] == pytest.approx(priced.area, rel=1e-12)
        ran += 1
    return ran


@pytest.mark.parametrize("engine", ["lookup", "mac", "sign-flip"])
@pytest.mark.parametrize("seed", range(2))
def test_resnet18_equals_the_exact_model(engine: str, seed: int) -> None:
    assert check(RESNET18, draw(seed, 20, engine)) > 10


@pytest.mark.parametrize("engine", ["lookup", "mac"])
@pytest.mark.parametrize("streamed", [None, True, False])
def test_a_network_with_its_tables_streamed_or_kept(engine: str, streamed: bool | None) -> None:
    assert check(SMALL, draw(7, 12, engine, most_rows=64), streamed=streamed, images=3) > 6


def test_metrics() -> None:
    for metric in Metric:
        assert check(RESNET18, draw(11, 4, "lookup", metric=metric)) > 1


def test_layers_cut_by_each_machine() -> None:
    rng = np.random.default_rng(5)
    lengths, entries = rng.choice([1, 3, 4, 9], 12), rng.choice([2, 8, 16, 64], 12)
    assert check(RESNET18, draw(5, 12, "lookup", length=lengths, entries=entries), recut=True) > 6


def test_equal_layers_in_a_row() -> None:
    assert check(bert_base()[:13], draw(3, 12, "mac")) > 6
    assert check(bert_base()[:13], draw(3, 12, "lookup")) > 6


@pytest.mark.parametrize("seed", range(2))
def test_blocks_left_to_the_matrix(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks_module, "STEPPED", 1)
    assert check(RESNET18, draw(20 + seed, 10, ("lookup", "mac")[seed % 2])) > 4


def test_chunks_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    designs = draw(2, 50, "lookup")
    whole = evaluate(SMALL, designs)
    monkeypatch.setattr("lutra_model.bulk.points.CHUNK", 16)
    parts = evaluate(SMALL, designs)
    assert np.array_equal(whole.cycles, parts.cycles)
    assert np.array_equal(whole.picojoules(TECHNOLOGY), parts.picojoules(TECHNOLOGY))


def test_a_machine_that_is_none_is_refused_as_one() -> None:
    with pytest.raises(ValueError, match=r"^encoders must divide rows \(12\), 8 do not$"):
        Designs(rows=np.array([16, 12]), encoders=np.array([8, 8]))
    with pytest.raises(ValueError, match=r"^entries must be a power of two of at least 2, not 12$"):
        Designs(rows=np.array([16, 16]), entries=np.array([16, 12]))
    with pytest.raises(ValueError, match=r"^machines at once must be of the engine lookup, mac or sign-flip and not "
                                         r"gather; this one's is lut-tc$"):
        Designs(engine="lut-tc", rows=16)


def test_a_softmax_is_refused_by_name() -> None:
    row = Work(name="attention", channels=64, row=True, maximum=True, functions=2)
    with pytest.raises(ValueError, match=r"^step attention must be a product, a pool or an input"):
        evaluate([*SMALL, row], draw(0, 4, "lookup"))


def test_own_activation_memories() -> None:
    own: dict[str, Any] = {"activation_words": np.arange(8) + 60_000}
    designs = replace(draw(4, 8, "mac"), **own)
    points = evaluate(SMALL, designs, own_activations=True)
    assert np.array_equal(points.designs.activation_words, np.arange(8) + 60_000)
