from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jobs.run import parse
from sluice_airflow.emr.request import command_line, job_request, step_line

RELEASE = "s3://sluice-code/releases/abc"


def request(**spark_conf: str) -> dict[str, Any]:
    return job_request(
        release=RELEASE,
        python_archive="python-arm64.tar.gz",
        jars=("kafka-clients-3.9.1.jar", "commons-pool2-2.12.1.jar"),
        arguments=["silver.orders"],
        environment={"SLUICE_LAKE_BUCKET": "sluice-lake"},
        spark_conf=spark_conf,
        log_uri="s3://sluice-logs/",
    )


def parameters(**spark_conf: str) -> list[str]:
    words: list[str] = request(**spark_conf)["jobDriver"]["sparkSubmit"]["sparkSubmitParameters"].split(" ")
    return words


def test_runbook_starts_a_job_run_with_the_same_settings() -> None:
    runbook = (Path(__file__).resolve().parents[4] / "docs" / "runbook.md").read_text()
    block = next(text for text in runbook.split("```") if "start-job-run \\" in text)
    shell = block[: block.index("aws emr-serverless start-job-run")].partition("conf() {")[2]
    script = f"release=s3://code delta=/delta architecture=ARM64\nconf() {{{shell}\nprintf '%s' \"$parameters\""
    words = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env={}).stdout.split()
    theirs = {word.partition("=")[0] for word in words if word.startswith("spark.")}
    ours = {word.partition("=")[0] for word in parameters() if word.startswith("spark.")}
    assert theirs - ours == {
        f"spark.emr-serverless.driverEnv.{name}" for name in ("AWS_REGION", "SLUICE_EMR_APPLICATION_ID")
    }
    assert ours <= theirs
    assert "spark.archives=s3://code/python-arm64.tar.gz#environment" in words


def test_code_comes_from_the_release() -> None:
    driver = request()["jobDriver"]["sparkSubmit"]
    assert driver["entryPoint"] == f"{RELEASE}/run.py"
    assert driver["entryPointArguments"] == ["silver.orders"]
    assert driver["sparkSubmitParameters"].startswith(f"--py-files {RELEASE}/jobs.zip ")


def test_logs_go_to_the_deployments_prefix() -> None:
    assert request()["configurationOverrides"] == {
        "monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": "s3://sluice-logs/"}}
    }


def test_driver_and_executors_use_the_image_s_python_with_the_release_s_packages() -> None:
    assert f"spark.archives={RELEASE}/python-arm64.tar.gz#environment" in parameters()
    for side in ("spark.emr-serverless.driverEnv", "spark.emr-serverless.executorEnv", "spark.executorEnv"):
        assert f"{side}.PYSPARK_PYTHON=python3.11" in parameters()
        assert f"{side}.PYTHONPATH=./environment" in parameters()
    assert "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON=python3.11" in parameters()


def test_delta_is_taken_from_emr_s_image_and_the_kafka_source_from_the_release() -> None:
    (jars,) = [word.removeprefix("spark.jars=") for word in parameters() if word.startswith("spark.jars=")]
    assert jars.split(",") == [
        "/usr/share/aws/delta/lib/delta-spark.jar",
        "/usr/share/aws/delta/lib/delta-storage.jar",
        f"{RELEASE}/jars/kafka-clients-3.9.1.jar",
        f"{RELEASE}/jars/commons-pool2-2.12.1.jar",
    ]


def test_nothing_of_a_request_is_fetched_from_outside_of_the_account() -> None:
    """A private network reaches S3 and no repository."""
    text = json.dumps(request())
    assert "spark.jars.packages" not in text
    assert "spark.jars.repositories" not in text
    assert set(re.findall(r"(\w+)://", text)) == {"s3"}


def test_environment_reaches_the_driver() -> None:
    assert "spark.emr-serverless.driverEnv.SLUICE_LAKE_BUCKET=sluice-lake" in parameters()


def test_steps_own_spark_settings_win() -> None:
    words = parameters(**{"spark.archives": "s3://elsewhere#environment"})
    assert "spark.archives=s3://elsewhere#environment" in words
    assert not any(word.startswith(f"spark.archives={RELEASE}") for word in words)


@pytest.mark.parametrize(
    "value",
    [
        "-Dfirst=1 -Dsecond=2", "it's", 'say "so"', "back\\slash", "$(date)", "`date`", "a;b", "a|b", "a&b",
        "tab\there", "two\nlines",
        "gr\u00fcn", "*", " blank before", "blank after ", "(one)", "<file", ">file", "!", "{a,b}",
    ],
)  # fmt: skip
def test_setting_that_a_command_line_could_break_does_not_go_through_one(value: str) -> None:
    made = request(**{"spark.own": value, "spark.plain": "1g"})
    properties = {"classification": "spark-defaults", "properties": {"spark.own": value}}
    assert made["configurationOverrides"]["applicationConfiguration"] == [properties]
    words = made["jobDriver"]["sparkSubmit"]["sparkSubmitParameters"]
    assert shlex.split(words) == words.split(" ")
    assert "spark.plain=1g" in words
    assert "spark.own" not in words


def test_options_by_name_become_words_of_which_none_is_a_bare_value() -> None:
    options = {"--limit": 5, "--dry-run": True, "--verbose": False, "--since": None, "--tables": "", "--offset": 0}
    assert command_line(options) == ["--limit=5", "--dry-run", "--offset=0"]
    assert command_line({"--rule": "-1 is no amount"}) == ["--rule=-1 is no amount"]
    assert command_line(["--limit", 5]) == ["--limit", "5"]


def test_word_that_a_template_rendered_as_nothing_is_left_out() -> None:
    assert command_line(["", "--limit", 0, ""]) == ["--limit", "0"]


@pytest.mark.parametrize("odd", ["-1", "--run-id", "-h", "a=b", "two words", "--x", "=x"])
def test_job_reads_whatever_a_run_is_called(odd: str) -> None:
    run = parse([*step_line("gate", subject="lakehouse", dag_id=odd, run_id=odd, job=odd, code=odd), "--exact"])
    assert (run.step, run.subject, run.dag_id, run.run_id, run.job, run.code) == ("gate", "lakehouse", *[odd] * 4)
    assert run.exact
