"""Taps: signals of a machine that the compiled simulation counts toggles of, found in its Verilog by name."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from lutra_model.activity import PORTS
from lutra_model.params import Array
from lutra_model.schedule import Pipeline

__all__ = ["TAPS", "Found", "Tap", "Taps", "modules"]

Late = Callable[[Pipeline], int]
MODULE = re.compile(r"^module \\?(\S+) ", re.MULTILINE)
WIRE = re.compile(r"^  (?:wire|reg)(?: signed)?(?: \[(\d+):0\])? \\?([^\s;]+) ?(?:=.*)?;$", re.MULTILINE)


def now(stages: Pipeline) -> int:
    """A signal that is looked at in the cycle of its gate."""
    return 0


def after(cycles: int) -> Late:
    """One that is looked at so many cycles later."""
    return lambda stages: cycles


@dataclass(frozen=True)
class Tap:
    """A signal of every component that has one of the name.

    Parameters
    ----------
    port : what it counts for, one of ``lutra_model.activity.PORTS``.
    module, signal : patterns of names; the module's without the top's.
    gates : signals that are all high when the signal is given anything, ``signal:bit`` for one bit of several (``-1``
        the highest), ``module/signal`` for one of another module.
    late : so many cycles after the gates the signal is looked at.
    absent : a component that has this signal has not the tap.
    """

    port: str
    module: str
    signal: str
    gates: tuple[str, ...]
    late: Late = now
    absent: str = ""


CORE, FRONT = "core", "core.front"
TAPS = (
    Tap("gather.words", f"{FRONT}.gather", "words", ("valid",), lambda stages: stages.fetch),
    Tap("encoder.data", f"{FRONT}.encoder_*", "data", ("vector",)),
    Tap("tables.entries", f"{CORE}.cells.row_*", "entry_*", ("build__add",)),
    Tap("tables.entries", f"{CORE}.cells.row_*", "entry_*", ("read", "opens"), after(1)),
    Tap("codebooks.words", f"{FRONT}.encoder_*", "centroid", ("load",)),
    Tap("index.written", f"{FRONT}.index_memory", "symbols", ("write",)),
    Tap("index.read", f"{FRONT}.index_memory", "data", ("read",), after(1)),
    Tap("cells.symbols", f"{CORE}.cells", "symbols", ("valid",), absent="build__stage"),
    Tap("cells.symbols", f"{CORE}.cells", "symbols", ("build__stage",)),
    Tap("cells.operands", f"{CORE}.cells.products", "a", ("enable:0",)),
    Tap("fill.codes", f"{CORE}.cells.row_*", "code", ("read",)),
    Tap("adds.terms", f"{CORE}.cells.tree_*", "i", ("enable:0",)),
    Tap("adds.sums", f"{CORE}.cells.products", "o", ("enable:-1",), after(1)),
    Tap("fill.words", f"{CORE}.cells", "load__data", ("load__valid",)),
    Tap("accumulators.sums", f"{CORE}.accumulator", "i", ("valid",), after(2)),
    Tap("accumulators.totals", f"{CORE}.accumulator", "o", ("valid",), after(3)),
    Tap("pool.words", f"{FRONT}.pool", "words", ("enable:0",)),
    Tap("finisher.results", f"{CORE}.finisher", "o", ("valid",), lambda stages: stages.finish),
    Tap("functions.results", f"{CORE}.finisher.function_*", "o", ("enable:-1",), after(1)),
    Tap("functions.words", f"{FRONT}.rows", "i", ("valid",)),
    Tap("add.results", f"{CORE}.add", "i", ("valid",)),
    Tap("add.residuals", f"{CORE}.add", "residual", (f"{FRONT}.activations/residual__en",), after(3)),
    Tap("activations.written", f"{CORE}.add", "o", ("valid",), lambda stages: stages.add),
)


def _plain(name: str) -> str:
    """A name without the number that tells it from others."""
    return re.sub(r"\$\d+$", "", name)


def modules(verilog: str) -> dict[str, dict[str, int]]:
    """Bits of all named signals, by module; modules have one instance each, of that name."""
    heads = list(MODULE.finditer(verilog))
    ends = [head.start() for head in heads[1:]] + [len(verilog)]
    return {head[1]: {name: int(top or 0) + 1 for top, name in WIRE.findall(verilog, head.end(), end)}
            for head, end in zip(heads, ends, strict=True)}


def _mangled(name: str) -> str:
    """Verilator's C++ name."""
    plain = re.sub(r"(?<=_)_", "__05F", name)
    return re.sub(r"[^0-9A-Za-z_.]", lambda sign: f"__0{ord(sign[0]):02X}", plain).replace(".", "__DOT__")


@dataclass(frozen=True)
class Found:
    """One signal: its module, its name there, and its bits."""

    module: str
    signal: str
    width: int

    @property
    def visible(self) -> str:
        """A line of Verilator's control file."""
        return f'public_flat_rd -module "{self.module}" -var "{self.signal}"'

    @property
    def variable(self) -> str:
        """The C++ variable."""
        return f"root.{_mangled(f'{self.module}.{self.signal}')}"


class Taps:
    """The taps that a machine has.

    Parameters
    ----------
    verilog, array : the machine, with top module ``lutra``.
    """

    def __init__(self, verilog: str, array: Array) -> None:
        self._modules = modules(verilog)
        self._stages = Pipeline(array)

    @cached_property
    def found(self) -> tuple[tuple[str, Found, tuple[tuple[Found, int], ...], int], ...]:
        """Port, signal, gates (a signal and its bit) and lateness of each."""
        return tuple(item for tap in TAPS for name in self._modules
                     if fnmatchcase(_plain(name), f"lutra.{tap.module}") for item in self._of(tap, name))

    def _of(self, tap: Tap, module: str) -> Iterator[tuple[str, Found, tuple[tuple[Found, int], ...], int]]:
        known = [found for gate in tap.gates if (found := self._gate(module, gate))]
        if len(known) == len(tap.gates) and tap.absent not in self._modules[module]:
            for signal in self._signals(module, tap.signal):
                yield tap.port, signal, tuple(known), tap.late(self._stages)

    def _signals(self, module: str, pattern: str) -> list[Found]:
        """Signals by name; of several with one name the widest: the others are parts of it, in components inside."""
        widest: dict[str, Found] = {}
        for name, width in self._modules[module].items():
            plain = _plain(name)
            if fnmatchcase(plain, pattern) and (plain not in widest or widest[plain].width < width):
                widest[plain] = Found(module, name, width)
        return list(widest.values())

    def _gate(self, module: str, gate: str) -> tuple[Found, int] | None:
        place, _, name = gate.rpartition("/")
        name, _, bit = name.partition(":")
        found = self._signals(f"lutra.{place}" if place else module, name)
        return (found[0], int(bit or 0) % found[0].width) if found else None

    @cached_property
    def control(self) -> str:
        """Lines of Verilator's control file that keep the signals."""
        signals = {signal: None for _, tap, gates, _ in self.found for signal in (tap, *(gate for gate, _ in gates))}
        return "\n".join(signal.visible for signal in signals)

    @cached_property
    def header(self) -> str:
        """C++ that the driver includes: gates, and the signals that belong to them."""
        numbers = {key: number for number, key in
                   enumerate(dict.fromkeys((gates, late) for _, _, gates, late in self.found))}
        gates = [f"{{{{{', '.join(f'{{&{wire.variable}, {bit}}}' for wire, bit in wires)}}}, {late}}}"
                 for wires, late in numbers]
        taps = [f"{{&{tap.variable}, sizeof {tap.variable}, {tap.width}, {list(PORTS).index(port)}, "
                f"{numbers[wires, late]}}}" for port, tap, wires, late in self.found]
        return "\n".join([f"constexpr int PORTS = {len(PORTS)};",
                          "inline std::vector<Gate> all_gates(Vlutra___024root& root) {",
                          "    return {" + ",\n            ".join(gates) + "};", "}",
                          "inline std::vector<Tap> all_taps(Vlutra___024root& root) {",
                          "    return {" + ",\n            ".join(taps) + "};", "}", ""])
