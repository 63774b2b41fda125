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


def install() -> None:
    """Makes or updates both environments. It needs no network if nothing has changed."""
    once("uv", VENV / "uv.stamp", [UV_VERSION], _uv)
    lock = REPOSITORY / "infra" / "local" / "requirements.lock"
    once("job environment, Python 3.11 (EMR)", VENV / "jobs.stamp", [lock], lambda: _jobs(lock))
    constraints = [
        MWAA / f"airflow-{AIRFLOW_VERSION}-constraints-py3.12.txt",
        MWAA / f"mwaa-essential-{AIRFLOW_VERSION}.txt",
    ]
    wanted = [REPOSITORY / "requirements.txt", REPOSITORY / "tests" / "airflow-requirements.txt"]
    once(
        "Airflow environment, Python 3.12 (MWAA)",
        VENV / "airflow.stamp",
        [AIRFLOW_VERSION, *constraints, *wanted],
        lambda: _airflow(wanted, constraints),
    )


def _uv() -> None:
    command("python3", "-m", "venv", VENV / "uv")
    command(VENV / "uv" / "bin" / "pip", "install", "--quiet", f"uv=={UV_VERSION}")


def _jobs(lock: Path) -> None:
    _venv("jobs", "3.11")
    command(_UV, "pip", "sync", "--quiet", "--compile-bytecode", "--python", VENV / "jobs", lock)


def _airflow(wanted: list[Path], constraints: list[Path]) -> None:
    _venv("airflow", "3.12")
    arguments: list[object] = [f"apache-airflow=={AIRFLOW_VERSION}"]
    for file in wanted:
        arguments += ["-r", file]
    for file in constraints:
        arguments += ["--constraint", file]
    command(_UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", VENV / "airflow", *arguments)


_UV = VENV / "uv" / "bin" / "uv"


def _venv(name: str, version: str) -> None:
    """Creates `.venv/<name>`, with an interpreter of the machine if it has one of this version."""
    path = os.pathsep.join([*map(str, _managed_interpreters(version)), os.environ.get("PATH", "")])
    command(
        _UV, "venv", "--quiet", "--clear", "--python", version, VENV / name,
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
