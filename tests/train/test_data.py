"""Data sets from files of the same shape as the packages'."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lutra.train.data import load, photographs, shapes, speech
from lutra.train.models import Espcn


def digits(folder: Path, count: int = 700) -> tuple[np.ndarray, np.ndarray]:
    """Recordings of 3 to 90 frames."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 91, count)
    frames = rng.normal(np.arange(13) * 10, 1 + np.arange(13), (lengths.sum(), 13)).astype(np.float32)
    (folder / "spoken-digits").mkdir(parents=True)
    np.savez(folder / "spoken-digits" / "digits.npz", X=frames, y=np.arange(count) % 10, lengths=lengths)
    return frames, lengths


def test_spoken_digits_are_padded_cropped_and_normalised(tmp_path: Path) -> None:
    frames, lengths = digits(tmp_path)
    data = load("spoken-digits", tmp_path)
    assert data.train.shape == (700 - speech.TEST, speech.FRAMES, 1, 13)
    assert data.test.shape == (speech.TEST, speech.FRAMES, 1, 13)
    images = np.concatenate([data.train, data.test])[:, :, 0]
    order = np.random.default_rng(speech.SEED).permutation(700)
    order = np.concatenate([order[speech.TEST:], order[:speech.TEST]])
    assert np.array_equal(np.concatenate([data.train_wanted, data.test_wanted]), order % 10)
    heard = np.isin(np.repeat(np.arange(700), lengths), order[:700 - speech.TEST])
    ends = np.cumsum(lengths)
    for image, number in zip(images, order, strict=True):
        one = (frames[ends[number] - lengths[number]:ends[number]] - frames[heard].mean(0)) / frames[heard].std(0)
        kept = min(len(one), speech.FRAMES)
        assert np.allclose(image[:kept], one[:kept], atol=1e-5)
        assert not image[kept:].any()


def test_too_few_recordings_are_refused(tmp_path: Path) -> None:
    digits(tmp_path, 500)
    with pytest.raises(ValueError, match=r"digits\.npz must hold more than 600 recordings and all their frames, not "
                                         r"500 with \d+ frames of \d+$"):
        load("spoken-digits", tmp_path)


def drawn(folder: Path, names: tuple[str, ...] = (*photographs.TESTED, "other", "logo")) -> None:
    """Small pictures of odd sizes."""
    rng = np.random.default_rng(0)
    (folder / "pictures").mkdir(parents=True)
    for number, name in enumerate(names):
        colours = rng.integers(0, 256, (95 + number, 170 - number, 3), np.uint8)
        Image.fromarray(colours).save(folder / "pictures" / f"{name}.png")


def test_tiles_of_a_picture_are_all_of_it_and_a_network_sees_them_as_the_whole(tmp_path: Path) -> None:
    drawn(tmp_path)
    data = load("pictures", tmp_path)
    halo, tile = photographs.HALO, photographs.TILE
    assert len(data.train) == photographs.TILES  # of the one picture that is neither tested on nor left out
    assert not np.isnan(data.train_wanted).any()
    assert data.task.tiles == (6, 6, 6, 6)  # 47 or 49 x 83 to 85 small pixels
    first = data.test_wanted[:6].reshape(2, 3, 5, tile, tile).transpose(2, 0, 3, 1, 4).reshape(5, 2 * tile, 3 * tile)
    colours = np.asarray(Image.open(tmp_path / "pictures" / "astronaut.png"))[:94].astype(float)
    light = np.rint(16 + (65.481 * colours[..., 0] + 128.553 * colours[..., 1] + 24.966 * colours[..., 2]) / 255)
    shuffled = torch.pixel_shuffle(torch.from_numpy(first[:4, :47, :85]), 2)[0]
    assert np.array_equal(np.rint(255 * shuffled.numpy()), light)
    assert np.isnan(first[:, 47:]).all()
    assert np.isnan(first[:, :, 85:]).all()
    small = np.rint(255 * first[4, :47, :85])
    whole = np.pad(small, halo, mode="edge").astype(np.float32)
    torch.manual_seed(0)
    net = Espcn().eval()
    with torch.no_grad():
        wanted = net(torch.from_numpy((whole - 128) / 128)[None, None])[0]
        tiles = net(data.tensor(data.test[:6])).view(2, 3, 4, tile, tile).permute(2, 0, 3, 1, 4)
    tiles = tiles.reshape(4, 2 * tile, 3 * tile)
    assert torch.allclose(tiles[:, :47, :85], wanted, atol=1e-5)


def test_what_is_known_of_bicubic_enlargement(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for name in photographs.TESTED:
        Image.fromarray(np.full((60, 60, 3), 90, np.uint8)).save(tmp_path / "pictures" / f"{name}.png")
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8)[:, None, None] * 3, (64, 64, 3))
    Image.fromarray(np.ascontiguousarray(ramp)).save(tmp_path / "pictures" / "rocket.png")
    with np.errstate(divide="ignore"):
        found = photographs.bicubic(tmp_path)
    assert found["astronaut"] == np.inf
    assert 40 < found["rocket"] < np.inf  # a ramp is kept but for rounding and its ends


def test_missing_pictures_are_named(tmp_path: Path) -> None:
    drawn(tmp_path, ("astronaut", "chelsea", "rocket", "other"))
    with pytest.raises(ValueError, match=r"pictures must hold the pictures astronaut, chelsea, coffee, rocket, but "
                                         "there is no coffee$"):
        load("pictures", tmp_path)


CUBE = b"""# a box of 2 x 4 x 6
v -1 -2 -3\nv 1 -2 -3\nv 1 2 -3\nv -1 2 -3\r\nv -1 -2 3\nv 1 -2 3\nv 1 2 3\nv -1 2 3
vn 0 0 1\nvt 0 0\ng box\nusemtl red
f 1//1 2//1 3//1 4//1\nf -4 -3 -2 -1\nf 1/1 2/1 6/1\nf 1/1/1 6/1/1 5/1/1\nf 4 3 7 8\nf 1 4 8 5\r\nf 2 3 7 6
"""


def test_a_mesh_is_its_triangles() -> None:
    triangles = shapes.mesh(CUBE)
    one, other = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    assert len(triangles) == 12
    assert np.linalg.norm(np.cross(one, other), axis=1).sum() / 2 == pytest.approx(2 * (2 * 4 + 4 * 6 + 6 * 2))
    assert np.array_equal(triangles.reshape(-1, 3).max(0), [1, 2, 3])


@pytest.mark.parametrize(("name", "label"), [
    ("Desk lamp", "lamp"), ("Bedside table", "table"), ("Bed", "bed"), ("Bended coconut tree", "plant"),
    ("Armchair ottoman", "chair"), ("Glass table", "table"), ("Glass", "vessel"), ("Glass door cabinet", "cabinet"),
    ("Seat Leon", "car"), ("Holding female", "person"), ("Wall type A plug", "socket"), ("Motorbike", "cycle"),
    ("Double-hung window", "door"), ("Tablet", None), ("Table tennis bat", None), ("Fork", None)])
def test_classes_follow_from_names(name: str, label: str | None) -> None:
    found = shapes.class_of(name)
    assert (None if found is None else list(shapes.RULES)[found]) == label


NAMES = ("Lamp", "Ficus", "Bed", "Sofa", "Van", "Bike", "Boy", "Wardrobe", "Table", "Chair", "Switch", "Door", "Vase")


def furniture(folder: Path, names: tuple[str, ...] = NAMES) -> None:
    """Four boxes of every name in one catalogue, one shape without a class, one that lies on its back."""
    (folder / "points").mkdir(parents=True)
    with zipfile.ZipFile(folder / "points" / "a.sh3f", "w") as file:
        lines = ["# \u00e9", "id=x", "name=Boxes"]
        for number, name in enumerate([*4 * names, "Spoon"]):
            lines += [f"name#{number}={name}", f"model#{number}=/m/{number}.obj"]
            file.writestr(f"m/{number}.obj", CUBE)
        lines.append("modelRotation#0=1 0 0 0 0 -1 0 1 0")
        file.writestr("PluginFurnitureCatalog.properties", "\n".join(lines).encode("latin-1"))


def test_clouds_lie_on_the_surface_and_shapes_are_split_by_class(tmp_path: Path) -> None:
    furniture(tmp_path)
    data = load("points", tmp_path)
    assert data.train.shape == (39 * 16, shapes.POINTS, 1, 3)
    assert data.test.shape == (13 * 4, shapes.POINTS, 1, 3)
    assert np.bincount(data.train_wanted).tolist() == [48] * 13
    assert np.bincount(data.test_wanted).tolist() == [4] * 13
    clouds = np.concatenate([data.train, data.test])[:, :, 0]
    radii = np.linalg.norm(clouds, axis=2)
    assert np.allclose(radii.max(1), 1)
    high = np.abs(clouds[:, :, 1]).max(1) * np.sqrt(14)  # of half the diagonal
    assert ((high > 1.7) & (high < 2.2)).sum() >= len(clouds) - 16  # a box is 4 high ...
    assert (high > 2.6).sum() in (4, 16)  # ... but for one on its back
    assert len({cloud.tobytes() for cloud in clouds}) == len(clouds)


def test_classes_without_shapes_are_refused(tmp_path: Path) -> None:
    furniture(tmp_path, NAMES[1:])
    with pytest.raises(ValueError, match=r"points must hold catalogues with shapes of all 13 classes, not of 12$"):
        load("points", tmp_path)
