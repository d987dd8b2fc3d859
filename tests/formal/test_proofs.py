"""Every proof holds, and finds the bug that is planted for it."""

import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import lutra_hw
from lutra_sim.formal import PROOFS, Disproved

BUGS = {  # of a proof: module, snippet of its source, what takes its place
    "adder tree of 16": ("adder_tree", "[a + b for a, b", "[a | b for a, b"),
    "carry tree of 5": ("carry_tree", "a + b + ones[0]", "a + b"),
    "1 x 1 multipliers of 4 bits": ("dot_products", "top - 1 if bit == 7 else top", "top"),
    "1 x 2 multipliers of 3 bits": ("dot_products", "2**(width - 1) - 1, width)", "2**width - 1, width)"),
    "table cells, 16 entries": ("table_row", "entries.eq(Mux(self.used, read.data, 0))", "entries.eq(read.data)"),
    "table cells in block RAM, 16 entries": ("table_row", "self.o.eq(Mux(used,", "self.o.eq(Mux(self.used,"),
    "sign-flip array of 4": ("sign_flip_array", "self.used[row] & weight[0]", "weight[0]"),
    "signed sums of 4": ("table_builder", "[-scalars[0], scalars[0]]", "[scalars[0], -scalars[0]]"),
    "l2 distance of length 2": ("distance", "Signal(signed(9)", "Signal(signed(8)"),
    "l1 distance of length 4": ("distance", "Mux(difference < 0, -difference, difference)", "difference"),
    "chebyshev distance of length 4": ("distance", "Mux(a < b, b, a)", "Mux(a < b, a, b)"),
    "L1 encoder, 2 entries of length 2": ("encoder", "nearer.eq(high < low)", "nearer.eq(high <= low)"),
    "tree encoder, 4 leaves": ("tree_encoder", "(scalar > thresholds", "(scalar >= thresholds"),
    "level encoder": ("level_encoder", "level + self.last + 1, level", "level + self.last, level"),
    "finisher": ("finisher", "Mux(self.pool, 0, own[0].as_signed())", "own[0].as_signed()"),
    "piecewise unit": ("piecewise", "Cat(Const(1, 1), reached) & ~", "Cat(Const(1, 1), reached) | "),
    "credit": ("credit", "with m.If(self.put & ~self.drop)", "with m.If(self.put)"),
    "output buffer of 3": ("output_buffer", "read.addr.eq(head)", "read.addr.eq(Mux(self.o.ready, head, tail))"),
    "output buffer of 16": ("output_buffer", "self.room.eq(reserved != self.depth - 1)", "self.room.eq(1)"),
    "frame buffer": ("board/frame_buffer", "read.en.eq(fetch)", "read.en.eq(1)"),
    "frame reader": ("board/frames", "with m.If(output.valid & output.ready)", "with m.If(output.valid)"),
    "packet writer": ("board/packets", "with m.If(self.o.ready)", "with m.If(self.i.valid)"),
    "host link": ("board/packets", "with m.If(~self.o.valid & (left != 0))", "with m.If(left != 0)"),
    "machine's output": ("machine", "buffer.o.ready.eq(self.m_axis_tready)", "buffer.o.ready.eq(1)"),
}

WIDE = {"finisher", "piecewise unit", "host link", "table cells, 16 entries",
        "table cells in block RAM, 16 entries"}  # their bugs take a while to find


def planted(name: str, folder: Path) -> str:
    """The hardware's package with the bug of that proof, copied to ``folder``, where Python finds it."""
    module, original, replacement = BUGS[name]
    package = f"hw_{re.sub('[^a-z0-9]', '_', name.lower())}"
    shutil.copytree(Path(lutra_hw.__file__).parent, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    source = folder / package / f"{module}.py"
    text = source.read_text()
    assert text.count(original) == 1
    source.write_text(text.replace(original, replacement))
    return package


def marked(names: Iterable[str], slow: Callable[[str], bool]) -> list[object]:
    return [pytest.param(name, marks=[pytest.mark.slow] if slow(name) else []) for name in names]


@pytest.mark.parametrize("name", marked(PROOFS, lambda name: PROOFS[name].slow))
def test_it_holds(name: str) -> None:
    assert 1 <= PROOFS[name].prove().steps <= PROOFS[name].steps


@pytest.mark.parametrize("name", marked(BUGS, lambda name: PROOFS[name].slow or name in WIDE))
def test_a_planted_bug_is_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = planted(name, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Disproved, match=r" 1 \\clk "):
        PROOFS[name].prove(package)


def test_every_quick_proof_has_a_bug_to_find() -> None:
    assert {name for name, proof in PROOFS.items() if not proof.slow} <= {*BUGS} <= {*PROOFS}


def test_the_page_on_proofs_names_every_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "formal.md").read_text()
    assert [name for name in PROOFS if f"| {name} |" not in page] == []
