"""What of a start-up script reaches Airflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.aws.mwaa import startup

GIVEN = {"PATH": "/usr/bin:/bin", "AWS_REGION": "eu-west-1", "AIRFLOW_HOME": "/home", "KEPT": "as it was"}


def exported(folder: Path, script: str, **asked: float) -> dict[str, str]:
    file = folder / "startup.sh"
    file.write_text(script)
    return startup.exports(file, GIVEN, folder / "log", **asked)


def test_exports_are_kept_and_nothing_else(tmp_path: Path) -> None:
    script = "export TEXT='two\nlines'\nexport PATH=/opt/bin:$PATH\nown=1\nexport EMPTY=\nfalse"
    assert exported(tmp_path, script) == {"TEXT": "two\nlines", "PATH": "/opt/bin:/usr/bin:/bin"}
    assert not (tmp_path / "startup.env").exists()


def test_script_sees_no_variable_of_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_LAKE_BUCKET", "the server's own")
    assert exported(tmp_path, "export SEEN=${SLUICE_LAKE_BUCKET:-nothing}") == {"SEEN": "nothing"}


def test_mwaa_s_own_variables_are_not_taken_from_the_script(tmp_path: Path) -> None:
    script = "export AWS_REGION=us-east-1 AIRFLOW_HOME=/tmp PYTHONPATH=/tmp MWAA__X=1 ALLOWED=1"
    assert exported(tmp_path, script) == {"ALLOWED": "1"}


@pytest.mark.parametrize("end", ["exit 0", "set -e; false", "kill -9 $$", "set -u; echo $MISSING"])
def test_of_a_script_that_ends_half_way_nothing_is_kept(end: str, tmp_path: Path) -> None:
    assert exported(tmp_path, f"export EARLY=1\n{end}\nexport LATE=1") == {}


def test_script_that_takes_too_long_is_ended_and_its_words_are_in_the_log(tmp_path: Path) -> None:
    assert exported(tmp_path, "echo begun\nsleep 60", seconds=0.5) == {}
    assert (tmp_path / "log").read_text() == "begun\n"
