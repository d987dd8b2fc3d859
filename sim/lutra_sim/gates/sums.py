"""Sums of products and words as trees of full adders with one adder of two words in the end.

Every term is a bit times plus or minus a power of two, so signs cost nothing but one constant: minus a bit is its
inverse less one (Baugh and Wooley, IEEE Trans. Computers C-22, 1973). Bits of one weight go three at a time into a
full adder, the earliest first (Oklobdzija, Villeger and Liu, IEEE Trans. Computers 45, 1996). A square needs each pair
of bits once.
"""

import heapq
from typing import Any

__all__ = ["with_trees"]

MACC = "$macc_v2"
FIELD = 16  # bits of a width in the list of them
PRODUCT_TIME, SUM_TIME, CARRY_TIME = 0.3, 1.0, 0.8  # in full adders; constants and words come at 0
Bit = int | str


def with_trees(module: dict[str, Any]) -> int:
    """Replace the sums of products that yosys' alumacc has found, in place, in its JSON of a module; how many."""
    names = [name for name, cell in module["cells"].items() if cell["type"] == MACC]
    groups = [part["bits"] for part in module["netnames"].values()]
    for cell in module["cells"].values():
        groups += cell["connections"].values()
    free = 1 + max((bit for bits in groups for bit in bits if isinstance(bit, int)), default=1)
    for name in names:
        tree = _Tree(module, name, module["cells"].pop(name), free)
        tree.build()
        free = tree.free
    return len(names)


def _number(cell: dict[str, Any], name: str) -> int:
    return int("0" + cell["parameters"][name].replace("x", ""), 2)  # of an empty list of flags: x


def _words(cell: dict[str, Any], port: str, count: int) -> list[tuple[list[Bit], bool]]:
    """The words that lie side by side at a port, and whether each has a sign."""
    widths, signs = _number(cell, f"{port}_WIDTHS"), _number(cell, f"{port}_SIGNED")
    bits, words = list(cell["connections"][port]), []
    for place in range(count):
        width = widths >> FIELD * place & (1 << FIELD) - 1
        words.append((bits[:width], bool(signs >> place & 1)))
        bits = bits[width:]
    return words


class _Tree:
    """One sum: its bits by weight, earliest first, and the cells that add them."""

    def __init__(self, module: dict[str, Any], name: str, cell: dict[str, Any], free: int) -> None:
        self.module, self.name, self.cell, self.free = module, name, cell, free
        self.width = _number(cell, "Y_WIDTH")
        self.columns: list[list[tuple[float, int, Bit]]] = [[] for _ in range(self.width)]
        self.constant = self.made = 0

    def build(self) -> None:
        count, negated = _number(self.cell, "NPRODUCTS"), _number(self.cell, "PRODUCT_NEGATED")
        pairs = zip(_words(self.cell, "A", count), _words(self.cell, "B", count), strict=True)
        for place, (left, right) in enumerate(pairs):
            self._product(left, right, bool(negated >> place & 1))
        count, negated = _number(self.cell, "NADDENDS"), _number(self.cell, "ADDEND_NEGATED")
        for place, (bits, signed) in enumerate(_words(self.cell, "C", count)):
            for weight, bit in enumerate(bits):
                self._term(weight, bit, bool(negated >> place & 1) ^ (signed and weight == len(bits) - 1), 0.0)
        for weight in range(self.width):
            if self.constant >> weight & 1:
                self._put(weight, 0.0, "1")
        self._add()

    def _product(self, left: tuple[list[Bit], bool], right: tuple[list[Bit], bool], negated: bool) -> None:
        signs = [len(bits) - 1 if signed else -1 for bits, signed in (left, right)]
        for low, first in enumerate(left[0]):
            for high, second in enumerate(right[0]):
                weight, minus = low + high, negated ^ (low == signs[0]) ^ (high == signs[1])
                if left == right:
                    if low > high:
                        continue
                    weight += low < high
                if weight < self.width:
                    self._term(weight, self._gate("$_AND_", first, second), minus, PRODUCT_TIME)

    def _term(self, weight: int, bit: Bit, minus: bool, time: float) -> None:
        if weight >= self.width:
            return
        if minus:
            self.constant -= 1 << weight
            bit = self._gate("$_NOT_", bit)
        if bit == "1":
            self.constant += 1 << weight
        elif bit != "0":
            self._put(weight, time, bit)

    def _put(self, weight: int, time: float, bit: Bit) -> None:
        if weight < self.width:
            self.made += 1
            heapq.heappush(self.columns[weight], (time, self.made, bit))

    def _add(self) -> None:
        for weight, column in enumerate(self.columns):
            while len(column) > 2:
                times, _, bits = zip(*(heapq.heappop(column) for _ in range(3)), strict=True)
                carry, total = self._cell("$fa", dict(zip("ABC", bits, strict=True)), "XY", {"WIDTH": 1})
                self._put(weight, max(times) + SUM_TIME, total)
                self._put(weight + 1, max(times) + CARRY_TIME, carry)
        rows = [[bit for _, _, bit in column] + ["0", "0"] for column in self.columns]
        start = next((weight for weight, column in enumerate(self.columns) if len(column) > 1), self.width)
        result = [row[0] for row in rows]
        if start < self.width:
            result[start:] = self._adder([row[0] for row in rows[start:]], [row[1] for row in rows[start:]])
        self._connect(result)

    def _adder(self, left: list[Bit], right: list[Bit]) -> list[Bit]:
        width = len(left)
        ports = {name: list(range(self.free + place * width, self.free + (place + 1) * width))
                 for place, name in enumerate(("X", "Y", "CO"))}
        self.free += 3 * width
        widths = {"A_WIDTH": width, "B_WIDTH": width, "Y_WIDTH": width, "A_SIGNED": 0, "B_SIGNED": 0}
        self._place("$alu", {"A": left, "B": right, "CI": ["0"], "BI": ["0"]}, ports, widths)
        return list(ports["Y"])

    def _connect(self, result: list[Bit]) -> None:
        for bit, target in zip(result, self.cell["connections"]["Y"], strict=True):
            self._place("$_BUF_", {"A": [bit]}, {"Y": [target]}, {})

    def _gate(self, kind: str, *bits: Bit) -> Bit:
        if kind == "$_AND_" and ("0" in bits or "1" in bits or bits[0] == bits[1]):
            return "0" if "0" in bits else min(bits, key=lambda bit: bit == "1")
        if kind == "$_NOT_" and bits[0] in ("0", "1"):
            return "1" if bits[0] == "0" else "0"
        return self._cell(kind, dict(zip("AB", bits, strict=False)), "Y", {})[0]

    def _cell(self, kind: str, inputs: dict[str, Bit], outputs: str, parameters: dict[str, int]) -> list[Bit]:
        ports = {name: [self.free + place] for place, name in enumerate(outputs)}
        self.free += len(outputs)
        self._place(kind, {name: [bit] for name, bit in inputs.items()}, ports, parameters)
        return [ports[name][0] for name in outputs]

    def _place(self, kind: str, inputs: dict[str, list[Bit]], outputs: dict[str, list[Bit]] | dict[str, list[int]],
               parameters: dict[str, int]) -> None:
        name = f"{self.name}.{len(self.module['cells'])}"
        self.module["cells"][name] = {
            "hide_name": 1, "type": kind, "attributes": {},
            "parameters": {key: f"{value:032b}" for key, value in parameters.items()},
            "port_directions": dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output"),
            "connections": inputs | outputs}
