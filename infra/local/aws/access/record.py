"""What each caller has used: a line for each (caller, action, resource), with folders in place of keys.

Servers append; a line is written when its use is new, so that the file stays small however many requests come.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from pathlib import Path

from infra.local.aws.access.use import Use

MOST = 5000  # distinct uses of one server; a platform's daily run has some 300


def folder(home: Path) -> Path:
    """Where the servers of a platform note what was used."""
    return home / "used"


class Record:
    """The uses that one server has seen. Any thread may add to it."""

    def __init__(self, file: Path) -> None:
        """Goes on with what an earlier server noted."""
        self._file = file
        self._lock = threading.Lock()
        self._seen = {(caller, use) for caller, use in _read(file)}

    def add(self, caller: str, uses: Iterable[Use]) -> None:
        """Notes what a request has used."""
        for use in uses:
            seen = (caller, use.general)
            if seen not in self._seen:
                self._note(*seen)

    def _note(self, caller: str, use: Use) -> None:
        with self._lock:
            if (caller, use) in self._seen or len(self._seen) >= MOST:
                return
            self._seen.add((caller, use))
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a") as lines:
                lines.write(json.dumps([caller, use.action, use.resource]) + "\n")


def read(home: Path) -> set[tuple[str, Use]]:
    """What each caller of a platform has used, by all servers."""
    return {found for file in folder(home).glob("*.jsonl") for found in _read(file)}


def _read(file: Path) -> list[tuple[str, Use]]:
    lines = file.read_text().splitlines() if file.exists() else []
    return [(caller, Use(action, resource)) for caller, action, resource in map(json.loads, lines)]
