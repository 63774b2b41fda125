from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from infra.local.aws.access.caller import credentials
from infra.local.aws.emr.spark_submit import Submission, submission
from infra.setup.spark_conf import local_conf

S3 = "http://127.0.0.1:9"


def submit(
    parameters: str = "",
    properties: dict[str, str] | None = None,
    here: dict[str, str] | None = None,
    machine: dict[str, str] | None = None,
    **spark: Any,
) -> Submission:
    defaults = [{"classification": "spark-defaults", "properties": properties or {}}]
    return submission(
        {"sparkSubmit": {"entryPoint": "s3://code/run.py", "sparkSubmitParameters": parameters, **spark}},
        {"applicationConfiguration": defaults},
        name="silver.orders",
        environment={"AWS_ENDPOINT_URL_S3": S3, "HOME": "/home/x", **credentials("role/gold"), **(here or {})},
        fetch=lambda uri: uri.replace("s3://", "/fetched/"),
        defaults=machine,
    )


def confs(submitted: Submission) -> dict[str, str]:
    words = submitted.arguments
    return dict(words[i + 1].split("=", 1) for i, word in enumerate(words) if word == "--conf")


def test_submit_parameters_win_over_spark_defaults() -> None:
    submitted = submit("--conf spark.a=parameter", {"spark.a": "default", "spark.b": "default"})
    assert confs(submitted)["spark.a"] == "parameter"
    assert confs(submitted)["spark.b"] == "default"


def test_local_settings_win_over_the_request() -> None:
    submitted = submit("--conf spark.driver.memory=16g --driver-memory 32g --master yarn --conf spark.master=yarn")
    assert confs(submitted)["spark.driver.memory"] == local_conf(S3)["spark.driver.memory"]
    assert confs(submitted)["spark.master"] == "local[2]"
    assert not {"--driver-memory", "--master", "32g", "yarn"} & set(submitted.arguments)


def test_default_of_the_machine_counts_where_the_request_says_nothing() -> None:
    partitions, compiled = "spark.sql.shuffle.partitions", "spark.sql.codegen.wholeStage"
    machine = {partitions: "2", compiled: "false"}
    assert confs(submit(machine=machine)).items() >= machine.items()
    for wish in (submit(f"--conf {compiled}=true", machine=machine), submit("", {compiled: "true"}, machine=machine)):
        assert confs(wish).items() >= {partitions: "2", compiled: "true"}.items()


@pytest.mark.parametrize(
    "key",
    [
        "spark.archives",
        "spark.dynamicAllocation.enabled",
        "spark.emr-serverless.driver.disk",
        "spark.executor.instances",
        "spark.executor.memory",
        "spark.jars.packages",
    ],
)
def test_settings_of_a_fleet_or_of_the_image_are_dropped(key: str) -> None:
    assert key not in confs(submit(f"--conf {key}=1"))


def test_entry_point_and_files_are_fetched_and_arguments_kept_as_they_are() -> None:
    submitted = submit(
        "--py-files s3://code/jobs.zip,s3://code/more.zip --conf spark.files=s3://code/a.txt",
        entryPointArguments=["silver.orders", "--run-id", "a b"],
    )
    assert (
        submitted.arguments[submitted.arguments.index("--py-files") + 1]
        == "/fetched/code/jobs.zip,/fetched/code/more.zip"
    )
    assert confs(submitted)["spark.files"] == "/fetched/code/a.txt"
    assert submitted.arguments[-4:] == ("/fetched/code/run.py", "silver.orders", "--run-id", "a b")


def test_jars_of_the_emr_image_are_left_out_and_others_fetched() -> None:
    image = "/usr/share/aws/delta/lib/delta-spark.jar"
    assert "spark.jars" not in confs(submit(f"--conf spark.jars={image}"))
    assert confs(submit(f"--conf spark.jars={image},s3://code/own.jar"))["spark.jars"] == "/fetched/code/own.jar"


def test_jars_of_a_release_that_this_machine_has_are_left_out(tmp_path: Path) -> None:
    """With them a job would need a JVM of its own, and a copy of each from S3."""
    (tmp_path / "kafka-clients-3.9.1.jar").touch()
    wanted = "s3://code/releases/1/jars/kafka-clients-3.9.1.jar,s3://code/own.jar"
    submitted = submit(f"--jars {wanted} --conf spark.jars={wanted}", here={"SLUICE_JARS": str(tmp_path)})
    assert confs(submitted)["spark.jars"] == dict(submitted.options)["--jars"] == "/fetched/code/own.jar"


def test_driver_environment_reaches_the_job_except_for_its_python() -> None:
    submitted = submit(
        "--conf spark.emr-serverless.driverEnv.SLUICE_PROJECT=sluice"
        " --conf spark.emr-serverless.driverEnv.PYSPARK_PYTHON=python3.11"
        " --conf spark.emr-serverless.driverEnv.PYTHONPATH=./environment"
        " --conf spark.executorEnv.PYTHONPATH=./environment"
    )
    assert submitted.environment["SLUICE_PROJECT"] == "sluice"
    assert submitted.environment["HOME"] == "/home/x"
    assert submitted.environment["PYSPARK_PYTHON"] == sys.executable
    assert "PYTHONPATH" not in submitted.environment
    assert "spark.executorEnv.PYTHONPATH" not in submitted.conf


def test_variable_that_this_server_has_anyway_asks_for_nothing() -> None:
    """A request names the region. The JVMs that are ready were started in it."""
    region = "--conf spark.emr-serverless.driverEnv.AWS_REGION="
    assert submit(region + "eu-west-1", here={"AWS_REGION": "eu-west-1"}).driver_environment == {}
    assert submit(region + "eu-west-1").driver_environment == {"AWS_REGION": "eu-west-1"}


def test_java_options_of_the_request_are_kept_beside_ours() -> None:
    options = confs(submit("--conf 'spark.driver.extraJavaOptions=-Da=b -Dc=d'"))["spark.driver.extraJavaOptions"]
    assert options.startswith("-Da=b -Dc=d -XX:")


def test_both_forms_of_an_option_are_understood() -> None:
    submitted = submit("--conf=spark.a=b=c --verbose --class org.example.Main")
    assert confs(submitted)["spark.a"] == "b=c"
    assert submitted.arguments[4:6] == ("--class", "org.example.Main")
    assert "--verbose" in submitted.arguments
