"""What a job run's driver left in S3, and what it says about a failure."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sluice_airflow.emr.patience import code, transient

READ_SECONDS = 60.0  # for one log: a task must end in time, however long the log is
MARK = "SLUICE-ERROR "
EXIT_KINDS = {65: "data", 70: "system", 75: "transient", 78: "configuration"}  # sysexits.h
NEVER_RETRIED = frozenset({"data", "configuration"})


@dataclass(frozen=True)
class DriverLog:
    """The last lines of one stream of a Spark driver.

    Attributes:
        uri: where the whole stream is.
        lines: its last lines; empty when it could not be read.
        missing: why it could not be read.
    """

    uri: str
    lines: tuple[str, ...] = ()
    missing: str = ""

    @property
    def text(self) -> str:
        return "\n".join(self.lines) if not self.missing else f"({self.missing})"

    @classmethod
    def tail(cls, s3: Any, uri: str, *, lines: int, patience: float) -> DriverLog:
        """Read the end of a gzipped log, if it can be read: it explains a job run's end, and never decides on it.

        EMR Serverless ships logs and the job's state separately, so logs may arrive later.

        Args:
            s3: boto3 client.
            uri: `s3://` address of the object.
            lines: how many to keep; memory stays bounded whatever the log's size.
            patience: seconds to wait for an object that isn't there yet, or an S3 that doesn't answer.
        """
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        give_up = time.monotonic() + patience
        while True:
            try:
                body = s3.get_object(Bucket=bucket, Key=key)["Body"]
                with body:
                    return cls(uri, lines=tuple(_last(gzip.GzipFile(fileobj=body), lines)))
            except Exception as error:  # whatever S3 does
                reason = code(error) if isinstance(error, ClientError) else f"{type(error).__name__}: {error}"
                if (reason == "NoSuchKey" or transient(error)) and time.monotonic() < give_up:
                    time.sleep(1)
                    continue
                if reason == "AccessDenied":  # so S3 also answers for a log that is not there yet
                    reason += ": Airflow's role needs s3:GetObject and s3:ListBucket there"
                return cls(uri, missing=f"{uri} can't be read: {reason}")


@dataclass(frozen=True)
class Failure:
    """Why a job run failed.

    Attributes:
        kind: `data`, `configuration`, `transient` or `system`.
        reason: one line for a person who reads the task's log.
        error: name of the error's class; empty when the job did not report one.
        alert: what an alert may repeat of it. Only the lake's own errors have it, as they hold no values of data; any
            other error's message may hold anything.
    """

    kind: str
    reason: str
    error: str = ""
    alert: str = ""

    @property
    def retried(self) -> bool:
        return self.kind not in NEVER_RETRIED

    @classmethod
    def of(cls, logs: Iterable[DriverLog], state_details: str) -> Failure:
        """The failure as the job itself reported it; without a report, by the exit code that EMR Serverless saw.

        Neither is needed to be in the logs: the state's details have the exit code, and often the report too. When
        they have none (the driver never ran, or was killed), the kind is `system`. Bad data always has its exit code.

        Args:
            logs: the driver's streams. What Python writes to stderr is in `stdout`, as Spark joins the two
                when it starts a Python driver; `stderr` is the JVM's.
            state_details: of the job run.
        """
        logged = (line for stream in logs for line in reversed(stream.lines) if line.startswith(MARK))
        for report in (next(logged, ""), "".join(state_details.rpartition(MARK)[1:])):
            try:
                said, _ = json.JSONDecoder().raw_decode(report.removeprefix(MARK))
                reason = f"{said['error']}: {said['message']}"
                return cls(said["kind"], reason, said["error"], said.get("alert") or "")
            except (ValueError, KeyError, TypeError):
                pass  # the line was cut off while it was written; the exit code still gives the kind
        found = re.search(r"exit\s?code\W*(\d+)", state_details, re.IGNORECASE)
        kind = EXIT_KINDS.get(int(found[1]), "system") if found else "system"
        return cls(kind, state_details.strip() or "EMR Serverless gave no reason")


def run_folder(log_uri: str, application_id: str, job_id: str) -> str:
    """Where EMR Serverless puts everything that it logs of a job run; ends with a slash."""
    return f"{log_uri.rstrip('/')}/applications/{application_id}/jobs/{job_id}/"


def log_folder(log_uri: str, application_id: str, job_id: str, attempt: int | None = None) -> str:
    """Where EMR Serverless puts a driver's `stdout.gz` and `stderr.gz`; ends with a slash.

    Args:
        log_uri: S3 prefix of the logs.
        application_id: of the job run.
        job_id: of the job run.
        attempt: its number, for streams and for batch jobs that EMR Serverless may retry; their folders have one.
    """
    numbered = f"attempts/{attempt}/" if attempt else ""
    return f"{run_folder(log_uri, application_id, job_id)}{numbered}SPARK_DRIVER/"


def _last(stream: Iterable[bytes], lines: int) -> deque[str]:
    kept: deque[str] = deque(maxlen=lines)
    give_up = time.monotonic() + READ_SECONDS
    try:
        for line in stream:
            kept.append(line.decode(errors="replace").rstrip("\n"))
            if time.monotonic() > give_up:
                raise TimeoutError(f"it was not read to its end within {READ_SECONDS:.0f} s")
    except Exception as error:  # half a log, or half an answer
        kept.append(f"(the log breaks off here: {error})")
    return kept
