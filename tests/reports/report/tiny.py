"""A network of three layers and its twin, the machines that stand for compiled ones, and a report of both."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lutra_model.compare
import lutra_reports.evidence
import lutra_reports.report
from lutra_model import fit
from lutra_model.activity import Activity, NetworkActivity, OperationActivity
from lutra_model.network import Flatten, Network, Product, Window
from lutra_model.workloads import of_network
from lutra_reports.report import Report, make
from lutra_sim.stages import stages
from tests.coded import coded

__all__ = ["ACCURACY", "IMAGES", "LABELS", "LOOKUP", "RNG", "TWIN", "Machines", "install", "made"]

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


def made(**options: Any) -> Report:
    return make(LOOKUP, IMAGES, LABELS, arrays=fit.arrays(LOOKUP), int8=TWIN, int8_arrays=fit.arrays(TWIN),
                **{"accuracy": ACCURACY, "simulate_images": 2, **options})
