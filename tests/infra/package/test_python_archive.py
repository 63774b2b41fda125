"""The archive of the jobs' packages holds what the lock says, for the processors that it says."""

from __future__ import annotations

import os
import re
import tarfile
from pathlib import Path

import pytest

from infra.package import archives, content, machine_code, python_archive
from infra.setup.steps import SetupError
from tests.infra.package.conftest import REPOSITORY, elf, lock, wheel


def installed(text: str, tmp_path: Path, architecture: str = "ARM64") -> Path:
    wanted = tmp_path / "requirements.lock"
    wanted.write_text(text)
    python_archive.install(wanted, architecture, tmp_path / "packages")
    return tmp_path / "packages"


def test_wheel_that_is_not_the_lock_s_is_refused(index: Path, tmp_path: Path) -> None:
    text = lock([wheel(index, "ARM64", elf("ARM64"))])
    wheel(index, "ARM64", elf("ARM64") + b"and more")
    with pytest.raises(SetupError, match=r"[Hh]ash mismatch"):
        installed(text, tmp_path)


def test_package_without_a_checksum_is_refused(index: Path, tmp_path: Path) -> None:
    wheel(index, "ARM64", elf("ARM64"))
    with pytest.raises(SetupError, match="require-hashes"):
        installed("tiny==1.0\n", tmp_path)


def test_package_without_a_wheel_for_the_architecture_is_refused(index: Path, tmp_path: Path) -> None:
    text = lock([wheel(index, "X86_64", elf("X86_64"))])
    with pytest.raises(SetupError, match="tiny"):
        installed(text, tmp_path)


def test_library_for_another_processor_is_found_whatever_its_wheel_says(index: Path, tmp_path: Path) -> None:
    text = lock([wheel(index, "ARM64", elf("X86_64"))])
    with pytest.raises(SetupError, match=r"1 libraries of the ARM64 archive .*native\.so is for machine 62"):
        installed(text, tmp_path)


@pytest.mark.parametrize("body", [b"", b"#!/bin/sh\n", b"\xcf\xfa\xed\xfe" + b"\0" * 30])
def test_library_that_is_no_elf_file_is_foreign(body: bytes, tmp_path: Path) -> None:
    (tmp_path / "libx.so.1").write_bytes(body)
    assert machine_code.foreign(tmp_path, "ARM64") == ["libx.so.1 is for machine None, not for ARM64"]


def test_check_of_nothing_is_no_check(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no shared libraries"):
        machine_code.foreign(tmp_path, "ARM64")


def test_releases_with_the_same_packages_share_their_archives(checkout: Path) -> None:
    first = python_archive.built(content.read())
    (checkout / "jobs" / "silver" / "orders.py").write_text("# changed")
    assert python_archive.built(content.read()) == first
    with (checkout / content.LOCK).open("a") as file:
        file.write("# another list\n")
    assert python_archive.built(content.read()) != first


def test_links_become_files_and_commands_stay_commands(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "real").write_text("#!/bin/sh\n")
    (folder / "real").chmod(0o700)
    (folder / "soft").symlink_to("real")
    os.link(folder / "real", folder / "hard")
    archives.tar_gz(folder, tmp_path / "packed.tar.gz")
    with tarfile.open(tmp_path / "packed.tar.gz") as packed:
        found = [(member.name, member.isreg(), oct(member.mode), member.size) for member in packed]
    assert found == [(name, True, "0o755", 10) for name in ("hard", "real", "soft")]


def test_lock_is_the_laptop_s_without_what_emr_s_image_holds() -> None:
    """Every version and checksum is that of the job environment, in which the tests run."""
    own, whole = (_pins(REPOSITORY / name) for name in ("jobs/requirements.lock", "infra/local/requirements.lock"))
    assert len(own) > 50
    assert {name: pin for name, pin in own.items() if whole.get(name) != pin} == {}
    assert not {"pyspark", "py4j"} & {name.partition("==")[0] for name in own}
    lines = (REPOSITORY / "jobs" / "requirements.txt").read_text().lower().splitlines()
    wanted = {re.split(r"[\[=<>]", line)[0].strip() for line in lines if line and not line.startswith("#")}
    assert len(wanted) > 10
    assert wanted - {"pyspark"} <= {name.partition("==")[0] for name in own}


def _pins(file: Path) -> dict[str, set[str]]:
    """`name==version` -> its checksums."""
    found: dict[str, set[str]] = {}
    for line in file.read_text().splitlines():
        words = line.replace("\\", "").split()
        if not words:
            continue
        if "==" in words[0]:
            found[words[0]] = current = set()
        current.update(word for word in words if word.startswith("--hash="))
    return found
