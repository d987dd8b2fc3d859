"""lutra.train: gradients, equality with the golden model, data files, and a whole tiny run. Needs PyTorch."""

import gzip
import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lutra_model import golden, netfile
from lutra_model.network import Add, AvgPool, Flatten, MaxPool, Network, Product, Window
from lutra_model.params import Metric
from tests.coded import coded

torch = pytest.importorskip("torch")
datasets, fetch, graphs, loop, native, nearest, resnet, tune, program = (
    import_module(f"lutra.train.{name}") for name in
    ("datasets", "fetch", "graph", "loop", "native", "nearest", "resnet", "tune", "__main__"))


def integers(rng: np.random.Generator, *shape: int, low: int = -128, high: int = 128) -> Any:
    return torch.from_numpy(rng.integers(low, high, shape).astype(np.float32))


def soft_reference(x: Any, centroids: Any, table: Any, sharpness: Any) -> Any:
    """The equation as LUT-NN writes it: everything at once, gradients by autograd."""
    distance = (x[:, None] - centroids[..., None]).square().sum(2)
    return torch.einsum("kcm,kcn->nm", torch.softmax(-sharpness * distance, 1), table)


@pytest.mark.parametrize("entries", [16, 8])
@pytest.mark.parametrize(("codebooks", "length", "rows", "columns"), [(1, 1, 1, 1), (3, 9, 65, 5), (16, 4, 700, 16)])
def test_lookup_is_hard_forward_and_soft_backward(codebooks: int, length: int, rows: int, columns: int,
                                                  entries: int) -> None:
    rng = np.random.default_rng(codebooks)
    given = [integers(rng, codebooks, length, rows, low=-9, high=9),
             integers(rng, codebooks, entries, length, low=-9, high=9),
             integers(rng, codebooks, entries, columns), torch.tensor(0.02)]
    for value in given:
        value.requires_grad_()
    slope = torch.from_numpy(rng.standard_normal((columns, rows)).astype(np.float32))
    found = nearest.lookup(*given)
    found.backward(slope)
    x, centroids, table, sharpness = given
    distance = (x[:, None] - centroids[..., None]).square().sum(2).detach().numpy()
    index = distance.argmin(1)  # NumPy promises the first of equals
    hard = sum(table.detach().numpy()[k, index[k]].T for k in range(codebooks))
    assert np.array_equal(found.detach().numpy(), hard)
    soft = torch.autograd.grad(soft_reference(*given), (x, centroids, sharpness), slope)
    for value, wanted in zip((x, centroids, sharpness), soft, strict=True):
        torch.testing.assert_close(value.grad, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max() + 1))
    one_hot = np.eye(entries, dtype=np.float32)[index]
    torch.testing.assert_close(table.grad, torch.from_numpy(np.einsum("kmc,nm->kcn", one_hot, slope.numpy())),
                               rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(native.library() is None, reason="no C compiler")
@pytest.mark.parametrize("with_x", [True, False])
def test_compiled_and_plain_lookup_agree(with_x: bool) -> None:
    rng = np.random.default_rng(7)
    x, p, t = integers(rng, 5, 9, 333), integers(rng, 5, 16, 9), integers(rng, 5, 16, 12)
    sums, index = nearest.forward(x, p, t)
    for one, other in zip(native.forward(x, p, t), (sums, index), strict=True):
        assert torch.equal(one, other)
    slope = integers(rng, 12, 333)
    for one, other in zip(native.backward(x, p, t, 1e-4, index, slope, with_x),
                          nearest.backward(x, p, t, 1e-4, index, slope, with_x), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * float(other.abs().max()))


def product(rng: np.random.Generator, name: str, source: str, channels: int, columns: int, *, length: int = 0,
            window: Window | None = None, scale: float = 0.05, low: int = 0) -> Product:
    """A random layer whose largest entry in each column is 127, as a converter makes it."""
    reduction = channels * (window.kernel[0] * window.kernel[1] if window else 1)
    codebooks, entries = (-(-reduction // length), 16) if length else (reduction, 1)
    table = rng.integers(-127, 128, (codebooks, entries, columns)).astype(np.int8)
    table[0, 0] = 127
    step = np.full(columns, 2.0**-10)
    centroids = rng.integers(-128, 128, (codebooks, 16, length)).astype(np.int8) if length else None
    if centroids is not None:
        centroids[-1, :, reduction - codebooks * length or length:] = 0
    return Product(name=name, inputs=(source,), scale=scale, low=low, table=table, coding=coded(centroids),
                   bias=rng.integers(-500, 500, columns), multiplier=np.full(columns, 40960),
                   shift=np.full(columns, 21), table_scale=step, reduction=reduction, window=window)


def network(seed: int) -> Network:
    """Odd sizes, a stride, uneven padding, a residual add, dense and lookup layers, a padded last sub-vector."""
    rng = np.random.default_rng(seed)
    same = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
    half = Window(kernel=(3, 3), stride=(2, 2), padding=(0, 1, 1, 0))
    return Network(name="odd", input_shape=(7, 6, 2), input_scale=1 / 127, pixel_scale=1 / 255, nodes=(
        product(rng, "a", "input", 2, 5, length=4, window=same),
        product(rng, "b", "a", 5, 5, length=9, window=same, low=-128),
        Add(name="c", inputs=("b", "a"), scale=0.07, multipliers=(46811, 46811), shift=16, low=0),
        product(rng, "d", "c", 5, 8, window=half),
        AvgPool(name="e", inputs=("d",), scale=0.05, multiplier=43691, shift=19),
        Flatten(name="f", inputs=("e",), scale=0.05),
        product(rng, "g", "f", 8, 3, length=3, low=-128)))


@pytest.mark.parametrize("seed", range(3))
def test_evaluation_mode_equals_golden(seed: int) -> None:
    net = network(seed)
    images = np.random.default_rng(seed).integers(0, 256, (5, 7, 6, 2), np.uint8)
    graph = graphs.Graph(net).eval()
    wanted = golden.run(graph.export(), images)
    for name, value in graph.values(loop.pixels(images)).items():
        assert np.array_equal(graphs.as_golden(value), wanted[name]), name


def test_export_without_training_keeps_the_network() -> None:
    net = network(0)
    for one, other in zip(graphs.Graph(net).export().products, net.products, strict=True):
        assert np.array_equal(one.table, other.table)
        assert np.array_equal(one.bias, other.bias)
        assert np.array_equal(one.multiplier, other.multiplier)
        assert one.centroids is None or np.array_equal(one.centroids, other.centroids)


def test_fine_tuning_lowers_the_loss_and_still_equals_golden() -> None:
    torch.manual_seed(0)
    net, rng = network(1), np.random.default_rng(1)
    labels = torch.from_numpy(rng.integers(0, 3, 32))  # the label is the brightness
    images = (rng.integers(0, 80, (32, 7, 6, 2)) + 85 * labels.numpy()[:, None, None, None]).astype(np.uint8)
    graph, x = graphs.Graph(net).eval(), loop.pixels(images)
    graph.soften(x)
    schedule = loop.Schedule(epochs=1, rate=0.01)
    optimiser = torch.optim.Adam(tune.groups(graph, schedule))
    losses = []
    graph.train()
    for _ in range(40):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(graph(x), labels)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0], losses
    values = graph.eval().values(x)
    wanted = golden.run(graph.export(), images)
    assert all(np.array_equal(graphs.as_golden(value), wanted[name]) for name, value in values.items())


def test_folding_keeps_the_function() -> None:
    torch.manual_seed(0)
    net, x = resnet.ResNet8(1), torch.rand(8, 1, 28, 28)
    net.train()(x)  # running statistics that are not the initial ones
    torch.testing.assert_close(resnet.folded(net)(x), net.eval()(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("change", "message"), [
    (lambda net: replace(net, nodes=(*net.nodes[:1], MaxPool(name="m", inputs=("a",), scale=1.0, window=Window(
        kernel=(2, 2))))),
     "a network to train must hold products, adds, global average pools and flattens, not m, a MaxPool"),
    (lambda net: replace(net, nodes=(replace(net.nodes[0], coding=replace(net.nodes[0].coding, metric=Metric.L1)),)),
     "layer a must use metric l2 to be trained, not l1"),
])
def test_networks_that_cannot_be_trained(change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        graphs.Graph(change(network(0)))


def idx(path: Path, values: np.ndarray) -> None:
    head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(head + values.astype(np.uint8).tobytes()))


def striped(folder: Path, count: int) -> None:
    """A data set that can be learnt: the label is the brightest pair of rows."""
    (folder / "fashion-mnist").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        labels = rng.integers(0, 10, count)
        images = rng.integers(0, 60, (count, 28, 28))
        for image, label in zip(images, labels, strict=True):
            image[2 * label + 4:2 * label + 6] += 180
        idx(folder / "fashion-mnist" / f"{part}-images-idx3-ubyte.gz", images)
        idx(folder / "fashion-mnist" / f"{part}-labels-idx1-ubyte.gz", labels)


def test_tiny_recipe_runs_from_data_to_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    striped(tmp_path / "data", 256)
    arguments = ["fashion-resnet8", "--tiny", "--data", str(tmp_path / "data"), "--build", str(tmp_path / "build"),
                 "--out", str(tmp_path / "out")]
    assert program.main(arguments) == 0
    found = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert found["command"] == "python -m lutra.train fashion-resnet8 --tiny"
    assert set(found["accuracy"]) == {"float", "int8", "converted", "golden"}
    with np.load(tmp_path / "out" / "fashion-test.npz") as archive:
        images, labels = archive["images"], archive["labels"]
    net = netfile.load(tmp_path / "out" / "fashion-resnet8.lutra")
    assert {node.scheme for node in net.products} == {"lut-nn"}
    assert np.mean(golden.classify(net, images) == labels) == found["accuracy"]["golden"]
    assert netfile.load(tmp_path / "out" / "fashion-resnet8-int8.lutra").provenance["seed"] == found["seed"]
    before = (tmp_path / "out" / "fashion-resnet8.lutra").read_bytes()
    capsys.readouterr()
    assert program.main(arguments) == 0  # goes on from the checkpoints: nothing is left to train
    assert "epoch" not in capsys.readouterr().out
    assert (tmp_path / "out" / "fashion-resnet8.lutra").read_bytes() == before


def test_a_missing_data_set_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["cifar10-resnet8", "--data", str(tmp_path), "--build", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (f"lutra.train: data set cifar10 must lie in {tmp_path / 'cifar10'}: "
                                       "run python -m lutra.train.fetch cifar10\n")


def test_fetch_refuses_an_archive_that_is_not_the_pinned_one(tmp_path: Path) -> None:
    archive = tmp_path / "a.tgz"
    archive.write_bytes(b"abc")
    abc = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="  # FIPS 180-2, appendix B.1
    fetch.verify(archive, f"sha256-{abc}")
    archive.write_bytes(b"abd")
    with pytest.raises(ValueError, match=rf"^a\.tgz must have sha256 {abc.replace('+', '[+]')}, not "):
        fetch.verify(archive, f"sha256-{abc}")
