"""Only jars with the checksum of the lock are used."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from infra.setup import jars
from infra.setup.steps import SetupError

COORDINATE = "org.example:thing:1.0"
BODY = b"a jar"


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock with one jar, a cache, and a repository that serves it."""
    file = tmp_path / "jars.lock"
    file.write_text(f"{COORDINATE} {hashlib.sha256(BODY).hexdigest()}\n")
    monkeypatch.setattr(jars, "LOCK", file)
    monkeypatch.setattr(jars, "BROKER", file)
    monkeypatch.setenv("SLUICE_CACHE", str(tmp_path / "cache"))
    serve(monkeypatch, BODY)
    return file


def serve(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    def download(java: str, coordinates: list[str], target: Path) -> dict[str, Path]:
        (target / "thing-1.0.jar").write_bytes(body)
        return dict.fromkeys(coordinates, target / "thing-1.0.jar")

    monkeypatch.setattr(jars, "download", download)


def cached() -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in jars.folder().glob("*.jar")}


def test_jar_of_the_lock_is_put_into_the_cache(lock: Path) -> None:
    jars.install("java", "jars", lock)

    assert cached() == {"thing-1.0.jar": BODY}


def test_jars_are_fetched_once(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jars.install("java", "jars", lock)
    monkeypatch.setattr(jars, "download", lambda *_: pytest.fail("asked the repository again"))

    jars.install("java", "jars", lock)


def test_jar_with_another_checksum_is_not_used(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"another jar")

    with pytest.raises(SetupError, match=rf"{COORDINATE}: sha256 is [0-9a-f]{{64}}, jars\.lock has .*Not used"):
        jars.install("java", "jars", lock)
    assert cached() == {}


def test_changed_lock_has_a_folder_of_its_own(lock: Path) -> None:
    before = jars.folder()
    lock.write_text(lock.read_text() + "\n")

    assert jars.folder() != before


def test_missing_jars_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv = tmp_path / "venv"
    ivy = venv / "jobs" / "lib" / "python3.11" / "site-packages" / "pyspark" / "jars" / "ivy-2.5.3.jar"
    ivy.parent.mkdir(parents=True)
    ivy.touch()
    asked: list[str] = []
    monkeypatch.setattr(jars, "VENV", venv)
    monkeypatch.setattr(jars, "command", lambda *words: asked.extend(map(str, words)))

    with pytest.raises(SetupError, match=f"these jars could not be downloaded: {COORDINATE}"):
        jars.download("java", [COORDINATE], tmp_path)
    assert str(ivy) in asked
    assert 'org="org.example" name="thing" rev="1.0" transitive="false"' in (tmp_path / "ivy.xml").read_text()


def test_job_environment_without_pyspark_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "VENV", tmp_path)

    with pytest.raises(SetupError, match="the job environment has no pyspark"):
        jars.download("java", [COORDINATE], tmp_path)


def test_locks_of_the_project_have_the_releases_delta_and_kafka_and_a_checksum_for_each_jar() -> None:
    locked = jars._coordinates(jars.LOCK)

    assert len(locked) == 45
    assert "io.delta:delta-spark_4.1_2.13:4.2.0" in locked
    assert "org.apache.kafka:kafka_2.13:4.1.1" in jars._coordinates(jars.BROKER)
    checksums = [*locked.values(), *jars._coordinates(jars.BROKER).values()]
    assert all(len(checksum) == 64 and int(checksum, 16) >= 0 for checksum in checksums)
