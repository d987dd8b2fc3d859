"""train.files: scores of runs side by side are all kept."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from lutra.train import files
from lutra.train.data import Data


def test_scores_of_runs_side_by_side_are_all_kept(tmp_path: Path) -> None:
    none = np.zeros((0, 1), np.uint8)
    path, data = tmp_path / "scores.json", Data(name="d", train=none, train_wanted=none, test=none, test_wanted=none)
    names = sorted(f"variant-{number}" for number in range(20))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: files.save_scores(path, data, {"variants": {name: {"golden": 1.0}}}), names))
    assert sorted(files.scores(path)["variants"]) == names
