"""The process of a contender: starts it as the local EMR Serverless starts a job, reads its reports, and ends it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import stream_peers
from benchmarks.stream_peers import Round
from infra.local.addresses import REPOSITORY, Addresses
from infra.local.aws.emr.process import JobProcess
from infra.local.polling import wait_until
from infra.setup import spark_conf
from jobs.lake import session

ON_SPARK = ("ours", "plain", "tuned")
WITH_TABLE = (*ON_SPARK, "writer")
LONGEST_ROUND = 900.0  # seconds


class Contender:
    """A running contender, and what its process reports."""

    def __init__(self, name: str, process: JobProcess, logs: Path) -> None:
        self._name, self._process, self._logs = name, process, logs

    def wait(self, each: Round, fact: str) -> Any:
        """Waits until the process reports this fact of a round, and gives it.

        Raises:
            RuntimeError: the process ends, or says nothing for too long.
        """

        def silent() -> RuntimeError:
            logs = [(self._logs / stream).read_text(errors="replace")[-3000:] for stream in ("stdout", "stderr")]
            return RuntimeError("\n".join([f"{self._name} has not reported {fact} of {each.name}:", *logs]))

        def look() -> list[Any]:
            ended = self._process.wait(0) is not None
            found = [report[fact] for report in self._reports() if report["round"] == each.name and fact in report]
            if ended and not found:
                raise silent()
            return found

        return wait_until(look, seconds=LONGEST_ROUND, late=silent, pause=0.2)[0]

    def _reports(self) -> list[dict[str, Any]]:
        lines = (self._logs / "stdout").read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"round"') and line.endswith("}")]


@contextmanager
def running(addresses: Addresses, name: str, rounds: Sequence[Round]) -> Iterator[Contender]:
    """Starts the process, and ends it afterwards, even in the middle of a round."""
    folder = addresses.home / name
    folder.mkdir()
    command = [sys.executable]
    if name in ON_SPARK:
        confs = spark_conf.local_conf(addresses.s3, compilers="") | session.CONF
        command = [str(Path(sys.executable).with_name("spark-submit")), "--name", name]
        command += [word for key, value in confs.items() for word in ("--conf", f"{key}={value}")]
    command += [stream_peers.__file__, name, json.dumps([asdict(each) for each in rounds])]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYSPARK_DRIVER_PYTHON": sys.executable}
    process = JobProcess(command, environment, folder, folder / "logs", name)
    try:
        yield Contender(name, process, folder / "logs")
    finally:
        process.stop()
