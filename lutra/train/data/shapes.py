"""Point clouds of furniture: meshes of Sweet Home 3D's catalogues, sorted into classes by their names."""

import re
import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .base import Data
from .images import present

__all__ = ["RULES", "class_of", "mesh", "points"]

NEVER = re.compile(r"tablet|table fan|bat$|wheelchair|abdominal|workbench|doormat|indoor bike")
RULES = {  # the first that is found in a shape's name; what none is found in is left out
    "lamp": r"lamp|light|lantern",
    "plant": r"acacia|bamboo|\btree|plant|\bpine|\bbush|cactus|cypress|ficus|flower|hedge|maple|orchid|beech|"
             r"peach|poplar|spathi|tulip|lily|yucca",
    "bed": r"\bbed\b|\bcrib\b",
    "sofa": r"sofa|couch|futon",
    "car": r"sedan|ford|peugeot|renault|suv|leon|smart car|beetle|\bvan\b|chevrolet|truck|\bbus\b|car model",
    "cycle": r"bike|bicycle|tricycle|scooter|yamaha",
    "person": r"male|\bboy|\bgirl|mannequin",
    "cabinet": r"cabinet|cupboard|wardrobe|bookcase|shelves|dresser|locker",
    "table": r"\btable|\bdesk",
    "chair": r"chair|stool|bench|\bseat\b",
    "socket": r"\bplug\b|wall.* socket|switch",
    "door": r"door|french window|window\b(?! blind| shutter)",
    "vessel": r"bottle|\bglass$|\bcup$|\bmug\b|vase|\bbowl|\bjar\b|\bpot$|teapot|flacon",
}
SPOT = re.compile(rb"^v[ \t]+(\S+[ \t]+\S+[ \t]+\S+)", re.M)
FACE = re.compile(rb"^f[ \t]+([^\r\n]*)", re.M)
BESIDES = re.compile(rb"/\S*")  # of a corner: texture and normal
POINTS = 256
COPIES = {"train": 16, "test": 4}  # clouds of one shape, each of other points and turned otherwise
SEED = 1

Real = NDArray[np.float64]


def class_of(name: str) -> int | None:
    """The class of a shape by its English name, or None."""
    lower = name.lower()
    if NEVER.search(lower):
        return None
    return next((number for number, rule in enumerate(RULES.values()) if re.search(rule, lower)), None)


def mesh(text: bytes) -> Real:
    """Triangles ``(count, corner, axis)`` of an OBJ file; a face of more corners is a fan."""
    spots = np.array(b" ".join(SPOT.findall(text)).split(), np.float64).reshape(-1, 3)
    faces = [line.split() for line in BESIDES.sub(b"", b"\n".join(FACE.findall(text))).split(b"\n")]
    sizes = np.array([*map(len, faces)])
    corners, starts = np.array([*chain.from_iterable(faces)], np.int64), np.cumsum(sizes) - sizes
    fans = np.repeat(starts, sizes - 2)
    step = np.arange(len(fans)) - np.repeat(np.cumsum(sizes - 2) - (sizes - 2), sizes - 2)
    index = corners[np.stack([fans, fans + step + 1, fans + step + 2], 1)]
    return spots[np.where(index < 0, index + len(spots), index - 1)]


def _clouds(triangles: Real, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Points drawn evenly from the surface, ``(count, POINTS, 1, 3)``: each cloud fits into the sphere of radius 1.

    Each is turned about the upright axis at random.
    """
    one, other = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    areas = np.linalg.norm(np.cross(one, other), axis=1)
    chosen = rng.choice(len(areas), (count, POINTS), p=areas / areas.sum())
    along = rng.random((2, count, POINTS, 1))
    along = np.where(along.sum(0) > 1, 1 - along, along)
    found = triangles[chosen, 0] + along[0] * one[chosen] + along[1] * other[chosen]
    found -= (found.min(1, keepdims=True) + found.max(1, keepdims=True)) / 2
    angle = 2 * np.pi * rng.random((count, 1))
    (x, y, z), cosine, sine = np.moveaxis(found, 2, 0), np.cos(angle), np.sin(angle)
    turned = np.stack([cosine * x - sine * z, y, sine * x + cosine * z], 2)
    return (turned / np.linalg.norm(turned, axis=2).max(1)[:, None, None]).astype(np.float32)[:, :, None]


def _shapes(path: Path) -> Iterator[tuple[int, Real]]:
    """Class and triangles of a catalogue's shapes."""
    with zipfile.ZipFile(path) as file:
        lines = file.read("PluginFurnitureCatalog.properties").decode("latin-1").splitlines()
        known = dict(line.split("=", 1) for line in lines if "=" in line and line[:1] != "#")
        for key, name in known.items():
            what, _, number = key.partition("#")
            if what != "name" or (label := class_of(name)) is None or f"model#{number}" not in known:
                continue
            turn = np.array(known.get(f"modelRotation#{number}", "1 0 0 0 1 0 0 0 1").split(), np.float64)
            yield label, mesh(file.read(known[f"model#{number}"].strip().lstrip("/"))) @ turn.reshape(3, 3).T


def points(folder: Path) -> Data:
    """Clouds ``(POINTS, 1, 3)`` float32, the second axis upright; a quarter of each class's shapes to test on."""
    where = present("points", folder)
    shapes = [shape for path in sorted(where.glob("*.sh3f")) for shape in _shapes(path)]
    labels, rng = np.array([label for label, _ in shapes], np.int64), np.random.default_rng(SEED)
    if len(counts := np.unique(labels)) < len(RULES):
        raise ValueError(f"{where} must hold catalogues with shapes of all {len(RULES)} classes, not of {len(counts)}")
    rank = np.empty(len(labels))  # of a shape in its class, in random order, as a part of 1
    for label in range(len(RULES)):
        mine = rng.permutation(np.flatnonzero(labels == label))
        rank[mine] = np.arange(len(mine)) / len(mine)
    parts = {"train": np.flatnonzero(rank >= 0.25), "test": np.flatnonzero(rank < 0.25)}
    clouds = {part: np.concatenate([_clouds(shapes[one][1], COPIES[part], rng) for one in chosen])
              for part, chosen in parts.items()}
    wanted = {part: np.repeat(labels[chosen], COPIES[part]) for part, chosen in parts.items()}
    mixed = {part: rng.permutation(len(some)) for part, some in wanted.items()}
    (train, train_wanted), (test, test_wanted) = ((clouds[part][order], wanted[part][order])
                                                  for part, order in mixed.items())
    return Data(name="points", classes=tuple(RULES), train=train, train_wanted=train_wanted, test=test,
                test_wanted=test_wanted, pixel_scale=None,
                source="furniture of Sweet Home 3D 1.8 (CC0, CC BY 3.0); classes by names")
