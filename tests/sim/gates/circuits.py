"""A library with round numbers, and netlists of it drawn by hand."""

from pathlib import Path
from typing import Any

from lutra_sim.gates import liberty
from lutra_sim.gates.netlist import Netlist

__all__ = ["TOY", "drawn", "toy"]

TOY = Path(__file__).with_name("toy.lib")


def toy() -> liberty.Library:
    """The library; see toy.lib for its numbers."""
    return liberty.read([TOY])


def drawn(inputs: str, outputs: str, *cells: str, library: liberty.Library | None = None,
          wire_load: str | None = None) -> Netlist:
    """A netlist of cells like ``NAND2 A=a B=b Y=c``, with ports of one bit by the names of their nets."""
    names: dict[str, int] = {}

    def net(name: str) -> Any:
        return name if name in "01" else names.setdefault(name, 2 + len(names))

    ports = {name: {"direction": direction, "bits": [net(name)]}
             for direction, part in (("input", inputs), ("output", outputs)) for name in part.split()}
    parts = {}
    for place, text in enumerate(cells):
        kind, *pins = text.split()
        parts[f"cell{place}"] = {"type": kind, "connections": {pin: [net(wire)] for pin, wire in
                                                               (pair.split("=") for pair in pins)}}
    module = {"ports": ports, "cells": parts, "netnames": {name: {"bits": [bit]} for name, bit in names.items()}}
    return Netlist.of(module, library or toy(), name="drawn", wire_load=wire_load)
