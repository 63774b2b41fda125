"""The entry point: exit codes, and the last line that tells the operator the kind of failure."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from jobs import run, steps
from jobs.lake import errors, tables
from jobs.lake.registry import Table
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
    assert run.parse(["gate", "lakehouse", "--dag", "daily", "--run-id", "r1"]) == Run(
        run_id="r1", step="gate", dag_id="daily", subject="lakehouse"
    )
    assert run.parse(["gate", "--run-id", "r1"]).dag_id == "by_hand"


@pytest.mark.parametrize(
    "odd", ["--", "-", "-x", "--help", "--run-id=x", "=", "a b", "~", "scheduled__2026-11-01T00:00:00+00:00"]
)
def test_run_may_be_called_as_anything(odd: str) -> None:
    made = run.parse(["silver.orders", f"--dag={odd}", f"--run-id={odd}", f"--why={odd}"])
    assert (made.step, made.subject, made.dag_id, made.run_id, made.why) == ("silver.orders", "", odd, odd, odd)


@pytest.mark.parametrize("table", [t for t in tables.every() if not t.written_with], ids=lambda table: table.name)
def test_tables_step_builds_the_table(monkeypatch: pytest.MonkeyPatch, table: Table) -> None:
    built: list[Run] = []
    monkeypatch.setattr(steps, "build", built.append)

    run.perform(Run("r1", table.name))

    assert built == [Run("r1", table.name)]


def test_table_that_another_step_writes_has_no_step() -> None:
    written_with = [table.name for table in tables.every() if table.written_with]
    assert written_with
    for name in written_with:
        with pytest.raises(errors.ConfigurationError, match=f"no step '{re.escape(name)}'"):
            run.perform(Run("r1", name))


@pytest.mark.parametrize("name", sorted(run.STEPS))
def test_every_other_step_is_run_by_the_function_that_it_names(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    done: list[Run] = []
    module, _, function = run.STEPS[name].partition(":")
    assert callable(getattr(import_module(module), function))
    monkeypatch.setattr(import_module(module), function, done.append)

    run.perform(Run("r1", name))

    assert done == [Run("r1", name)]


def test_error_for_an_unknown_step_lists_those_that_exist() -> None:
    with pytest.raises(errors.ConfigurationError, match=r"no step 'gold'; there are bronze\.fx_rates, .*, register, "):
        run.perform(Run("r1", "gold"))


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

    monkeypatch.setattr(run, "perform", fail)

    assert run.main(["gate", "--run-id", "r1"]) == code
    last = capfd.readouterr().err.splitlines()[-1]
    assert last == errors.report(error)[1]
    assert last.startswith("SLUICE-ERROR {")


def test_success_exits_with_zero_and_reports_no_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "perform", lambda _: None)

    assert run.main(["gate", "--run-id", "r1"]) == 0
    assert "SLUICE-ERROR" not in capfd.readouterr().err


def test_traceback_is_shown_for_bugs_only(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def fail(_: Run) -> None:
        raise errors.DataError("known") if known else ZeroDivisionError("bug")

    monkeypatch.setattr(run, "perform", fail)
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
