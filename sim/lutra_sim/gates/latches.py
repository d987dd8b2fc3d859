"""Words of registers that share their data become latches: smaller, and each word's clock gate opens them.

A flip-flop is two latches, one open before the clock's edge and one after it. Registers that take the same data bit at
different times can share the first of the two.
"""

from collections import defaultdict
from typing import Any

from .cell import Cell
from .choice import Choice
from .liberty import Library

__all__ = ["with_latches"]

REGISTER = "$_DFF_P_"


def with_latches(module: dict[str, Any], library: Library, choice: Choice, clock: str) -> int:
    """Replace registers behind clock gates, in place, in yosys' JSON of a module; how many.

    Those are replaced that share their data's net with at least one more behind another clock gate.
    """
    if not all(choice.latches) or not choice.clock_gate:
        raise ValueError(f"the library {library.name} must have latches open at both levels and a clock gate "
                         "to store in latches")
    cells = module["cells"]
    gate = library[choice.clock_gate]
    gated = {cell["connections"][gate.outputs[0]][0] for cell in cells.values() if cell["type"] == choice.clock_gate}
    sharing: dict[int, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, cell in cells.items():
        if cell["type"] == REGISTER and cell["connections"]["C"][0] in gated:
            sharing[cell["connections"]["D"][0]][cell["connections"]["C"][0]].append(name)
    shared = {data: words for data, words in sharing.items() if len(words) > 1 and not isinstance(data, str)}
    if not shared:
        return 0
    before, after = (library[name] for name in choice.latches)
    free = 1 + max(bit for part in module["netnames"].values() for bit in part["bits"] if not isinstance(bit, str))
    (clock_net,) = module["ports"][clock]["bits"]
    count = 0
    for held, (data, words) in enumerate(shared.items(), start=free):
        cells[f"{before.name}_{data}"] = _latch(before, data, clock_net, held)
        module["netnames"][f"$held_{data}"] = {"hide_name": 1, "bits": [held], "attributes": {}}
        for enable, names in words.items():
            for name in names:
                cells[name] = _latch(after, held, enable, cells[name]["connections"]["Q"][0])
                count += 1
    return count


def _latch(cell: Cell, data: int, enable: int, output: int) -> dict[str, Any]:
    """A cell in yosys' JSON."""
    (pin,) = (pin for pin in cell.inputs if pin in cell.clock)
    (source,) = (name for name in cell.inputs if name != pin)
    (result,) = (name for name in cell.outputs if cell.pins[name].function.strip("() ") == cell.state[0])
    return {"hide_name": 1, "type": cell.name, "parameters": {}, "attributes": {},
            "port_directions": {pin: "input", source: "input", result: "output"},
            "connections": {pin: [enable], source: [data], result: [output]}}
