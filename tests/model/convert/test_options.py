"""model.convert: lengths, seeds, progress and provenance; bad data and bad options."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lutra_model import netfile
from lutra_model.convert import convert, sub_vector_length
from lutra_model.graph import Affine
from lutra_model.network import Window
from lutra_model.params import Metric
from lutra_model.places import Places
from lutra_model.schemes import SCHEMES
from tests.model.convert.models import VECTOR, residual
from tests.model.onnx_text import random, written


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    model, x = residual(tmp_path, 5)
    for name, seed in [("one", 0), ("two", 0), ("other", 1)]:
        netfile.save(convert(model, x[:40], seed=seed), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "other").read_bytes()


@pytest.mark.parametrize(("kernel", "channels", "groups", "length"), [
    ((3, 3), 16, 1, 9), ((3, 3), 4, 1, 9), ((3, 3), 3, 1, 3), ((3, 3), 1, 1, 3), ((5, 5), 16, 1, 5), ((1, 3), 8, 1, 3),
    ((1, 1), 16, 1, 4), (None, 64, 1, 4), ((3, 3), 1, 8, 9), ((7, 7), 1, 8, 7), ((1, 5), 1, 8, 5), ((3, 3), 4, 2, 9),
    ((1, 1), 2, 4, 2), ((1, 1), 8, 4, 4)])
def test_default_sub_vector_lengths(kernel: tuple[int, int] | None, channels: int, groups: int, length: int) -> None:
    size = channels * (kernel[0] * kernel[1] if kernel else 1)
    step = Affine(name="a", inputs=("input",), tensor="a", places=Places.channels_first((8, 1, 1)), groups=groups,
                  weight=np.zeros((size, 8)), bias=np.zeros(8), window=Window(kernel=kernel) if kernel else None)
    assert sub_vector_length(step) == length


@pytest.mark.parametrize(("lengths", "expected"), [(None, [3, 9, 4, 4]), (5, [5, 5, 5, 5]), ({"d": 6}, [3, 6, 4, 4])])
def test_lengths_can_be_chosen(lengths: Mapping[str, int] | int | None, expected: list[int], tmp_path: Path) -> None:
    model, x = residual(tmp_path, 6)
    network = convert(model, x[:20], lengths=lengths)
    assert [layer.length for layer in network.layers()] == expected
    assert [layer.reduction for layer in network.layers()] == [27, 54, 6, 20]


def test_the_network_tells_where_it_comes_from(tmp_path: Path) -> None:
    model, x = residual(tmp_path, 8)
    network = convert(model, x[:20], scheme="lut-nn", entries=8, metric=Metric.L1, seed=4, name="mine",
                      pixel_scale=1 / 255, classes=("a", "b", "c", "d"))
    assert (network.name, network.pixel_scale, network.classes) == ("mine", 1 / 255, ("a", "b", "c", "d"))
    story = dict(network.provenance)
    assert story.pop("model")["file"] == "net.onnx"
    assert story == {"scheme": "lut-nn", "entries": 8, "metric": "l1", "refine": True, "seed": 4,
                     "calibration_inputs": 20}


def test_progress_counts_every_step(tmp_path: Path) -> None:
    model, x = residual(tmp_path, 10)
    seen: list[tuple[str, int, int]] = []
    network = convert(model, x[:10], scheme="int8", progress=lambda *step: seen.append(step))
    count = len(network.nodes)
    assert seen == [("converting to int8", done, count) for done in range(1, count + 1)]


@pytest.mark.parametrize(("change", "sentence"), [
    (lambda x: x[:0], "calibration data must hold at least one input, not 0"),
    (lambda x: np.where(x == x.max(), np.nan, x), "calibration data must be finite, but it holds NaN or infinity"),
    (lambda x: np.where(x == x.max(), np.inf, x), "calibration data must be finite, but it holds NaN or infinity"),
    (lambda x: x.astype(np.float64) * 1e300, "calibration data must be finite, but it holds NaN or infinity"),
    (lambda x: np.sign(x) * np.float32(3.3e38),
     "the model's tensor y must be finite, but calibration makes it NaN or infinite"),
    (lambda x: x[:, 1:], "calibration data must have shape (batch, 8), not (40, 7)"),
    (lambda x: x[0], "calibration data must have shape (batch, 8), not (8,)"),
    (lambda x: x.astype(np.uint8), "calibration data must be floating point, not uint8"),
    (lambda x: x[:15], "layer y must see at least 16 calibration vectors (one for each entry), not 15")])
def test_bad_calibration_data_is_refused(change: Any, sentence: str, tmp_path: Path) -> None:
    model = written(tmp_path, VECTOR, random(13, {"w": (8, 3), "b": (3,)}))
    x = np.random.default_rng(13).normal(size=(40, 8)).astype(np.float32)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        convert(model, change(x))


@pytest.mark.parametrize(("options", "sentence"), [
    ({"scheme": "none"}, f"scheme must be {', '.join(SCHEMES)}, not none"),
    ({"entries": 1}, "entries must be 2 to 256, not 1"),
    ({"entries": 257}, "entries must be 2 to 256, not 257"),
    ({"lengths": {"z": 3}}, "lengths must name layers (y), not z"),
    ({"lengths": 0}, "sub-vectors of layer y must have at least 1 scalar, not 0"),
    ({"metric": "cosine"}, "metric must be l2, l1, chebyshev or tree, not cosine")])
def test_bad_options_are_refused(options: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    model = written(tmp_path, VECTOR, random(14, {"w": (8, 3), "b": (3,)}))
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        convert(model, np.zeros((40, 8), np.float32), **options)
