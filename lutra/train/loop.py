"""One training loop for every stage: AdamW with a one-cycle rate, checkpoints that resume, a stop at nonsense."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lutra_model.files import write_whole

from .augment import augmented
from .data import Data

__all__ = ["Loss", "Progress", "Schedule", "batches", "fit"]

Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast a stage trains.

    ``warmup`` is the part of the steps in which the rate rises. ``shift`` is the largest random shift of an image
    in pixels, with half of the images flipped; None leaves inputs as they are.
    """

    epochs: int
    rate: float
    batch: int = 128
    decay: float = 0.01
    warmup: float = 0.25
    shift: int | None = None


def batches(data: Data, schedule: Schedule, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of batches in random order; a short last batch is left out."""
    order = torch.randperm(len(data.train)).numpy()
    for start in range(0, len(order) - schedule.batch + 1, schedule.batch):
        chosen = order[start:start + schedule.batch]
        x = data.tensor(data.train[chosen])
        x = x if schedule.shift is None else augmented(x, schedule.shift)
        yield x.to(device), torch.from_numpy(data.train_wanted[chosen]).to(device)


class _Checkpoint:
    """The state of a stage in a file, whole at any moment; ``identity`` says of which stage it is."""

    def __init__(self, path: Path, identity: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
        self.path, self.identity, self.parts = path, dict(identity), parts

    def read(self) -> tuple[int, float]:
        """Take the state, if there is one; the epochs done, and the seconds they took."""
        if not self.path.exists():
            return 0, 0.0
        state = torch.load(self.path, weights_only=True, map_location="cpu")
        if (found := state.get("identity")) != self.identity:
            name = next(name for name in self.identity if found is None or found.get(name) != self.identity[name])
            raise ValueError(f"checkpoint {self.path} must be of {name} {self.identity[name]}, not "
                             f"{(found or {}).get(name)}: remove it, or train in another folder")
        torch.set_rng_state(state["random"])
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        return state["done"], state["seconds"]

    def write(self, done: int, seconds: float) -> None:
        """Keep the state after so many epochs, which took so long."""
        state = {name: part.state_dict() for name, part in self.parts.items()} | {
            "identity": self.identity, "done": done, "seconds": seconds, "random": torch.get_rng_state()}
        write_whole(self.path, lambda beside: torch.save(state, beside))


def fit(net: nn.Module, data: Data, schedule: Schedule, loss: Loss, checkpoint: Path, *,
        groups: list[dict[str, Any]] | None = None, identity: Mapping[str, Any] | None = None,
        progress: Progress | None = None, device: torch.device | None = None) -> float:
    """Train in place for the schedule's epochs; the last epoch counts, none is picked by its test score.

    Parameters
    ----------
    loss : of the network, a batch of inputs and what is wanted of them.
    checkpoint : file that the state is kept in after every epoch; where it exists, training goes on from it.
    groups : the optimiser's parameter groups, each with its highest rate ``lr``; all parameters at the schedule's.
    identity : plain values that a checkpoint must have been made with.
    progress : called with what runs, batches done and batches in all.

    Returns the seconds that all epochs took, those of earlier calls too. Raises ``ValueError`` for a checkpoint of
    something else, and where the loss is no number any more: the checkpoint of the last whole epoch is kept then.
    """
    device = device or torch.device("cpu")
    net.to(device)
    optimiser = torch.optim.AdamW(groups or [{"params": list(net.parameters()), "lr": schedule.rate}],
                                  weight_decay=schedule.decay)
    steps = len(data.train) // schedule.batch
    if steps == 0:
        raise ValueError(f"a batch must have at most the {len(data.train)} inputs that there are to train on, "
                         f"not {schedule.batch}")
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, [group["lr"] for group in optimiser.param_groups],
                                                total_steps=steps * schedule.epochs, pct_start=schedule.warmup)
    kept = _Checkpoint(checkpoint, {**(identity or {}), "schedule": repr(schedule)},
                       {"net": net, "optimiser": optimiser, "cycle": cycle})
    first, before = kept.read()
    start = time.monotonic() - before
    for epoch in range(first, schedule.epochs):
        net.train()
        for number, (x, wanted) in enumerate(batches(data, schedule, device), start=1):
            optimiser.zero_grad(set_to_none=True)
            value = loss(net, x, wanted)
            if not math.isfinite(value.item()):
                raise ValueError(f"the loss of {checkpoint.stem} must be a number, not {value.item()} in epoch "
                                 f"{epoch + 1}: lower the rate of {schedule.rate:g}"
                                 + (f"; {checkpoint} holds epoch {epoch}" if epoch else ""))
            value.backward()
            optimiser.step()
            cycle.step()
            if progress is not None:
                progress(f"training {checkpoint.stem}", epoch * steps + number, schedule.epochs * steps)
        kept.write(epoch + 1, time.monotonic() - start)
    net.eval()
    return time.monotonic() - start
