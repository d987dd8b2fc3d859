"""model.activity: counts, sums, rates, and files."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lutra_model.activity import PORTS, Activity, NetworkActivity, OperationActivity, load, parse, toggled

FIRST = OperationActivity("a", "a", "product", "lookup",
                          Activity({"encoder.data": (80, 8), "cells.symbols": (100, 25)}))
SECOND = OperationActivity("b", "b", "pool", "lookup",
                           Activity({"encoder.data": (20, 12), "adds.terms": (100, 0)}))
THIRD = OperationActivity("c", "c", "product", "mac", Activity({"cells.symbols": (30, 3), "cells.operands": (10, 1)}))
NETWORK = NetworkActivity("net", 3, (FIRST, SECOND, THIRD))


def test_rates_are_toggles_over_bits_of_all_ports_of_a_component() -> None:
    assert NETWORK.toggles == {"lookup": {"encoder": (8 + 12) / (80 + 20), "cells": 0.25, "adds": 0.0},
                               "mac": {"cells": 0.1}}
    assert NETWORK.total["lookup"].ports == {"encoder.data": (100, 20), "adds.terms": (100, 0),
                                             "cells.symbols": (100, 25)}


def test_counts_are_in_the_order_of_the_ports_and_those_without_bits_are_left_out() -> None:
    counts = np.zeros((len(PORTS), 2), np.int64)
    counts[3] = [7, 2]
    counts[5] = [9, 0]
    assert Activity.of(counts).ports == {list(PORTS)[3]: (7, 2), list(PORTS)[5]: (9, 0)}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_toggled_is_a_count_bit_by_bit(seed: int) -> None:
    bits = np.random.default_rng(seed).integers(0, 2, (20, 70))
    words = [int("".join(map(str, row)), 2) for row in bits.tolist()]
    assert toggled(words) == sum(a != b for before, row in pairwise(bits)
                                 for a, b in zip(before, row, strict=True))


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_text(json.dumps(NETWORK.as_dict()))
    assert load(path) == NETWORK


@pytest.mark.parametrize(("change", "message"), [
    ({"format": "other"}, 'a.json: format must be lutra-activity-1, not "other"'),
    ({"inputs": 0}, "a.json: network must be a text, inputs a number of at least 1, operations a list"),
    ({"operations": [{"name": "x"}]},
     "a.json: operation 0 must have exactly name, node, kind, engine and activity, an object"),
    ({"operations": [{"name": 1, "node": "", "kind": "", "engine": "", "activity": {}}]},
     "a.json: operation 0: name must be a text, not 1"),
    ({"operations": [{"name": "", "node": "", "kind": "", "engine": "", "activity": {"nose.data": [1, 1]}}]},
     f"a.json: operation 0: port nose.data is not known; known are {', '.join(PORTS)}"),
    ({"operations": [{"name": "", "node": "", "kind": "", "engine": "", "activity": {"encoder.data": [1, 2]}}]},
     "a.json: operation 0: encoder.data must be [bits, toggles], at least 1 bit and no more toggles than bits, "
     "not [1, 2]")])
def test_bad_files_are_answered_with_one_sentence(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse(json.dumps(NETWORK.as_dict() | change), "a.json")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    with pytest.raises(ValueError, match=f"^activity file {re.escape(str(path))} cannot be read: No such file"):
        load(path)
    with pytest.raises(ValueError, match=r"^b\.json: line 1 must be JSON"):
        parse("{", "b.json")
