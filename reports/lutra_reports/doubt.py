"""How far energies and verdicts can be trusted: over all technologies and memories, and constant by constant."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from lutra_model.alternatives import DRAMS, MEMORIES
from lutra_model.energy import Bill, ratio_range
from lutra_model.runs import Priced
from lutra_model.technology import Technology
from lutra_model.uncertainty import Form, Overall, forms, overall, tornado

from .estimate import verdict

__all__ = ["facts", "ranges", "tornados"]

SHARES: dict[str, Callable[[Bill], Bill]] = {"on_chip": lambda bill: bill.on_chip, "total": lambda bill: bill}
Data = dict[str, Any]
Bills = dict[Form, Bill]


def facts() -> Data:
    """What the memories and the boundaries of DRAM are."""
    return {"memories": dict(MEMORIES), "drams": {
        name: {"pj_per_bit": value, "boundary": boundary, "uncertainty": uncertainty, "source": source}
        for name, (value, boundary, uncertainty, source) in DRAMS.items()}}


def _bills(designs: Iterable[Priced]) -> Bills:
    """Bills of one design, priced in several technologies, in all forms of these."""
    return {form: replace(priced, technology=technology).bill for priced in designs
            for form, technology in forms(priced.technology).items()}


def _plain(found: Overall) -> Data:
    return {"low": found.low, "high": found.high, "low_at": found.low_at._asdict(), "high_at": found.high_at._asdict()}


def _energies(bills: Bills) -> Data:
    return {name: _plain(overall({form: share(bill).range() for form, bill in bills.items()}))
            for name, share in SHARES.items()}


def _ratios(parts: Bills, wholes: Bills) -> Data:
    """The first over the second, in the forms that both have."""
    found = dict[str, Data]()
    for name, share in SHARES.items():
        item = _plain(overall({form: ratio_range(share(part), share(wholes[form]))
                               for form, part in parts.items() if form in wholes}))
        found[name] = item | {"winner": verdict(item["low"], item["high"])}
    return found


def ranges(named: Iterable[Mapping[str, Priced]]) -> Data:
    """Of designs by name, in one technology after the other: energies in picojoules, and ratios to ``lookup``."""
    designs: dict[str, list[Priced]] = {}
    for found in named:
        for name, priced in found.items():
            designs.setdefault(name, []).append(priced)
    bills = {name: _bills(found) for name, found in designs.items()}
    return {"energy_pj": {name: _energies(found) for name, found in bills.items()},
            "ratios": {name: _ratios(found, bills["lookup"]) for name, found in bills.items()
                       if "lookup" in bills and name != "lookup"}}


def tornados(part: Priced, whole: Priced) -> dict[str, list[Data]]:
    """What each constant of their technology does to the ratio of two designs' energies."""
    def priced(design: Priced, share: Callable[[Bill], Bill]) -> Callable[[Technology], Bill]:
        return lambda form: share(replace(design, technology=form).bill)

    return {name: [asdict(item) | {"flips": item.flips}
                   for item in tornado(priced(part, share), priced(whole, share), part.technology)]
            for name, share in SHARES.items()}
