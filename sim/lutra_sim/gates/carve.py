"""Parts of a design as components of their own, with the signals of the design as their ports."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from amaranth.hdl import Elaboratable, Fragment, Signal
from amaranth.hdl._ast import SignalKey, SignalSet
from amaranth.hdl._mem import MemoryData, MemoryInstance
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Design", "Part"]

Memories = Callable[[str, MemoryInstance], MemoryInstance | None]
TAKEN = ("elaborate", "fragments", "inputs", "metadata", "outputs", "ports", "signature")  # no names of ports


def _signals(fragment: Fragment) -> tuple[SignalSet, SignalSet]:
    """What the statements (or ports) of one fragment drive, and what they read."""
    driven, read = SignalSet(), SignalSet()
    if isinstance(fragment, MemoryInstance):
        for port in fragment._read_ports:
            driven.update(port._data._lhs_signals())
            read.update(port._addr._rhs_signals() | port._en._rhs_signals())
        for port in fragment._write_ports:
            read.update(port._addr._rhs_signals() | port._data._rhs_signals() | port._en._rhs_signals())
    for statements in fragment.statements.values():
        driven.update(statements._lhs_signals())
        read.update(statements._rhs_signals())
    return driven, read


def _within(fragment: Fragment) -> Iterator[Fragment]:
    """A fragment and all below it."""
    yield fragment
    for below, _, _ in fragment.subfragments:
        yield from _within(below)


def _union(fragments: Iterable[Fragment]) -> tuple[SignalSet, SignalSet]:
    driven, read = SignalSet(), SignalSet()
    for fragment in fragments:
        mine = _signals(fragment)
        driven.update(mine[0])
        read.update(mine[1])
    return driven, read


def _copy(fragment: Fragment, memory: Memories, path: str = "") -> Fragment:
    """The same logic in fragments of its own, with what ``memory`` makes of its memories, by their paths."""
    copied = _alone(fragment)
    for below, name, _ in fragment.subfragments:
        place = f"{path}.{name}"
        made = memory(place, below) if isinstance(below, MemoryInstance) else _copy(below, memory, place)
        if made is not None:
            copied.add_subfragment(made, name)
    return copied


def _alone(fragment: Fragment) -> Fragment:
    """Its own logic."""
    copied = Fragment()
    for domain, statements in fragment.statements.items():
        copied.add_statements(domain, *statements)
    return copied


def _kept(path: str, memory: MemoryInstance) -> MemoryInstance:
    """The same memory."""
    copied = MemoryInstance(data=memory._data)
    for port in memory._write_ports:
        copied.write_port(domain=port._domain, addr=port._addr, data=port._data, en=port._en)
    for port in memory._read_ports:
        copied.read_port(domain=port._domain, addr=port._addr, data=port._data, en=port._en,
                         transparent_for=port._transparent_for)
    return copied


def _burnt(words: Mapping[str, Sequence[int]], path: str, memory: MemoryInstance) -> MemoryInstance:
    """A memory of the same read ports that holds those words, and no others."""
    content = words[path]
    bits = (len(content) - 1).bit_length()
    copied = MemoryInstance(data=MemoryData(shape=memory._data.shape, depth=len(content), init=content))
    for port in memory._read_ports:
        copied.read_port(domain=port._domain, addr=port._addr[:bits], data=port._data, en=port._en, transparent_for=())
    return copied


class Part(wiring.Component):
    """Some modules of a design, standing alone.

    Inputs are the signals that they read and others drive, outputs those that they drive and others read. A part
    without memories reads what its memories give as inputs and has their addresses and words as outputs.

    Attributes
    ----------
    ports : the design's signal of each port, by the port's name. inputs, outputs : names of the ports.
    """

    def __init__(self, fragments: Sequence[tuple[str, Fragment]], ports: dict[str, Signal], inputs: frozenset[str]):
        self.fragments, self.ports = fragments, ports
        self.inputs = tuple(name for name in ports if name in inputs)
        self.outputs = tuple(name for name in ports if name not in inputs)
        super().__init__({name: (In if name in inputs else Out)(len(signal)) for name, signal in ports.items()})
        for name, signal in ports.items():
            setattr(self, name, signal)
        self._MustUse__silence = True  # some parts are only recorded

    def elaborate(self, platform: object) -> Fragment:
        whole = Fragment()
        for name, fragment in self.fragments:
            whole.add_subfragment(_copy(fragment, _kept), name)
        return whole


class Design:
    """An elaborated design, whose modules can be found by their paths and carved out."""

    def __init__(self, top: Elaboratable) -> None:
        self.top, self.fragment = top, Fragment.get(top, None)

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of all modules, memories left out."""
        def below(fragment: Fragment, path: str) -> Iterator[str]:
            for item, name, _ in fragment.subfragments:
                if not isinstance(item, MemoryInstance):
                    yield path + name
                    yield from below(item, f"{path}{name}.")

        return tuple(below(self.fragment, ""))

    def find(self, path: str) -> Fragment | None:
        """The module at a path such as ``core.front.encoder_0``; None where there is none."""
        found = self.fragment
        for name in path.split("."):
            below = [item for item, own, _ in found.subfragments if own == name]
            if not below:
                return None
            (found,) = below
        return found

    def part(self, paths: Sequence[str], *, alone: Sequence[str] = (), memories: bool = True,
             words: Mapping[str, Sequence[int]] | None = None) -> Part:
        """The modules at some paths, with or without their memories. Raises ``ValueError`` for an unknown path.

        Parameters
        ----------
        alone : paths of modules that are taken without the modules in them.
        words : of each memory, by its path, what is burnt into it; such memories are not written.
        """
        memory: Memories = partial(_burnt, words) if words else _kept if memories else lambda path, memory: None
        chosen = {path: self._module(path) for path in paths}
        inside = {id(item) for fragment in chosen.values() for item in _within(fragment)
                  if memories or not isinstance(item, MemoryInstance)} | {id(self._module(path)) for path in alone}
        chosen |= {path: _alone(self._module(path)) for path in alone}
        copies = {path: _copy(fragment, memory, path) for path, fragment in chosen.items()}
        own = {path: _union(_within(fragment)) for path, fragment in copies.items()}
        _, wanted = _union(item for item in _within(self.fragment) if id(item) not in inside)
        driven = SignalSet(signal for found, _ in own.values() for signal in found)
        ports: dict[str, Signal] = {}
        for path, (_, read) in own.items():
            prefix = "" if len(chosen) == 1 else path.rsplit(".", 1)[-1] + "_"
            _name(ports, prefix, (signal for signal in read if signal not in driven))
        inputs = frozenset(ports)
        for path, (made, _) in own.items():
            prefix = "" if len(chosen) == 1 else path.rsplit(".", 1)[-1] + "_"
            _name(ports, prefix, (signal for signal in made if signal in wanted))
        return Part([(path.rsplit(".", 1)[-1], fragment) for path, fragment in copies.items()], ports, inputs)

    def _module(self, path: str) -> Fragment:
        found = self.find(path)
        if found is None:
            raise ValueError(f"the machine must have a module {path}")
        return found


def _name(ports: dict[str, Signal], prefix: str, signals: Iterable[Signal]) -> None:
    """Add ports for signals that have none yet, in the order in which they were made."""
    known = SignalSet(ports.values())
    for key in sorted(SignalKey(signal) for signal in signals if signal not in known):
        plain = prefix + key.signal.name.removeprefix("$")
        name, number = plain, 2
        while name in ports or name in TAKEN:
            name, number = f"{plain}_{number}", number + 1
        ports[name] = key.signal
