"""Sources an environment's start-up script, and gives what it exports."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

SECONDS = 300.0  # MWAA's own limit
_SHELLS_OWN = ("_", "OLDPWD", "PWD", "SHLVL")
# MWAA sets these itself, and takes them from nobody: what its images' `setup_environment.py` lists.
_PROTECTED = (
    "AIRFLOW_ENV_ID", "AIRFLOW_ENV_NAME", "AIRFLOW_HOME", "AIRFLOW_VERSION", "AIRFLOW__API__BASE_URL",
    "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_REGION", "CUSTOMER_ACCOUNT_ID", "PYTHONPATH", "PYTHONUNBUFFERED",
)  # fmt: skip
# The script's own environment goes into a file at its end. A script that exits, or dies, never gets there.
_SOURCE = '. "$1"; env -0 >"$2"'

logger = logging.getLogger(__name__)


def exports(script: Path, environment: Mapping[str, str], log: Path, *, seconds: float = SECONDS) -> dict[str, str]:
    """What a script exports that its environment lacked, or had otherwise.

    Whatever becomes of the script, its environment starts. Of one that ends half-way nothing is kept.

    Args:
        script: the file.
        environment: all that the script sees.
        log: file for its output.
        seconds: time that it may take.
    """
    told = script.with_suffix(".env")
    told.unlink(missing_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["/bin/bash", "-c", _SOURCE, "bash", str(script), str(told)],
            cwd=script.parent, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if not told.exists():
        logger.warning("%s ended before its last line: nothing that it exports is kept; its log is %s", script, log)
        return {}
    text = told.read_text(errors="replace")
    told.unlink()  # it holds the role's credentials
    lines = [line.partition("=") for line in text.split("\0") if "=" in line]
    return {
        name: value
        for name, _, value in lines
        if value and environment.get(name) != value and name not in _SHELLS_OWN and not _protected(name)
    }


def _protected(name: str) -> bool:
    return name in _PROTECTED or name.startswith("MWAA__")
