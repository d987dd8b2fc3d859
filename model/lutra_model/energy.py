"""Energy of one operation on one machine: quantities times prices, charge by charge."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

from .area import logic_area_um2
from .components import COMPONENTS, Quantity
from .events import Events
from .quantities import quantities
from .structure import Structure
from .technology import Technology

__all__ = ["COMPONENTS", "Bill", "Charge", "bill", "charged", "ratio_range"]


@dataclass(frozen=True)
class Charge:
    """Energy that one component owes to one entry of the technology."""

    component: str
    entry: str
    picojoules: float


@dataclass(frozen=True)
class Bill:
    """All charges of an operation, or of several."""

    charges: tuple[Charge, ...]
    uncertainties: tuple[tuple[str, float], ...]

    @classmethod
    def total_of(cls, bills: Iterable["Bill"]) -> "Bill":
        """One bill for several operations of one technology."""
        bills = tuple(bills)
        sums: dict[tuple[str, str], float] = {}
        for charge in (charge for bill in bills for charge in bill.charges):
            key = charge.component, charge.entry
            sums[key] = sums.get(key, 0.0) + charge.picojoules
        uncertainties = dict(pair for bill in bills for pair in bill.uncertainties)
        return cls(tuple(Charge(*key, value) for key, value in sums.items()), tuple(uncertainties.items()))

    @cached_property
    def picojoules(self) -> float:
        """The total."""
        return sum(self.components.values())

    @cached_property
    def components(self) -> dict[str, float]:
        """Energy in picojoules by component; the values sum to the total."""
        sums = dict.fromkeys(COMPONENTS, 0.0)
        for charge in self.charges:
            sums[charge.component] += charge.picojoules
        return sums

    @cached_property
    def entries(self) -> dict[str, float]:
        """Energy in picojoules by the entry that priced it."""
        sums: dict[str, float] = {}
        for charge in self.charges:
            sums[charge.entry] = sums.get(charge.entry, 0.0) + charge.picojoules
        return sums

    @cached_property
    def spreads(self) -> dict[str, float]:
        """What the uncertainties move, in picojoules: an entry and those of single components err together."""
        uncertainties, sums = dict(self.uncertainties), dict[str, float]()
        for entry, value in self.entries.items():
            kind = entry.rpartition(".")[2]
            sums[kind] = sums.get(kind, 0.0) + uncertainties[entry] * value
        return sums

    @property
    def on_chip(self) -> "Bill":
        """The bill without memory outside the chip."""
        return Bill(tuple(charge for charge in self.charges if charge.component != "dram"), self.uncertainties)

    def range(self) -> tuple[float, float]:
        """Low and high total: kinds of entries err independently, so what they move adds in quadrature."""
        spread = sqrt(sum(value**2 for value in self.spreads.values()))
        return self.picojoules - spread, self.picojoules + spread


def ratio_range(part: Bill, whole: Bill) -> tuple[float, float]:
    """Low and high ``part / whole``: an entry that both pay moves both, kinds of entries err independently."""
    ratio = part.picojoules / whole.picojoules
    below = above = 0.0
    for kind in part.spreads | whole.spreads:
        ends = [(part.picojoules + sign * part.spreads.get(kind, 0.0))
                / (whole.picojoules + sign * whole.spreads.get(kind, 0.0)) - ratio for sign in (-1, 1)]
        below += min(*ends, 0.0) ** 2
        above += max(*ends, 0.0) ** 2
    return ratio - sqrt(below), ratio + sqrt(above)


def charged(items: Iterable[Quantity], structure: Structure, technology: Technology,
            toggles: Mapping[str, float] | None = None) -> Iterator[Charge]:
    """Quantities times prices; what the technology has no entry for costs nothing."""
    nanoseconds = technology.price("clock_period")
    leaking = {"logic_leakage": nanoseconds * logic_area_um2(structure, technology), "sram_leakage": nanoseconds}
    for item in items:
        entry = technology.entry_of(structure.kind(item.component), item.component, item.entry)
        if entry is not None:
            price = technology.price(entry, words=item.words, toggles=(toggles or {}).get(item.component))
            yield Charge(item.component, entry, item.amount * price * leaking.get(item.entry, 1.0))


def bill(events: Events, cycles: int, structure: Structure, technology: Technology,
         toggles: Mapping[str, float] | None = None) -> Bill:
    """Energy of one operation that took so many cycles.

    ``toggles``: of a component, changes of one bit of its data at an event; without it, those that prices hold for.
    """
    return Bill(tuple(charged(quantities(events, cycles, structure), structure, technology, toggles)),
                tuple((name, technology.entries[name].uncertainty) for name in technology.entries))
