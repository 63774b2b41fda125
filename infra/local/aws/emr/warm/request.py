"""Tells which jobs a warm worker can run as a cold driver would, and what it must know of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.local.aws.emr.process import RUN_VARIABLE
from infra.local.aws.emr.spark_submit import Submission

OPTIONS = {"--py-files", "--name"}
# A JVM reads these when it starts. A worker has them as every job of this server has, or the job starts cold.
JVM_CONF = (
    "spark.driver.extraJavaOptions", "spark.driver.defaultJavaOptions", "spark.driver.extraClassPath",
    "spark.driver.extraLibraryPath", "spark.driver.memory", "spark.driver.userClassPathFirst", "spark.files",
    "spark.jars", "spark.plugins",
)  # fmt: skip
# Variables that a JVM, a Python or their libraries read when they start.
EARLY_VARIABLES = ("AWS_", "HADOOP", "JAVA", "JDK_", "LANG", "LC_", "LD_", "MALLOC_", "OMP_", "OPENBLAS_", "PATH",
                   "PYTHON", "PYSPARK_", "SLUICE_JARS", "SPARK_", "TZ", "HOME")  # fmt: skip


@dataclass(frozen=True)
class WarmRequest:
    """A job as a worker's fork runs it.

    Attributes:
        entry_point: the program's local path.
        arguments: of the program.
        py_files: local paths that go onto `sys.path`, and to Spark's Python workers.
        conf: the session's `spark.*` settings.
        environment: the driver's whole environment.
        folder: working folder.
        scratch: Spark's folder for what does not fit into memory.
        stdout, stderr: files. Python writes both of its streams to the first, as under `spark-submit`; the JVM's lines
            go to the second.
    """

    entry_point: str
    arguments: tuple[str, ...]
    py_files: tuple[str, ...]
    conf: Mapping[str, str]
    environment: Mapping[str, str]
    folder: str
    scratch: str
    stdout: str
    stderr: str

    def document(self) -> dict[str, Any]:
        return asdict(self)


def warm_request(
    wanted: Submission, jvm: Mapping[str, str], folder: Path, logs: Path, run_id: str
) -> WarmRequest | None:
    """What a worker must know of a job; None if only a driver of its own can run it.

    Args:
        wanted: the job.
        jvm: the configuration that workers' JVMs were started with.
        folder: the job's working folder.
        logs: folder of this attempt's `stdout` and `stderr`.
        run_id: job run id.
    """
    options = dict(wanted.options)
    if not OPTIONS.issuperset(options) or any(wanted.conf.get(key) != jvm.get(key) for key in JVM_CONF):
        return None
    if any(name.startswith(EARLY_VARIABLES) for name in wanted.driver_environment):
        return None
    files = options.get("--py-files") or wanted.conf.get("spark.submit.pyFiles") or ""
    scratch = str(folder / "tmp")
    return WarmRequest(
        entry_point=wanted.entry_point[0],
        arguments=wanted.entry_point[1:],
        py_files=tuple(file for file in files.split(",") if file),
        conf={
            **wanted.conf,
            "spark.app.name": options.get("--name") or wanted.name,
            "spark.submit.deployMode": "client",
            "spark.submit.pyFiles": files,
            "spark.local.dir": scratch,
        },
        environment={**wanted.environment, RUN_VARIABLE: run_id},
        folder=str(folder),
        scratch=scratch,
        stdout=str(logs / "stdout"),
        stderr=str(logs / "stderr"),
    )
