"""model.netfile: what is written is read back; damaged and foreign files are refused in one sentence."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from lutra_model import golden
from lutra_model.netfile import load, save
from lutra_model.network import (
    Add,
    AvgPool,
    Clamp,
    Concat,
    Elementwise,
    Flatten,
    MaxPool,
    Multiply,
    Network,
    Permute,
    Product,
    Softmax,
    Window,
    placement,
)
from lutra_model.params import Metric
from tests.coded import coded


def network() -> Network:
    rng = np.random.default_rng(3)
    same = Window(kernel=(3, 3), padding=(1, 1, 1, 1))

    def product(name: str, source: str, shape: tuple[int, int, int], reduction: int, window: Window | None,
                length: int | None, groups: int = 1) -> Product:
        columns = groups * shape[2]
        centroids = None if length is None else rng.integers(-128, 128, (*shape[:2], length), np.int8)
        return Product(name=name, inputs=(source,), scale=0.25, window=window, reduction=reduction,
                       table=rng.integers(-128, 128, shape, np.int8), coding=coded(centroids, Metric.L1),
                       bias=rng.integers(-9, 9, columns), multiplier=rng.integers(0, 2**16, columns),
                       shift=rng.integers(1, 64, columns), table_scale=rng.random(columns), groups=groups)

    return Network(name="every kind", input_shape=(6, 6, 2), input_scale=0.1, pixel_scale=1 / 255,
                   classes=("a", "b"), provenance={"seed": 3, "list": [1, 2]}, nodes=(
                       product("c", "input", (2, 4, 3), 18, same, 9),
                       product("d", "c", (27, 1, 3), 27, same, None),
                       Add(name="s", inputs=("c", "d"), scale=0.1, multipliers=(1, 2), shift=1, low=0),
                       MaxPool(name="m", inputs=("s",), scale=0.1, window=Window(kernel=(2, 2), stride=(2, 2))),
                       AvgPool(name="a", inputs=("m",), scale=0.1, multiplier=5, shift=4),
                       Clamp(name="r", inputs=("a",), scale=0.1, low=0, high=100),
                       product("w", "r", (3, 4, 2), 1, Window(kernel=(1, 1)), 1, groups=3),
                       Concat(name="k", inputs=("w", "r"), scale=0.1),
                       Elementwise(name="e", inputs=("k",), scale=0.1,
                                   table=rng.integers(-128, 128, (256, 9), np.int8)),
                       Multiply(name="g", inputs=("e", "k"), scale=0.1, multiplier=5, shift=4),
                       Permute(name="p", inputs=("g",), scale=0.1, order=rng.permutation(9), to=(1, 3, 3)),
                       Softmax(name="x", inputs=("p",), scale=1 / 127, peak=127,
                               exponentials=rng.integers(1, 2**16, 256, endpoint=True)),
                       Flatten(name="f", inputs=("x",), scale=0.1),
                       product("o", "f", (3, 2, 2), 9, None, 4)))


def test_round_trip_keeps_every_value(tmp_path: Path) -> None:
    made, path = network(), tmp_path / "n.lutra"
    save(made, path)
    read = load(path)
    x = np.random.default_rng(0).integers(-128, 128, (3, 6, 6, 2), np.int8)
    ours, theirs = golden.run(made, x), golden.run(read, x)
    assert all((ours[name] == theirs[name]).all() for name in ours)
    assert (read.name, read.provenance, read.classes, read.shapes) == (
        made.name, made.provenance, made.classes, made.shapes)
    assert [type(node) for node in read.nodes] == [type(node) for node in made.nodes]
    assert (read.products[0].table_scale == made.products[0].table_scale).all()


def test_every_kind_of_node_has_a_place() -> None:
    places = {node.name: placement(node) for node in network().nodes}
    assert {name for name, place in places.items() if place == "array"} == set("cdwo")
    assert {name for name, place in places.items() if place == "memory side"} == set("smarkf")
    assert {name for name, place in places.items() if place == "host"} == set("egpx")


def test_one_group_is_written_as_before_there_were_groups(tmp_path: Path) -> None:
    save(network(), tmp_path / "n")
    with safe_open(tmp_path / "n", framework="numpy") as archive:
        nodes = json.loads(archive.metadata()["lutra-network"])["nodes"]
    assert {node["name"]: node.get("groups") for node in nodes if node["kind"] == "product"} == {
        "c": None, "d": None, "w": 3, "o": None}


@pytest.mark.parametrize(("node", "sentence"), [
    (Concat(name="k", inputs=("input", "b"), scale=1.0),
     "concat k needs inputs of one height and width, not (2, 2, 3) and (1, 1, 3)"),
    (Multiply(name="g", inputs=("b", "input"), scale=1.0, multiplier=1, shift=1),
     "multiply g needs two inputs of one shape, or one pixel as the second, not (1, 1, 3) and (2, 2, 3)"),
    (Elementwise(name="e", inputs=("input",), scale=1.0, table=np.zeros((256, 2), np.int8)),
     "table of e must have shape (256, 1) or (256, 3), not (256, 2)"),
    (Permute(name="p", inputs=("input",), scale=1.0, order=np.arange(4), to=(5,)),
     "order of p must have shape (5,), not (4,)"),
    (Permute(name="p", inputs=("input",), scale=1.0, order=np.array([0, 12]), to=(2,)),
     "order of p must be 0 to 11, not 0 to 12")])
def test_nodes_that_do_not_fit_their_inputs_are_refused(node: object, sentence: str) -> None:
    small = AvgPool(name="b", inputs=("input",), scale=1.0, multiplier=1, shift=1)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Network(name="n", input_shape=(2, 2, 3), input_scale=1.0, nodes=(small, node))  # type: ignore[arg-type]


def test_wrong_groups_and_exponentials_are_refused() -> None:
    first = network().products[0]
    with pytest.raises(ValueError, match=r"^groups of layer c must divide its 2 codebooks, not be 3$"):
        replace(first, groups=3)
    with pytest.raises(ValueError, match=r"^bias of layer c must have shape \(6,\), not \(3,\)$"):
        replace(first, groups=2)
    with pytest.raises(ValueError, match=r"^exponentials of s must have shape \(256,\), not \(255,\)$"):
        Softmax(name="s", inputs=("input",), scale=1.0, exponentials=np.ones(255, np.int64), peak=127)
    with pytest.raises(ValueError, match=r"^the first exponential of s must be at least 1, not 0$"):
        Softmax(name="s", inputs=("input",), scale=1.0, exponentials=np.zeros(256, np.int64), peak=127)


def test_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        save(network(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def _rewritten(source: Path, target: Path, *, drop: str = "", **changes: object) -> Path:
    with safe_open(source, framework="numpy") as archive:
        tensors = {name: archive.get_tensor(name) for name in archive.keys() if name != drop}
        head = json.loads(archive.metadata()["lutra-network"])
    save_file(tensors, target, {"lutra-network": json.dumps(head | changes)})
    return target


def test_wrong_files_are_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.lutra"
    save(network(), whole)
    foreign = tmp_path / "foreign.lutra"
    save_file({"x": np.zeros(2)}, foreign)
    with pytest.raises(ValueError, match=rf"^network file {tmp_path}/none must exist$"):
        load(tmp_path / "none")
    sentence = f"^{foreign} must be a Lutra network file, but it has no lutra-network header$"
    with pytest.raises(ValueError, match=sentence):
        load(foreign)
    with pytest.raises(ValueError, match=r"must have version 2, not 99$"):
        load(_rewritten(whole, tmp_path / "v", version=99))
    damaged = "must be a whole Lutra network file, but its header is damaged: "
    with pytest.raises(ValueError, match=rf"{damaged}'c/table'$"):
        load(_rewritten(whole, tmp_path / "t", drop="c/table"))
    with pytest.raises(ValueError, match=damaged):
        load(_rewritten(whole, tmp_path / "j", nodes=[{"kind": "lstm"}]))


@pytest.mark.parametrize("size", [0, 5, 100, -1])
def test_truncated_files_are_refused(tmp_path: Path, size: int) -> None:
    whole, cut = tmp_path / "whole.lutra", tmp_path / "cut.lutra"
    save(network(), whole)
    cut.write_bytes(whole.read_bytes()[:size])
    with pytest.raises(ValueError, match=rf"^{cut} must be a whole Lutra network file, but it cannot be read: "):
        load(cut)


def test_a_network_that_does_not_fit_together_is_refused() -> None:
    flat = Flatten(name="f", inputs=("input",), scale=1.0)
    with pytest.raises(ValueError, match=r"^node f reads x, which no earlier node makes$"):
        Network(name="n", input_shape=(2,), input_scale=1.0, nodes=(Flatten(name="f", inputs=("x",), scale=1.0),))
    with pytest.raises(ValueError, match=r"^node name f must be used once$"):
        Network(name="n", input_shape=(2,), input_scale=1.0, nodes=(flat, flat))
    with pytest.raises(ValueError, match=r"^network n must have at least one node$"):
        Network(name="n", input_shape=(2,), input_scale=1.0, nodes=())
    with pytest.raises(ValueError, match=r"^layer c needs 2 channels of an image, its input is \(6, 6, 1\)$"):
        Network(name="n", input_shape=(6, 6, 1), input_scale=1.0, nodes=network().nodes[:1])
