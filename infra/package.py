"""Builds what a deployment uploads, named by its content: `python -m infra.package build|upload`.

`build/releases/<hash>/` holds `run.py` and `jobs.zip` for EMR, `plugins.zip` and `requirements.txt` for MWAA, and
`dags/`, the tree that is synced to MWAA's DAG prefix, where the same import root holds.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from pathlib import Path

import boto3

from jobs.lake import settings

REPOSITORY = Path(__file__).resolve().parents[1]
BUILD = REPOSITORY / "build" / "releases"
JOB_FILES = ("run.py", "jobs.zip")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time that a zip can say: equal content, equal bytes


def _sources(*roots: str) -> list[Path]:
    """Files of these folders that belong into a release, in a fixed order."""
    return sorted(
        file
        for root in roots
        for file in (REPOSITORY / root).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    )


def release() -> str:
    """The hash of everything in a release: its name, and the `code` in every commit that it makes."""
    digest = hashlib.sha256()
    files = [*_sources("jobs", "dq", "dags", "plugins"), REPOSITORY / ".airflowignore", REPOSITORY / "requirements.txt"]
    for file in files:
        digest.update(f"{file.relative_to(REPOSITORY)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def build() -> Path:
    """Builds the release, unless it is built; gives its folder."""
    folder = BUILD / release()
    if folder.is_dir():
        return folder
    scratch = folder.with_suffix(".part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    shutil.copy(REPOSITORY / "jobs" / "run.py", scratch / "run.py")
    shutil.copy(REPOSITORY / "requirements.txt", scratch / "requirements.txt")
    _zip(scratch / "jobs.zip", REPOSITORY, _sources("jobs", "dq"))
    _zip(scratch / "plugins.zip", REPOSITORY / "plugins", _sources("plugins"))
    for file in [*_sources("dags", "jobs", "dq"), REPOSITORY / ".airflowignore"]:
        target = scratch / "dags" / file.relative_to(REPOSITORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    scratch.rename(folder)
    return folder


def upload() -> str:
    """Uploads the job side of the release; gives its URI, `s3://<code bucket>/releases/<hash>`."""
    folder = build()
    bucket = settings.deployment().code_bucket
    s3 = boto3.client("s3")
    for name in JOB_FILES:
        s3.upload_file(str(folder / name), bucket, f"releases/{folder.name}/{name}")
    return f"s3://{bucket}/releases/{folder.name}"


def _zip(target: Path, root: Path, files: list[Path]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(str(file.relative_to(root)), _EPOCH), file.read_bytes())


if __name__ == "__main__":
    print({"build": build, "upload": upload}[sys.argv[1]]())
