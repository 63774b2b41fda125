from __future__ import annotations

import gzip
import logging
from pathlib import Path

import pytest

from infra.local.aws.emr.logs import MAX_DETAILS, LogShipper, last_exceptions
from tests.infra.local.aws.stand_in import BUCKET, Server

TRACE = [
    "26/11/21 10:00:00 INFO SparkContext: Running Spark version 4.1.1",
    "WARNING: Using incubator modules: jdk.incubator.vector",
    'Exception in thread "main" org.apache.spark.SparkException: no file',
    "26/11/21 10:00:01 INFO ShutdownHookManager: Shutdown hook called",
]


@pytest.fixture
def s3(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.addresses.aws)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    return server


def test_log_that_grew_is_shipped_again_and_whole(tmp_path: Path, s3: Server) -> None:
    shipper = LogShipper(tmp_path, f"s3://{BUCKET}/grown", "x/")
    for text in ("a", "ab"):
        (tmp_path / "stdout").write_text(text)
        shipper.ship()
        body = s3.client("s3").get_object(Bucket=BUCKET, Key="grown/x/stdout.gz")["Body"].read()
        assert gzip.decompress(body).decode() == text


def test_unreachable_log_bucket_is_logged_and_raises_nothing(
    tmp_path: Path, s3: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        LogShipper(tmp_path, "s3://no-such-bucket/", "x/").ship()
    assert "could not ship s3://no-such-bucket/x/stdout.gz" in caplog.text


def test_lines_that_spark_prints_in_every_run_are_not_among_the_last_lines(tmp_path: Path) -> None:
    (tmp_path / "stderr").write_text("\n".join(TRACE))
    assert last_exceptions(tmp_path) == TRACE[2]


def test_last_lines_end_with_the_driver_s_own_and_are_short(tmp_path: Path) -> None:
    (tmp_path / "stderr").write_text("\n".join(TRACE))
    (tmp_path / "stdout").write_text("\n".join([*(f"line {i} " + "x" * 90 for i in range(50)), "SLUICE-ERROR {}"]))
    details = last_exceptions(tmp_path)
    assert details.endswith("SLUICE-ERROR {}")
    assert len(details) <= MAX_DETAILS + 20


def test_job_without_output_has_no_last_lines(tmp_path: Path) -> None:
    assert last_exceptions(tmp_path) == ""
