"""The functions of the study by name, and the lines of one."""

import numpy as np

from lutra_model.nnlut import functions
from lutra_model.nnlut.functions import FUNCTIONS
from lutra_model.nnlut.net import Lines, lines, net

__all__ = ["TARGETS", "gelu_lines"]

TARGETS = {target.name: target for target in FUNCTIONS}


def gelu_lines() -> Lines:
    at = np.linspace(-4.87, 4.93, 17)
    return lines(net(at, functions.gelu(at)))
