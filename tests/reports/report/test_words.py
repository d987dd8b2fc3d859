"""reports.words: recommendations, doubts, ratios and their winners, as sentences."""

from copy import deepcopy
from typing import Any

import pytest

from lutra_reports.doubt_words import doubts
from lutra_reports.report import Report
from lutra_reports.style import times
from lutra_reports.words import headline, sentences, span


def test_layers_are_recommended_where_all_technologies_agree(report: Report) -> None:
    data = deepcopy(report.data)
    chosen = [("lookup", "lookup"), ("lookup", "lookup"), ("mac", "mac"), ("lookup", "mac")]
    for layer, winners in zip(data["layers"], chosen, strict=True):
        layer["energy"] = {str(place): {"ratio": {"on_chip": {"winner": winner}}}
                           for place, winner in enumerate(winners)}
    assert ("On the chip, every technology's whole range favours lookup for first; the MAC array for second."
            in sentences(data))


def test_constants_that_turn_the_verdict_are_named(report: Report) -> None:
    data = deepcopy(report.data)
    (first, *_), (name, *_) = data["tornado"]["tpuv4i-7"]["total"], data["technologies"]
    assert name == "horowitz-45"
    first["flips"] = True
    chip, whole = doubts(data)
    assert whole.startswith(f"Constants that alone could turn the verdict with memory outside the chip within their "
                            f"uncertainty: {first['name']} (tpuv4i-7)")
    constants = data["tornado"]["horowitz-45"]["on_chip"]
    nearest = min((item for item in constants if item["flip"]), key=lambda item: max(item["flip"], 1 / item["flip"]))
    assert f"{nearest['name']} x {nearest['flip']:.2g} in horowitz-45" in chip


@pytest.mark.parametrize(("value", "text"), [(0.731, "0.73"), (0.999, "1.0"), (1.24, "1.2"), (12.7, "13")])
def test_ratios_in_words(value: float, text: str) -> None:
    assert times(value) == text


def test_a_span_and_its_winner() -> None:
    ratios: dict[str, Any] = {"a": {"int8": {"total": {"ratio": 1.5, "low": 1.2, "high": 1.8, "winner": "lookup"}}},
              "b": {"int8": {"total": {"ratio": 1.1, "low": 0.9, "high": 1.3, "winner": "open"}}}}
    assert span({name: item["int8"]["total"] for name, item in ratios.items()}) == "1.1 to 1.5"
    found = headline({"ratios": ratios}, "int8", "total")
    assert (found["winner"], found["low"], found["high"]) == ("open", 0.9, 1.8)
    assert found["wins"] == {"lookup": 1, "mac": 0, "open": 1}
