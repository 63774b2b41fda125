"""A copy of what goes into a release, with two tiny wheels in place of the jobs' packages."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path

import pytest

from infra.package import content, machine_code, python_archive, release, smoke
from jobs.lake.release import ARCHITECTURES

REPOSITORY = Path(__file__).resolve().parents[3]


def elf(architecture: str) -> bytes:
    """The header of a shared library, and some code."""
    return b"\x7fELF\x02\x01\x01".ljust(18, b"\0") + machine_code.MACHINES[architecture].to_bytes(2, "little") + b"code"


def wheel(folder: Path, architecture: str, library: bytes) -> Path:
    """A wheel as its index would have it: a module, a library, a command, a licence."""
    platform = python_archive.PLATFORMS[architecture].partition("-")[0]
    file = folder / f"tiny-1.0-cp311-cp311-manylinux_2_28_{platform}.whl"
    inside = {
        "tiny/__init__.py": b"def answer():\n    return 42\n",
        "tiny/native.so": library,
        "tiny-1.0.dist-info/METADATA": b"Metadata-Version: 2.4\nName: tiny\nVersion: 1.0\nLicense-Expression: MIT\n",
        "tiny-1.0.dist-info/WHEEL": f"Wheel-Version: 1.0\nTag: cp311-cp311-manylinux_2_28_{platform}\n".encode(),
        "tiny-1.0.dist-info/entry_points.txt": b"[console_scripts]\ntiny = tiny:answer\n",
        "tiny-1.0.dist-info/licenses/LICENSE": b"You may.\n",
    }
    record = "".join(f"{name},,\n" for name in [*inside, "tiny-1.0.dist-info/RECORD"])
    with zipfile.ZipFile(file, "w") as archive:
        for name, body in {**inside, "tiny-1.0.dist-info/RECORD": record.encode()}.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), body)
    return file


def lock(wheels: list[Path]) -> str:
    hashes = [f"--hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in wheels]
    return " \\\n    ".join(["tiny==1.0", *hashes]) + "\n"


def copy_of_the_repository(target: Path, requirements: str) -> Path:
    """A checkout at another place: what a release is made of, with another list of packages."""
    for name in (*content.TREES, *content.FILES):
        source, copy = REPOSITORY / name, target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    (target / content.LOCK).write_text(requirements)
    return target


def use(checkout: Path, patch: pytest.MonkeyPatch) -> None:
    """Builds this checkout from now on, into its own folder."""
    patch.setattr(content, "REPOSITORY", checkout)
    patch.setattr(release, "FOLDER", checkout / "build" / "releases")
    patch.setattr(python_archive, "FOLDER", checkout / "build" / "python")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, which is all that uv knows."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return folder


@pytest.fixture
def requirements(index: Path) -> str:
    return lock([wheel(index, architecture, elf(architecture)) for architecture in ARCHITECTURES])


@pytest.fixture
def checkout(tmp_path: Path, requirements: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The job code can't run on the tiny packages, so that it is not tried; `test_smoke.py` tries that."""
    copy = copy_of_the_repository(tmp_path / "checkout", requirements)
    use(copy, monkeypatch)
    monkeypatch.setattr(smoke, "check", lambda folder: f"{folder.name} was not tried")
    return copy


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
