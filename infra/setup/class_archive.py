"""A class-data archive of Spark's driver: it halves the CPU seconds that a local job spends on starting.

Made once by a training run that does what jobs do (Delta write, merge, read over S3A); made again when the
JVM, the jars or the training change. Only the laptop uses it: EMR keeps its own JVM options.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from infra.setup import jars
from infra.setup.steps import REPOSITORY, VENV, cache, command, fingerprint, once

TRAINING = REPOSITORY / "infra" / "setup" / "class_archive_training.py"
JOB = REPOSITORY / "infra" / "setup" / "class_archive_job.py"
LOCK = REPOSITORY / "infra" / "local" / "requirements.lock"


def path() -> Path:
    """Where the archive of this checkout is: it holds the class path, so it is one per folder of jars."""
    place = hashlib.sha256(str(VENV.resolve()).encode()).hexdigest()[:8]
    return cache() / f"spark-{fingerprint([LOCK, jars.LOCK, TRAINING, JOB])[:12]}-{place}.jsa"


def install(java: str) -> None:
    """Makes the archive unless it is there."""
    version = command(java, "-Xshare:auto", "-XshowSettings:properties", "-version")
    once("class archive of Spark's driver", path().with_suffix(".stamp"), [version, TRAINING, JOB], _train)


def _train() -> None:
    path().unlink(missing_ok=True)
    command(VENV / "jobs" / "bin" / "python", TRAINING, path(), SLUICE_JARS=str(jars.folder()))
