"""Runs a set-up step, prints what it does and how long it takes, and remembers that it is done.

This runs on the machine's own Python, before any environment exists: only the standard library, syntax of Python 3.9.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
VENV = REPOSITORY / ".venv"
SAY_SECONDS = 5.0


class SetupError(Exception):
    """The set-up can't go on. The message says why, and what to install if something is missing."""


def cache() -> Path:
    """The folder for downloads that several checkouts share: $SLUICE_CACHE, or `sluice` in the user's cache folder."""
    user = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("SLUICE_CACHE") or Path(user) / "sluice")


def fingerprint(parts: Iterable[object]) -> str:
    """Hash of texts, and of the content of files. A step is done again when one of them changes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def once(
    title: str, stamp: Path, inputs: Iterable[object], action: Callable[[], None], grows: Path | None = None
) -> None:
    """Runs `action`, unless `stamp` already holds the fingerprint of `inputs`.

    Args:
        title: of the step, for the person who waits.
        stamp: file that remembers it.
        inputs: texts and files; the step is done again when one of them changes.
        action: does it. While it runs, a line each `SAY_SECONDS` says for how long.
        grows: the folder that it fills, whose size the lines say.
    """
    wanted = fingerprint(inputs)
    if stamp.is_file() and stamp.read_text() == wanted:
        print(f"  ready    {title}", flush=True)
        return
    print(f"  install  {title} ...", flush=True)
    started = time.monotonic()
    with _saying(title, grows):
        action()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)
    print(f"  done     {title}: {time.monotonic() - started:.1f} s", flush=True)


@contextmanager
def _saying(title: str, grows: Path | None) -> Iterator[None]:
    """Says how far a step is, as long as the block runs."""
    done, started = threading.Event(), time.monotonic()

    def say() -> None:
        while not done.wait(SAY_SECONDS):
            size = f", {_size(grows) / 1e6:.0f} MB" if grows else ""
            print(f"  ...      {title}: {time.monotonic() - started:.0f} s{size}", flush=True)

    speaker = threading.Thread(target=say, daemon=True)
    speaker.start()
    try:
        yield
    finally:
        done.set()
        speaker.join()


def _size(folder: Path) -> int:
    """Bytes of the files in a folder; some may go while it looks."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def command(*words: object, **environment: str) -> str:
    """Runs a command and gives its standard output.

    Raises:
        SetupError: it failed or took over ten minutes. The message has the command and its last lines.
    """
    line = [str(word) for word in words]
    try:
        done = subprocess.run(
            line, env={**os.environ, **environment}, cwd=REPOSITORY, capture_output=True, text=True, timeout=600
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{line[0]}: {error}") from error
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise SetupError(f"`{' '.join(line)}` failed:\n{tail}")
    return done.stdout
