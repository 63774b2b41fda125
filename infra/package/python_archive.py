"""The Python packages of the jobs, as an archive for each architecture of EMR Serverless.

No container is needed: every package has a wheel for Amazon Linux 2023 (glibc 2.34, so `manylinux_2_28`). EMR's image
holds pyspark with its jars and py4j, so that the lock leaves them out. `delta-spark` is Python alone.

The lock is compiled from `jobs/requirements.txt`, at the versions of the laptop's job environment:
`uv pip compile jobs/requirements.txt -c infra/local/requirements.lock --generate-hashes --no-header --no-annotate
--python-version 3.11 --no-emit-package pyspark --no-emit-package py4j -o jobs/requirements.lock`
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from infra.package import archives, machine_code
from infra.package.content import LOCK, REPOSITORY, Content
from infra.package.folders import made_whole
from infra.setup.environments import UV_VERSION
from infra.setup.steps import VENV, SetupError, command
from jobs.lake.release import ARCHITECTURES, python_archive

FOLDER = REPOSITORY / "build" / "python"
DESCRIPTIONS = "packages.zip"  # what the packages say of themselves: metadata and licences
PLATFORMS = {"ARM64": "aarch64-manylinux_2_28", "X86_64": "x86_64-manylinux_2_28"}
_BUILDERS = tuple(f"infra/package/{name}.py" for name in ("archives", "python_archive"))


def built(content: Content) -> Path:
    """The folder with the archives of a release's lock. Releases with the same packages share them."""
    digest = hashlib.sha256(UV_VERSION.encode())
    for name in (LOCK, *_BUILDERS):
        digest.update(content[name])
    folder = FOLDER / digest.hexdigest()[:12]
    if not folder.is_dir():
        with made_whole(folder) as scratch:
            for architecture in ARCHITECTURES:
                _build(content[LOCK], architecture, scratch)
    return folder


def _build(lock: bytes, architecture: str, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="packages-", dir=target.parent) as scratch:
        wanted, packages = Path(scratch, "requirements.lock"), Path(scratch, "packages")
        wanted.write_bytes(lock)
        install(wanted, architecture, packages)
        archives.tar_gz(packages, target / python_archive(architecture))
        described = archives.zipped(
            {
                file.relative_to(packages).as_posix(): file.read_bytes()
                for file in sorted(packages.glob("*.dist-info/**/*"))
                if file.is_file()
            }
        )
    (target / DESCRIPTIONS).write_bytes(described)  # of the last architecture; the versions are those of the lock


def install(lock: Path, architecture: str, packages: Path) -> None:
    """Installs the wheels of a lock for an architecture, and takes out what depends on this machine.

    Raises:
        SetupError: a wheel is missing or has another checksum, or a library is for another processor.
    """
    command(
        VENV / "uv" / "bin" / "uv", "pip", "install", "--quiet", "--target", packages, "--python", sys.executable,
        "--python-version", "3.11", "--python-platform", PLATFORMS[architecture], "--only-binary", ":all:", "--no-deps",
        "--require-hashes", "--link-mode", "copy", "--no-compile-bytecode", "--no-config", "--requirements", lock,
    )  # fmt: skip
    shutil.rmtree(packages / "bin", ignore_errors=True)  # commands; their first line names this machine's Python
    (packages / ".lock").unlink(missing_ok=True)
    for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"):  # of the installation
        for file in packages.glob(f"*.dist-info/{name}"):
            file.unlink()
    if foreign := machine_code.foreign(packages, architecture):
        raise SetupError(f"{len(foreign)} libraries of the {architecture} archive are not for it: {foreign[0]}")
