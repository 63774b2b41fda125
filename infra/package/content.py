"""What belongs into a release, and the name that follows from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from infra.setup.environments import UV_VERSION

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK = "jobs/requirements.lock"
JARS_LOCK = "infra/setup/jars.lock"
STARTUP = "infra/mwaa/startup.sh"
TREES = ("jobs", "dq", "dags", "plugins", "infra/package")  # the last one decides how the rest is laid out
FILES = (".airflowignore", "LICENSE", "requirements.txt", JARS_LOCK, STARTUP)

Content = Mapping[str, bytes]  # name within the repository -> bytes


def read() -> Content:
    """All files that a release is made of, in a fixed order.

    They are read once: the name is the hash of what is written, also while somebody edits.
    """
    files = [
        file
        for root in TREES
        for file in sorted((REPOSITORY / root).rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    ]
    files += [REPOSITORY / name for name in FILES]
    return {file.relative_to(REPOSITORY).as_posix(): file.read_bytes() for file in files}


def name(content: Content) -> str:
    """The release's name, and the `code` in every commit that it makes: a hash of all that decides its bytes."""
    digest = hashlib.sha256(f"uv {UV_VERSION}\0".encode())
    for file, body in content.items():
        digest.update(f"{file}\0{len(body)}\0".encode())
        digest.update(body)
    return digest.hexdigest()[:12]


def job_code(content: Content) -> Content:
    """What `jobs.zip` holds: the code of jobs and their rules, without the lists of packages."""
    found = under(content, "jobs/", "dq/")
    return {file: body for file, body in found.items() if not file.startswith("jobs/requirements.")}


def under(content: Content, *prefixes: str) -> Content:
    """The files whose names start so."""
    return {file: body for file, body in content.items() if file.startswith(prefixes)}
