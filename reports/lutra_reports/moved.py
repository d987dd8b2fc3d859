"""What a network's own data do to its energies, against data as the technologies' prices hold for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lutra_model.activity import PORTS, NetworkActivity
from lutra_model.energy import Bill
from lutra_model.runs import Priced

__all__ = ["activity_facts", "moved"]

Data = dict[str, Any]


def activity_facts(found: Mapping[str, NetworkActivity]) -> Data:
    """Of each network that was simulated: toggles of a bit by engine and component, and all that was counted."""
    return {"ports": dict(PORTS), "networks": {
        name: {"toggles": {engine: dict(rates) for engine, rates in activity.toggles.items()}, **activity.as_dict()}
        for name, activity in found.items()}}


def _change(default: Bill, now: Bill) -> Data:
    return {"default_pj": default.picojoules, "pj": now.picojoules,
            "components": {name: {"default_pj": value, "pj": now.components[name]}
                           for name, value in default.components.items() if value or now.components[name]}}


def moved(named: Mapping[str, Priced]) -> Data:
    """Energies on the chip of each design whose data are known, and ratios: of default data, and of its own."""
    now = {name: priced.bill.on_chip for name, priced in named.items() if priced.toggles}
    default = {name: replace(named[name], toggles={}).bill.on_chip for name in now}
    (technology,) = {priced.technology.name: priced.technology for priced in named.values()}.values()
    return {
        "entries": [name for name, entry in technology.entries.items() if entry.activity],
        "designs": {name: _change(default[name], now[name]) for name in now},
        "ratios": {name: {"default": default[name].picojoules / default["lookup"].picojoules,
                          "ratio": now[name].picojoules / now["lookup"].picojoules}
                   for name in now if name != "lookup" and "lookup" in now}}
