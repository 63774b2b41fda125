"""A warm worker: `python -m infra.local.aws.emr.warm.worker FOLDER CONF`. It runs one job at a time.

It takes a job as a line of JSON from its standard input, and answers on its standard output: `{"ready": true}`, then
for each job `{"pid": …}` and `{"code": …, "clean": …}`. It ends, with its JVM, when its input is closed.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from infra.local.aws.emr.warm import fork, jvm
from infra.local.aws.emr.warm.jvm import Address

# Libraries that most steps import; the code of a release is never among them.
LIBRARIES = (
    "pyspark.sql.functions", "pyspark.sql.pandas.types", "pyspark.sql.streaming", "delta.tables", "pandas",
    "pyarrow.compute", "pyarrow.dataset", "pyarrow.parquet", "deltalake", "boto3", "botocore.session", "requests",
    "yaml", "great_expectations", "great_expectations.expectations.core", "snowflake.connector", "simple_salesforce",
    "confluent_kafka", "msgspec", "babel.core", "openlineage.client.facet_v2",
)  # fmt: skip
LOOK_SECONDS = 0.05
CLEAR_SECONDS = 30


class Ended(Exception):
    """The server has closed this worker's input, or the JVM has died."""


class Worker:
    """The loop."""

    def __init__(self, folder: Path, conf: dict[str, str]) -> None:
        """Starts the JVM, and imports the libraries meanwhile."""
        self._jobs, self._answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)  # what a library prints is no answer
        self._jvm = jvm.start(conf, folder)
        for library in LIBRARIES:
            import_module(library)
        self._modules = frozenset(name for name in sys.modules if name.partition(".")[0] != "infra")
        while (address := Address.read(folder)) is None:
            self._look(LOOK_SECONDS)
        self._address = address
        with jvm.connected(address) as gateway:
            jvm.follow_streams(gateway, folder)
            self._kept = jvm.properties(gateway.jvm)
        self._say(ready=True)

    def serve(self) -> None:
        """Takes jobs until the end."""
        while True:
            self._look(1.0, input_may_come=True)
            if self._readable(0):
                if not (line := self._jobs.readline()):
                    raise Ended("the server is gone")
                self._run(json.loads(line))

    def _run(self, job: dict[str, Any]) -> None:
        pid = os.fork()
        if pid == 0:
            os.setsid()
            for pipe in (self._jvm.stdin, self._jobs, self._answers):
                if pipe:
                    pipe.close()  # or its other end would not notice the worker's end as long as the job lives
            fork.become(job, self._address, self._modules)
        self._say(pid=pid)
        while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
            try:
                self._look(LOOK_SECONDS)
            except Ended:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                self._say(code=self._jvm.returncode, clean=False)  # as a driver of its own, whose JVM leads
                raise
        code = os.waitstatus_to_exitcode(ended[1])
        self._say(code=code, clean=code >= 0 and self._clear())

    def _clear(self) -> bool:
        """Whether nothing of the job is left in the JVM. In a fork, so that this process never opens a connection."""
        pid = os.fork()
        if pid == 0:
            try:
                with jvm.connected(self._address) as gateway:
                    jvm.clear(gateway, self._kept)
            except BaseException as error:
                print(f"this worker is not used again: {error}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

    def _look(self, seconds: float, *, input_may_come: bool = False) -> None:
        """Waits; raises Ended when there is no use in going on."""
        if self._readable(seconds) and not input_may_come:
            raise Ended("the server is gone")
        if self._jvm.poll() is not None:
            raise Ended(f"the JVM ended with {self._jvm.returncode}")

    def _readable(self, seconds: float) -> bool:
        return bool(select.select([self._jobs], [], [], seconds)[0])

    def _say(self, **answer: Any) -> None:
        print(json.dumps(answer), file=self._answers, flush=True)

    def end(self) -> None:
        """Ends the JVM."""
        self._jvm.kill()
        self._jvm.wait()


def main() -> None:
    """Works until the end."""
    worker = Worker(Path(sys.argv[1]), json.loads(sys.argv[2]))
    try:
        worker.serve()
    except Ended as reason:
        print(reason, file=sys.stderr)
    finally:
        worker.end()


if __name__ == "__main__":
    main()
