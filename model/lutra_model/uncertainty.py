"""How far a verdict can be trusted: over all technologies and memories, and one constant at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from .alternatives import alternatives
from .energy import Bill
from .entries import Entry
from .technology import Technology

__all__ = ["Constant", "Form", "Overall", "forms", "moved", "overall", "tornado"]

Priced = Callable[[Technology], Bill]
FAR = 2.0**20  # times a constant: so far that what a small one costs is not lost in rounding


class Form(NamedTuple):
    """A technology by name, with memories and memory outside the chip of ``alternatives``."""

    technology: str
    memory: str
    dram: str


@dataclass(frozen=True)
class Overall:
    """The least and the most over all forms of all technologies, uncertainties of each included, and the forms."""

    low: float
    high: float
    low_at: Form
    high_at: Form


def forms(technology: Technology) -> dict[Form, Technology]:
    """The technology with all memories and boundaries of DRAM."""
    return {Form(technology.name, *names): form for names, form in alternatives(technology).items()}


def overall(ranges: Mapping[Form, tuple[float, float]]) -> Overall:
    """The range over forms, of low and high in each."""
    least, most = min(ranges, key=lambda form: ranges[form][0]), max(ranges, key=lambda form: ranges[form][1])
    return Overall(ranges[least][0], ranges[most][1], least, most)


def kind_of(entry: str) -> str:
    """What errs as one: an entry, and those of the same name that single components have."""
    return entry.rpartition(".")[2]


def _times(entry: Entry, factor: float) -> Entry:
    if isinstance(entry.value, tuple):
        return replace(entry, value=tuple((size, factor * price) for size, price in entry.value))
    activity = entry.activity and replace(entry.activity, idle=factor * entry.activity.idle)
    return replace(entry, value=factor * entry.value, activity=activity)


def moved(technology: Technology, constant: str, factor: Callable[[Entry], float]) -> Technology:
    """The technology with all entries of one constant multiplied by their factors."""
    return replace(technology, entries={name: _times(entry, factor(entry)) if kind_of(name) == constant else entry
                                        for name, entry in technology.entries.items()})


@dataclass(frozen=True)
class Constant:
    """What one constant does to a ratio of energies.

    Parameters
    ----------
    name : of an entry; those that single components have under this name move with it.
    low, high : the ratio with the constant at the low and at the high end of its uncertainty.
    flip : factor to the constant that makes the ratio 1; None: no factor above 0 does.
    uncertainty : the largest one of its entries.
    """

    name: str
    uncertainty: float
    low: float
    high: float
    flip: float | None

    @property
    def flips(self) -> bool:
        """Whether the ratio passes 1 within the uncertainty."""
        return min(self.low, self.high) <= 1 <= max(self.low, self.high)

    @property
    def swing(self) -> float:
        """How far it moves the ratio from end to end."""
        return abs(self.high - self.low)


def _flip(part: tuple[float, float], whole: tuple[float, float]) -> float | None:
    """Factor at which two bills are equal, each being a fixed sum and what the constant costs.

    >>> _flip((1.0, 4.0), (3.0, 1.0))
    0.6666666666666666
    """
    (fixed, own), (other, theirs) = part, whole
    if own == theirs or (other - fixed) / (own - theirs) <= 0:
        return None
    return (other - fixed) / (own - theirs)


def tornado(part: Priced, whole: Priced, technology: Technology) -> tuple[Constant, ...]:
    """What each constant does to ``part / whole``, the one that moves it most first.

    Both are bills by technology; they are linear in every constant, so what one costs is known from two bills, and the
    factor that makes the ratio 1 is exact. Constants that cost neither anything are left out.
    """
    a, b, found = part(technology).picojoules, whole(technology).picojoules, list[Constant]()
    for name in dict.fromkeys(map(kind_of, technology.entries)):
        far = moved(technology, name, lambda entry: FAR)
        own, theirs = (part(far).picojoules - a) / (FAR - 1), (whole(far).picojoules - b) / (FAR - 1)
        if max(abs(own) / a, abs(theirs) / b) < 1e-12:  # what rounding leaves
            continue
        ends = (moved(technology, name, lambda entry: 1 - entry.uncertainty),
                moved(technology, name, lambda entry: 1 + entry.uncertainty))
        low, high = (part(end).picojoules / whole(end).picojoules for end in ends)
        uncertainty = max(entry.uncertainty for key, entry in technology.entries.items() if kind_of(key) == name)
        found.append(Constant(name, uncertainty, low, high, _flip((a - own, own), (b - theirs, theirs))))
    return tuple(sorted(found, key=lambda item: -item.swing))
