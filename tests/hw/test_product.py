"""Products in logic: the portable form against numbers, the ECP5's carry cells proved equal to it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Const, Signal
from amaranth.sim import SimulatorContext

from lutra_hw import product
from lutra_hw.product import CarryPair, HardProduct, Pair, SoftProduct
from lutra_sim.fpga import tools

Simulate = Callable[..., None]
PROOF = """
read_rtlil gold.il
read_rtlil gate.il
read_verilog +/ecp5/common_sim.vh +/ecp5/ccu2c_sim.vh
proc
setattr -mod -unset top *
hierarchy
proc
flatten gate
memory_map
opt -full gate
miter -equiv -flatten -make_outputs gold gate miter
sat -verify -prove trigger 0 miter
"""


@pytest.mark.parametrize("kind", [HardProduct, SoftProduct])
def test_products_are_exact(simulate: Simulate, kind: type[SoftProduct]) -> None:
    unit = kind()

    async def bench(ctx: SimulatorContext, reset: Signal) -> None:
        for a in (-128, -127, -77, -1, 0, 1, 42, 127):
            for w in range(-128, 128):
                ctx.set(unit.a, a)
                ctx.set(unit.w, w)
                assert ctx.get(unit.o) == a * w

    simulate(unit, bench)


def prove(folder: Path, negative: bool) -> str:
    for name, kind in [("gold", Pair), ("gate", CarryPair)]:
        (folder / f"{name}.il").write_text(rtlil.convert(kind(negative=negative), name=name))
    (folder / "proof.ys").write_text(PROOF)
    return tools.run(tools.yosys(), ["proof.ys"], folder, "yosys.log")


@pytest.mark.parametrize("negative", [False, True])
def test_carry_cells_are_the_same(tmp_path: Path, negative: bool) -> None:
    assert "SAT proof finished - no model found: SUCCESS!" in prove(tmp_path, negative)


def test_another_lookup_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product, "Const", lambda value, width: Const(value ^ 0x0100, width))
    with pytest.raises(tools.ToolFailed, match="proof did fail"):
        prove(tmp_path, False)
