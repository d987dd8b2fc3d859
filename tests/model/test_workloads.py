"""model.workloads: shapes of published networks."""

from lutra_model.workloads import bert_base, resnet18, total_macs


def test_resnet18() -> None:
    works = resnet18()
    assert len(works) == 21
    assert total_macs(works) == 1_814_073_344
    weights = sum(work.layer.reduction * work.layer.columns for work in works)
    assert weights == 11_689_512 - 2 * 4_800 - 1_000 + 0  # parameters without batch norm and the last bias
    assert max(work.layer.codebooks for work in works) == 512
    first = works[0]
    assert (first.layer.rows, first.layer.reduction, first.inputs) == (112 * 112, 147, 3 * 224 * 224)
    assert {work.layer.length for work in works} == {9, 7, 4}


def test_a_strided_one_by_one_convolution_reads_a_quarter_of_the_image() -> None:
    work = next(work for work in resnet18() if work.layer.name == "layer2.0.downsample")
    assert work.inputs == 64 * 28 * 28 == work.layer.rows * work.layer.reduction


def test_bert_base() -> None:
    works = bert_base(128)
    assert len(works) == 72
    assert total_macs(works) == 128 * 12 * (4 * 768 * 768 + 2 * 768 * 3072)
    assert all(work.inputs == work.layer.rows * work.layer.reduction for work in works)
    assert all(work.layer.reduction % 8 == 0 and work.layer.length == 8 for work in works)


def test_the_dense_twin_is_the_same_product() -> None:
    for work in resnet18():
        twin = work.as_dense()
        assert twin.layer.is_dense
        assert twin.layer.macs == work.layer.macs
        assert twin.inputs == work.inputs
