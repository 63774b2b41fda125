"""Driver logs: their upload to S3, where EMR Serverless puts them, and their last lines."""

from __future__ import annotations

import gzip
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.aws.s3 import bucket_and_key, s3_client

STREAMS = ("stdout", "stderr")
TAIL_BYTES = 64 * 1024
MAX_DETAILS = 900  # characters of a job's last lines in stateDetails
# What spark-submit's JVM prints in every run.
_CHATTER = re.compile(r"\S+ \S+ (TRACE|DEBUG|INFO|WARN) |WARNING: |Using Spark's default log4j|Setting default log")

logger = logging.getLogger(__name__)


def download(uri: str, folder: Path, credentials: Mapping[str, str]) -> str:
    """Downloads an `s3://` object and gives the path of the copy. Other paths are returned as they are."""
    if not uri.startswith(("s3://", "s3a://")):
        return uri
    folder.mkdir(parents=True, exist_ok=True)
    bucket, key = bucket_and_key(uri)
    target = folder / Path(key).name
    s3_client(credentials).download_file(bucket, key, str(target))
    return str(target)


class LogShipper:
    """Uploads the logs of one attempt, as often as asked, by the job's own role."""

    def __init__(
        self, logs: Path, log_uri: str | None, prefix: str, credentials: Mapping[str, str] = os.environ
    ) -> None:
        self._logs = logs
        self._base = f"{log_uri.rstrip('/')}/{prefix}" if log_uri else None
        self._credentials = credentials
        self._shipped: dict[str, int] = {}

    def ship(self) -> None:
        """Uploads the logs that have grown. A failure is logged here, and never changes a job's outcome."""
        if self._base is None:
            return
        for stream in STREAMS:
            file = self._logs / stream
            size = file.stat().st_size if file.exists() else 0
            if self._shipped.get(stream) == size:
                continue
            try:
                _upload(file, f"{self._base}{stream}.gz", self._credentials)
                self._shipped[stream] = size
            except (BotoCoreError, ClientError, OSError) as error:
                logger.warning("could not ship %s%s.gz: %s", self._base, stream, error)


def _upload(file: Path, uri: str, credentials: Mapping[str, str]) -> None:
    with tempfile.SpooledTemporaryFile(max_size=1 << 20) as packed:
        with gzip.GzipFile(fileobj=packed, mode="wb") as out:
            if file.exists():
                with file.open("rb") as lines:
                    shutil.copyfileobj(lines, out)
        packed.seek(0)
        s3_client(credentials).upload_fileobj(packed, *bucket_and_key(uri))


def tail(file: Path, lines: int) -> list[str]:
    """The last lines of a log."""
    if not file.exists():
        return []
    with file.open("rb") as log:
        log.seek(max(0, file.stat().st_size - TAIL_BYTES))
        return log.read().decode(errors="replace").splitlines()[-lines:]


def last_exceptions(logs: Path) -> str:
    """The last lines that Spark doesn't print in every run, for `stateDetails`.

    spark-submit puts a Python driver's standard error into its standard output: a traceback is in `stdout`, and the
    JVM's own lines are in `stderr`.
    """
    jvm = [line for line in tail(logs / "stderr", 2000) if not _CHATTER.match(line)]
    return _within(jvm + tail(logs / "stdout", 200), MAX_DETAILS)


def _within(lines: list[str], characters: int) -> str:
    """As many of the last lines as fit. If the last one is too long, its end."""
    kept: list[str] = []
    for line in reversed([line.strip() for line in lines if line.strip()]):
        room = characters - sum(map(len, kept))
        if len(line) > room and kept:
            break
        kept.insert(0, line[-room:])
    return " ".join(kept)
