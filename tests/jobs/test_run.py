"""The entry point: exit codes, and the last line by which the operator tells failures apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs import run, steps
from jobs.lake import errors
from jobs.lake.run import Run
from tests.jobs.lakehouse import at

REPOSITORY = Path(__file__).resolve().parents[2]


def test_command_line_becomes_a_run() -> None:
    words = "silver.orders --run-id r1 --window-start 2026-10-01 --window-end 2026-10-02T00:00:00+00:00 --exact"

    assert run.parse([*words.split(), "--full-refresh", "--code", "abc", "--tables", "silver.orders, gold.x"]) == Run(
        run_id="r1",
        step="silver.orders",
        code="abc",
        window_start=at("2026-10-01"),
        window_end=at("2026-10-02"),
        exact=True,
        full_refresh=True,
        tables=("silver.orders", "gold.x"),
    )
    assert run.parse(["gate", "--run-id", "r1"]) == Run(run_id="r1", step="gate")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.GateError("refused"), 65),
        (errors.ConfigurationError("no secret"), 78),
        (errors.TransientError("source down"), 75),
        (errors.LakeError("lost rows"), 70),
        (KeyError("a bug"), 70),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_failure_exits_with_the_code_of_its_kind_and_reports_last(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    def fail(_: Run) -> None:
        raise error

    monkeypatch.setattr(steps, "perform", fail)

    assert run.main(["gate", "--run-id", "r1"]) == code
    last = capfd.readouterr().err.splitlines()[-1]
    assert last == errors.report(error)[1]
    assert last.startswith("SLUICE-ERROR {")


def test_success_exits_with_zero_and_says_nothing_of_errors(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(steps, "perform", lambda _: None)

    assert run.main(["gate", "--run-id", "r1"]) == 0
    assert "SLUICE-ERROR" not in capfd.readouterr().err


def test_traceback_is_shown_for_bugs_only(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def fail(_: Run) -> None:
        raise errors.DataError("known") if known else ZeroDivisionError("bug")

    monkeypatch.setattr(steps, "perform", fail)
    for known in (True, False):
        run.main(["gate", "--run-id", "r1"])
        assert ("Traceback" in capfd.readouterr().err) is not known


def test_job_started_as_on_the_cluster_reports_its_failure() -> None:
    done = subprocess.run(
        [sys.executable, "jobs/run.py", "silver.nothing", "--run-id", "r1"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 78
    report = json.loads(done.stderr.splitlines()[-1].removeprefix("SLUICE-ERROR "))
    assert (report["kind"], report["error"]) == ("configuration", "ConfigurationError")
    assert "no step 'silver.nothing'; there are bronze.fx_rates, " in report["message"]
