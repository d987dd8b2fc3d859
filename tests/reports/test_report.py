"""reports: what a report holds, that it is written whole or not at all, and that it is the same at every run."""

import csv
import errno
import json
import re
from copy import deepcopy
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from importlib.resources import files
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lutra_model.compare
import lutra_reports.evidence
import lutra_reports.report
from lutra_model import fit, golden
from lutra_model.activity import Activity, NetworkActivity, OperationActivity
from lutra_model.codings import Trits
from lutra_model.host_nodes import Elementwise
from lutra_model.latency import network_latency
from lutra_model.network import Flatten, Network, Product, Window
from lutra_model.params import Metric
from lutra_model.program import compile_network
from lutra_model.technology import Technology, parse
from lutra_model.ternary import pack_layer
from lutra_model.workloads import of_network
from lutra_reports.doubt_words import doubts
from lutra_reports.report import Report, make
from lutra_reports.style import times
from lutra_reports.terminal import summary
from lutra_reports.words import headline, sentences, span
from lutra_reports.write import check, write
from lutra_sim.stages import stages
from tests.coded import coded

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (5, 6, 6, 1), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1])
TOGGLES = {"lookup": {"encoder.data": (1000, 100), "cells.operands": (800, 200), "cells.symbols": (200, 50)},
           "mac": {"cells.operands": (500, 100), "encoder.data": (100, 90)},
           "vec-lut": {"encoder.data": (100, 50)}, "sign-flip": {"encoder.data": (100, 50)},
           "lut-tc": {"encoder.data": (100, 50)}}
ACCURACY = {"float": 0.9, "int8": 0.89, "converted": 0.87, "golden": 0.86}


def product(name: str, source: str, reduction: int, columns: int, window: Window | None, lookup: bool) -> Product:
    codebooks = -(-reduction // 9) if lookup else reduction
    shape = (codebooks, 16 if lookup else 1, columns)
    return Product(name=name, inputs=(source,), scale=0.1, window=window, reduction=reduction,
                   table=RNG.integers(-128, 128, shape).astype(np.int8),
                   coding=coded(RNG.integers(-128, 128, (codebooks, 16, 9)).astype(np.int8) if lookup else None),
                   bias=np.zeros(columns, np.int64), multiplier=np.full(columns, 40000), shift=np.full(columns, 22),
                   table_scale=np.ones(columns))


def network(name: str, lookup: bool) -> Network:
    window = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
    return Network(name=name, input_shape=(6, 6, 1), input_scale=1 / 127, pixel_scale=1 / 255, nodes=(
        product("first", "input", 9, 8, window, lookup), product("second", "first", 72, 4, window, lookup),
        Flatten(name="flat", inputs=("second",), scale=0.1), product("last", "flat", 144, 3, None, lookup)))


LOOKUP, TWIN = network("tiny", True), network("tiny-int8", False)


@dataclass
class Machines:
    """Stands for the compiled machines: golden's integers, the latency model's cycles, and a fault on demand."""

    wrong: str = ""
    seen: list[int] = field(default_factory=list)

    def simulate(self, net: Network, x: NDArray[Any], arrays: dict[str, Any], *, activity: bool,
                 progress: object = None) -> Any:
        assert activity
        self.seen.append(len(x))
        layers: list[dict[str, Any]] = []
        cut = stages(net, arrays)
        for stage in cut:
            if stage.program:
                layers += [{"name": item.name, "node": node, "predicted": item.cycles,
                            "simulated": item.cycles + (item.name == self.wrong)}
                           for item, node in zip(stage.latency().operations, stage.program.nodes, strict=True)]
        total = {view: sum(layer[view] for layer in layers) for view in ("predicted", "simulated")}
        data = {"bit_exact": not self.wrong, "cycles_exact": not self.wrong, "cycles": total, "layers": layers,
                "host": [stage.nodes[0].name for stage in cut if not stage.program]}
        counted = NetworkActivity(net.name, len(x), tuple(
            OperationActivity("op", "node", "product", array.engine, Activity(TOGGLES[array.engine]))
            for array in arrays.values()))
        return type("Run", (), {"as_dict": lambda run: data, "network_activity": lambda run, name: counted})()

    def check_layers(self, net: Network, x: NDArray[Any], arrays: object, *, machines: list[object],
                     progress: object = None) -> Any:
        assert len(x) == len(machines) == 1
        return {node.name: node.name != self.wrong for node in net.nodes}


def install(monkeypatch: pytest.MonkeyPatch) -> Machines:
    found = Machines()
    monkeypatch.setattr(lutra_reports.evidence, "simulate", found.simulate)
    monkeypatch.setattr(lutra_reports.evidence, "check_layers", found.check_layers)
    monkeypatch.setattr(lutra_reports.evidence, "machines_for", lambda cut, **options: {})
    monkeypatch.setattr(lutra_reports.report, "WORKLOADS", {"small": lambda: of_network(LOOKUP)})
    monkeypatch.setattr(lutra_model.compare, "FAMILY_ROWS", (16, 64))
    monkeypatch.setattr(lutra_model.compare, "FAMILY_COLUMNS", (8, 16))
    return found


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Machines:
    return install(monkeypatch)


@pytest.fixture(scope="module")
def report() -> Report:
    """One report for all tests that only look at it."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        install(monkeypatch)
        return made()


@pytest.fixture(scope="module")
def folder(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is written."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "mine.txt").write_text("mine")
    write(report, folder)
    return folder


def made(**options: Any) -> Report:
    return make(LOOKUP, IMAGES, LABELS, arrays=fit.arrays(LOOKUP), int8=TWIN, int8_arrays=fit.arrays(TWIN),
                **{"accuracy": ACCURACY, "simulate_images": 2, **options})


def test_a_report_holds_verdict_cycles_accuracy_and_energies(machines: Machines) -> None:
    data = made().data
    assert machines.seen == [2, 2]
    assert data["bit_exact"] is True
    array = fit.lookup_array(LOOKUP)
    operations = compile_network(LOOKUP, array).operations
    assert data["cycles"]["predicted"] == data["cycles"]["simulated"] == network_latency(operations, array).cycles
    assert sum(data["causes"].values()) == data["cycles"]["predicted"]
    assert {name: data["accuracy"][name] for name in ACCURACY} == ACCURACY
    labelled = golden.classify(LOOKUP, IMAGES) == LABELS
    assert data["accuracy"]["images"]["golden"] == pytest.approx(labelled.mean())
    assert [layer["name"] for layer in data["layers"]] == ["input", "first", "second", "last"]
    assert data["equivalent_macs"] == 36 * 9 * 8 + 36 * 72 * 4 + 144 * 3
    for designs in data["energy"].values():
        assert {"lookup", "int8", "fp16", "fp32", "int8_least_energy", "int8_same_cells"} <= set(designs)
        for design in designs.values():
            assert sum(design["components_pj"].values()) == pytest.approx(design["total"]["pj"], rel=1e-4)
            assert design["total"]["low_pj"] < design["total"]["pj"] < design["total"]["high_pj"]


def test_ratios_are_those_of_the_energies(report: Report) -> None:
    data = report.data
    for technology, ratios in data["ratios"].items():
        designs = data["energy"][technology]
        for name, found in ratios.items():
            for which in ("total", "on_chip"):
                expected = designs[name][which]["pj"] / designs["lookup"][which]["pj"]
                assert found[which]["ratio"] == pytest.approx(expected, rel=1e-4)
                assert found[which]["low"] <= found[which]["ratio"] <= found[which]["high"]


def test_layers_add_up_to_the_network(report: Report) -> None:
    data = report.data
    assert sum(layer["cycles"] for layer in data["layers"]) == data["energy"]["tpuv4i-7"]["lookup"]["cycles"]
    for layer in data["layers"]:
        assert sum(layer["causes"].values()) == layer["cycles"] == layer["rtl"]["predicted"]
        assert 0 <= layer["cell_utilisation"] <= layer["causes"]["lookup"] / layer["cycles"]
    for technology, designs in data["energy"].items():
        total = sum(layer["energy"][technology]["lookup_pj"] for layer in data["layers"])
        assert total == pytest.approx(designs["lookup"]["total"]["pj"], rel=1e-4)


def test_the_networks_own_encoder_is_among_the_others(report: Report) -> None:
    data = report.data
    encoders = data["arrays"]["lut-nn"]["encoders"]
    own = [item for item in data["encoders"] if (item["metric"], item["encoders"]) == ("l2", encoders)]
    assert len(own) == 1
    assert len(data["encoders"]) == len(Metric) * len({4, encoders, 16})
    assert own[0]["cycles"] == data["cycles"]["predicted"]
    for technology, found in own[0]["technologies"].items():
        assert found == data["ratios"][technology]["int8"]["on_chip"]


def test_layers_are_recommended_where_all_technologies_agree(report: Report) -> None:
    data = deepcopy(report.data)
    chosen = [("lookup", "lookup"), ("lookup", "lookup"), ("mac", "mac"), ("lookup", "mac")]
    for layer, winners in zip(data["layers"], chosen, strict=True):
        layer["energy"] = {str(place): {"ratio": {"on_chip": {"winner": winner}}}
                           for place, winner in enumerate(winners)}
    assert ("On the chip, every technology's whole range favours lookup for first; the MAC array for second."
            in sentences(data))


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


def test_two_reports_are_equal_byte_for_byte(machines: Machines, tmp_path: Path) -> None:
    first = write(made(), tmp_path / "first")
    second = write(made(), tmp_path / "second")
    assert [path.name for path in first] == [path.name for path in second]
    assert {path.suffix for path in first} == {".html", ".json", ".csv", ".svg", ".png"}
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_a_stamp_is_printed_only_when_given(report: Report, folder: Path, tmp_path: Path) -> None:
    assert "2031-01-02" not in (folder / "report.html").read_text()
    write(Report(report.data | {"stamp": "2031-01-02"}), tmp_path)
    assert "2031-01-02" in (tmp_path / "report.html").read_text()


class Links(HTMLParser):
    """Everything that a page would load, and every id."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and not (value or "").startswith("#"):
                self.loaded.append(f"{tag} {value}")
            if name == "id":
                self.ids.append(value or "")


def test_the_page_is_self_contained(report: Report, folder: Path) -> None:
    text = (folder / "report.html").read_text()
    links = Links()
    links.feed(text)
    assert links.loaded == []
    assert len(links.ids) == len(set(links.ids)) > 10
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= set(links.ids)
    assert "@import" not in text
    assert "<script" not in text
    assert 'name="viewport"' in text
    assert text.count("<svg") == 6 + len(report.data["technologies"])


def test_a_full_disk_leaves_the_old_report_whole(report: Report, folder: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_bytes, left = Path.write_bytes, [3]

    def full(path: Path, content: bytes) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        left[0] -= 1
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    sentence = (f"report folder {folder} cannot be written: No space left on device; "
                "an earlier report there is unchanged")
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        write(Report(report.data | {"stamp": "new"}), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_other_files_in_the_folder_stay(report: Report, folder: Path) -> None:
    assert (folder / "mine.txt").read_text() == "mine"
    assert json.loads((folder / "report.json").read_text()) == report.data


def test_a_folder_that_is_a_file_is_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("")
    with pytest.raises(ValueError, match=r"^report folder .*report cannot be written: File exists$"):
        check(tmp_path / "report")
    check(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_without_twin_and_accuracy(machines: Machines, tmp_path: Path) -> None:
    alone = make(LOOKUP, IMAGES, LABELS, arrays=fit.arrays(LOOKUP), simulate_images=1)
    assert alone.data["accuracy"]["int8"] is None
    write(alone, tmp_path)
    assert not (tmp_path / "accuracy.svg").exists()
    assert "not measured" in (tmp_path / "report.html").read_text()
    assert len(sentences(alone.data)) == 9
    assert all(not found["designs"] for found in alone.data["moved"].values())
    assert any(sentence.startswith("No multiplying twin was simulated") for sentence in sentences(alone.data))


def technology(name: str, **entries: dict[str, Any]) -> Technology:
    """The technology with changed entries; an entry's own fields stay where they are not given."""
    data = json.loads((files("lutra_model") / "technologies" / f"{name}.json").read_text(encoding="utf-8"))
    for entry, change in entries.items():
        data["entries"][entry.replace("__", ".")] = data["entries"][entry.partition("__")[2] or entry] | change
    return parse(json.dumps(data), name)


def test_energies_follow_the_data_of_both_networks(machines: Machines) -> None:
    """Prices at the rates that were counted (a quarter, a fifth), put into the file by hand, make the same energies."""
    add, multiply = 0.003125, 0.2
    follows = technology("horowitz-45", encoder__add={"activity": {"idle": 0.2 * add, "rate": 0.5}},
                         cells__mux={"activity": {"idle": 0.0, "rate": 0.1}},
                         cells__multiply={"activity": {"idle": 0.1 * multiply, "rate": 0.4}})
    lookup = technology("horowitz-45", encoder__add={"value": (0.2 + 0.8 * 0.1 / 0.5) * add},
                        cells__mux={"value": 0.00086 * 0.25 / 0.1})
    mac = technology("horowitz-45", cells__multiply={"value": (0.1 + 0.9 * 0.2 / 0.4) * multiply})
    found = made(technologies=[follows]).data
    edited = {"lookup": made(technologies=[lookup]).data, "int8_same_cells": made(technologies=[mac]).data}
    default = made(technologies=[technology("horowitz-45")]).data
    moved = found["moved"]["horowitz-45"]
    assert sorted(moved["entries"]) == ["cells.multiply", "cells.mux", "encoder.add"]
    for design, other in edited.items():
        here, now, before = (item["energy"]["horowitz-45"][design]["on_chip"]["pj"] for item in (found, other, default))
        assert here == pytest.approx(now, rel=1e-5)
        assert moved["designs"][design]["default_pj"] == pytest.approx(before, rel=1e-5)
        assert moved["designs"][design]["pj"] == pytest.approx(now, rel=1e-5)
        assert now != pytest.approx(before, rel=1e-3)
    now, before = (item["ratios"]["horowitz-45"]["int8_same_cells"]["on_chip"]["ratio"] for item in (found, default))
    assert moved["ratios"]["int8_same_cells"] == pytest.approx({"default": before, "ratio": now}, rel=1e-5)
    assert "instead of" in " ".join(sentences(found))
    assert "No price of horowitz-45 follows the data." in " ".join(sentences(default))


def test_overall_holds_every_technologys_own_range(report: Report) -> None:
    data = report.data
    for technology, ratios in data["ratios"].items():
        for name, found in ratios.items():
            for which in ("total", "on_chip"):
                overall = data["overall"]["ratios"][name][which]
                assert overall["low"] <= found[which]["low"]
                assert overall["high"] >= found[which]["high"]
        for name, design in data["energy"][technology].items():
            for which in ("total", "on_chip"):
                overall = data["overall"]["energy_pj"][name][which]
                assert overall["low"] <= design[which]["low_pj"] < design[which]["high_pj"] <= overall["high"]


def test_constants_that_turn_the_verdict_are_named(report: Report) -> None:
    data = deepcopy(report.data)
    (first, *_), (name, *_) = data["tornado"]["tpuv4i-7"]["total"], data["technologies"]
    assert name == "horowitz-45"
    first["flips"] = True
    chip, whole = doubts(data)
    assert whole.startswith(f"Constants that alone could turn the verdict with memory outside the chip within their "
                            f"uncertainty: {first['name']} (tpuv4i-7)")
    constants = data["tornado"]["horowitz-45"]["on_chip"]
    nearest = min((item for item in constants if item["flip"]), key=lambda item: max(item["flip"], 1 / item["flip"]))
    assert f"{nearest['name']} x {nearest['flip']:.2g} in horowitz-45" in chip


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


@pytest.mark.parametrize(("value", "text"), [(0.731, "0.73"), (0.999, "1.0"), (1.24, "1.2"), (12.7, "13")])
def test_ratios_in_words(value: float, text: str) -> None:
    assert times(value) == text


def test_a_span_and_its_winner() -> None:
    ratios: dict[str, Any] = {"a": {"int8": {"total": {"ratio": 1.5, "low": 1.2, "high": 1.8, "winner": "lookup"}}},
              "b": {"int8": {"total": {"ratio": 1.1, "low": 0.9, "high": 1.3, "winner": "open"}}}}
    assert span({name: item["int8"]["total"] for name, item in ratios.items()}) == "1.1 to 1.5"
    found = headline({"ratios": ratios}, "int8", "total")
    assert (found["winner"], found["low"], found["high"]) == ("open", 0.9, 1.8)
    assert found["wins"] == {"lookup": 1, "mac": 0, "open": 1}


@pytest.mark.slow
def test_a_report_of_real_machines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lutra_reports.report, "WORKLOADS", {})
    arrays = fit.arrays(LOOKUP, rows=4, columns=2, encoders=2)
    report = make(LOOKUP, IMAGES, LABELS, arrays=arrays, int8=TWIN, int8_arrays=fit.arrays(TWIN, rows=4, columns=2),
                  simulate_images=3)
    assert report.data["bit_exact"] is True
    assert report.data["cycles"]["simulated"] == report.data["cycles"]["predicted"]
    write(report, tmp_path)
