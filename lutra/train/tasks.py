"""What a network is trained for: the loss, and the score of its answers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

__all__ = ["Classify", "Enlarge", "Task"]

SOFTENING = 3.0  # logits of teacher and pupil are divided by it before they are compared


class Task(ABC):
    """A task; outputs are real, in PyTorch's layout, ``(batch, ...)``.

    unit : of the score, which is the better the larger it is.
    """

    unit: ClassVar[str]

    @abstractmethod
    def loss(self, y: Tensor, wanted: Tensor) -> Tensor:
        """Of a batch of outputs against what the data wants."""

    @abstractmethod
    def taught(self, y: Tensor, teacher: Tensor, wanted: Tensor) -> Tensor:
        """Of a batch of outputs against a teacher's outputs and what the data wants."""

    @abstractmethod
    def score(self, outputs: NDArray[Any], wanted: NDArray[Any]) -> float:
        """Of all outputs of a set."""

    def shown(self, score: float) -> str:
        """A score for people."""
        return f"{score:.2f} {self.unit}"


class Classify(Task):
    """Logits ``(batch, classes)`` and ``int64`` labels; the score is the share of right answers, in percent."""

    unit = "%"

    def loss(self, y: Tensor, wanted: Tensor) -> Tensor:
        """Cross-entropy."""
        return functional.cross_entropy(y, wanted)

    def taught(self, y: Tensor, teacher: Tensor, wanted: Tensor) -> Tensor:
        """Half cross-entropy, half divergence from the teacher's softened answers."""
        answers, taught = (functional.log_softmax(values / SOFTENING, 1) for values in (y, teacher))
        divergence = functional.kl_div(answers, taught, log_target=True, reduction="batchmean") * SOFTENING**2
        return (functional.cross_entropy(y, wanted) + divergence) / 2

    def score(self, outputs: NDArray[Any], wanted: NDArray[Any]) -> float:
        """See :meth:`Task.score`; of equal logits the first counts."""
        return 100 * float(np.mean(outputs.reshape(len(outputs), -1).argmax(axis=1) == wanted))


@dataclass(frozen=True)
class Enlarge(Task):
    """Pictures made twice as large, by tiles.

    Outputs ``(batch, 4, height, width)`` are what the four pixels in place of one differ by from it, in reading order.
    What is wanted, ``(batch, 5, height, width)``, are the four pixels and the one; white is 1, NaN counts nowhere. The
    score is the mean of the pictures' PSNR, of pixels rounded and clamped to 0 to 255.

    Parameters
    ----------
    tiles : of each tested picture, one picture's after the other.
    """

    tiles: tuple[int, ...]
    unit = "dB"

    def loss(self, y: Tensor, wanted: Tensor) -> Tensor:
        """Mean squared error."""
        return functional.mse_loss(y, wanted[:, :4] - wanted[:, 4:])

    def taught(self, y: Tensor, teacher: Tensor, wanted: Tensor) -> Tensor:
        """Half mean squared error, half that against the teacher."""
        return (self.loss(y, wanted) + functional.mse_loss(y, teacher)) / 2

    def score(self, outputs: NDArray[Any], wanted: NDArray[Any]) -> float:
        """See :meth:`Task.score`."""
        return float(np.mean(self.pictures(outputs, wanted)))

    def pictures(self, outputs: NDArray[Any], wanted: NDArray[Any]) -> list[float]:
        """PSNR in dB of each picture of which there are tiles."""
        pixels = np.clip(np.rint(255 * (outputs.astype(np.float64) + wanted[:, 4:])), 0, 255)
        errors = np.square(pixels - 255 * wanted[:, :4].astype(np.float64))
        ends = [end for end in np.cumsum(self.tiles) if end < len(errors)]
        return [float(10 * np.log10(255**2 / np.nanmean(part))) for part in np.split(errors, ends)]
