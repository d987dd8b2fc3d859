"""Proofs of statements about components, by yosys: temporal induction with a SAT solver."""

import re
import tempfile
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import ClockDomain, Fragment, Module, ShapeLike, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Flow, In

from ..fpga import tools

__all__ = ["Disproved", "Statement", "Verdict", "prove"]

SCRIPT = """read_rtlil statement.il
hierarchy -top statement
proc
flatten
chformal -lower
memory_collect
{memories}
{looks}
opt -full
sat -tempinduct -maxsteps {steps} -prove-asserts -set-assumes -show-ports -verify statement
"""
STEP = re.compile(r"^\[induction step (\d+)\] Solving", re.MULTILINE)
FAILS = re.compile(r"^SAT temporal induction proof finished - model found for base case: FAIL!$"
                   r"|^Reached maximum number of time steps -> proof failed\.$", re.MULTILINE)
SHOWN = re.compile(r"^ +(?:\d+|init) \\.*", re.MULTILINE)

MAPPED = "memory_map"  # to a register for each word
LARGE = 64  # words
FREE = f"memory_nordff\nopt -full\ndelete t:$mem_v2 r:SIZE>={LARGE} %i\nsetundef -undriven -anyseq\nmemory_map"


class Disproved(RuntimeError):
    """Inputs break the statement (the message has them, cycle by cycle), or induction does not close."""


class Statement(wiring.Component, ABC):
    """What is said about one component: an ``Assert``, under what an ``Assume`` asks of its surroundings.

    The component's inputs are arbitrary in every cycle. A subclass says its claim in `claim`.

    Parameters
    ----------
    part : the component; its registers begin at their initial values and are never reset.
    """

    def __init__(self, part: wiring.Component) -> None:
        self.part = part
        self.looks: dict[str, Signal] = {}
        self.choices: list[Signal] = []
        self._inputs = {"__".join(map(str, path)): Value.cast(value)
                        for path, member, value in part.signature.flatten(part) if member.flow is Flow.In}
        super().__init__({name: In(value.shape()) for name, value in self._inputs.items()})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.part = self.part
        m.d.comb += [value.eq(getattr(self, name)) for name, value in self._inputs.items()]
        self.claim(m)
        return m

    @abstractmethod
    def claim(self, m: Module) -> None:
        """Add the claim to ``m``."""

    def look(self, name: str, shape: ShapeLike) -> Signal:
        """A signal or memory word inside the part, by its name there: ``module.signal`` or ``memory[3]``."""
        return self.looks.setdefault(name, Signal(shape, name=f"look_{len(self.looks)}"))

    def choice(self) -> Signal:
        """A bit that is arbitrary in every cycle, beside the component's inputs."""
        self.choices.append(Signal(name=f"choice_{len(self.choices)}"))
        return self.choices[-1]


@dataclass(frozen=True)
class Verdict:
    """A statement that holds in every cycle, by an induction over so many ``steps``."""

    steps: int
    seconds: float


def _design(statement: Statement) -> str:
    """RTLIL with top module ``statement``, all of whose inputs but the clock are arbitrary."""
    m = Module()
    m.domains.sync = domain = ClockDomain(reset_less=True)
    m.submodules.claim = Fragment.get(statement, None)  # elaborated now, it has named what it looks at
    inputs = [value for _, _, value in statement.signature.flatten(statement)]
    ports = [domain.clk, *inputs, *statement.choices, *statement.looks.values()]
    return rtlil.convert(m, name="statement", emit_src=False, ports=ports)


def _looks(statement: Statement) -> str:
    """What the statement looks at, as commands that make its ports those signals."""
    return "\n".join(f"delete -input w:{signal.name}\nconnect -nounset -set {signal.name} claim.part.{name}"
                     for name, signal in statement.looks.items())


def prove(statement: Statement, *, steps: int, free: bool = False) -> Verdict:
    """By induction over at most ``steps`` cycles.

    With ``free``, memories of 64 words and more may give anything, which they cannot: what holds then holds.

    Raises :class:`Disproved`.
    """
    started = time.perf_counter()
    design = _design(statement)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "statement.il").write_text(design)
        (folder / "proof.ys").write_text(SCRIPT.format(
            memories=FREE if free else MAPPED, looks=_looks(statement), steps=steps))
        try:
            log = tools.run(tools.yosys(), ["proof.ys"], folder, "yosys.log")
        except tools.ToolFailed:
            log = (folder / "yosys.log").read_text()
            if FAILS.search(log) is None:
                raise
            raise Disproved("\n".join(SHOWN.findall(log[log.rfind("] Solving"):]))) from None
    assert "Induction step proven: SUCCESS!" in log, log[-2000:]
    return Verdict(int(STEP.findall(log)[-1]), time.perf_counter() - started)
