"""What is asked of StartJobRun for a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PYTHON = "./environment/bin/python"  # where `spark.archives` unpacks the release's Python environment


def job_driver(
    *, release: str, arguments: Sequence[str], environment: Mapping[str, str], spark_conf: Mapping[str, str]
) -> dict[str, Any]:
    """The Spark submission of a step.

    Args:
        release: S3 prefix of the code release: `run.py`, `jobs.zip` and `environment.tar.gz`.
        arguments: of `run.py`.
        environment: of the driver.
        spark_conf: wins over what the release needs.
    """
    conf = {
        "spark.archives": f"{release}/environment.tar.gz#environment",
        "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON": PYTHON,
        "spark.emr-serverless.driverEnv.PYSPARK_PYTHON": PYTHON,
        "spark.emr-serverless.executorEnv.PYSPARK_PYTHON": PYTHON,
        "spark.executorEnv.PYSPARK_PYTHON": PYTHON,
        **{f"spark.emr-serverless.driverEnv.{name}": value for name, value in environment.items()},
        **spark_conf,
    }
    submit = ["--py-files", f"{release}/jobs.zip"]
    for key, value in conf.items():
        submit += ["--conf", f"{key}={value}"]
    return {
        "sparkSubmit": {
            "entryPoint": f"{release}/run.py",
            "entryPointArguments": list(arguments),
            "sparkSubmitParameters": " ".join(submit),
        }
    }


def log_settings(log_uri: str) -> dict[str, Any]:
    """The configuration overrides that send a job run's logs to S3."""
    return {"monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": log_uri}}}


def step_line(step: str, *, subject: str = "", dag_id: str, run_id: str, job: str, code: str) -> list[str]:
    """How the command line of every step begins.

    Args:
        step: such as `silver.orders` or `gate`.
        subject: what the step is about, where it has one: the pipeline of `gate` and `register`.
        dag_id: with `run_id` it names the run.
        run_id: of the DAG run, or of a stream's job run.
        job: name of the job run.
        code: hash of the code release.
    """
    words = [step, subject] if subject else [step]
    return [*words, "--dag", dag_id, "--run-id", run_id, "--job", job, "--code", code]


def command_line(arguments: Mapping[str, Any] | Sequence[Any]) -> list[str]:
    """Options by name become words: `{"--limit": 5, "--dry-run": True}`. None, False and "" leave an option out."""
    if not isinstance(arguments, Mapping):
        return [str(argument) for argument in arguments]
    words: list[str] = []
    for option, value in arguments.items():
        if value is not None and value is not False and value != "":
            words += [option] if value is True else [option, str(value)]
    return words
