"""A release: its folder, and what of it is where."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from infra.package import archives, bill, python_archive, smoke
from infra.package.content import JARS_LOCK, REPOSITORY, STARTUP, Content, job_code, name, read, under
from infra.package.folders import made_whole
from infra.setup import jars
from infra.setup.steps import SetupError
from jobs.lake.release import ARCHITECTURES, CODE, ENTRY_POINT, JARS, JARS_FOLDER, MARK
from jobs.lake.release import python_archive as archive_name

FOLDER = REPOSITORY / "build" / "releases"
SUMS = "SHA256SUMS"
# MWAA's image has all that we require. Where that changes, pip says so at once, instead of asking an index that a
# private network does not reach. Amazon's own packager writes the same line.
NOTHING_FETCHED = b"--no-index\n"


def build() -> Path:
    """Builds the release, unless it is built; gives its folder. It appears whole or not at all.

    Raises:
        SetupError: a package or a jar is not what its lock says, or the job code does not run on the archive.
    """
    content = read()
    folder = FOLDER / name(content)
    if not folder.is_dir():
        with made_whole(folder) as scratch:
            write(scratch, content, python_archive.built(content))
            print(smoke.check(scratch), flush=True)
    return folder


def code(content: Content) -> dict[str, bytes]:
    """The files of a release that a job run needs where Python's packages and the jars are there already."""
    return {ENTRY_POINT: content["jobs/run.py"], CODE: archives.zipped(job_code(content))}


def write(folder: Path, content: Content, packages: Path) -> None:
    """Writes all files of a release.

    Args:
        folder: named as the release.
        content: of the release.
        packages: the folder of `python_archive.built`.
    """
    files = {**code(content), **of_mwaa(content, folder.name)}
    shipped = bill.packages(packages / python_archive.DESCRIPTIONS)
    for coordinate, jar in _jars(content).items():
        files[f"{JARS_FOLDER}/{jar.name}"] = jar.read_bytes()
        shipped.append(bill.jar(coordinate, jar))
    files["sbom.json"] = bill.sbom(folder.name, shipped)
    files["licences.zip"] = archives.zipped(bill.licences(content["LICENSE"], shipped))
    for file, body in files.items():
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
    for architecture in ARCHITECTURES:
        _link(packages / archive_name(architecture), folder / archive_name(architecture))
    (folder / SUMS).write_text(sums(folder))


def sums(folder: Path) -> str:
    """What `sha256sum -c` reads, of every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / SUMS)
    lines = []
    for path in files:
        with path.open("rb") as body:
            lines.append(f"{hashlib.file_digest(body, 'sha256').hexdigest()}  {path.relative_to(folder).as_posix()}\n")
    return "".join(lines)


def of_mwaa(content: Content, release: str) -> dict[str, bytes]:
    """The files of a release that the MWAA environment and its DAG prefix need."""
    plugins = {file.removeprefix("plugins/"): body for file, body in under(content, "plugins/").items()}
    tree = {**job_code(content), **under(content, "dags/", ".airflowignore"), MARK: f"{release}\n".encode()}
    return {
        "plugins.zip": archives.zipped(plugins),
        "requirements.txt": NOTHING_FETCHED + content["requirements.txt"],
        "startup.sh": content[STARTUP],
        **{f"dags/{file}": body for file, body in tree.items()},
    }


def _jars(content: Content) -> dict[str, Path]:
    """The jars that EMR's image lacks: coordinate -> file, checked against the lock."""
    locked = dict(line.split() for line in content[JARS_LOCK].decode().splitlines() if line.strip())
    found = {}
    for coordinate, sha256 in locked.items():
        _, artifact, version = coordinate.split(":")
        file = jars.folder() / f"{artifact}-{version}.jar"
        if file.name not in JARS:
            continue
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
            raise SetupError(f"{file} is missing, or is not the jar of {JARS_LOCK}: delete it and run `make setup`")
        found[coordinate] = file
    if missing := set(JARS) - {file.name for file in found.values()}:
        raise SetupError(f"{JARS_LOCK} lacks {', '.join(sorted(missing))}, which a release needs: add it")
    return found


def _link(source: Path, target: Path) -> None:
    """A second name for a large file; a copy where the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
