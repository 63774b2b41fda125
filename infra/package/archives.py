"""Archives whose bytes follow from their content alone: no times, owners or order of a file system.

Files are readable by all (0644, 0755 if they can be executed): MWAA and EMR unpack them as other users than those who
read them. Python's own default for a member of a zip is 0600.
"""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

from infra.package.content import Content

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time that a zip can say
_FILE, _FOLDER = 0o644, 0o755
LEVEL = 6  # level 9 makes a Python archive 1 % smaller and takes three times as long


def zipped(content: Content) -> bytes:
    """A zip of these files, with an entry for each folder."""
    folders = {f"{parent.as_posix()}/" for name in content for parent in Path(name).parents if parent != Path()}
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted({*folders, *content}):
            folder = name.endswith("/")
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, also when it is built elsewhere: otherwise modes mean nothing
            entry.external_attr = (stat.S_IFDIR | _FOLDER if folder else stat.S_IFREG | _FILE) << 16
            archive.writestr(entry, b"" if folder else content[name], zipfile.ZIP_DEFLATED)
    return body.getvalue()


def tar_gz(folder: Path, target: Path) -> None:
    """Packs what a folder holds. Links are followed, so that the archive needs nothing beside it."""
    with (
        target.open("wb") as file,
        gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT, dereference=True) as archive,
    ):
        for path in sorted(folder.rglob("*")):
            entry = archive.gettarinfo(path, path.relative_to(folder).as_posix())
            executable = entry.isdir() or entry.mode & stat.S_IXUSR
            entry.type = tarfile.DIRTYPE if entry.isdir() else tarfile.REGTYPE  # a second hard link is a file too
            entry.mode = _FOLDER if executable else _FILE
            entry.mtime = entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            if entry.isdir():
                archive.addfile(entry)
                continue
            entry.size = path.stat().st_size
            with path.open("rb") as body:
                archive.addfile(entry, body)
