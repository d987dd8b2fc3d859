"""A classifier of sentences: the first blocks of a trained BERT encoder, a mean over tokens, a linear layer.

Sentences come embedded, as images of one row with a pixel for each token (`data.sentences`). There is no mask: every
token attends to all tokens, those that fill a short sentence among them, and the mean is over all of them.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from lutra.text.bert import EPSILON, Bert

__all__ = ["Block", "Encoder"]

PARTS = {"query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
         "attended": "attention.output.dense", "attended_norm": "attention.output.LayerNorm",
         "wide": "intermediate.dense", "narrow": "output.dense", "norm": "output.LayerNorm"}


class Block(nn.Module):
    """A block of the encoder (Devlin et al., 2019), its norms behind the residual adds: ``(batch, tokens, hidden)``.

    Parameters
    ----------
    bert : whose weights it starts from. number : of the block there.
    """

    def __init__(self, bert: Bert, number: int) -> None:
        super().__init__()
        self.heads = bert.heads
        for name, part in PARTS.items():
            weight, bias = (torch.from_numpy(bert.weights[f"encoder.layer.{number}.{part}.{which}"].copy())
                            for which in ("weight", "bias"))
            module = nn.Linear(*weight.shape[::-1]) if weight.ndim == 2 else nn.LayerNorm(len(weight), eps=EPSILON)
            module.load_state_dict({"weight": weight, "bias": bias})
            self.add_module(name, module)

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(-1, x.shape[1], self.heads, x.shape[2] // self.heads).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (self._split(self.get_submodule(part)(x)) for part in ("query", "key", "value"))
        shares = torch.softmax(query @ key.transpose(2, 3) / query.shape[3]**0.5, dim=-1)
        context = (shares @ value).transpose(1, 2).reshape(x.shape)
        x = self.attended_norm(x + self.attended(context))
        y: Tensor = self.norm(x + self.narrow(functional.gelu(self.wide(x))))
        return y


class Encoder(nn.Module):
    """The first ``blocks`` blocks of ``bert``, from ``(batch, hidden, 1, tokens)`` to logits ``(batch, classes)``."""

    def __init__(self, bert: Bert, blocks: int, classes: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(bert, number) for number in range(blocks))
        self.classifier = nn.Linear(bert.hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(2).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        y: Tensor = self.classifier(x.mean(dim=1))
        return y
