"""A release is named by its content, is whole or not there, and holds what each platform needs."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from dq import suite
from infra.package import content, release
from infra.setup import jars
from infra.setup.steps import SetupError
from jobs.lake.release import ARCHITECTURES, JARS, MARK, python_archive
from tests.infra.package.conftest import copy_of_the_repository, files, use


def named(checkout: Path) -> str:
    return content.name(content.read())


def test_two_checkouts_at_two_paths_give_equal_bytes(
    checkout: Path, requirements: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = release.build()
    other = copy_of_the_repository(tmp_path / "a much longer path" / "to another checkout", requirements)
    for file in other.rglob("*"):
        os.utime(file, (1_700_000_000, 1_700_000_000))
        file.chmod(0o700)
    (other / "jobs" / "__pycache__").mkdir()
    (other / "jobs" / "__pycache__" / "run.cpython-311.pyc").write_bytes(b"compiled")
    use(other, monkeypatch)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "another cache"))
    mask = os.umask(0o077)
    try:
        second = release.build()
    finally:
        os.umask(mask)

    assert second.name == first.name
    assert second.parent != first.parent
    assert files(second) == files(first)
    assert str(tmp_path).encode() not in b"".join(files(first).values())


@pytest.mark.parametrize(
    "changed",
    [
        "jobs/silver/orders.py", "jobs/requirements.lock", "dq/suites/silver/orders.yaml", "dags/daily_lakehouse.py",
        "plugins/sluice_airflow/emr/operator.py", "requirements.txt", ".airflowignore", "infra/mwaa/startup.sh",
        "infra/setup/jars.lock", "infra/package/archives.py",
    ],
)  # fmt: skip
def test_changed_content_has_another_name(checkout: Path, changed: str) -> None:
    before = named(checkout)
    with (checkout / changed).open("a") as file:
        file.write("\n")
    assert named(checkout) != before


def test_renamed_file_has_another_name(checkout: Path) -> None:
    before = named(checkout)
    (checkout / "jobs" / "silver" / "orders.py").rename(checkout / "jobs" / "silver" / "ordered.py")
    assert named(checkout) != before


def test_release_that_is_built_is_not_built_again(checkout: Path) -> None:
    folder = release.build()
    (folder / "mark").touch()
    assert release.build() == folder
    assert (folder / "mark").exists()


def test_interrupted_build_is_not_taken_for_a_release(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(release, "sums", killed)
        with pytest.raises(KeyboardInterrupt):
            release.build()
    assert not (release.FOLDER / named(checkout)).exists()

    folder = release.build()

    assert (folder / "jobs.zip").is_file()
    assert list(release.FOLDER.iterdir()) == [folder]


def _build_with(others: Any, told: Any) -> None:
    really = release.sums

    def sums(folder: Path) -> str:
        others.wait(60)  # every builder has written all but the checksums when one of them goes on
        return really(folder)

    release.sums = sums
    told.put(str(release.build()))


def test_two_processes_that_build_at_once_give_one_whole_release(
    checkout: Path, requirements: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forks = multiprocessing.get_context("fork")  # with the places of this test
    others, told = forks.Barrier(2), forks.Queue()
    builders = [forks.Process(target=_build_with, args=(others, told)) for _ in range(2)]
    for builder in builders:
        builder.start()
    built = {told.get(timeout=90) for _ in builders}
    for builder in builders:
        builder.join(30)

    assert [builder.exitcode for builder in builders] == [0, 0]
    assert [str(path) for path in release.FOLDER.iterdir()] == list(built)
    use(copy_of_the_repository(tmp_path / "alone", requirements), monkeypatch)
    assert files(Path(built.pop())) == files(release.build())


def test_name_is_of_what_was_built_also_while_somebody_edits(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edited, really = checkout / "jobs" / "silver" / "orders.py", content.name
    before = edited.read_bytes()

    def edit(found: content.Content) -> str:
        edited.write_text("# half of an edit")
        return really(found)

    monkeypatch.setattr(release, "name", edit)
    folder = release.build()

    assert (folder / "dags" / "jobs" / "silver" / "orders.py").read_bytes() == before
    assert named(checkout) != folder.name


def test_release_holds_both_sides_and_the_tree_of_dags_knows_which_it_is(checkout: Path) -> None:
    folder = release.build()
    with zipfile.ZipFile(folder / "jobs.zip") as jobs, zipfile.ZipFile(folder / "plugins.zip") as plugins:
        inside, plugged = set(jobs.namelist()), set(plugins.namelist())
    synced = files(folder / "dags")

    assert {"jobs/run.py", "jobs/lake/tables.py", "dq/rules.py", "dq/suites/silver/orders.yaml"} <= inside
    assert {name.partition("/")[0] for name in inside} == {"jobs", "dq"}
    assert {"timetable_plugin.py", "sluice_airflow/emr/operator.py"} <= plugged
    assert {".airflowignore", "dags/daily_lakehouse.py", "jobs/lake/tables.py"} <= set(synced)
    assert synced[MARK] == f"{folder.name}\n".encode()
    assert (folder / "run.py").read_bytes() == (checkout / "jobs" / "run.py").read_bytes()
    assert not [name for name in (*inside, *plugged, *synced) if "__pycache__" in name or "requirements" in name]


def test_files_of_the_zips_can_be_read_by_all(checkout: Path) -> None:
    """MWAA's processes are not the user that unpacks `plugins.zip`."""
    for name in ("plugins.zip", "jobs.zip", "licences.zip"):
        with zipfile.ZipFile(release.build() / name) as archive:
            modes = {(entry.is_dir(), oct(entry.external_attr >> 16)) for entry in archive.infolist()}
        assert modes == {(False, "0o100644"), (True, "0o40755")}, name


def test_jars_that_emr_lacks_are_those_of_the_lock(checkout: Path) -> None:
    folder = release.build()
    assert {file.name for file in (folder / "jars").iterdir()} == set(JARS)
    locked = (checkout / "infra" / "setup" / "jars.lock").read_text().split()
    assert {hashlib.sha256(file.read_bytes()).hexdigest() for file in (folder / "jars").iterdir()} <= set(locked)


def test_jar_with_another_checksum_is_not_shipped(checkout: Path) -> None:
    lock = checkout / "infra" / "setup" / "jars.lock"
    coordinate = "org.apache.kafka:kafka-clients:3.9.1 "
    lock.write_text(lock.read_text().replace(coordinate + "75", coordinate + "00"))
    with pytest.raises(SetupError, match=r"kafka-clients-3\.9\.1\.jar is missing, or is not the jar of"):
        release.build()


def test_jar_that_the_lock_lacks_is_named(checkout: Path) -> None:
    lock = checkout / "infra" / "setup" / "jars.lock"
    lock.write_text("".join(line for line in lock.open() if "commons-pool2" not in line))
    with pytest.raises(SetupError, match=r"lacks commons-pool2-2\.12\.1\.jar"):
        release.build()


def test_checksums_are_those_that_sha256sum_checks(checkout: Path) -> None:
    folder = release.build()
    lines = (folder / release.SUMS).read_text().splitlines()
    assert {line.split("  ", 1)[1] for line in lines} == set(files(folder)) - {release.SUMS}
    (folder / "run.py").write_text("# another one")
    done = subprocess.run(["sha256sum", "-c", release.SUMS], cwd=folder, capture_output=True, text=True)
    assert [line for line in done.stdout.splitlines() if not line.endswith(": OK")] == ["run.py: FAILED"]


def test_bill_of_materials_is_valid_and_names_all_that_is_shipped(checkout: Path) -> None:
    folder = release.build()
    text = (folder / "sbom.json").read_text()
    document = json.loads(text)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert {(each["name"], each["version"]) for each in document["components"]} == {
        ("tiny", "1.0"), ("kafka-clients", "3.9.1"), ("commons-pool2", "2.12.1"),
        ("spark-sql-kafka-0-10_2.13", "4.1.1"), ("spark-token-provider-kafka-0-10_2.13", "4.1.0-preview1"),
    }  # fmt: skip
    assert document["metadata"] == {"component": document["metadata"]["component"]}, "no time"
    assert document["metadata"]["component"]["version"] == folder.name
    assert "serialNumber" not in document
    with zipfile.ZipFile(folder / "licences.zip") as licences:
        assert licences.read("tiny-1.0/licenses/LICENSE") == b"You may.\n"
        assert b"Apache License" in licences.read("kafka-clients-3.9.1/LICENSE")
        assert "tiny-1.0: MIT" in licences.read("LICENCES.txt").decode().splitlines()


def test_archive_of_each_architecture_holds_its_own_libraries_and_no_trace_of_this_machine(checkout: Path) -> None:
    folder = release.build()
    machines = {}
    for architecture in ARCHITECTURES:
        with tarfile.open(folder / python_archive(architecture)) as archive:
            members = {member.name: member for member in archive}
            native = archive.extractfile("tiny/native.so")
            assert native is not None
            machines[architecture] = native.read()[18]
        assert set(members) == {
            "tiny", "tiny/__init__.py", "tiny/native.so", "tiny-1.0.dist-info", "tiny-1.0.dist-info/METADATA",
            "tiny-1.0.dist-info/WHEEL", "tiny-1.0.dist-info/entry_points.txt", "tiny-1.0.dist-info/licenses",
            "tiny-1.0.dist-info/licenses/LICENSE",
        }  # fmt: skip
        assert {(member.mtime, member.uid, member.uname) for member in members.values()} == {(0, 0, "")}
        assert {oct(member.mode) for member in members.values() if member.isdir()} == {"0o755"}
    assert machines == {"ARM64": 183, "X86_64": 62}


def test_code_of_a_laptop_is_the_release_s_own_and_takes_no_archive(checkout: Path) -> None:
    code = release.code(content.read())
    assert not (checkout / "build").exists()
    folder = release.build()
    assert code == {name: (folder / name).read_bytes() for name in ("run.py", "jobs.zip")}


def test_jobs_import_and_suites_load_from_inside_the_zip(checkout: Path, tmp_path: Path) -> None:
    """As under spark-submit: the zip on the path, `run.py` beside it, no repository."""
    for name, body in release.code(content.read()).items():
        (tmp_path / name).write_bytes(body)
    code = (
        "import dq, sys; assert 'jobs.zip' in dq.__file__, dq.__file__\n"
        "from dq import suite\n"
        "from jobs.lake import tables\n"
        "for t in tables.every():\n"
        "    if t.layer != 'bronze': print(t.name, len(suite.load(t.name).rules))\n"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "jobs.zip"), "PYTHONDONTWRITEBYTECODE": "1"}

    loaded = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    started = subprocess.run(
        [sys.executable, tmp_path / "run.py", "nothing", "--run-id", "r"],
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip

    assert loaded.returncode == 0, loaded.stderr
    assert f"silver.orders {len(suite.load('silver.orders').rules)}" in loaded.stdout.splitlines()
    assert started.returncode == 78, started.stderr


def test_jars_of_a_release_are_on_the_class_path_of_the_laptop() -> None:
    """There the local EMR Serverless leaves them out of a request, by their names."""
    assert set(JARS) <= {file.name for file in jars.folder().glob("*.jar")}
