"""A recipe's run: float training, conversion, training of the converted network, and the files that it leaves."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import onnx
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from lutra_model import netfile
from lutra_model.convert import convert
from lutra_model.files import write_whole
from lutra_model.graph import FloatGraph
from lutra_model.network import Network

from . import files
from .adopt import exported, float_graph
from .data import Data, load
from .graph import Graph
from .loop import Loss, Progress, fit
from .models import MODELS
from .recipes import Recipe, Stage

__all__ = ["Run"]

WEIGHTS = Path(__file__).with_name("weights")
PREPARED = 64  # inputs that layers set their first temperatures from


@dataclass(frozen=True, kw_only=True)
class Run:
    """A recipe with one seed; what its folder already holds is not computed again.

    Parameters
    ----------
    folder : where data sets lie.
    build : where checkpoints, networks and scores go.
    """

    recipe: Recipe
    seed: int
    folder: Path
    build: Path
    device: torch.device
    progress: Progress | None = None

    @cached_property
    def data(self) -> Data:
        """The data set."""
        data = load(self.recipe.data, self.folder)
        return data.first(*self.recipe.limits) if self.recipe.limits else data

    @cached_property
    def calibration(self) -> Tensor:
        """Inputs that scales, centroids and tables are fitted on."""
        return self.data.tensor(self.data.train[:self.recipe.calibration]).contiguous()

    @property
    def scores(self) -> Path:
        """The file of scores."""
        return self.build / f"{self.recipe.name}.json"

    def _fit(self, net: nn.Module, stage: Stage, loss: Loss, name: str, **more: Any) -> float:
        converted = net.network.provenance["conversion"] if isinstance(net, Graph) else {}
        identity = {"recipe": self.recipe.name, "stage": name, "seed": self.seed, **converted}
        return fit(net, self.data, stage.schedule, loss, self.build / f"{name}.pt", identity=identity,
                   progress=self.progress, device=self.device, **more)

    @cached_property
    def teacher(self) -> nn.Module:
        """The trained float network, in evaluation mode."""
        self.build.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(self.seed)
        net, task = MODELS[self.recipe.model](self.data).to(memory_format=torch.channels_last), self.data.task
        if self.recipe.weights:
            net.load_state_dict(load_file(WEIGHTS / self.recipe.weights))
        if self.recipe.dense:
            self._fit(net, Stage(schedule=self.recipe.dense), lambda net, x, wanted: task.loss(net(x), wanted), "float")
        return net.eval()

    @cached_property
    def floats(self) -> FloatGraph:
        """The float network as the converter sees it; its ONNX file and its score are written beside."""
        path, sample = self.build / f"{self.recipe.name}.onnx", self.calibration[:1]
        model = exported(self.teacher, sample)
        write_whole(path, lambda beside: onnx.save(model, beside))
        score = self.data.task.score(files.float_outputs(path, self.data), self.data.test_wanted)
        files.save_scores(self.scores, self.data, {"recipe": self.recipe.name, "seed": self.seed, "float": score})
        return float_graph(self.teacher, sample, self.recipe.name)

    def converted(self, name: str) -> Network:
        """A variant before training; one that lies in the folder and was made alike is taken as it is."""
        path, options = self.build / f"{name}.converted.lutra", self.recipe.variants[name].options
        made = {"options": repr(dict(options)), "calibration": len(self.calibration), "seed": self.seed}
        if path.exists() and (known := netfile.load(path)).provenance.get("conversion") == made:
            return known
        network = convert(self.floats, self.calibration.numpy(), name=f"{self.recipe.name}-{name}", seed=self.seed,
                          classes=self.data.classes, pixel_scale=self.data.pixel_scale, progress=self.progress,
                          **options)
        network.provenance["conversion"] = made
        netfile.save(network, path)
        return netfile.load(path)

    def trained(self, name: str) -> tuple[Network, list[float]]:
        """A variant after all its stages, and the seconds of each."""
        network, variant = self.converted(name), self.recipe.variants[name]
        if not variant.stages:
            return network, []
        torch.manual_seed(self.seed)
        graph = Graph(network, self.floats).eval()
        graph.prepare(self.calibration[:PREPARED])
        seconds = [self._fit(graph, stage, self._taught(graph, stage), f"{name}-{number}",
                             groups=graph.groups(stage.schedule.rate, stage.learns))
                   for number, stage in enumerate(variant.stages, start=1)]
        return graph.cpu().export(), seconds

    def _taught(self, graph: Graph, stage: Stage) -> Loss:
        """The task's loss with the float network as the teacher, and the layers' own errors where the stage asks."""
        task, teacher = self.data.task, self.teacher.to(self.device)
        graph.refer(stage.reconstruct > 0)

        def loss(net: nn.Module, x: Tensor, wanted: Tensor) -> Tensor:
            with torch.no_grad():
                taught = teacher(x)
            found = task.taught(net(x), taught, wanted)
            return found + stage.reconstruct * graph.reconstruction() if stage.reconstruct else found

        return loss

    def variant(self, name: str) -> dict[str, Any]:
        """Make one variant: its network file, and its scores before and after training, which are returned."""
        variant, task = self.recipe.variants[name], self.data.task
        before, (network, seconds) = self.converted(name), self.trained(name)
        network.provenance.update(recipe=self.recipe.name, variant=name, data=self.data.name, seed=self.seed,
                                  command=f"lutra train {self.recipe.name} --variant {name} --seed {self.seed}")
        netfile.save(network, self.build / f"{network.name}.lutra")
        found: dict[str, Any] = {"golden": task.score(files.golden_outputs(network, self.data), self.data.test_wanted),
                                 "epochs": [stage.schedule.epochs for stage in variant.stages],
                                 "seconds": [round(some) for some in seconds], "device": self.device.type,
                                 "threads": torch.get_num_threads(), "claim": variant.claim}
        if variant.stages:
            found["untrained"] = task.score(files.golden_outputs(before, self.data), self.data.test_wanted)
        if variant.real:
            found["converted"] = task.score(files.real_outputs(network, self.data), self.data.test_wanted)
        files.save_scores(self.scores, self.data, {"variants": {name: found}})
        return found

    def all(self, names: Iterable[str] = ()) -> dict[str, Any]:
        """Make the variants of those names, or all; the whole record of scores."""
        assert self.floats
        for name in names or self.recipe.variants:
            self.variant(name)
        return files.scores(self.scores)
