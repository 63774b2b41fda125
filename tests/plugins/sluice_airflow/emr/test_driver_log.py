from __future__ import annotations

import gzip
import io
from typing import Any

import pytest
from botocore.exceptions import ClientError

from jobs.lake import errors
from sluice_airflow.emr.driver_log import EXIT_KINDS, NEVER_RETRIED, DriverLog, Failure

DETAILS = "Job failed, please check complete logs in configured logging destination. ExitCode: {}. Last few"


def every(error: type[errors.LakeError]) -> list[type[errors.LakeError]]:
    """This error, and those made from it."""
    return [error, *(below for child in error.__subclasses__() for below in every(child))]


ERRORS = every(errors.LakeError)


class FakeS3:
    """Answers one object, from the given request on."""

    def __init__(self, body: bytes | None, *, code: str = "NoSuchKey", after: int = 0) -> None:
        self.body, self.code, self.after = body, code, after
        self.requests = 0

    def get_object(self, **key: str) -> dict[str, Any]:
        self.requests += 1
        assert key == {"Bucket": "code", "Key": "logs/stdout.gz"}
        if self.body is None or self.requests <= self.after:
            raise ClientError({"Error": {"Code": self.code, "Message": ""}}, "GetObject")
        return {"Body": io.BytesIO(self.body)}


def tail(s3: FakeS3, patience: float = 0) -> DriverLog:
    return DriverLog.tail(s3, "s3://code/logs/stdout.gz", lines=3, patience=patience)


def log(*lines: str) -> DriverLog:
    return DriverLog("s3://code/logs/stdout.gz", lines)


def test_tail_is_the_last_lines() -> None:
    body = gzip.compress("".join(f"line {number}\n" for number in range(9)).encode())
    assert tail(FakeS3(body)).lines == ("line 6", "line 7", "line 8")


def test_log_that_comes_late_is_waited_for() -> None:
    assert tail(FakeS3(gzip.compress(b"late"), after=1), patience=5).lines == ("late",)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("NoSuchKey", "NoSuchKey"),
        ("AccessDenied", "AccessDenied: Airflow's role needs s3:GetObject and s3:ListBucket there"),
    ],
)
def test_log_that_cannot_be_read_says_why(code: str, said: str) -> None:
    assert tail(FakeS3(None, code=code)).text == f"(s3://code/logs/stdout.gz can't be read: {said})"


def test_forbidden_log_is_not_waited_for() -> None:
    s3 = FakeS3(None, code="AccessDenied")
    tail(s3, patience=60)
    assert s3.requests == 1


def test_half_shipped_log_gives_what_it_has() -> None:
    half = gzip.compress(b"first\nsecond\n")[:-6]
    assert tail(FakeS3(half)).lines[0] == "first"
    assert "breaks off here" in tail(FakeS3(half)).lines[-1]


@pytest.mark.parametrize(
    ("kind", "retried"), [("data", False), ("configuration", False), ("transient", True), ("system", True)]
)
def test_kind_of_the_reported_error_decides_on_a_retry(kind: str, retried: bool) -> None:
    line = f'SLUICE-ERROR {{"kind": "{kind}", "error": "GateError", "message": "2 rules failed"}}'
    failure = Failure.of([log("noise", line)], DETAILS.format(1))
    assert failure == Failure(kind, "GateError: 2 rules failed", "GateError")
    assert failure.retried is retried


def test_last_reported_error_counts() -> None:
    lines = [f'SLUICE-ERROR {{"kind": "{kind}", "error": "E", "message": "m"}}' for kind in ("system", "data")]
    assert Failure.of([log(*lines)], "").kind == "data"


def test_error_reported_on_either_stream_is_found() -> None:
    line = 'SLUICE-ERROR {"kind": "data", "error": "E", "message": "m"}'
    assert Failure.of([log("out"), log(line, "JVM noise")], "").kind == "data"


@pytest.mark.parametrize("error", ERRORS)
def test_both_sides_give_an_error_the_same_kind_and_exit_code(error: type[errors.LakeError]) -> None:
    assert EXIT_KINDS[error.exit_code] == error.kind
    assert Failure.of([log()], DETAILS.format(error.exit_code)).kind == error.kind


def test_no_exit_code_is_known_that_no_error_has() -> None:
    assert {error.exit_code: error.kind for error in ERRORS} == EXIT_KINDS
    assert {error.kind for error in ERRORS} > NEVER_RETRIED


@pytest.mark.parametrize("error", ERRORS)
def test_error_that_a_job_reports_is_the_failure_that_the_operator_reads(error: type[errors.LakeError]) -> None:
    code, line = errors.report(error("a reason"))
    failure = Failure.of([log(line)], DETAILS.format(code))
    reason = f"{error.__name__}: a reason"
    assert failure == Failure(error.kind, reason, error.__name__, reason)


@pytest.mark.parametrize("code", [1, 137])
def test_exit_code_of_no_error_of_ours_counts_as_system(code: int) -> None:
    assert Failure.of([log()], DETAILS.format(code)).kind == "system"


@pytest.mark.parametrize("line", ['SLUICE-ERROR {"kind": "da', 'SLUICE-ERROR {"kind": "data"}', "SLUICE-ERROR []"])
def test_broken_report_falls_back_on_the_exit_code(line: str) -> None:
    failure = Failure.of([log(line)], DETAILS.format(78))
    assert failure == Failure("configuration", DETAILS.format(78))


def test_failure_without_any_word_says_so() -> None:
    assert Failure.of([log()], "") == Failure("system", "EMR Serverless gave no reason")
