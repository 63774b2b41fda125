"""Plants each fault of `faults.yaml` into a copy of the code and sees whether the named test turns red.

`python -m tests.mutants kernel` plants those that tests of `jobs/lake` notice, `steps` those of other jobs and of
rules, `platform` those of Airflow and of what stands for AWS: side by side they take half the time. `quick` plants
those of all whose tests are quick. Before and after, tests must be green without a fault: where Delta is missing or
the JVM has died, each test is red, and would seem to notice anything.

One JVM and one AWS stand-in serve many faults: each fault's tests run in a fork of this process, which has the slow
libraries imported, and make a Spark context of their own in that JVM. Nothing in the checkout is changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
AIRFLOW_TESTS = ("tests/dags/", "tests/plugins/")
PLATFORM_TESTS = (*AIRFLOW_TESTS, "tests/flow/", "tests/infra/", "tests/github/")
KERNEL_TESTS = "tests/jobs/lake/"
SECONDS = 300  # for one test
SET_UP_FAILED = 71  # exit code: no test failed, but what was made for one
IN_ONE_JVM = 90  # faults; what their contexts leave behind fills its memory after some 140


@dataclass(frozen=True)
class Fault:
    """One small change to the live code.

    Attributes:
        promise: what it breaks.
        file: where.
        find: text that occurs once in the file.
        replace: the text to put in its place.
        red: ids of tests of which at least one must fail.
        slow: its tests build whole lakes: left to `make mutants`.
    """

    promise: str
    file: str
    find: str
    replace: str
    red: tuple[str, ...]
    slow: bool = False

    def plant(self, tree: Path) -> str:
        """Changes the file; returns its former text.

        Raises:
            ValueError: the text is not in the file exactly once; `faults.yaml` has to follow the code.
        """
        path = tree / self.file
        text = path.read_text()
        if text.count(self.find) != 1:
            raise ValueError(f"{self.promise}: {self.file} has {text.count(self.find)} times {self.find!r}")
        path.write_text(text.replace(self.find, self.replace))
        return text


def faults() -> list[Fault]:
    """The committed list."""
    listed = yaml.safe_load((Path(__file__).parent / "faults.yaml").read_text())
    return [Fault(**{**entry, "red": tuple(entry["red"])}) for entry in listed]


PARTS: Mapping[str, Callable[[Fault], bool]] = {
    "kernel": lambda fault: fault.red[0].startswith(KERNEL_TESTS),
    "steps": lambda fault: not fault.red[0].startswith((KERNEL_TESTS, *PLATFORM_TESTS)),
    "platform": lambda fault: fault.red[0].startswith(PLATFORM_TESTS),
    "quick": lambda fault: not fault.slow,
}


def main(part: str) -> int:
    """Plants the faults of a part; 0 when each is caught."""
    begun, listed = time.monotonic(), [fault for fault in faults() if PARTS[part](fault)]
    missed: list[Fault] = []
    with tempfile.TemporaryDirectory() as folder:
        tree = _copy(Path(folder) / "tree")
        red = sorted({test for fault in listed for test in fault.red})
        with _services():
            if not _green(tree, red):
                print("the tests fail without any fault: fix that first", file=sys.stderr)
                return 1
        print(f"{part}: {len(red)} tests are green in {time.monotonic() - begun:.0f} s", flush=True)
        for first in range(0, len(listed), IN_ONE_JVM):
            some = listed[first : first + IN_ONE_JVM]
            with _services():
                missed += [fault for fault in some if not _caught(tree, fault)]
                if not _green(tree, sorted({test for fault in some[::20] for test in fault.red})):
                    print("tests stay red without any fault: what was caught is no proof", file=sys.stderr)
                    return 1
    print(f"{part}: {len(listed) - len(missed)} of {len(listed)} faults caught in {time.monotonic() - begun:.0f} s")
    for fault in missed:
        print(f"NOT NOTICED: {fault.promise} ({fault.file}): a test is missing", file=sys.stderr)
    return 1 if missed else 0


def _caught(tree: Path, fault: Fault) -> bool:
    begun = time.monotonic()
    former = fault.plant(tree)
    try:
        code = _pytest(tree, fault.red)
    finally:
        (tree / fault.file).write_text(former)
    if code == SET_UP_FAILED and _pytest(tree, fault.red) == 0:  # by the fault then, and not by what came before it
        code = 1
    # 1 means that tests ran and failed. Tests that can't even be collected prove nothing.
    outcome = {0: "NOT NOTICED", 1: "caught"}.get(code, f"pytest ended with {code}")
    print(f"  {outcome:<12} {time.monotonic() - begun:5.1f} s  {fault.promise}", flush=True)
    return code == 1


def _green(tree: Path, tests: Sequence[str]) -> bool:
    ours = [test for test in tests if not test.startswith(AIRFLOW_TESTS)]
    theirs = [test for test in tests if test.startswith(AIRFLOW_TESTS)]
    return all(_pytest(tree, part, show=True) == 0 for part in (ours, theirs) if part)


def _pytest(tree: Path, tests: Sequence[str], *, show: bool = False) -> int:
    words = ["-q", "--tb=short", "-m", "slow or not slow", f"--timeout={SECONDS}", *([] if show else ["-x"]), *tests]
    if tests[0].startswith(AIRFLOW_TESTS):
        python = REPOSITORY / ".venv" / "airflow" / "bin" / "python"
        output = None if show else subprocess.DEVNULL
        return subprocess.run([python, "-m", "pytest", *words], cwd=tree, stdout=output, stderr=output).returncode
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return _as_child(tree, words, show)


def _as_child(tree: Path, words: list[str], show: bool) -> int:
    """Runs pytest in the copy and ends the process: nothing of it may go on in the parent's code."""
    code = 70
    try:
        os.chdir(tree)
        sys.path[:] = [str(tree), *(place for place in sys.path if Path(place or ".").resolve() != REPOSITORY)]
        for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "jobs", "dq", "infra")]:
            del sys.modules[name]
        if not show:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
        import pytest

        seen = _Failed()
        code = int(pytest.main(words, plugins=[seen]))
        if code == 1 and not seen.tests:
            code = SET_UP_FAILED
        _end_context()
    finally:
        sys.stdout.flush()
        os._exit(code)


class _Failed:
    """Counts tests that failed themselves, for pytest."""

    tests = 0

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.tests += report.when == "call" and report.failed


def _end_context() -> None:
    """A context that a red test left running would keep all later ones out of the JVM."""
    from pyspark import SparkContext

    if active := SparkContext._active_spark_context:
        active.stop()


def _copy(tree: Path) -> Path:
    """The checkout's files as they are now, without what git ignores; the environments are shared."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listing, cwd=REPOSITORY, text=True).splitlines():
        if (REPOSITORY / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, tree / name)
    (tree / ".venv").symlink_to(REPOSITORY / ".venv")
    return tree


@contextmanager
def _services() -> Iterator[None]:
    """One AWS stand-in and one JVM, named in the environment for the tests' fixtures to find."""
    from pyspark import SparkConf
    from pyspark.java_gateway import launch_gateway

    from infra.local.aws import throw_away
    from infra.setup import spark_conf
    from tests import lakes, spark

    for module in (
        "great_expectations",
        "boto3",
        "pandas",
        "deltalake",
        "delta.tables",
        "pyspark.sql.functions",
        "pytest",
    ):
        __import__(module)
    with tempfile.TemporaryDirectory() as logs, throw_away.server(Path(logs)) as aws:
        # For the JVM alone: a test that has an AWS of its own would be led to this one.
        with mock.patch.dict(os.environ, spark_conf.environment(aws.environment())):
            gateway = launch_gateway(SparkConf().setAll(list(spark.conf(aws.s3, long=False).items())))
        known = {
            lakes.SHARED_AWS: " ".join(aws),
            "PYSPARK_GATEWAY_PORT": str(gateway.gateway_parameters.port),
            "PYSPARK_GATEWAY_SECRET": str(gateway.gateway_parameters.auth_token),
        }
        try:
            with mock.patch.dict(os.environ, known):
                yield
        finally:
            gateway.shutdown()
            gateway.proc.stdin.close()
            gateway.proc.wait(30)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
