"""Whole machines for studies: a workload in a scheme on lookup arrays, and multiplying arrays as fast."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from lutra_model.events import Events
from lutra_model.families import members
from lutra_model.params import Array, Layer
from lutra_model.probe import best_encoders, in_scheme
from lutra_model.runs import Design, Priced, Run, run, sized
from lutra_model.schemes import Options
from lutra_model.technology import Technology
from lutra_model.workloads import Work

__all__ = ["CELLS", "Pair", "counted", "pair", "saved"]

CELLS = (16, 16)
SIZES = [(rows, columns, rows) for rows in (16, 32, 64, 128, 256) for columns in (16, 32)]  # of multiplying arrays


@dataclass(frozen=True, eq=False)
class Pair:
    """One workload on lookup arrays, and on multiplying arrays, all with memories of several sizes."""

    lookups: tuple[Run, ...]
    rivals: tuple[Run, ...]

    def priced(self, technology: Technology, *, outside: bool = False) -> tuple[Priced, Priced]:
        """The lookup array of least energy; of the smallest multiplying arrays that are as fast, that of least energy.

        ``outside``: energy includes memory outside the chip. Where no multiplying array is as fast, it is the one of
        least energy of all.
        """
        energy = _total if outside else _on_chip
        lookup = min((item.priced(technology) for item in self.lookups), key=energy)
        fast = [item for item in self.rivals if item.cycles <= lookup.run.cycles]
        cells = min(item.design.array.cells for item in fast) if fast else 0
        chosen = [item for item in fast if item.design.array.cells == cells] or self.rivals
        return lookup, min((item.priced(technology) for item in chosen), key=energy)


def _on_chip(priced: Priced) -> float:
    return priced.bill.on_chip.picojoules


def _total(priced: Priced) -> float:
    return priced.bill.picojoules


@lru_cache(maxsize=32)
def _multiplying(works: tuple[Work, ...], scheme: str) -> tuple[Run, ...]:
    dense, probes = in_scheme(works, scheme)
    return tuple(members(scheme, dense, probes, SIZES))


@lru_cache(maxsize=32)
def pair(works: tuple[Work, ...], scheme: str, options: Options | None = None, baseline: str = "int8",
         engine: str = "") -> Pair:
    """A workload in a scheme on `CELLS` with the fewest encoders that keep them busy, and its rivals.

    ``engine``: one that runs the scheme's layers in another form of cell than its own.
    """
    looked, probes = in_scheme(works, scheme, options)
    best = best_encoders(scheme, looked, probes, *CELLS)
    own = members(scheme, looked, probes, [(*CELLS, best.design.array.encoders)]) or [best]
    if engine:
        own = [_formed(item, looked, engine) for item in own]
    return Pair(tuple(own), _multiplying(works, baseline))


def _formed(item: Run, works: Sequence[Work], engine: str) -> Run:
    """The same machine with other cells."""
    array, streamed = sized(replace(item.design.array, engine=engine), works)
    return run(replace(item.design, array=array), works, streamed=streamed)


def counted(layer: Layer, array: Array) -> Events:
    """Events of one layer on an array, for one image."""
    work = Work(name=layer.name, layer=layer, width=layer.rows, channels=layer.reduction, output=True)
    fitting, streamed = sized(array, [work])
    return sum(run(Design("study", fitting), [work], streamed=streamed).events, Events())


def saved(pairs: Pair, technologies: Sequence[Technology]) -> dict[str, float]:
    """Percent of the multiplying array's energy on the chip that lookup does not need, by technology."""
    found = {technology.name: pairs.priced(technology) for technology in technologies}
    return {name: 100 * (1 - _on_chip(lookup) / _on_chip(rival)) for name, (lookup, rival) in found.items()}
