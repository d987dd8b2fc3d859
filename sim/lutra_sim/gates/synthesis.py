"""From an Amaranth component to cells of a library, by yosys; kept in the cache.

Both sides of a comparison get what a good flow gives them: products and what is added to them in one tree of the
library's full adders, registers behind clock gates, adders that ripple where the period allows it and look ahead
where it does not.
"""

import hashlib
import json
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from amaranth.back import rtlil
from amaranth.lib import wiring

from ..fpga import tools
from ..library import Progress, cache_folder, cached
from .choice import Choice, lean
from .latches import with_latches
from .liberty import Library
from .netlist import CLOCK, Netlist
from .sums import with_trees

__all__ = ["STORAGES", "synthesise"]

TOP, LIBRARY, OUT = "top", "library.lib", "netlist.json"
WORDS_OUT, COARSE_OUT = "words.json", "coarse.json"
ADDER, FULL_ADDER = "adder.v", "full_adder.v"
STORAGES = ("flip-flop", "latch")
BLOCKS = (4096, 6, 0)  # bits that a carry ripples over: all, blocks that look ahead, 0: a prefix adder
GATED_BITS = 4  # a clock gate costs as much as the multiplexers of two to three bits

WORDS = """
read_liberty -lib -ignore_miss_func {library}
read_rtlil {top}.il
hierarchy -top {top}
proc
flatten
opt_expr
opt_clean
opt -nodffe -nosdff
wreduce
peepopt
opt_clean
alumacc
opt -nosdff
write_json {words}
"""
COARSE = """
read_json {words}
opt -nosdff
memory -nomap
opt -nosdff -fast -full
memory_map
opt -nosdff -undriven -fine
maccmap
opt -nosdff -full
{adder}
techmap -map +/techmap.v {full_adder}
opt -nosdff -fast
opt_dff -nosdff
zinit -all
dfflegalize -cell $_DFF_P_ 0 -cell $_DFFE_PP_ 0
{gate}
opt_clean
write_json {coarse}
"""
FINE = """
read_json {coarse}
hierarchy -top {top}
dfflibmap -liberty {library}
opt -nosdff
clean
abc -liberty {library} -D {period} -constr constraints
opt_clean -purge
write_json {out}
"""


def synthesise(component: wiring.Component, library: Library, *, name: str, period_ns: float,
               storage: str = "flip-flop", wire_load: str | None = None, cache: Path | None = None,
               progress: Progress | None = None) -> Netlist:
    """The component as cells of the library, flattened, for a clock of that period.

    Parameters
    ----------
    name : of the component, for progress and messages.
    storage : ``latch`` makes latches of registers that share their data with others behind other clock gates, which
        is what words of tables and memories are; one more latch for each bit of the data holds it while they are open.
    wire_load : name of the library's wire-load model, by default the one that it prefers.

    Raises ``ValueError`` when the library lacks a cell that every design needs.
    """
    if storage not in STORAGES:
        raise ValueError(f"storage must be one of {', '.join(STORAGES)}, not {storage}")
    if period_ns <= 0:
        raise ValueError(f"a clock's period must be positive, not {period_ns} ns")
    choice = Choice.of(library)
    design = rtlil.convert(component, name=TOP, emit_src=False)
    text = lean(library, choice)
    best: Netlist | None = None
    for block in BLOCKS if choice.full_adder else BLOCKS[-1:]:
        found = _netlist(design, text, library, choice, block, storage, period_ns, wire_load,
                         cache or cache_folder(), progress, name)
        if best is None or found.delay_ns < best.delay_ns:
            best = found
        if best.delay_ns <= period_ns:
            break
    assert best is not None
    return best


def _netlist(design: str, text: str, library: Library, choice: Choice, block: int, storage: str, period_ns: float,
             wire_load: str | None, cache: Path, progress: Progress | None, name: str) -> Netlist:
    scripts = _scripts(choice, block, period_ns)
    texts = {f"{TOP}.il": design, LIBRARY: text, **_maps(choice, block), "constraints": choice.constraints, **scripts}
    sources = [(files(__package__) / file).read_text() for file in ("latches.py", "sums.py")]
    key = hashlib.sha256(json.dumps([texts, storage, sources, tools.yosys().version]).encode()).hexdigest()[:32]

    def fill(folder: Path) -> None:
        if progress:
            progress(f"synthesising {name}", 0, 1)
        for file, content in texts.items():
            (folder / file).write_text(content)
        for script in scripts:
            tools.run(tools.yosys(), [script], folder, f"{script}.log")
            if script == "words.ys":
                _edit(folder / WORDS_OUT, with_trees)
            if script == "coarse.ys" and storage == "latch":
                _edit(folder / COARSE_OUT, lambda module: with_latches(module, library, choice, CLOCK))
        for file in (LIBRARY, WORDS_OUT, COARSE_OUT):
            (folder / file).unlink()

    folder = cached(cache, f"gates-{key}", fill)
    module = json.loads((folder / OUT).read_text())["modules"][TOP]
    return Netlist.of(module, library, name=name, wire_load=wire_load)


def _maps(choice: Choice, block: int) -> dict[str, str]:
    """The techmap files by name, the full adder's with the library's cell."""
    texts = {name: (files(__package__) / name).read_text() for name in (ADDER, FULL_ADDER)}
    texts[ADDER] = texts[ADDER].replace("BLOCK", str(block))
    if choice.full_adder:
        names = {"CELL": choice.full_adder.cell, **choice.full_adder.pins,
                 "SUM_INVERTED ": "~" if choice.full_adder.sum_inverted else "",
                 "CARRY_INVERTED ": "~" if choice.full_adder.carry_inverted else ""}
        texts[FULL_ADDER] = re.sub("|".join(names), lambda match: names[match[0]], texts[FULL_ADDER])
    return texts


def _edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the top module in yosys' JSON."""
    design = json.loads(path.read_text())
    change(design["modules"][TOP])
    path.write_text(json.dumps(design))


def _scripts(choice: Choice, block: int, period_ns: float) -> dict[str, str]:
    names = {"top": TOP, "library": LIBRARY, "words": WORDS_OUT, "coarse": COARSE_OUT}
    coarse = COARSE.format(
        **names, full_adder=f"-map {FULL_ADDER}" if choice.full_adder else "",
        adder=f"techmap -map {ADDER}\nopt -nosdff -fast" if block else "",
        gate=f"clockgate -liberty {LIBRARY} -min_net_size {GATED_BITS}" if choice.clock_gate else "")
    fine = FINE.format(**names, period=round(period_ns * 1000), out=OUT)
    return {"words.ys": WORDS.format(**names), "coarse.ys": coarse, "fine.ys": fine}
