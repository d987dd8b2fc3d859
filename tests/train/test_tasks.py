"""Tasks: losses and scores by hand."""

import numpy as np
import pytest
import torch

from lutra.train.tasks import Enlarge


def test_the_score_of_enlarged_pictures_is_their_mean_psnr() -> None:
    small = np.full((3, 1, 2, 2), 100.0)
    large = np.repeat(small, 4, axis=1) + np.array([0.0, 10, 20, 30])[:, None, None]
    wanted = np.concatenate([large, small], axis=1) / 255
    outputs = (large - small) / 255
    outputs[0] += 4 / 255   # of the first picture half of the pixels are 4 too light
    outputs[2] -= 10.3 / 255  # all of the second are 10 too dark, once rounded
    wanted[1, :, 1] = np.nan  # and a quarter of the first picture does not exist
    task = Enlarge((2, 1))
    hand = [10 * np.log10(255**2 / (16 * 16 / 24)), 10 * np.log10(255**2 / 100)]
    assert task.pictures(outputs, wanted) == pytest.approx(hand)
    assert task.score(outputs, wanted) == pytest.approx(np.mean(hand))
    assert task.pictures(outputs[:1], wanted[:1]) == pytest.approx([10 * np.log10(255**2 / 16)])
    assert task.shown(33.333) == "33.33 dB"


def test_pixels_are_clamped_before_they_are_compared() -> None:
    wanted = np.full((1, 5, 1, 1), 250 / 255)
    assert Enlarge((1,)).score(np.full((1, 4, 1, 1), 90 / 255), wanted) == pytest.approx(20 * np.log10(255 / 5))


def test_half_of_what_is_taught_is_the_teachers() -> None:
    wanted = torch.zeros(1, 5, 1, 1)
    wanted[:, :4] = 0.5
    y, teacher = torch.full((1, 4, 1, 1), 0.25), torch.full((1, 4, 1, 1), 0.35)
    assert Enlarge((1,)).loss(y, wanted).item() == pytest.approx(0.0625)
    assert Enlarge((1,)).taught(y, teacher, wanted).item() == pytest.approx((0.0625 + 0.01) / 2)
