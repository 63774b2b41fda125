"""Java is found, or an error says what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.setup import java
from infra.setup.steps import SetupError

OPENJDK = 'openjdk version "{}" 2025-04-15'
Install = Callable[..., str]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a test's own `java` on an otherwise empty PATH. Returns its path."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def put(says: str, modules: str = "java.base jdk.incubator.vector@17", code: int = 0) -> str:
        file = tmp_path / "bin" / "java"
        file.parent.mkdir()
        file.write_text(
            f"#!/bin/sh\nif [ $1 = --list-modules ]; then echo '{modules}'; exit; fi\necho '{says}' >&2\nexit {code}\n"
        )
        file.chmod(0o755)
        return str(file)

    return put


def refused() -> str:
    with pytest.raises(SetupError) as caught:
        java.check()
    assert "Install a JDK or JRE 17" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("version", ["17.0.15", "21.0.2", "17"])
def test_supported_java_is_found(install: Install, version: str) -> None:
    file = install(OPENJDK.format(version))

    assert java.check() == file


def test_java_home_beats_the_path(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = install(OPENJDK.format("17.0.15"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    assert java.check() == file


@pytest.mark.parametrize(("version", "number"), [("1.8.0_402", "1"), ("11.0.22", "11"), ("25", "25")])
def test_java_of_another_version_is_named_with_the_supported_ones(install: Install, version: str, number: str) -> None:
    file = install(OPENJDK.format(version))

    assert f"Java {number} at {file}: Spark 4.1 runs on Java 17 or 21." in refused()


def test_missing_java_is_said(install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "Java is missing (no java on PATH)" in refused()

    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    assert "Java is missing (JAVA_HOME has no bin/java)" in refused()


def test_java_without_the_vector_module_is_said(install: Install) -> None:
    install(OPENJDK.format("17.0.15"), modules="java.base")

    assert "lacks the module jdk.incubator.vector" in refused()


def test_java_that_fails_is_shown_with_its_reason(install: Install) -> None:
    install("cannot allocate memory", code=1)

    assert "-version` failed: cannot allocate memory" in refused()
