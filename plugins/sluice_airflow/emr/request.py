"""What is asked of StartJobRun for a step."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

# Nobody says how EMR Serverless splits `sparkSubmitParameters` into words, or which quotes it knows. What needs no
# quote in any shell goes there; every other setting goes into `spark-defaults`, which is a map and is not split.
_PLAIN = re.compile(r"[\w@%+=:,./#~-]*", re.ASCII)
PYTHON = "python3.11"  # of EMR's image, whose default may be another
PACKAGES = (
    "./environment"  # where `spark.archives` unpacks the packages of the jobs, below a driver's and an executor's
)
# EMR's image holds Delta, but puts it on no class path (EMR Serverless user guide, "Using Delta Lake"). Since EMR 7.0
# the first one is `delta-spark.jar` and no longer `delta-core.jar`.
DELTA = ("/usr/share/aws/delta/lib/delta-spark.jar", "/usr/share/aws/delta/lib/delta-storage.jar")
_SIDES = ("spark.emr-serverless.driverEnv.", "spark.emr-serverless.executorEnv.", "spark.executorEnv.")


def job_request(
    *,
    release: str,
    python_archive: str,
    jars: Sequence[str],
    arguments: Sequence[str],
    environment: Mapping[str, str],
    spark_conf: Mapping[str, str],
    log_uri: str,
) -> dict[str, Any]:
    """The Spark submission of a step: `jobDriver` and `configurationOverrides`.

    Args:
        release: S3 prefix of the code release: `run.py`, `jobs.zip`, the archive, and the folder `jars`.
        python_archive: name of the archive with the jobs' packages.
        jars: names of the jars that EMR's image lacks.
        arguments: of `run.py`.
        environment: of the driver.
        spark_conf: wins over what the release needs.
        log_uri: S3 prefix to which the job run's logs are sent.
    """
    conf = {
        "spark.archives": f"{release}/{python_archive}#{PACKAGES.removeprefix('./')}",
        "spark.jars": ",".join([*DELTA, *(f"{release}/jars/{jar}" for jar in jars)]),
        "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON": PYTHON,
        **{f"{side}PYSPARK_PYTHON": PYTHON for side in _SIDES},
        **{f"{side}PYTHONPATH": PACKAGES for side in _SIDES},
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
