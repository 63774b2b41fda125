"""A contender's process: started as the local EMR Serverless starts a job, heard, and ended whole."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import stream_peers
from benchmarks.stream_peers import Round
from infra.local.addresses import REPOSITORY, Addresses
from infra.local.aws.emr.process import JobProcess
from tests import spark as test_spark

ON_SPARK = ("ours", "plain", "tuned")
WITH_TABLE = (*ON_SPARK, "writer")
POLL_SECONDS = 0.2
PATIENCE = 900.0  # seconds for one round


class Contender:
    """What the process tells."""

    def __init__(self, name: str, process: JobProcess, logs: Path) -> None:
        self._name, self._process, self._logs = name, process, logs

    def wait(self, each: Round, fact: str) -> Any:
        """Waits until the process tells this of a round, and gives it.

        Raises:
            RuntimeError: it ends, or is silent for too long.
        """
        give_up = time.monotonic() + PATIENCE
        while True:
            ended = self._process.wait(POLL_SECONDS) is not None
            for line in (self._logs / "stdout").read_text(errors="replace").splitlines():
                if line.startswith('{"round"') and line.endswith("}"):
                    told = json.loads(line)
                    if told["round"] == each.name and fact in told:
                        return told[fact]
            if ended or time.monotonic() > give_up:
                tail = "\n".join(
                    (self._logs / name).read_text(errors="replace")[-3000:] for name in ("stdout", "stderr")
                )
                raise RuntimeError(f"{self._name} has not told {fact} of {each.name}:\n{tail}")


@contextmanager
def running(addresses: Addresses, name: str, rounds: Sequence[Round]) -> Iterator[Contender]:
    """Starts the process, and ends it afterwards, also one that is at work."""
    folder = addresses.home / name
    folder.mkdir()
    command = [sys.executable]
    if name in ON_SPARK:
        # The platform's confs, but for the flags that make a short job's start cheap and a long one slow.
        confs = test_spark.conf(addresses.s3, light=False, long=True)
        command = [str(Path(sys.executable).with_name("spark-submit")), "--name", name]
        command += [word for key, value in confs.items() for word in ("--conf", f"{key}={value}")]
    command += [stream_peers.__file__, name, json.dumps([asdict(each) for each in rounds])]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYSPARK_DRIVER_PYTHON": sys.executable}
    process = JobProcess(command, environment, folder, folder / "logs", name)
    try:
        yield Contender(name, process, folder / "logs")
    finally:
        process.stop()
