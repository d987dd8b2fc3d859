"""lutra.train: gradients, equality with the golden model, data files, and a whole tiny run."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from lutra_model import golden, netfile
from lutra_model.network import Add, AvgPool, Flatten, MaxPool, Network, Node, Product, Window
from lutra_model.params import Metric

torch = pytest.importorskip("torch")

from lutra.train import datasets, fetch, loop, tune  # noqa: E402
from lutra.train.__main__ import main  # noqa: E402
from lutra.train.graph import Graph, as_golden  # noqa: E402
from lutra.train.nearest import lookup  # noqa: E402
from lutra.train.resnet import ResNet8, folded  # noqa: E402
