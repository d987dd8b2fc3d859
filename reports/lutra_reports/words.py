"""What a report says in words: spans over technologies, verdicts, and the sentences at its top."""

from collections.abc import Mapping
from typing import Any

from .doubt_words import overall
from .moved_words import moves
from .style import PLACES, times

__all__ = ["headline", "sentences", "span"]


def span(found: Mapping[str, Mapping[str, float]]) -> str:
    """``0.8 to 2.1``: the nominal ratios of several technologies; one number where they agree."""
    ratios = [item["ratio"] for item in found.values()]
    low, high = times(min(ratios)), times(max(ratios))
    return low if low == high else f"{low} to {high}"


def headline(data: Mapping[str, Any], baseline: str, which: str) -> dict[str, Any]:
    """One comparison over all technologies: nominal span, full range, and who wins in how many of them."""
    found = {name: item[baseline][which] for name, item in data["ratios"].items()}
    winners = [item["winner"] for item in found.values()]
    return {"span": span(found), "low": min(item["low"] for item in found.values()),
            "high": max(item["high"] for item in found.values()),
            "winner": winners[0] if len(set(winners)) == 1 else "open",
            "wins": {name: winners.count(name) for name in ("lookup", "mac", "open")}, "of": len(winners)}


def _against_int8(data: Mapping[str, Any], which: str) -> str:
    found = headline(data, "int8", which)
    parts = [text.format(found["wins"][name]) for name, text in (
        ("lookup", "lookup needs less energy in {}"), ("mac", "the MAC array needs less in {}"),
        ("open", "the uncertainty leaves it open in {}")) if found["wins"][name]]
    return (f"Against an INT8 MAC array at least as fast, {PLACES[which]}: {', '.join(parts)} of {found['of']} "
            f"technologies (INT8 MAC over lookup: {found['span']}).")


def _against_fine(data: Mapping[str, Any]) -> str:
    chip, whole = (headline(data, "as_fine", which)["span"] for which in PLACES)
    named = sorted({designs["as_fine"]["name"] for designs in data["energy"].values()})
    return (f"Against an array of weights as fine ({' or '.join(named)}) at least as fast: {chip} times lookup's "
            f"energy on the chip, {whole} with memory outside the chip.")


def _against_float(data: Mapping[str, Any]) -> str:
    chip, whole = ({name: headline(data, name, which)["span"] for name in ("fp16", "fp32")}
                   for which in ("on_chip", "total"))
    return (f"Against FP16 and FP32 on the same schedule: {chip['fp16']} and {chip['fp32']} times less energy "
            f"on the chip, {whole['fp16']} and {whole['fp32']} with memory outside the chip.")


def _largest(data: Mapping[str, Any]) -> str:
    """What the lookup machine spends most on, and how much the memory outside takes."""
    encoder, memory = [], []
    for designs in data["energy"].values():
        parts, chip = designs["lookup"]["components_pj"], designs["lookup"]["on_chip"]["pj"]
        encoder.append((parts["encoder"] + parts["codebooks"]) / chip)
        memory.append(parts["dram"] / designs["lookup"]["total"]["pj"])
    return (f"{data['preparation']} takes {100 * min(encoder):.0f} to {100 * max(encoder):.0f}% of lookup's "
            f"energy on the chip; memory outside the chip is {100 * min(memory):.0f} to {100 * max(memory):.0f}% of "
            "the whole.")


def _binding(data: Mapping[str, Any]) -> str:
    stages = [layer["binding"] for layer in data["layers"]]
    counts = ", ".join(f"{stage} in {stages.count(stage)}" for stage in dict.fromkeys(stages))
    return (f"Stage with the most work, over {len(stages)} layers: {counts}; it is busy in "
            f"{100 * data['binding_busy']:.0f}% of all cycles.")


def _host(data: Mapping[str, Any]) -> str:
    return (f"The host computes {', '.join(data['host'])}: the values' way there and back is charged, the host's own "
            "energy is not.")


def _layers(data: Mapping[str, Any]) -> str:
    """Which machine each product should run on, where all technologies agree."""
    sides: dict[str, list[str]] = {"lookup": [], "mac": []}
    for layer in data["layers"]:
        winners = {item["ratio"]["on_chip"]["winner"] for item in layer["energy"].values()}
        if layer["kind"] == "product" and len(winners) == 1 and winners <= set(sides):
            sides[winners.pop()].append(layer["name"])
    named = {side: ", ".join(names) or "no layer" for side, names in sides.items()}
    return (f"On the chip, every technology's whole range favours lookup for {named['lookup']}; the MAC array for "
            f"{named['mac']}.")


def _workloads(data: Mapping[str, Any]) -> str:
    parts = []
    for name, job in data["workloads"].items():
        chip, whole = (span({technology: item["ratios"]["int8"][which]
                             for technology, item in job["technologies"].items()}) for which in PLACES)
        parts.append(f"{name}: {chip} on the chip, {whole} with memory")
    others = " and, by shape, for other workloads" if len(parts) > 1 else ""
    return f"INT8 MAC over lookup for a batch{others}: {'; '.join(parts)}."


def sentences(data: Mapping[str, Any]) -> list[str]:
    """The findings of a report, one sentence each."""
    known = data["accuracy"]
    found = [_against_int8(data, "on_chip"), _against_int8(data, "total"), _against_float(data), _largest(data),
             _binding(data), _layers(data), _workloads(data)]
    found[2:2] = [overall(data), moves(data)]
    if all("as_fine" in designs for designs in data["energy"].values()):
        found.insert(2, _against_fine(data))
    if data["host"]:
        found.append(_host(data))
    if known["golden"] is not None and known["int8"] is not None:
        found.insert(3, f"Lookup classifies {100 * known['golden']:.2f}% of the test set correctly, INT8 "
                        f"multiplication {100 * known['int8']:.2f}%.")
    return found
