"""Folders that appear whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def made_whole(folder: Path) -> Iterator[Path]:
    """A scratch folder to fill, which gets its name when the block has ended well.

    Of two builders at once the first one's folder stays: it has what the other one's has, as its name follows from its
    content. A killed builder leaves a `.build-…` folder that nobody takes for a result.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=folder.parent, ignore_cleanup_errors=True) as scratch:
        whole = Path(scratch, folder.name)
        whole.mkdir()
        yield whole
        try:
            whole.rename(folder)
        except OSError:  # a folder with files is never replaced
            if not folder.is_dir():
                raise
