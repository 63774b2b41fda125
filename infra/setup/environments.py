"""The two Python environments: `.venv/jobs` as on EMR, `.venv/airflow` as on MWAA.

One for both would need versions that neither service has, and would break with the next MWAA release.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from infra.setup.steps import REPOSITORY, VENV, SetupError, command, once

UV_VERSION = "0.11.7"  # the uv of Amazon's constraints
AIRFLOW_VERSION = "3.2.1"
MWAA = REPOSITORY / "infra" / "mwaa"


def install_uv() -> None:
    """Installs what makes the environments."""
    once("uv", VENV / "uv.stamp", [UV_VERSION], _uv)


def install_jobs() -> None:
    """Makes or updates the environment of jobs and of the local platform."""
    lock = REPOSITORY / "infra" / "local" / "requirements.lock"
    title = "job environment, Python 3.11 (EMR)"
    once(title, VENV / "jobs.stamp", [lock], lambda: synced(VENV / "jobs", lock), grows=VENV / "jobs")


def install_airflow() -> None:
    """Makes or updates Airflow's environment."""
    once(
        "Airflow environment, Python 3.12 (MWAA)",
        VENV / "airflow.stamp",
        [AIRFLOW_VERSION, *pins(AIRFLOW_VERSION), *_WANTED],
        lambda: airflow(VENV / "airflow", AIRFLOW_VERSION),
        grows=VENV / "airflow",
    )


def install_checkov() -> Path:
    """Makes or updates the environment of checkov alone, which `make terraform-scan` needs; gives its command."""
    lock, folder = REPOSITORY / "infra" / "setup" / "checkov.lock", VENV / "checkov"
    once("checkov", VENV / "checkov.stamp", [lock], lambda: synced(folder, lock), grows=folder)
    return folder / "bin" / "checkov"


def pins(version: str) -> list[Path]:
    """Amazon's constraints for the packages of an MWAA with this Airflow."""
    return [MWAA / f"airflow-{version}-constraints-py3.12.txt", MWAA / f"mwaa-essential-{version}.txt"]


def airflow(folder: Path, version: str) -> None:
    """Makes an environment as an MWAA with this Airflow has, and what its tests need."""
    _venv(folder, "3.12")
    arguments: list[object] = [f"apache-airflow=={version}"]
    for file in _WANTED:
        arguments += ["-r", file]
    for file in pins(version):
        arguments += ["--constraint", file]
    command(_UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", folder, *arguments)


def _uv() -> None:
    command("python3", "-m", "venv", VENV / "uv")
    command(VENV / "uv" / "bin" / "pip", "install", "--quiet", f"uv=={UV_VERSION}")


def synced(folder: Path, lock: Path) -> None:
    """Makes an environment of Python 3.11 that holds what a lock names, and nothing else."""
    _venv(folder, "3.11")
    command(_UV, "pip", "sync", "--quiet", "--compile-bytecode", "--python", folder, lock)


_UV = VENV / "uv" / "bin" / "uv"
_WANTED = (REPOSITORY / "requirements.txt", REPOSITORY / "tests" / "airflow-requirements.txt")


def _venv(folder: Path, version: str) -> None:
    """Creates an environment, with an interpreter of the machine if it has one of this version."""
    path = os.pathsep.join([*map(str, _managed_interpreters(version)), os.environ.get("PATH", "")])
    command(
        _UV, "venv", "--quiet", "--clear", "--python", version, folder,
        PATH=path, UV_PYTHON_DOWNLOADS="automatic",
    )  # fmt: skip


def _managed_interpreters(version: str) -> list[Path]:
    """Folders of pyenv's interpreters. Its shims in PATH fail for versions that are not selected."""
    if not shutil.which("pyenv"):
        return []
    root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, timeout=30)
    if root.returncode:
        raise SetupError(f"`pyenv root` failed: {root.stderr.strip()}")
    folders = Path(root.stdout.strip()).glob(f"versions/{version}.*/bin")
    return sorted(folders, key=lambda folder: [int(n) for n in re.findall(r"\d+", folder.parent.name)])[::-1]
