"""The main job: one network, proved on RTL, priced against the best MAC arrays, as one report."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import NDArray

from lutra_model.activity import NetworkActivity, Toggles
from lutra_model.compare import Comparison, compare, lookup_runs
from lutra_model.fit import main_scheme
from lutra_model.network import Network
from lutra_model.params import Array
from lutra_model.runs import Design, Priced, Run, run, run_programs
from lutra_model.technology import USUAL, Technology, builtin
from lutra_model.workloads import WORKLOADS, Work, of_network, total_macs
from lutra_sim.stages import stages

from . import doubt, estimate
from .evidence import Progress, accuracy_of, simulated
from .levels import level_tables
from .moved import activity_facts, moved
from .provenance import network_facts, technology_facts, tool_versions
from .sweeps import other_encoders, widths

__all__ = ["FORMAT", "Report", "make", "rounded"]

FORMAT = "lutra-report-1"
BATCH = 16


@dataclass(frozen=True)
class Report:
    """A finished report: plain JSON values; figures, tables and the page are drawn from them alone."""

    data: dict[str, Any]


def rounded(value: Any) -> Any:
    """Six significant digits: more would pretend, and fewer bits depend on the machine's libraries."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value


def _summary(works: Sequence[Work], comparisons: Mapping[str, Comparison]) -> dict[str, Any]:
    return {"equivalent_macs": total_macs(works), "layers": sum(work.layer is not None for work in works),
            "technologies": {name: {"designs": estimate.designs(item), "ratios": estimate.ratios(item)}
                             for name, item in comparisons.items()},
            "overall": doubt.ranges(map(estimate.named, comparisons.values()))}


def _workloads(network: Network, works: Sequence[Work], whole: Run, technologies: Sequence[Technology],
               toggles: Mapping[str, Toggles], progress: Progress | None,
               others: Mapping[str, Callable[[], Sequence[Work]]]) -> dict[str, Any]:
    """A batch of the network's inputs, and other networks by their shapes, whose data nobody knows; all by name."""
    name = f"{network.name}, batch of {BATCH}"
    found = {name: _summary(works, compare(
        works, [whole.with_images(BATCH)], technologies, images=BATCH, lookup_toggles=toggles.get("lookup"),
        mac_toggles=toggles.get("int8"), progress=_for(name, progress)))}
    for name, workload in others.items():
        shown, steps = _for(name, progress), workload()
        lookups = lookup_runs(steps, whole.design.array.resized(length=9, entries=16), progress=shown)
        found[name] = _summary(steps, compare(steps, lookups, technologies, progress=shown))
    return found


def _for(name: str, progress: Progress | None) -> Progress | None:
    """The same progress, with a workload's name before what runs."""
    return progress and (lambda what, done, total: progress(f"{name}: {what}", done, total))


def _accuracy(network: Network, images: NDArray[Any], labels: NDArray[Any], int8: Network | None,
              full: Mapping[str, Any] | None) -> dict[str, Any]:
    """The full test set's accuracies where known, and those of the given images, measured now."""
    here: dict[str, Any] = {"count": len(images), "golden": accuracy_of(network, images, labels)}
    if int8:
        here["int8"] = accuracy_of(int8, images, labels)
    known = dict(full or {})
    return {name: known.get(name) for name in ("float", "int8", "converted", "golden")} | {
        "images": here, "full_test_set": known}


def _simulate(network: Network, images: NDArray[Any], arrays: Mapping[str, Array], int8: Network | None,
              int8_arrays: Mapping[str, Array] | None,
              progress: Progress | None) -> tuple[dict[str, Any], dict[str, NetworkActivity]]:
    """What the RTL said of the network and its twin, and what their data do."""
    found = {"lookup": simulated(network, images, arrays, progress)}
    if int8 and int8_arrays:
        found["int8"] = simulated(int8, images, int8_arrays, progress)
    return ({name: facts for name, (facts, _) in found.items()},
            {name: activity for name, (_, activity) in found.items()})


def make(network: Network, images: NDArray[Any], labels: NDArray[Any], *, arrays: Mapping[str, Array],
         int8: Network | None = None, int8_arrays: Mapping[str, Array] | None = None,
         accuracy: Mapping[str, Any] | None = None, simulate_images: int = 10,
         technologies: Sequence[Technology] | None = None, progress: Progress | None = None,
         stamp: str | None = None) -> Report:
    """Prove a network on the RTL, price it, and compare it.

    Parameters
    ----------
    images, labels : inputs and their classes; the first ``simulate_images`` run on the RTL.
    arrays : a machine for each scheme of the network, as ``lutra_model.fit.arrays`` gives it.
    int8, int8_arrays : the multiplying twin and its machines; the same inputs run on their RTL. With them, prices that
        follow the data are those of both networks' own; without them, of the data that the technologies hold for.
    accuracy : accuracies on the full test set: ``float``, ``int8``, ``converted``, ``golden``.
    technologies : the usual ones of those that come with Lutra, if not given.
    progress : told what runs, how much of it is done, and of how much.
    stamp : printed on the report; without it two reports of one network are equal byte for byte.
    """
    own = main_scheme(network)
    if own is None:
        raise ValueError(f"network {network.name} must have a lookup layer to be compared")
    if not 1 <= simulate_images <= len(images):
        raise ValueError(f"images to simulate must be 1 to {len(images)}, not {simulate_images}")
    technologies = technologies or [builtin(name) for name in USUAL]
    works = of_network(network)
    evidence, activity = _simulate(network, images[:simulate_images], arrays, int8, int8_arrays, progress)
    toggles = {name: item.toggles for name, item in activity.items()} if "int8" in activity else {}  # both or neither
    programs = [(stage.source, stage.program) for stage in stages(network, arrays) if stage.program]
    whole = run_programs(Design("lookup", arrays[own], companion=arrays.get("int8")), network, programs)
    levels = max(product.coding.weight_levels for product in network.products)
    comparisons = compare(works, [whole], technologies, weight_levels=levels, lookup_toggles=toggles.get("lookup"),
                          mac_toggles=toggles.get("int8"), progress=progress)
    same: dict[str, Priced] = {}
    if int8_arrays:
        twin = run(Design("int8", int8_arrays["int8"]), works)
        same = {technology.name: twin.priced(technology, toggles["int8"]) for technology in technologies}
    named = {name: estimate.named(item, same.get(name)) for name, item in comparisons.items()}
    nearest = arrays[own].cell.nearest  # the shapes of other workloads, and the sweeps, are those of centroids
    layers = estimate.layers(works, comparisons, evidence["lookup"]["layers"])
    data = {
        "format": FORMAT, "stamp": stamp,
        "network": network_facts(network), "int8_network": network_facts(int8) if int8 else None,
        "scheme": own, "nearest": nearest, "preparation": arrays[own].cell.preparation(arrays[own]),
        "arrays": {scheme: asdict(array) for scheme, array in arrays.items()},
        "bit_exact": all(item["bit_exact"] for item in evidence.values()),
        "cycles_exact": all(item["cycles_exact"] for item in evidence.values()),
        "cycles": evidence["lookup"]["cycles"], "host": evidence["lookup"]["host"],
        "causes": whole.causes, "binding_busy": whole.binding_busy,
        "evidence": evidence,
        "activity": activity_facts(activity), "moved": {name: moved(found) for name, found in named.items()},
        "accuracy": _accuracy(network, images, labels, int8, accuracy),
        "equivalent_macs": total_macs(works),
        "energy": {name: estimate.designs(item, same.get(name)) for name, item in comparisons.items()},
        "ratios": {name: estimate.ratios(item, same.get(name)) for name, item in comparisons.items()},
        "overall": doubt.ranges(named.values()), **doubt.facts(),
        "tornado": {name: doubt.tornados(found["int8"], found["lookup"]) for name, found in named.items()},
        "layers": layers, "level_tables": level_tables(network, works, arrays[own], technologies),
        "workloads": _workloads(network, works, whole, technologies, toggles, progress, WORKLOADS if nearest else {}),
        "encoders": other_encoders(works, comparisons) if nearest else [],
        "widths": widths(arrays[own], technologies) if nearest else [],
        "baselines": estimate.BASELINES,
        "technologies": technology_facts(technologies),
        "tools": tool_versions(),
    }
    return Report(rounded(data))
