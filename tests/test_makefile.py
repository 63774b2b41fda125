"""What a person gives to `make` reaches the command as it was typed: neither make nor the shell reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ODD = [
    "SELECT 'it''s' AS a",
    'SELECT "quoted" FROM t',
    "SELECT '$(touch {mark})', `touch {mark}`, $HOME, $$, ${HOME}",
    "SELECT '$(shell touch {mark})'",
    "SELECT 1; touch {mark} # && touch {mark}",
    "SELECT 'a' || '\\\\' -- the end",
    "-- a comment first\nSELECT *\nFROM t",
]


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A command in place of the job environment's Python. It prints its arguments."""
    file = tmp_path / "python"
    file.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    file.chmod(0o755)
    return file


def run(python: Path, target: str, *variables: str, environment: dict[str, str] | None = None) -> list[str]:
    """The arguments of the command that a target runs, without its set-up."""
    # Under a make that runs these tests, another make would say which folder it enters.
    environ = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    done = subprocess.run(
        ["make", "--old-file", "setup", target, f"JOBS={python}", *variables],
        cwd=REPOSITORY,
        env={**environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("where", ["command line", "environment"])
@pytest.mark.parametrize("statement", ODD)
def test_statement_reaches_athena_as_it_was_typed(python: Path, tmp_path: Path, statement: str, where: str) -> None:
    mark = tmp_path / "run"
    typed = statement.format(mark=mark, HOME="{HOME}")
    if where == "environment":
        arguments = run(python, "sql", environment={"Q": typed})
    else:
        arguments = run(python, "sql", f"Q={typed}")
    assert arguments == ["-m", "infra.local", "sql", "--", typed]
    assert not mark.exists()


@pytest.mark.parametrize("step", ["quarantine.count", "commits.accept silver.orders --why 'an old $(touch {mark})'"])
def test_step_reaches_the_job_in_one_text(python: Path, tmp_path: Path, step: str) -> None:
    mark = tmp_path / "run"
    typed = step.format(mark=mark)
    assert run(python, "job", f"STEP={typed}") == ["-m", "infra.local", "job", typed]
    assert not mark.exists()


def test_numbers_of_events_are_no_commands_and_have_defaults(python: Path, tmp_path: Path) -> None:
    mark = tmp_path / "run"
    assert run(python, "events") == ["-m", "infra.local", "events", "2000", "--broken", "0"]
    assert run(python, "events", "N=5", "BROKEN=50")[-3:] == ["5", "--broken", "50"]
    assert run(python, "events", f"N=$(touch {mark})")[3] == f"$(touch {mark})"
    assert not mark.exists()


def test_who_stops_everything_and_why_reach_the_command_as_they_were_typed(python: Path, tmp_path: Path) -> None:
    mark = tmp_path / "run"
    for target, action in (("emergency-stop", "stop"), ("emergency-undo", "undo")):
        typed = f"-rows are 'strange' $(touch {mark})"
        words = run(python, target, "WHO=Ann B", f"WHY={typed}")
        assert words == ["-m", "infra.local", "emergency", action, "--who=Ann B", f"--why={typed}"]
    assert not mark.exists()


def test_name_of_an_environment_reaches_terraform_as_it_was_typed(python: Path, tmp_path: Path) -> None:
    mark = tmp_path / "run"
    for action in ("state", "plan", "apply"):
        typed = f"dev $(touch {mark})"
        assert run(python, f"terraform-{action}", f"ENV={typed}") == ["-m", "infra.provision", action, typed]
    assert not mark.exists()
