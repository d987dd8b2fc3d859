"""What is priced: the components of a machine, the entries that price each, and so many of one entry."""

from typing import NamedTuple

__all__ = ["AREA_COMPONENTS", "COMPONENTS", "OWN_AREAS", "OWN_ENERGIES", "Quantity", "kind_of"]

COMPONENTS = ("activations", "gather", "way", "encoder", "codebooks", "index", "cells", "tables", "fill", "adds",
              "accumulators", "pool", "finisher", "functions", "add", "program", "control", "leakage", "dram")
AREA_COMPONENTS = ("gather", "way", "encoder", "cells", "adds", "finisher", "add", "functions", "control",
                   "activations", "tables", "codebooks", "program", "index", "accumulators", "slots",
                   "rows")  # memories last

OWN_ENERGIES = {  # entries that a technology may price for one component
    "gather": ("add", "register", "mux", "clock"), "pool": ("add", "compare", "mux"),
    "encoder": ("add", "deep", "multiply", "compare", "mux", "register", "clock"), "codebooks": ("register", "wire"),
    "cells": ("mux", "multiply", "add", "register", "wire", "clock"), "fill": ("register", "wire"),
    "adds": ("add", "deep", "register", "clock"), "accumulators": ("add", "register", "wire", "clock"),
    "finisher": ("add", "multiply", "mux", "compare", "register", "clock"),
    "functions": ("add", "compare", "mux", "multiply", "register", "clock"),
    "add": ("multiply", "add", "mux", "register", "clock"), "way": ("register", "mux", "clock"),
    "program": ("register",), "control": ("register", "clock")}
OWN_AREAS = {
    "gather": ("add", "mux", "compare", "register", "clock"),
    "encoder": ("add", "multiply", "compare", "mux", "register", "clock"),
    "cells": ("mux", "multiply", "add", "register", "clock"), "adds": ("add", "register", "clock"),
    "accumulators": ("add", "register", "clock"),
    "finisher": ("add", "multiply", "mux", "compare", "register", "clock"),
    "add": ("multiply", "add", "mux", "register", "clock"),
    "functions": ("add", "compare", "mux", "multiply", "register", "clock"),
    "way": ("register", "mux", "clock"), "control": ("add", "mux", "register", "clock")}


def kind_of(engine: str, metric: str, component: str) -> str:
    """The name before a component's own entries: its machine's engine, of a lookup machine's encoder also the metric.

    >>> kind_of("lookup", "l2", "encoder"), kind_of("lookup", "l2", "cells")
    ('lookup-l2', 'lookup')
    """
    return f"{engine}-{metric}" if engine == "lookup" and component in ("encoder", "codebooks") else engine


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
