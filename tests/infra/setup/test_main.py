"""`python3 -m infra.setup`: the steps in order, and one sentence when a person must do something."""

from __future__ import annotations

import pytest

from infra.setup import __main__ as setup
from infra.setup.steps import SetupError


def test_steps_run_in_order(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    done: list[str] = []
    monkeypatch.setattr(setup.java, "check", lambda: "/usr/bin/java")
    monkeypatch.setattr(setup.environments, "install", lambda: done.append("environments"))
    monkeypatch.setattr(setup.jars, "install", lambda java: done.append(f"jars by {java}"))
    monkeypatch.setattr(setup.class_archive, "install", lambda java: done.append(f"archive by {java}"))

    assert setup.main() == 0
    assert done == ["environments", "jars by /usr/bin/java", "archive by /usr/bin/java"]
    assert "set-up done in " in capsys.readouterr().out


def test_missing_java_stops_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> str:
        raise SetupError("Java is missing")

    monkeypatch.setattr(setup.java, "check", missing)
    monkeypatch.setattr(setup.environments, "install", lambda: pytest.fail("installed without Java"))

    assert setup.main() == 1
    assert capsys.readouterr().err == "\nset-up stopped: Java is missing\n"
