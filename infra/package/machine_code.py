"""Tells for which processor a shared library was built, by its ELF header."""

from __future__ import annotations

from pathlib import Path

# EMR's name of an architecture -> `e_machine` of the ELF header (EM_AARCH64, EM_X86_64).
MACHINES = {"ARM64": 183, "X86_64": 62}
_MAGIC = b"\x7fELF"


def foreign(folder: Path, architecture: str) -> list[str]:
    """The shared libraries below a folder that this architecture can't load, as sentences.

    Raises:
        ValueError: there are no shared libraries, so that nothing was checked.
    """
    libraries = sorted(path for path in folder.rglob("*") if _is_library(path))
    if not libraries:
        raise ValueError(f"{folder} holds no shared libraries")
    found = []
    for library in libraries:
        with library.open("rb") as file:
            header = file.read(20)
        machine = int.from_bytes(header[18:20], "little") if header.startswith(_MAGIC) else None
        if machine != MACHINES[architecture]:
            found.append(f"{library.relative_to(folder)} is for machine {machine}, not for {architecture}")
    return found


def _is_library(path: Path) -> bool:
    """`x.so` and `libx.so.1`."""
    return path.is_file() and (path.suffix == ".so" or ".so." in path.name)
