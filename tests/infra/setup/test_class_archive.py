"""The class archive is made again when its content would change."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.setup import class_archive, jars


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The archives that were made; the JVM is not started."""
    made: list[Path] = []
    monkeypatch.setenv("SLUICE_CACHE", str(tmp_path))
    monkeypatch.setattr(class_archive, "command", lambda *_, **__: "17.0.15")
    monkeypatch.setattr(class_archive, "_train", lambda: made.append(class_archive.path()))
    return made


def test_archive_is_made_once(trained: list[Path], tmp_path: Path) -> None:
    class_archive.install("java")
    class_archive.install("java")

    assert trained == [class_archive.path()]
    assert class_archive.path().parent == tmp_path


def test_archive_is_made_again_for_another_java(trained: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    class_archive.install("java")
    monkeypatch.setattr(class_archive, "command", lambda *_, **__: "21.0.2")
    class_archive.install("java")

    assert len(trained) == 2


@pytest.mark.parametrize("changed", ["jars", "environment", "checkout"])
def test_archive_of_other_classes_has_another_name(
    trained: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    before = class_archive.path()
    other = tmp_path / "other"
    other.write_text("changed")
    if changed == "jars":
        monkeypatch.setattr(jars, "LOCK", other)
    elif changed == "environment":
        monkeypatch.setattr(class_archive, "LOCK", other)
    else:
        monkeypatch.setattr(class_archive, "VENV", tmp_path / "elsewhere" / ".venv")

    assert class_archive.path() != before
