"""One training loop for every stage: AdamW with a one-cycle rate, light augmentation, checkpoints that resume."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .datasets import Images

__all__ = ["Loss", "Schedule", "accuracy", "batches", "fit", "pixels"]

Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast a stage trains.

    ``warmup`` is the part of the steps in which the rate rises. ``shift`` is the largest random shift of an image
    in pixels, with half of the images flipped; None leaves images as they are.
    """

    epochs: int
    rate: float
    batch: int = 128
    decay: float = 0.01
    warmup: float = 0.25
    shift: int | None = 2


def pixels(images: NDArray[np.uint8]) -> Tensor:
    """``uint8`` images, channels last, as floats 0 to 1 in PyTorch's shape and channels-last memory."""
    return torch.from_numpy(images.astype(np.float32)).div(255).permute(0, 3, 1, 2)


def _augmented(x: Tensor, shift: int) -> Tensor:
    """Each image flipped or not, and shifted by up to ``shift`` pixels with zeros moving in."""
    count, _, height, width = x.shape
    rows = torch.arange(height) + torch.randint(0, 2 * shift + 1, (count, 1))
    columns = torch.arange(width) + torch.randint(0, 2 * shift + 1, (count, 1))
    columns = torch.where(torch.rand(count, 1) < 0.5, columns, columns.flip(1))
    padded = nn.functional.pad(x, (shift,) * 4).permute(0, 2, 3, 1)
    return padded[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def batches(data: Images, batch: int, shift: int | None) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of batches in random order; a short last batch is left out."""
    order = torch.randperm(len(data.train)).numpy()
    for start in range(0, len(order) - batch + 1, batch):
        chosen = order[start:start + batch]
        x = pixels(data.train[chosen])
        yield x if shift is None else _augmented(x, shift), torch.from_numpy(data.train_labels[chosen])


@torch.no_grad()
def accuracy(net: nn.Module, data: Images, batch: int = 500) -> float:
    """Share of the test images that the network gets right."""
    net.eval()
    answers = [net(pixels(data.test[i:i + batch])).argmax(1) for i in range(0, len(data.test), batch)]
    return float(np.mean(torch.cat(answers).numpy() == data.test_labels))


def fit(net: nn.Module, data: Images, schedule: Schedule, loss: Loss, checkpoint: Path,
        groups: list[dict[str, Any]]) -> None:
    """Train in place for the schedule's epochs; the last epoch counts, no epoch is picked by test accuracy.

    ``groups`` are the optimiser's parameter groups, each with its highest rate ``lr``. A checkpoint is written
    after every epoch; when it exists already, training goes on from there.
    """
    optimiser = torch.optim.AdamW(groups, weight_decay=schedule.decay)
    steps = max(1, len(data.train) // schedule.batch)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, [group["lr"] for group in groups],
                                                total_steps=steps * schedule.epochs, pct_start=schedule.warmup)
    parts = {"net": net, "optimiser": optimiser, "cycle": cycle}
    done = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        done = state["done"]
        torch.set_rng_state(state["random"])
        for name, part in parts.items():
            part.load_state_dict(state[name])
    for epoch in range(done, schedule.epochs):
        start, total = time.monotonic(), 0.0
        net.train()
        for x, labels in batches(data, schedule.batch, schedule.shift):
            optimiser.zero_grad(set_to_none=True)
            value = loss(net, x, labels)
            value.backward()
            optimiser.step()
            cycle.step()
            total += value.item()
        torch.save({name: part.state_dict() for name, part in parts.items()}
                   | {"done": epoch + 1, "random": torch.get_rng_state()}, checkpoint)
        print(f"epoch {epoch + 1}/{schedule.epochs}: loss {total / steps:.4f}, test accuracy "
              f"{accuracy(net, data):.4f}, {time.monotonic() - start:.0f} s", flush=True)
    net.eval()
