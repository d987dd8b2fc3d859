"""reports.levels says of every table of levels how near to a product it is, and prices its layer in three forms."""

from dataclasses import replace

import numpy as np
import pytest

from lutra import embedded
from lutra_model import fit
from lutra_model.level_forms import FORMS
from lutra_model.technology import builtin
from lutra_model.workloads import of_network
from lutra_reports.levels import level_tables

ROUNDED_DOWN = np.outer(np.arange(33), np.arange(33) - 16) // 6  # near a product, but not one
EXACT = np.outer(np.arange(33) % 3, (np.arange(33) - 16) % 5)
ROUNDED = np.rint(np.outer(np.arange(33), np.arange(33) - 16) / 512 * 127)


def tables(levels: np.ndarray | None = None) -> list[dict]:
    network = embedded.network("cifar10-resnet8-dln")
    if levels is not None:
        nodes = tuple(replace(node, coding=replace(node.coding, levels=levels.astype(np.int8)))
                      if node.name == "block1.first" else node for node in network.nodes)
        network = replace(network, nodes=nodes)
    array = fit.arrays(network, rows=8, columns=8, encoders=8)["dln"]
    return level_tables(network, of_network(network), array, [builtin("horowitz-45"), builtin("tpuv4i-7")])


def test_every_layer_of_levels_is_there_in_every_form() -> None:
    found = tables()
    assert [item["name"] for item in found][:2] == ["stem", "block1.first"]
    assert len(found) == len(embedded.network("cifar10-resnet8-dln").products) - 1  # the classifier multiplies
    assert found[0]["levels"] == [64, 33]
    for item in found:
        assert list(item["forms"]) == ["horowitz-45", "tpuv4i-7"]
        for forms in item["forms"].values():
            assert tuple(forms) == FORMS
            assert all(value > 0 for form in forms.values() for value in form.values())


@pytest.mark.parametrize(("levels", "exact", "within"), [
    (EXACT, True, True), (ROUNDED, False, True), (ROUNDED_DOWN, False, False)],
                         ids=["exact", "rounded", "rounded down"])
def test_a_product_is_recognised(levels: np.ndarray, exact: bool, within: bool) -> None:
    item = next(item for item in tables(levels) if item["name"] == "block1.first")
    assert (item["exact"], item["within_rounding"]) == (exact, within)


def test_other_networks_have_none() -> None:
    network = embedded.network("fashion-resnet8")
    array = fit.arrays(network, rows=8, columns=8, encoders=8)["lut-nn"]
    assert level_tables(network, of_network(network), array, [builtin("horowitz-45")]) == []
