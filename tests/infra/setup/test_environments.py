"""The two Python environments."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.setup import environments
from infra.setup.steps import SetupError


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would be run, each as words."""
    run: list[list[str]] = []
    monkeypatch.setattr(environments, "VENV", tmp_path)
    monkeypatch.setattr(environments, "command", lambda *words, **_: run.append([str(word) for word in words]))
    monkeypatch.setattr(environments, "_managed_interpreters", lambda version: [])
    return run


def install_all() -> None:
    environments.install_uv()
    environments.install_jobs()
    environments.install_airflow()


def test_second_install_runs_nothing(commands: list[list[str]]) -> None:
    install_all()
    assert commands
    commands.clear()

    install_all()

    assert commands == []


def test_job_environment_is_exactly_the_lock(commands: list[list[str]]) -> None:
    install_all()

    (sync,) = [words for words in commands if "sync" in words]
    assert sync[-1].endswith("infra/local/requirements.lock")


def test_airflow_environment_has_amazons_constraints(commands: list[list[str]]) -> None:
    install_all()

    (install,) = [words for words in commands if any(word.startswith("apache-airflow==") for word in words)]
    constraints = [Path(install[n + 1]).name for n, word in enumerate(install) if word == "--constraint"]
    assert constraints == ["airflow-3.2.1-constraints-py3.12.txt", "mwaa-essential-3.2.1.txt"]
    assert all((environments.MWAA / name).is_file() for name in constraints)


def test_uv_is_the_one_of_amazons_constraints() -> None:
    constraints = (environments.MWAA / f"airflow-{environments.AIRFLOW_VERSION}-constraints-py3.12.txt").read_text()

    assert f"uv=={environments.UV_VERSION}" in constraints.splitlines()


def fake_pyenv(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pyenv = folder / "bin" / "pyenv"
    pyenv.parent.mkdir()
    pyenv.write_text(f"#!/bin/sh\n{script}\n")
    pyenv.chmod(0o755)
    monkeypatch.setenv("PATH", str(pyenv.parent))


def test_newest_real_interpreter_of_pyenv_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("3.12.2", "3.12.10", "3.11.9"):
        (tmp_path / "versions" / version / "bin").mkdir(parents=True)
    fake_pyenv(tmp_path, f"echo {tmp_path}", monkeypatch)

    found = environments._managed_interpreters("3.12")

    assert [folder.parent.name for folder in found] == ["3.12.10", "3.12.2"]


def test_machine_without_pyenv_has_no_managed_interpreters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert environments._managed_interpreters("3.12") == []


def test_pyenv_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_pyenv(tmp_path, "echo broken >&2; exit 1", monkeypatch)

    with pytest.raises(SetupError, match="`pyenv root` failed: broken"):
        environments._managed_interpreters("3.12")
