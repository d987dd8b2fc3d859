"""model.workloads: shapes of published networks, and of ours."""

import pytest

from lutra import embedded
from lutra_model.fit import lookup_array
from lutra_model.operation import Kind
from lutra_model.params import Array
from lutra_model.program import compile_network
from lutra_model.workloads import Work, bert_base, of_network, resnet18, total_macs


def products(works: tuple[Work, ...]) -> list[Work]:
    return [work for work in works if work.layer]


def test_resnet18() -> None:
    works = resnet18()
    layers = [work.layer for work in works if work.layer]
    assert len(layers) == 21
    assert total_macs(works) == 1_814_073_344
    weights = sum(layer.reduction * layer.columns for layer in layers)
    assert weights == 11_689_512 - 2 * 4_800 - 1_000 + 0  # parameters without batch norm and the last bias
    assert max(layer.codebooks for layer in layers) == 512
    assert (layers[0].rows, layers[0].reduction) == (112 * 112, 147)
    assert {layer.length for layer in layers} == {9, 7, 4}
    assert sum(work.residual for work in works) == 8
    assert [(work.name, work.height) for work in works if not work.layer] == [
        ("input", 224), ("maxpool", 112), ("avgpool", 7)]


def test_bert_base() -> None:
    works = bert_base(128)
    assert len(works) == 72
    assert total_macs(works) == 128 * 12 * (4 * 768 * 768 + 2 * 768 * 3072)
    for work in products(works):
        assert work.layer
        assert work.layer.reduction == work.channels
        assert work.layer.reduction % 8 == 0
        assert work.layer.length == 8


def test_the_dense_twin_is_the_same_product() -> None:
    for work in products(resnet18()):
        twin = work.as_dense()
        assert twin.layer
        assert twin.layer.is_dense
        assert twin.macs == work.macs > 0


@pytest.mark.parametrize("array", [Array(codebooks=1024), Array.mac(codebooks=9216, index_words=9216)],
                         ids=lambda array: str(array.engine))
def test_every_step_becomes_an_operation(array: Array) -> None:
    for work in resnet18():
        step = work if array.is_lookup else work.as_dense()
        operation = step.operation(array)
        assert operation.name == work.name
        assert operation.residual == work.residual
        assert operation.to_stream == work.output
        if step.layer:
            columns = (operation.column_tiles - 1) * array.columns + operation.last_columns
            assert (operation.rows, columns, operation.entries) == (
                step.layer.rows, step.layer.columns, step.layer.entries)


def test_streamed_tables_come_in_as_few_blocks_as_can_be() -> None:
    array = Array(rows=16, columns=16, index_words=1024, block_rows=1024)
    work = next(work for work in resnet18() if work.name == "layer2.0.conv1")  # 784 rows, 4 row tiles
    assert work.operation(array, stream_tables=True).blocks == -(-784 // (1024 // 4))


def test_steps_of_a_network_are_those_of_its_program() -> None:
    """The same operations, but for addresses, names of fused nodes, and what only numbers decide."""
    network = embedded.network()
    array = lookup_array(network, encoders=8)
    steps = [work.operation(array) for work in of_network(network)]
    program = compile_network(network, array).operations
    for step, operation in zip(steps, program, strict=True):
        for name in ("kind", "rows", "slots", "row_tiles", "last_slots", "column_tiles", "last_columns", "entries",
                     "block", "blocks", "residual", "to_stream", "height", "width", "out_width"):
            assert getattr(step, name) == getattr(operation, name), (operation.name, name)
    assert sum(operation.kind is Kind.PRODUCT for operation in program) == len(network.products)
