"""Only jars with the checksum of the lock are used."""

from __future__ import annotations

import hashlib
from email.message import Message
from http.client import IncompleteRead
from io import BytesIO
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

from infra.setup import jars
from infra.setup.steps import SetupError

COORDINATE = "org.example:thing:1.0"
ADDRESS = "https://repo1.maven.org/maven2/org/example/thing/1.0/thing-1.0.jar"
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


def serve(monkeypatch: pytest.MonkeyPatch, *answers: bytes | Exception) -> list[str]:
    """A repository that answers so, and in the end always the same; returns the addresses that it was asked for."""
    asked: list[str] = []

    def answer(address: str, timeout: float) -> BytesIO:
        asked.append(address)
        given = answers[min(len(asked), len(answers)) - 1]
        if isinstance(given, Exception):
            raise given
        return BytesIO(given)

    monkeypatch.setattr(jars, "urlopen", answer)
    monkeypatch.setattr(jars, "PAUSE_SECONDS", 0.0)
    return asked


def http(code: int) -> HTTPError:
    return HTTPError(ADDRESS, code, "said no", Message(), None)


def cached() -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in jars.folder().glob("*.jar")}


def test_jar_of_the_lock_is_put_into_the_cache(lock: Path) -> None:
    jars.install("jars", lock)

    assert cached() == {"thing-1.0.jar": BODY}


def test_jars_are_fetched_once(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jars.install("jars", lock)
    monkeypatch.setattr(jars, "urlopen", lambda *_, **__: pytest.fail("asked the repository again"))

    jars.install("jars", lock)


def test_jar_with_another_checksum_is_not_used(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"another jar")

    with pytest.raises(SetupError, match=rf"{COORDINATE}: sha256 is [0-9a-f]{{64}}, jars\.lock has .*Not used"):
        jars.install("jars", lock)
    assert cached() == {}


def test_changed_lock_has_a_folder_of_its_own(lock: Path) -> None:
    before = jars.folder()
    lock.write_text(lock.read_text() + "\n")

    assert jars.folder() != before


@pytest.mark.parametrize(
    "failure", [http(503), URLError("no route"), TimeoutError("silent"), IncompleteRead(b""), ConnectionResetError()]
)
def test_failure_that_passes_is_tried_again(lock: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    asked = serve(monkeypatch, failure, BODY)

    jars.install("jars", lock)

    assert (cached(), asked) == ({"thing-1.0.jar": BODY}, [ADDRESS, ADDRESS])


@pytest.mark.parametrize(("failure", "tries"), [(http(404), 1), (http(407), 1), (http(503), 4), (URLError("no"), 4)])
def test_jar_that_can_not_be_had_is_named(
    lock: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception, tries: int
) -> None:
    asked = serve(monkeypatch, failure)

    with pytest.raises(SetupError, match=rf"{ADDRESS} can't be downloaded: .*{getattr(failure, 'reason', '')}"):
        jars.install("jars", lock)
    assert (cached(), len(asked)) == ({}, tries)


def test_locks_of_the_project_have_the_releases_delta_and_kafka_and_a_checksum_for_each_jar() -> None:
    locked = jars._coordinates(jars.LOCK)

    assert len(locked) == 45
    assert "io.delta:delta-spark_4.1_2.13:4.2.0" in locked
    assert "org.apache.kafka:kafka_2.13:4.1.1" in jars._coordinates(jars.BROKER)
    checksums = [*locked.values(), *jars._coordinates(jars.BROKER).values()]
    assert all(len(checksum) == 64 and int(checksum, 16) >= 0 for checksum in checksums)
