"""What is asked of StartJobRun for a step."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

# Nobody says how EMR Serverless splits `sparkSubmitParameters` into words, or which quotes it knows. What needs no
# quote in any shell goes there; every other setting goes into `spark-defaults`, which is a map and is not split.
_PLAIN = re.compile(r"[\w@%+=:,./#~-]*", re.ASCII)
PYTHON = "./environment/bin/python"  # where `spark.archives` unpacks the release's Python environment


def job_request(
    *,
    release: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    spark_conf: Mapping[str, str],
    log_uri: str,
) -> dict[str, Any]:
    """The Spark submission of a step: `jobDriver` and `configurationOverrides`.

    Args:
        release: S3 prefix of the code release: `run.py`, `jobs.zip` and `environment.tar.gz`.
        arguments: of `run.py`.
        environment: of the driver.
        spark_conf: wins over what the release needs.
        log_uri: S3 prefix to which the job run's logs are sent.
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
        if _PLAIN.fullmatch(value):
            submit += ["--conf", f"{key}={value}"]
    defaults = {key: value for key, value in conf.items() if not _PLAIN.fullmatch(value)}
    overrides: dict[str, Any] = {"monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": log_uri}}}
    if defaults:
        overrides["applicationConfiguration"] = [{"classification": "spark-defaults", "properties": defaults}]
    return {
        "jobDriver": {
            "sparkSubmit": {
                "entryPoint": f"{release}/run.py",
                "entryPointArguments": list(arguments),
                "sparkSubmitParameters": " ".join(submit),
            }
        },
        "configurationOverrides": overrides,
    }


def step_line(step: str, *, subject: str = "", dag_id: str, run_id: str, job: str, code: str) -> list[str]:
    """How the command line of every step begins. A value is never a word of its own: it may begin with a dash.

    Args:
        step: such as `silver.orders` or `gate`.
        subject: what the step is about, where it has one: the pipeline of `gate` and `register`.
        dag_id: with `run_id` it names the run.
        run_id: of the DAG run, or of a stream's job run.
        job: name of the job run.
        code: hash of the code release.
    """
    words = [step, subject] if subject else [step]
    return [*words, f"--dag={dag_id}", f"--run-id={run_id}", f"--job={job}", f"--code={code}"]


def command_line(arguments: Mapping[str, Any] | Sequence[Any]) -> list[str]:
    """Options by name become words: `{"--limit": 5, "--dry-run": True}`. None, False and "" leave an option out.

    Empty words are left out too: EMR Serverless refuses them, and a template may render as nothing.
    """
    if not isinstance(arguments, Mapping):
        return [str(argument) for argument in arguments if argument != ""]
    words: list[str] = []
    for option, value in arguments.items():
        if value is not None and value is not False and value != "":
            words.append(option if value is True else f"{option}={value}")
    return words
