"""Product cells in Amaranth's own simulator against the integer products, and against a naive loop."""

import numpy as np
import pytest
from amaranth.sim import Simulator
from numpy.typing import NDArray

from lutra_reports.studies.product_cells import FORMS, Product, ProductRow, levels, reference, table
from lutra_reports.studies.product_stimuli import HELD, STIMULI, expected, inputs

CASES = [Product(form=form, levels=count, bits=bits, share=share)
         for form in FORMS for count, bits, share in ((2, 4, 1), (4, 8, 3), (8, 5, 2))]


def simulated(product: Product, ports: dict[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """Outputs ``(cycles, share)``: what stands at the outputs while a cycle's inputs stand at the inputs."""
    row, found = ProductRow(product), list[list[int]]()

    async def bench(context) -> None:  # type: ignore[no-untyped-def]
        for cycle in range(len(ports["f"])):
            for name, values in ports.items():
                context.set(getattr(row, name), int(values[cycle]))
            found.append([context.get(getattr(row, f"o_{n}")) for n in range(product.share)])
            await context.tick()

    simulator = Simulator(row)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return np.array(found)


@pytest.mark.parametrize("stimulus", STIMULI)
@pytest.mark.parametrize("product", CASES, ids=str)
def test_cells_give_the_products(product: Product, stimulus: str) -> None:
    ports, used, weights = inputs(product, stimulus, rounds=2, seed=1, active=True)
    assert len(used) == 2 * HELD
    found = simulated(product, ports)[used + product.latency]
    np.testing.assert_array_equal(found, expected(product, ports, used, weights))


@pytest.mark.parametrize("product", CASES, ids=str)
def test_reference_is_a_naive_loop(product: Product) -> None:
    f, w = np.arange(product.levels), np.arange(product.levels)[:, None].repeat(product.share, 1)
    of, ow = levels(product)
    for cycle, row in enumerate(reference(product, f, w)):
        for value, weight in zip(row, w[cycle], strict=True):
            naive = {"multiplier": cycle * (int(weight) - product.levels // 2),
                     "decoded": int(of[cycle]) * int(ow[weight])}.get(product.form, int(table(product)[cycle, weight]))
            assert value == naive


def test_tables_use_their_bits_and_levels_rise() -> None:
    for bits in (4, 8, 16):
        entries = table(Product(form="row", levels=16, bits=bits))
        assert entries.max() == (1 << bits - 1) - 1
        assert (np.diff(entries, axis=1) >= 0).all()
    f, w = levels(Product(form="row", levels=32))
    assert f.max() == w.max() == 127
    assert (np.diff(f) >= 0).all()
    assert (np.diff(w) >= 0).all()


@pytest.mark.parametrize(("wrong", "sentence"), [
    ({"form": "magic"}, r"^form must be one of multiplier, burnt-in, row, column, told, decoded, not magic$"),
    ({"levels": 12}, r"^levels must be a power of two of at least 2, not 12$")])
def test_bad_sizes_are_refused(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Product(**{"form": "row", "levels": 4, **wrong})  # type: ignore[arg-type]
