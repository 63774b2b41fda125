"""Imports a release's job code in a clean interpreter, which has the release's packages and EMR's pyspark alone."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
from importlib.util import find_spec
from pathlib import Path

from infra.setup.steps import SetupError
from jobs.lake.release import python_archive

OF_MACHINES = {"aarch64": "ARM64", "x86_64": "X86_64"}
IMAGE = ("pyspark", "py4j")  # Python packages of EMR's image
_IMPORT = """
import importlib, json, sys, zipfile
names = [n.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
         for n in zipfile.ZipFile(sys.argv[1]).namelist() if n.endswith(".py")]
for name in names:
    importlib.import_module(name)
files = {m.__file__ for m in list(sys.modules.values()) if getattr(m, "__file__", None)}
elsewhere = sorted(f for f in files if not f.startswith(tuple(sys.argv[2:])))
print(json.dumps({"modules": len(names), "files": len(files), "elsewhere": elsewhere}))
"""


def architecture_here() -> str | None:
    """The architecture whose archive can run on this machine; None where none can."""
    return OF_MACHINES.get(platform.machine()) if sys.platform == "linux" else None


def interpreter() -> Path:
    """The Python 3.11 below the job environment, without that environment's packages."""
    return Path(sys.base_prefix, "bin", "python3.11")


def image(folder: Path) -> Path:
    """A folder that stands in for EMR's image: pyspark and py4j, and nothing else of the job environment."""
    folder.mkdir()
    for name in IMAGE:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise SetupError(f"{sys.executable} has no {name}: run `make setup`")
        (folder / name).symlink_to(Path(spec.origin).parent)
    return folder


def unpack(archive: Path, folder: Path) -> Path:
    """What EMR Serverless makes of `spark.archives`."""
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder


def check(release: Path) -> str:
    """Imports every module of `jobs.zip`. Returns what it did, as a sentence.

    Raises:
        SetupError: an import fails, or comes from another place than the release, EMR's image and Python itself.
    """
    architecture = architecture_here()
    if architecture is None:
        return f"not imported here: no archive is for {sys.platform} {platform.machine()}"
    with tempfile.TemporaryDirectory(prefix="smoke-") as scratch:
        packages = unpack(release / python_archive(architecture), Path(scratch, "environment"))
        code, beside = release / "jobs.zip", image(Path(scratch, "image"))
        places = [str(code), str(packages), str(beside)]
        # -S: without the site-packages of this Python.
        done = subprocess.run(
            [interpreter(), "-S", "-s", "-c", _IMPORT, code, *places, f"{sys.base_prefix}/lib/python3.11"],
            cwd=scratch,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=300,
        )
    if done.returncode:
        raise SetupError(f"the job code does not run on the {architecture} archive:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    if found["elsewhere"] or not found["modules"]:
        raise SetupError(f"the job code needs what the {architecture} archive lacks: {found['elsewhere'][:5]}")
    return f"{found['modules']} modules of jobs.zip imported on the {architecture} archive ({found['files']} files)"
