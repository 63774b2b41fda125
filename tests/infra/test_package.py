"""A release is named by its content and holds what each platform needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from dq import suite
from infra import package

REPOSITORY = Path(__file__).resolve().parents[2]
CONTENT = ("jobs", "dq", "dags", "plugins", ".airflowignore", "requirements.txt")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what goes into a release, with a build folder for the test."""
    copy = tmp_path / "checkout"
    copy.mkdir()
    for name in CONTENT:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    monkeypatch.setattr(package, "REPOSITORY", copy)
    monkeypatch.setattr(package, "BUILD", tmp_path / "build")
    return copy


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_same_content_has_the_same_name_and_the_same_bytes(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = package.build()
    for file in checkout.rglob("*"):
        os.utime(file, (1_700_000_000, 1_700_000_000))  # another checkout has other times
    (checkout / "jobs" / "__pycache__").mkdir()
    (checkout / "jobs" / "__pycache__" / "run.cpython-311.pyc").write_bytes(b"compiled")
    monkeypatch.setattr(package, "BUILD", tmp_path / "again")

    second = package.build()

    assert second.name == first.name
    assert content(second) == content(first)


@pytest.mark.parametrize(
    "changed",
    [
        "jobs/silver/orders.py",
        "dq/suites/silver/orders.yaml",
        "dags/daily_lakehouse.py",
        "plugins/sluice_airflow/emr/operator.py",
        "requirements.txt",
        ".airflowignore",
    ],
)
def test_changed_content_has_another_name(checkout: Path, changed: str) -> None:
    before = package.release()
    with (checkout / changed).open("a") as file:
        file.write("\n")

    assert package.release() != before


def test_renamed_file_has_another_name(checkout: Path) -> None:
    before = package.release()
    (checkout / "jobs" / "silver" / "orders.py").rename(checkout / "jobs" / "silver" / "ordered.py")

    assert package.release() != before


def test_release_that_is_built_is_not_built_again(checkout: Path) -> None:
    folder = package.build()
    (folder / "mark").touch()

    assert package.build() == folder
    assert (folder / "mark").exists()


def test_interrupted_build_is_not_taken_for_a_release(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(package, "_zip", killed)
        with pytest.raises(KeyboardInterrupt):
            package.build()
    assert not (package.BUILD / package.release()).exists()

    folder = package.build()

    assert (folder / "jobs.zip").is_file()
    assert list(package.BUILD.iterdir()) == [folder]


def test_builds_at_once_give_one_whole_release(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every build has written half of its files when the last one begins."""
    together = threading.Barrier(4, timeout=60)
    really = package._zip

    def slowly(target: Path, content: package.Content) -> None:
        together.wait()
        really(target, content)

    monkeypatch.setattr(package, "_zip", slowly)
    with ThreadPoolExecutor(together.parties) as pool:
        built = [each.result() for each in [pool.submit(package.build) for _ in range(together.parties)]]

    assert len(set(built)) == 1
    assert list(package.BUILD.iterdir()) == [built[0]]
    monkeypatch.setattr(package, "_zip", really)
    monkeypatch.setattr(package, "BUILD", checkout.parent / "alone")
    assert content(built[0]) == content(package.build())


def test_name_is_of_what_was_built_also_while_somebody_edits(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = checkout / "jobs" / "silver" / "orders.py"
    before, really = edited.read_bytes(), package._name

    def edit(found: package.Content) -> str:
        edited.write_text("# half of an edit")
        return really(found)

    monkeypatch.setattr(package, "_name", edit)
    folder = package.build()

    assert (folder / "dags" / "jobs" / "silver" / "orders.py").read_bytes() == before
    assert package.release() != folder.name


def test_release_holds_both_sides(checkout: Path) -> None:
    folder = package.build()
    with zipfile.ZipFile(folder / "jobs.zip") as jobs, zipfile.ZipFile(folder / "plugins.zip") as plugins:
        inside, plugged = set(jobs.namelist()), set(plugins.namelist())

    assert {"jobs/run.py", "jobs/lake/tables.py", "dq/rules.py", "dq/suites/silver/orders.yaml"} <= inside
    assert {name.partition("/")[0] for name in inside} == {"jobs", "dq"}
    assert {"timetable_plugin.py", "sluice_airflow/emr/operator.py"} <= plugged
    synced = set(content(folder / "dags"))
    assert {".airflowignore", "dags/daily_lakehouse.py", "jobs/lake/tables.py"} <= synced
    assert (folder / "run.py").read_bytes() == (checkout / "jobs" / "run.py").read_bytes()
    assert not [name for name in (*inside, *plugged, *synced) if "__pycache__" in name]


def test_jobs_import_and_suites_load_from_inside_the_zip(checkout: Path, tmp_path: Path) -> None:
    """As under spark-submit: the zip on the path, `run.py` beside it, no repository."""
    folder = package.build()
    code = (
        "import dq, sys; assert 'jobs.zip' in dq.__file__, dq.__file__\n"
        "from dq import suite\n"
        "from jobs.lake import tables\n"
        "for t in tables.every():\n"
        "    if t.layer != 'bronze': print(t.name, len(suite.load(t.name).rules))\n"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder / "jobs.zip"), "PYTHONDONTWRITEBYTECODE": "1"}

    loaded = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    started = subprocess.run(
        [sys.executable, folder / "run.py", "nothing", "--run-id", "r"],
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip

    assert loaded.returncode == 0, loaded.stderr
    assert f"silver.orders {len(suite.load('silver.orders').rules)}" in loaded.stdout.splitlines()
    assert started.returncode == 78, started.stderr


def test_upload_puts_the_job_side_under_the_releases_name(
    checkout: Path, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_CODE_BUCKET", lake)

    assert package.upload() == f"s3://{lake}/releases/{package.release()}"

    listed = boto3.client("s3").list_objects_v2(Bucket=lake)["Contents"]
    assert {entry["Key"] for entry in listed} == {
        f"releases/{package.release()}/{name}" for name in ("run.py", "jobs.zip")
    }
