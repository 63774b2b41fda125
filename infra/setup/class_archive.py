"""A class-data archive of Spark's driver. It halves the CPU seconds that the start of a local job takes.

A training run makes it, which does what jobs do: write, merge and read Delta over S3A. It runs once, and again when
the JVM, the jars or the training change. Only the laptop uses the archive: EMR keeps its own JVM options.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from infra.setup import jars
from infra.setup.steps import REPOSITORY, VENV, cache, command, fingerprint, once

TRAINING = REPOSITORY / "infra" / "setup" / "class_archive_training.py"
JOB = REPOSITORY / "infra" / "setup" / "class_archive_job.py"
UNUSED_DAYS = 30
LOCK = REPOSITORY / "infra" / "local" / "requirements.lock"


def path() -> Path:
    """The archive of this checkout. It contains the class path, so each folder of jars needs its own."""
    place = hashlib.sha256(str(VENV.resolve()).encode()).hexdigest()[:8]
    return cache() / f"spark-{fingerprint([LOCK, jars.LOCK, TRAINING, JOB])[:12]}-{place}.jsa"


def install(java: str) -> None:
    """Makes the archive if it is missing."""
    version = command(java, "-Xshare:auto", "-XshowSettings:properties", "-version")
    once("class archive of Spark's driver", path().with_suffix(".stamp"), [version, TRAINING, JOB], _train)
    _prune()


def _prune() -> None:
    """Removes this checkout's archives of other classes, and those that no checkout has used for a month.

    Each has some 200 MB, and every change of the lock or the training makes a new one.
    """
    long_ago = time.time() - UNUSED_DAYS * 24 * 3600
    for archive in cache().glob("spark-*.jsa") if os.access(cache(), os.W_OK) else ():
        own = archive.stem.rpartition("-")[2] == path().stem.rpartition("-")[2]
        if archive != path() and (own or _last_used(archive) < long_ago):
            archive.unlink(missing_ok=True)
            archive.with_suffix(".stamp").unlink(missing_ok=True)


def _last_used(archive: Path) -> float:
    """Epoch seconds. Without a stamp its training was interrupted, or goes on."""
    for file in (archive.with_suffix(".stamp"), archive):
        try:
            return file.stat().st_mtime
        except FileNotFoundError:
            continue
    return time.time()  # another set-up has just removed it


def _train() -> None:
    path().unlink(missing_ok=True)
    command(VENV / "jobs" / "bin" / "python", TRAINING, path(), SLUICE_JARS=str(jars.folder()))
