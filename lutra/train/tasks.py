"""What a network is trained for: the loss, and the score of its answers."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

__all__ = ["Classify", "Task"]

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
