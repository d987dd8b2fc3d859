"""What is priced: the components of a machine, the entries that price each, and so many of one entry."""

from typing import NamedTuple

__all__ = ["AREA_COMPONENTS", "COMPONENTS", "OWN_AREAS", "OWN_ENERGIES", "Quantity"]

COMPONENTS = ("activations", "gather", "encoder", "codebooks", "index", "cells", "tables", "fill", "adds",
              "accumulators", "pool", "finisher", "functions", "add", "program", "control", "leakage", "dram")
AREA_COMPONENTS = ("gather", "encoder", "cells", "adds", "finisher", "add", "functions", "control", "activations",
                   "tables", "codebooks", "program", "index", "accumulators", "slots", "rows")  # memories last

OWN_ENERGIES = {  # entries that a technology may price for one component
    "gather": ("add", "register", "mux", "clock"), "pool": ("add", "compare", "mux"),
    "encoder": ("add", "multiply", "compare", "mux", "register", "clock"), "codebooks": ("register",),
    "cells": ("mux", "multiply", "add", "register", "clock"), "fill": ("register",),
    "adds": ("add", "register", "clock"), "accumulators": ("add", "register", "clock"),
    "finisher": ("add", "multiply", "mux", "compare", "register", "clock"),
    "functions": ("add", "compare", "mux", "multiply", "register", "clock"),
    "add": ("multiply", "add", "mux", "clock"), "program": ("register",), "control": ("register", "clock")}
OWN_AREAS = {
    "gather": ("add", "mux", "compare", "register"), "encoder": ("add", "multiply", "compare", "mux", "register"),
    "cells": ("mux", "multiply", "add", "register"), "adds": ("add", "register"),
    "accumulators": ("add", "register"),
    "finisher": ("add", "multiply", "mux", "compare", "register"), "add": ("multiply", "add", "mux", "register"),
    "functions": ("add", "compare", "mux", "multiply", "register"), "control": ("add", "mux", "register")}


class Quantity(NamedTuple):
    """So many of one entry in one component, whatever the technology.

    Parameters
    ----------
    entry : of a technology; of an area without ``_area``.
    amount : bits, products of 8 x 8 bits, cycles, ...; of ``sram_*`` bits of a word that are read, written or stored.
    words : depth of the memory that the bits belong to, of ``sram_*``.
    """

    component: str
    entry: str
    amount: float
    words: int = 0
