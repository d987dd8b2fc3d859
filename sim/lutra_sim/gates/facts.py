"""What measurement files say of cell libraries beside what the Liberty files say themselves."""

from dataclasses import dataclass, replace
from typing import Any

from .liberty import Library

__all__ = ["Facts", "facts_of"]


@dataclass(frozen=True)
class Facts:
    """Name and title of a library, its process in nanometres, its licence."""

    name: str
    title: str
    process_nm: float
    licence: str

    def as_dict(self, library: Library) -> dict[str, Any]:
        """The file's header."""
        return {"name": self.name, "title": self.title, "process_nm": self.process_nm, "voltage": library.voltage,
                "corner": f"{library.corner}, {library.temperature:g} degrees Celsius",
                "sources": [{"file": source.file, "sha256": source.sha256} for source in library.sources],
                "licence": self.licence}


KNOWN = {  # by how the library's own name begins
    "NangateOpenCellLibrary": Facts(
        "nangate45", "Nangate 45 nm Open Cell Library, typical corner, before layout", 45,
        "Apache-2.0 in the Si2 release PDKv1.3_v2010_12.Apache.CCL; the licence of 2008 forbids benchmarks against "
        "other libraries: compare within the library"),
    "asap7": Facts("asap7", "ASAP7 7.5-track RVT, predictive 7 nm, typical corner, before layout", 7, "BSD-3-Clause"),
    "sky130": Facts("sky130", "SkyWater 130 nm high density, typical corner, before layout", 130, "Apache-2.0"),
}


def facts_of(library: Library, name: str | None = None, process_nm: float | None = None) -> Facts:
    """What is known of a library, or what the user says of one that is not.

    Raises ``ValueError`` for an unknown library without a process.
    """
    known = next((facts for start, facts in KNOWN.items() if library.name.startswith(start)), None)
    if known is None:
        if process_nm is None:
            raise ValueError(f"the process of the library {library.name} must be given, --process in nanometres")
        known = Facts(library.name, f"{library.name}, before layout", process_nm, "as the library's files say")
    return replace(known, name=name or known.name, process_nm=process_nm or known.process_nm)
