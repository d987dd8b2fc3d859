"""The network file: a safetensors container; docs/network-file.md describes it to the byte."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from . import network as kinds
from .codings import CODINGS, Coding
from .files import write_whole
from .network import Network, Node, Window
from .params import Metric
from .piecewise import Piecewise

__all__ = ["FORMAT", "VERSION", "load", "save"]

FORMAT = "lutra-network"  # the one metadata key: more than one has no fixed order
VERSION = 2  # in files of version 1 a product was multiplied, or had centroids and a metric
KINDS = {kind.__name__.lower(): kind for kind in
         (kinds.Product, kinds.Add, kinds.MaxPool, kinds.AvgPool, kinds.Clamp, kinds.Flatten, kinds.Concat,
          kinds.Channels, kinds.Elementwise, kinds.MatMul, kinds.Multiply, kinds.Permute, kinds.Softmax,
          kinds.Function, kinds.RowSoftmax, kinds.LayerNorm)}
DTYPES: dict[type[Node], dict[str, type[np.generic]]] = {
    kinds.Product: {"table": np.int8, "bias": np.int32, "multiplier": np.uint16, "shift": np.uint8,
                    "table_scale": np.float64},
    kinds.Elementwise: {"table": np.int8}, kinds.Permute: {"order": np.int32},
    kinds.Softmax: {"exponentials": np.int32},
    kinds.LayerNorm: {"bias": np.int32, "multiplier": np.int32, "shift": np.uint8}}  # arrays as they lie in the file
TABLES: dict[type[Node], tuple[str, ...]] = {  # functions, each one tensor of the words of its slot
    kinds.Product: ("function",), kinds.Function: ("function",), kinds.RowSoftmax: ("exponential", "reciprocal"),
    kinds.LayerNorm: ("root",)}
WIDE = ("bias", "multiplier", "shift", "order", "exponentials")  # int64 in memory


def _attributes(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": type(node).__name__.lower()}
    for item in dataclasses.fields(node):
        value = getattr(node, item.name)
        default = item.name == "groups" and value == 1  # as files were before there were groups
        if isinstance(value, Coding):
            found[item.name] = {"kind": value.kind} | {
                part.name: getattr(value, part.name) for part in dataclasses.fields(value)
                if part.name not in value.ARRAYS and (part.name != "by_tap" or value.runs)}
        elif not isinstance(value, np.ndarray | Piecewise) and value is not None and not default:
            found[item.name] = dataclasses.asdict(value) if isinstance(value, Window) else value
    return found


def _arrays(node: Node) -> dict[str, Any]:
    """The arrays of a node, and of its coding, as they lie in the file."""
    found = {name: np.ascontiguousarray(getattr(node, name), dtype)
             for name, dtype in DTYPES.get(type(node), {}).items() if getattr(node, name) is not None}
    found |= {name: np.array(getattr(node, name).words(), np.uint32)
              for name in TABLES.get(type(node), ()) if getattr(node, name) is not None}
    if isinstance(node, kinds.Product):
        found |= {name: np.ascontiguousarray(getattr(node.coding, name), dtype)
                  for name, dtype in node.coding.ARRAYS.items()}
    return found


def save(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network; an existing file is replaced only once the new one is whole."""
    tensors = {f"{node.name}/{name}": array for node in network.nodes for name, array in _arrays(node).items()}
    head = {item.name: getattr(network, item.name) for item in dataclasses.fields(network) if item.name != "nodes"}
    head |= {"version": VERSION, "nodes": [_attributes(node) for node in network.nodes]}
    content = to_bytes(tensors, {FORMAT: json.dumps(head, sort_keys=True)})
    write_whole(path, lambda part: part.write_bytes(content))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _tensor(tensors: dict[str, Any], node: str, name: str, dtype: type[np.generic]) -> Any:
    key = f"{node}/{name}"
    if tensors[key].dtype != dtype:
        raise ValueError(f"tensor {key} must be {np.dtype(dtype)}, not {tensors[key].dtype}")
    return tensors[key].astype(np.int64) if name in WIDE else tensors[key]


def _coding(fields: dict[str, Any], tensors: dict[str, Any]) -> Coding:
    name = fields["name"]
    if "coding" not in fields:  # version 1
        metric = fields.pop("metric")
        looks_up = f"{name}/centroids" in tensors
        fields["coding"] = {"kind": "nearest", "metric": metric, "label": "lut-nn"} if looks_up else {"kind": "plain"}
    plain = {key: _tuples(value) for key, value in fields["coding"].items()}
    coding = CODINGS[plain.pop("kind")]
    if "metric" in plain:
        plain["metric"] = Metric(plain["metric"])
    return coding(**plain, **{key: _tensor(tensors, name, key, dtype) for key, dtype in coding.ARRAYS.items()})


def _node(fields: dict[str, Any], tensors: dict[str, Any]) -> Node:
    fields = {name: _tuples(value) for name, value in fields.items()}
    kind = KINDS[fields.pop("kind")]
    if fields.get("window") is not None:
        fields["window"] = Window(**{name: _tuples(value) for name, value in fields["window"].items()})
    if kind is kinds.Product:
        fields["coding"] = _coding(fields, tensors)
    fields |= {name: _tensor(tensors, fields["name"], name, dtype) for name, dtype in DTYPES.get(kind, {}).items()}
    for name in TABLES.get(kind, ()):
        if f"{fields['name']}/{name}" in tensors or kind is not kinds.Product:
            fields[name] = Piecewise.of_words(_tensor(tensors, fields["name"], name, np.uint32))
    return kind(**fields)


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network file.

    Raises ``ValueError`` for a file that is no network file, is damaged, or is of another version.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"network file {path} must exist")
    try:
        with safe_open(path, framework="numpy") as archive:
            metadata = archive.metadata() or {}
            tensors = {name: archive.get_tensor(name) for name in archive.keys()}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} must be a whole Lutra network file, but it cannot be read: {error}") from None
    if FORMAT not in metadata:
        raise ValueError(f"{path} must be a Lutra network file, but it has no {FORMAT} header")
    try:
        head = json.loads(metadata[FORMAT])
        if head["version"] not in range(1, VERSION + 1):
            raise ValueError(f"{path} must have version {VERSION}, not {head['version']}")
        del head["version"]
        nodes = tuple(_node(fields, tensors) for fields in head.pop("nodes"))
        return Network(**{name: _tuples(value) if name != "provenance" else value for name, value in head.items()},
                       nodes=nodes)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} must be a whole Lutra network file, but its header is damaged: {error}") from None
