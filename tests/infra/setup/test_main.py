"""`python3 -m infra.setup`: the steps in order, and one sentence when a person must do something."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from infra.setup import __main__ as setup
from infra.setup.steps import SetupError


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was installed, in the order in which it ended; nothing really is."""
    ended: list[str] = []
    monkeypatch.setattr(setup.java, "check", lambda: "/usr/bin/java")
    for name in ("uv", "jobs", "airflow"):
        monkeypatch.setattr(setup.environments, f"install_{name}", partial(ended.append, name))
    monkeypatch.setattr(setup.jars, "install", lambda title, lock: ended.append(lock.stem))
    return ended


def test_no_step_begins_before_what_it_needs(done: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert setup.main() == 0
    assert sorted(done) == ["airflow", "broker", "jars", "jobs", "uv"]
    for earlier, later in [("uv", "jobs"), ("uv", "airflow")]:
        assert done.index(earlier) < done.index(later)
    assert "set-up done in " in capsys.readouterr().out


def test_slow_step_holds_up_none_that_does_not_need_it(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    made = threading.Event()
    monkeypatch.setattr(setup.environments, "install_jobs", made.set)
    monkeypatch.setattr(setup.environments, "install_airflow", lambda: done.append(str(made.wait(30))))
    assert setup.main() == 0
    assert "True" in done


@pytest.mark.parametrize("step", ["airflow", "jobs"])
def test_step_that_fails_beside_others_stops_the_set_up(
    done: list[str], step: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise SetupError("no space left")

    monkeypatch.setattr(setup.environments, f"install_{step}", fail)
    assert setup.main() == 1
    assert capsys.readouterr().err == "\nset-up stopped: no space left\n"


def test_missing_java_stops_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> str:
        raise SetupError("Java is missing")

    monkeypatch.setattr(setup.java, "check", missing)
    monkeypatch.setattr(setup.environments, "install_uv", lambda: pytest.fail("installed without Java"))

    assert setup.main() == 1
    assert capsys.readouterr().err == "\nset-up stopped: Java is missing\n"
