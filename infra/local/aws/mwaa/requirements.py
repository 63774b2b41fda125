"""Whether Airflow's environment satisfies a requirements.txt. Nothing is installed: what is missing is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

from infra.local.aws.mwaa.errors import BrokenEnvironmentError
from infra.setup.steps import VENV

SATISFIED = "Would make no changes"


def check(file: Path, environment: Path) -> None:
    """Asks what installing the file would change. There need not be one.

    Raises:
        BrokenEnvironmentError: something is missing, or has another version.
    """
    if not file.exists():
        return
    uv = str(VENV / "uv" / "bin" / "uv")
    command = [uv, "pip", "install", "--dry-run", "--offline", "--python", str(environment), "-r", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    if done.returncode or SATISFIED not in done.stderr:
        said = " ".join(done.stderr.split())
        raise BrokenEnvironmentError(f"requirements.txt is not satisfied by Airflow's environment: {said}")
