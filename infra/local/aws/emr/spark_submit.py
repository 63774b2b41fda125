"""Maps an EMR Serverless job request to a `spark-submit` command line for this machine.

EMR runs a driver and executors of its own sizes. Its image holds the Delta and S3 connectors, the release has the
Kafka source, and Python's packages come from an archive. Here one JVM of fixed size does it all, with the jars of
$SLUICE_JARS and the Python that runs this server. So the same request works in both places.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from infra.local.addresses import HOST
from infra.setup.spark_conf import LIGHT_JVM, local_conf

DRIVER_ENVIRONMENT = "spark.emr-serverless.driverEnv."
EMR_IMAGE = "/usr/share/aws/"  # $SLUICE_JARS holds the jars that are there

# Settings that need a fleet of workers, the EMR image or a repository of jars.
_DROPPED = (
    "spark.archives",
    "spark.dynamicAllocation.",
    "spark.emr-serverless.",
    "spark.executor.",
    "spark.executorEnv.PYSPARK_",
    "spark.executorEnv.PYTHONPATH",
    "spark.hadoop.hive.metastore.client.factory.class",
    "spark.jars.packages",
    "spark.jars.repositories",
    "spark.master",
    "spark.pyspark.",
    "spark.submit.deployMode",
)
_DROPPED_OPTIONS = (
    "--archives", "--deploy-mode", "--driver-cores", "--driver-memory", "--exclude-packages",
    "--executor-cores", "--executor-memory", "--master", "--num-executors", "--packages", "--repositories",
    "--total-executor-cores",
)  # fmt: skip
_FILE_OPTIONS = ("--files", "--jars", "--py-files")
_FILE_CONFS = ("spark.files", "spark.jars", "spark.submit.pyFiles")
_FLAGS = ("--verbose", "-v", "--supervise")
_JAVA_OPTIONS = "spark.driver.extraJavaOptions"

Fetch = Callable[[str], str]


@dataclass(frozen=True)
class Submission:
    """A job as this machine runs it. All files are local.

    Attributes:
        name: the Spark application's name.
        options: options of `spark-submit` besides `--conf`; a flag's value is empty.
        conf: the session's whole configuration.
        entry_point: the program, and its arguments.
        driver_environment: the variables that the request adds to the server's.
        environment: the driver's whole environment.
    """

    name: str
    options: tuple[tuple[str, str], ...]
    conf: Mapping[str, str]
    entry_point: tuple[str, ...]
    driver_environment: Mapping[str, str]
    environment: Mapping[str, str]

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command line that runs it cold."""
        words = [str(Path(sys.executable).with_name("spark-submit")), "--name", self.name]
        for option, value in self.options:
            words += [option] if option in _FLAGS else [option, value]
        for key, value in self.conf.items():
            words += ["--conf", f"{key}={value}"]
        return (*words, *self.entry_point)


def submission(
    job_driver: Mapping[str, Any],
    overrides: Mapping[str, Any],
    *,
    name: str,
    environment: Mapping[str, str],
    fetch: Fetch,
    defaults: Mapping[str, str] | None = None,
) -> Submission:
    """Maps a job request.

    Args:
        job_driver: the request's `jobDriver`.
        overrides: the request's `configurationOverrides`.
        name: the Spark application's name.
        environment: this server's environment. Endpoints come from it, and the credentials of the job's role.
        fetch: downloads a URI and gives the local path.
        defaults: of this machine; the request's own settings win.
    """
    spark = job_driver["sparkSubmit"]
    options, submitted = _parse(spark.get("sparkSubmitParameters") or "")
    requested = {**_spark_defaults(overrides), **submitted}
    driver_environment = _driver_environment(requested, environment)
    there = _jars_here(environment)
    return Submission(
        name=name,
        options=tuple(
            (key, _fetch_all(value, fetch, there) if key in _FILE_OPTIONS else value) for key, value in options
        ),
        conf=_local(requested, environment, fetch, defaults or {}),
        entry_point=(fetch(spark["entryPoint"]), *(spark.get("entryPointArguments") or [])),
        driver_environment=driver_environment,
        environment={**environment, **driver_environment, **platform_variables()},
    )


def _local(
    requested: Mapping[str, str], environment: Mapping[str, str], fetch: Fetch, defaults: Mapping[str, str]
) -> dict[str, str]:
    """The request's configuration without what can't work here, then this machine's, which wins over it; then those
    defaults for which the request has nothing of its own.
    """
    conf = {key: value for key, value in requested.items() if not key.startswith(_DROPPED)}
    for key in _FILE_CONFS:
        if key in conf and (files := _fetch_all(conf.pop(key), fetch, _jars_here(environment))):
            conf[key] = files
    local = local_conf(environment["AWS_ENDPOINT_URL_S3"])
    # A warm JVM's own environment has the server's keys: those of the job come by its session.
    local["spark.hadoop.fs.s3a.access.key"] = environment["AWS_ACCESS_KEY_ID"]
    local["spark.hadoop.fs.s3a.secret.key"] = environment["AWS_SECRET_ACCESS_KEY"]
    if own := conf.get(_JAVA_OPTIONS):
        local[_JAVA_OPTIONS] = f"{own} {local[_JAVA_OPTIONS]}"
    return {**conf, **local, **{key: value for key, value in defaults.items() if key not in requested}}


def _spark_defaults(overrides: Mapping[str, Any]) -> dict[str, str]:
    conf: dict[str, str] = {}
    for configuration in overrides.get("applicationConfiguration") or []:
        if configuration.get("classification") == "spark-defaults":
            conf.update(configuration.get("properties") or {})
    return conf


def _parse(parameters: str) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Splits `sparkSubmitParameters` into the options that work here, and the `--conf` settings."""
    options: list[tuple[str, str]] = []
    conf: dict[str, str] = {}
    for option, value in _pairs(iter(shlex.split(parameters))):
        if option in ("--conf", "-c"):
            key, _, setting = value.partition("=")
            conf[key] = setting
        elif option not in _DROPPED_OPTIONS:
            options.append((option, value))
    return options, conf


def _pairs(words: Iterator[str]) -> Iterator[tuple[str, str]]:
    """(option, value) of `--option value` and `--option=value`. A flag's value is empty."""
    for word in words:
        option, equals, value = word.partition("=")
        if equals and option.startswith("--"):
            yield option, value
        elif word in _FLAGS:
            yield word, ""
        else:
            yield word, next(words, "")


def _fetch_all(files: str, fetch: Fetch, there: frozenset[str]) -> str:
    """The files as local ones, without the jars that are on the class path already."""
    wanted = [file.strip() for file in files.split(",") if file.strip()]
    missing = [file for file in wanted if not file.startswith(EMR_IMAGE) and file.rpartition("/")[2] not in there]
    return ",".join(fetch(file) for file in missing)


def _jars_here(environment: Mapping[str, str]) -> frozenset[str]:
    """Names of the jars that every driver here has on its class path."""
    folder = environment.get("SLUICE_JARS")
    return frozenset(jar.name for jar in Path(folder).glob("*.jar")) if folder else frozenset()


def _driver_environment(conf: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The variables of the driver that this server does not have as they are.

    PYSPARK_* and PYTHONPATH are left out: they point into EMR's image and into the unpacked archive.
    """
    variables = {
        key.removeprefix(DRIVER_ENVIRONMENT): value for key, value in conf.items() if key.startswith(DRIVER_ENVIRONMENT)
    }
    of_python = ("PYSPARK_", "PYTHONPATH")
    return {key: value for key, value in variables.items() if not key.startswith(of_python) and own.get(key) != value}


def platform_variables() -> dict[str, str]:
    """Variables that every driver on this machine has, whatever the request says."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise RuntimeError(f"{sys.executable} has no pyspark: start this server with the job environment's Python")
    return {
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYTHONUNBUFFERED": "1",
        "SPARK_LOCAL_IP": HOST,
        "SPARK_HOME": str(Path(spec.origin).parent),  # otherwise spark-submit starts a Python to find it
        "SPARK_LAUNCHER_OPTS": f"{LIGHT_JVM} -Xshare:auto",  # of the JVM that only prints the real command line
    }
