"""The class archive is made again when its content would change."""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.setup import class_archive, class_archive_training, jars


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


def test_archives_that_no_checkout_uses_leave_the_cache(trained: list[Path], tmp_path: Path) -> None:
    own = class_archive.path().stem.rpartition("-")[2]
    ages = {f"spark-000000000000-{own}": 0, "spark-111111111111-elsewhere": 29, "spark-222222222222-forgotten": 31}
    for name, days in ages.items():
        for suffix in (".jsa", ".stamp"):
            (tmp_path / name).with_suffix(suffix).touch()
            then = time.time() - days * 24 * 3600
            os.utime((tmp_path / name).with_suffix(suffix), (then, then))
    (tmp_path / "spark-333333333333-training.jsa").touch()  # of a set-up that goes on beside this one

    class_archive.install("java")

    assert {file.name for file in tmp_path.iterdir()} == {
        class_archive.path().with_suffix(".stamp").name,
        "spark-111111111111-elsewhere.jsa",
        "spark-111111111111-elsewhere.stamp",
        "spark-333333333333-training.jsa",
    }


def test_an_archive_in_use_stays_however_old_it_is(trained: list[Path]) -> None:
    class_archive.install("java")
    stamp = class_archive.path().with_suffix(".stamp")
    class_archive.path().touch()
    for file in (stamp, class_archive.path()):
        os.utime(file, (1_700_000_000, 1_700_000_000))

    class_archive.install("java")

    assert class_archive.path().is_file()
    assert time.time() - stamp.stat().st_mtime < 3600


def test_paths_with_blanks_reach_the_jvm_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark splits its Java options at blanks, and its scripts look for Spark with unquoted paths."""
    archive = tmp_path / "ada b" / "spark.jsa"
    started: list[tuple[list[str], dict[str, str]]] = []

    def submit(words: list[object], *, env: dict[str, str], **_: object) -> SimpleNamespace:
        started.append(([str(word) for word in words], env))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(class_archive_training.subprocess, "run", submit)
    assert class_archive_training.main(str(archive)) == 0

    ((words, env),) = started
    (options,) = [word.partition("=")[2] for word in words if word.startswith("spark.driver.extraJavaOptions=")]
    assert f"-XX:ArchiveClassesAtExit={archive}" in shlex.split(options)
    assert Path(env["SPARK_HOME"], "bin", "spark-class").is_file()


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
