"""SCALE-Sim's cycles: the formulas against what SCALE-Sim 3.0.0 itself reported."""

import numpy as np
import pytest

from lutra_model.scale_sim import Dataflow, compute_cycles, layer_cycles
from lutra_model.workloads import resnet18

WEIGHTS, OUTPUTS, INPUTS = Dataflow
# (rows, columns): for each product (M, N, K) what it reported, weights, outputs and inputs staying
PRODUCTS = [(10, 6, 9), (1, 5, 13), (17, 17, 4), (3, 2, 1), (8, 8, 8)]
REPORTED = {
    (4, 4): ([119, 87, 134, 12, 71], [89, 37, 249, 6, 55], [143, 59, 134, 11, 71]),
    (8, 3): ([107, 71, 203, 19, 74], [71, 43, 233, 9, 50], [183, 43, 203, 18, 74]),
    (3, 8): ([65, 64, 173, 14, 59], [71, 21, 233, 9, 50], [107, 84, 173, 13, 59]),
    (5, 7): ([49, 47, 95, 17, 91], [37, 22, 167, 10, 71], [83, 59, 95, 16, 91])}
# ResNet-18, 32 x 32, weights staying: layers of each shape, and what it reported
RESNET18 = [("conv1", 1, 126_379), ("layer1.0.conv1", 4, 116_279), ("layer2.0.conv1", 1, 63_215),
            ("layer2.0.downsample", 1, 7_023), ("layer2.0.conv2", 3, 126_431), ("layer3.0.conv1", 1, 83_519),
            ("layer3.0.downsample", 1, 9_279), ("layer3.0.conv2", 3, 167_039), ("layer4.0.conv1", 1, 164_735),
            ("layer4.0.downsample", 1, 18_303), ("layer4.0.conv2", 3, 329_471), ("fc", 1, 48_639)]


@pytest.mark.parametrize("cells", REPORTED, ids=lambda cells: "x".join(map(str, cells)))
def test_small_products_to_the_cycle(cells: tuple[int, int]) -> None:
    for dataflow, reported in zip(Dataflow, REPORTED[cells], strict=True):
        assert [compute_cycles(m, k, n, *cells, dataflow) for m, n, k in PRODUCTS] == reported


def test_resnet18_to_the_cycle() -> None:
    layers = {work.name: work.layer for work in resnet18() if work.layer}
    shapes = [(layer.rows, layer.reduction, layer.columns) for layer in layers.values()]
    for name, times, reported in RESNET18:
        layer = layers[name]
        assert layer_cycles(layer, 32, 32) == reported
        assert shapes.count((layer.rows, layer.reduction, layer.columns)) == times
    assert sum(times for _, times, _ in RESNET18) == len(layers) == 21


def test_arrays_of_machines_at_once() -> None:
    rows, columns = np.array([4, 8, 3, 5]), np.array([4, 3, 8, 7])
    for dataflow, place in zip(Dataflow, range(3), strict=True):
        found = compute_cycles(10, 9, 6, rows, columns, dataflow)
        assert found.tolist() == [REPORTED[cells][place][0] for cells in REPORTED]
