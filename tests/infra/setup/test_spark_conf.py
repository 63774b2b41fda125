from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from infra.setup import spark_conf
from infra.setup.spark_conf import local_conf
from infra.setup.steps import SetupError

S3 = "http://127.0.0.1:9"


def test_class_archive_is_used_when_it_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "spark.jsa"
    monkeypatch.setenv("SLUICE_CLASS_ARCHIVE", str(archive))
    assert local_conf(S3)["spark.driver.extraJavaOptions"] == f"{spark_conf.LIGHT_JVM} {spark_conf.ROOM_FOR_CODE}"
    archive.touch()
    assert f"-XX:SharedArchiveFile={archive}" in local_conf(S3)["spark.driver.extraJavaOptions"]


@pytest.mark.parametrize("folder", ["ada b", 'say "hi"', "it's", "back\\slash"])
def test_class_archive_in_an_odd_folder_is_one_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    archive = tmp_path / folder / "spark.jsa"
    archive.parent.mkdir()
    archive.touch()
    monkeypatch.setenv("SLUICE_CLASS_ARCHIVE", str(archive))
    assert f"-XX:SharedArchiveFile={archive}" in shlex.split(local_conf(S3)["spark.driver.extraJavaOptions"])


def test_long_session_has_both_compilers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUICE_CLASS_ARCHIVE", raising=False)
    assert (
        local_conf(S3, compilers="")["spark.driver.extraJavaOptions"]
        == f"{spark_conf.COLLECTOR} {spark_conf.ROOM_FOR_CODE}"
    )


def test_missing_jars_are_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_JARS", str(tmp_path))
    with pytest.raises(SetupError, match="run `make setup`"):
        spark_conf.environment({})
