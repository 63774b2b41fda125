"""The three Python environments, by what is really installed in them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from infra.setup.steps import VENV

NAMES = ("jobs", "airflow", "tools")
BIN = VENV / "tools" / "bin"


def python(name: str) -> Path:
    """The interpreter of an environment."""
    return VENV / name / "bin" / "python"


def pins(name: str) -> str:
    """`name==version` of each package, a line each."""
    frozen = subprocess.run(
        [VENV / "uv" / "bin" / "uv", "pip", "freeze", "--python", python(name)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return frozen.stdout
