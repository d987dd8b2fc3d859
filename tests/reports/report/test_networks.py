"""reports.report on other networks: wrong ones, without twin, of other schemes, partly on the host."""

import csv
import re
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np
import pytest

import lutra_reports.report
from lutra_model import fit
from lutra_model.codings import Trits
from lutra_model.host_nodes import Elementwise
from lutra_model.network import Network, Product
from lutra_model.ternary import pack_layer
from lutra_reports.report import make
from lutra_reports.terminal import summary
from lutra_reports.words import sentences
from lutra_reports.write import write
from tests.reports.report.tiny import IMAGES, LABELS, LOOKUP, RNG, TWIN, Machines, made


def test_a_wrong_layer_shows_on_every_face(machines: Machines, tmp_path: Path) -> None:
    machines.wrong = "second"
    found = made()
    assert found.data["bit_exact"] is False
    assert found.data["cycles"]["simulated"] == found.data["cycles"]["predicted"] + 1
    write(found, tmp_path)
    assert "NOT bit-exact" in (tmp_path / "report.html").read_text()
    assert "NOT bit-exact" in str(summary(found).title)
    head, *rows = csv.reader((tmp_path / "layers.csv").read_text().splitlines())
    assert [row[head.index("bit_exact")] for row in rows] == ["True", "True", "False", "True"]


def test_without_twin_and_accuracy(machines: Machines, tmp_path: Path) -> None:
    alone = make(LOOKUP, IMAGES, LABELS, arrays=fit.arrays(LOOKUP), simulate_images=1)
    assert alone.data["accuracy"]["int8"] is None
    write(alone, tmp_path)
    assert not (tmp_path / "accuracy.svg").exists()
    assert "not measured" in (tmp_path / "report.html").read_text()
    assert len(sentences(alone.data)) == 9
    assert all(not found["designs"] for found in alone.data["moved"].values())
    assert any(sentence.startswith("No multiplying twin was simulated") for sentence in sentences(alone.data))


def ternary(net: Network) -> Network:
    """The network with packed ternary weights of the same shapes."""
    def layer(node: Product) -> Product:
        taps, columns = prod(node.window.kernel) if node.window else 1, node.table.shape[2]
        weights = RNG.integers(-1, 2, (node.reduction, columns), np.int8)
        return replace(node, table=pack_layer(weights, 4, taps), coding=Trits(4))

    return replace(net, nodes=tuple(layer(node) if isinstance(node, Product) else node for node in net.nodes))


def test_other_schemes_get_their_own_words_and_baseline(machines: Machines, tmp_path: Path) -> None:
    """No centroids: no sweeps over encoders. Ternary weights: the baseline is not INT8 alone."""
    net = ternary(LOOKUP)
    found = make(net, IMAGES, LABELS, arrays=fit.arrays(net, rows=8, columns=4), simulate_images=1)
    data, said = found.data, sentences(found.data)
    assert (data["scheme"], data["nearest"], data["encoders"], data["widths"]) == ("vec-lut", False, [], [])
    assert list(data["workloads"]) == ["tiny, batch of 16"]
    assert not any("centroid" in sentence or "other workloads" in sentence for sentence in said)
    assert any(sentence.startswith("Adding up tables of activations takes") for sentence in said)
    for technology, designs in data["energy"].items():
        fine = designs["as_fine"]
        assert fine["name"] in ("int2", "sign-flip")
        assert fine["total"]["pj"] < designs["int8"]["total"]["pj"]
        assert data["ratios"][technology]["as_fine"]["total"]["ratio"] == pytest.approx(
            fine["total"]["pj"] / designs["lookup"]["total"]["pj"], rel=1e-4)
    assert any(sentence.startswith("Against an array of weights as fine (") for sentence in said)
    write(found, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "of the vec-lut engine" in page
    assert "ResNet-18" not in page
    assert "centroid" not in re.sub(r"<details>.*", "", page, flags=re.DOTALL)


def test_a_network_with_a_dense_layer(machines: Machines, tmp_path: Path) -> None:
    mixed = replace(LOOKUP, nodes=(*LOOKUP.nodes[:-1], TWIN.nodes[-1]))
    found = make(mixed, IMAGES, LABELS, arrays=fit.arrays(mixed), simulate_images=1)
    assert found.data["layers"][-1]["lookups"] == 0
    write(found, tmp_path)


def test_a_node_on_the_host_is_named_and_its_traffic_charged(machines: Machines, tmp_path: Path) -> None:
    table = Elementwise(name="curve", inputs=("second",), scale=0.1, table=np.zeros((256, 1), np.int8))
    flat = replace(LOOKUP.nodes[2], inputs=("curve",))
    mixed = replace(LOOKUP, nodes=(*LOOKUP.nodes[:2], table, flat, LOOKUP.nodes[3]))
    found = make(mixed, IMAGES, LABELS, arrays=fit.arrays(mixed), simulate_images=1)
    assert found.data["host"] == ["curve"]
    assert any("The host computes curve" in sentence for sentence in sentences(found.data))
    dram = {layer["name"]: layer["events"]["dram"] for layer in found.data["layers"]}
    assert dram["second"]["outputs"] == 8 * 36 * 4
    assert dram["curve"]["inputs"] == 8 * 36 * 4
    write(found, tmp_path)


@pytest.mark.parametrize("count", [0, 6])
def test_images_to_simulate_are_those_there_are(machines: Machines, count: int) -> None:
    with pytest.raises(ValueError, match=rf"^images to simulate must be 1 to 5, not {count}$"):
        made(simulate_images=count)


def test_a_network_without_lookup_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^network tiny-int8 must have a lookup layer to be compared$"):
        make(TWIN, IMAGES, LABELS, arrays=fit.arrays(TWIN))


def test_progress_names_every_stage(machines: Machines) -> None:
    told: list[str] = []
    made(progress=lambda what, done, total: told.append(what))
    assert set(told) == {"MAC arrays", "tiny, batch of 16: MAC arrays", "small: MAC arrays", "small: lookup arrays"}


@pytest.mark.slow
def test_a_report_of_real_machines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lutra_reports.report, "WORKLOADS", {})
    arrays = fit.arrays(LOOKUP, rows=4, columns=2, encoders=2)
    report = make(LOOKUP, IMAGES, LABELS, arrays=arrays, int8=TWIN, int8_arrays=fit.arrays(TWIN, rows=4, columns=2),
                  simulate_images=3)
    assert report.data["bit_exact"] is True
    assert report.data["cycles"]["simulated"] == report.data["cycles"]["predicted"]
    write(report, tmp_path)
