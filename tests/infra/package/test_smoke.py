"""The check that a release's code finds all that it imports in the release."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from infra.package import archives, smoke
from infra.setup.steps import SetupError
from jobs.lake.release import python_archive


def made(folder: Path, code: str) -> Path:
    """A release of one module, on an archive of one package."""
    packages = folder / "packages" / "tiny"
    packages.mkdir(parents=True)
    (packages / "__init__.py").write_text("ANSWER = 42\n")
    architecture = smoke.architecture_here()
    assert architecture is not None
    archives.tar_gz(packages.parent, folder / python_archive(architecture))
    (folder / "jobs.zip").write_bytes(archives.zipped({"jobs/__init__.py": b"", "jobs/one.py": code.encode()}))
    return folder


def test_code_that_the_release_can_run_is_imported(tmp_path: Path) -> None:
    said = smoke.check(made(tmp_path, "import tiny, json, pyspark\nassert tiny.ANSWER == 42\n"))
    assert said.startswith("2 modules of jobs.zip imported on the ")


def test_package_that_the_archive_lacks_is_named(tmp_path: Path) -> None:
    """It is in the job environment, where every test would find it."""
    with pytest.raises(SetupError, match="No module named 'deltalake'"):
        smoke.check(made(tmp_path, "import deltalake\n"))


def test_package_of_another_place_is_named(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "stray.py").touch()
    code = f"import sys\nsys.path.append({str(elsewhere)!r})\nimport stray\n"
    with pytest.raises(SetupError, match=r"needs what the .* archive lacks: .*stray\.py"):
        smoke.check(made(tmp_path, code))


def test_release_without_code_was_not_tried(tmp_path: Path) -> None:
    folder = made(tmp_path, "")
    (folder / "jobs.zip").write_bytes(archives.zipped({"jobs/page.html": b""}))
    with pytest.raises(SetupError, match="archive lacks"):
        smoke.check(folder)


def test_machine_that_no_archive_is_for_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert smoke.check(tmp_path).startswith("not imported here")
