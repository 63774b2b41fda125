"""Builds what a deployment uploads, named by its content: `python -m infra.package build|upload`.

`build/releases/<hash>/` holds `run.py` and `jobs.zip` for EMR, `plugins.zip` and `requirements.txt` for MWAA, and
`dags/`, the tree that is synced to MWAA's DAG prefix, where the same import root holds.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import boto3

from jobs.lake import settings

REPOSITORY = Path(__file__).resolve().parents[1]
BUILD = REPOSITORY / "build" / "releases"
JOB_FILES = ("run.py", "jobs.zip")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time that a zip can say: equal content, equal bytes

Content = Mapping[str, bytes]  # name within the repository -> bytes


def _content() -> Content:
    """All files that belong into a release, in a fixed order.

    They are read once: the name is the hash of what is written, also while somebody edits.
    """
    files = [
        file
        for root in ("jobs", "dq", "dags", "plugins")
        for file in sorted((REPOSITORY / root).rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    ]
    files += [REPOSITORY / ".airflowignore", REPOSITORY / "requirements.txt"]
    return {file.relative_to(REPOSITORY).as_posix(): file.read_bytes() for file in files}


def _name(content: Content) -> str:
    digest = hashlib.sha256()
    for name, body in content.items():
        digest.update(f"{name}\0{len(body)}\0".encode())
        digest.update(body)
    return digest.hexdigest()[:12]


def release() -> str:
    """The hash of everything in a release: its name, and the `code` in every commit that it makes."""
    return _name(_content())


def build() -> Path:
    """Builds the release, unless it is built; gives its folder.

    A release appears whole or not at all: it is written into a folder of this build's own, which then gets its name.
    Of two builds at once the first one stays.
    """
    content = _content()
    folder = BUILD / _name(content)
    if folder.is_dir():
        return folder
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=BUILD, ignore_cleanup_errors=True) as scratch:
        whole = Path(scratch, folder.name)
        _write(whole, content)
        try:
            whole.rename(folder)
        except OSError:  # a folder with files is never replaced; it has what this one has
            if not folder.is_dir():
                raise
    return folder


def _write(folder: Path, content: Content) -> None:
    folder.mkdir()
    (folder / "run.py").write_bytes(content["jobs/run.py"])
    (folder / "requirements.txt").write_bytes(content["requirements.txt"])
    _zip(folder / "jobs.zip", _under(content, "jobs/", "dq/"))
    plugins = _under(content, "plugins/")
    _zip(folder / "plugins.zip", {name.removeprefix("plugins/"): body for name, body in plugins.items()})
    for name, body in _under(content, "dags/", "jobs/", "dq/", ".airflowignore").items():
        target = folder / "dags" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)


def _under(content: Content, *prefixes: str) -> Content:
    return {name: body for name, body in content.items() if name.startswith(prefixes)}


def upload() -> str:
    """Uploads the job side of the release; gives its URI, `s3://<code bucket>/releases/<hash>`."""
    folder = build()
    bucket = settings.deployment().code_bucket
    s3 = boto3.client("s3")
    for name in JOB_FILES:
        s3.upload_file(str(folder / name), bucket, f"releases/{folder.name}/{name}")
    return f"s3://{bucket}/releases/{folder.name}"


def _zip(target: Path, content: Content) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in content.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), body)


if __name__ == "__main__":
    print({"build": build, "upload": upload}[sys.argv[1]]())
