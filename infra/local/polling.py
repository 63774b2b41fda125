"""Waits for what other processes do."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Seen = TypeVar("Seen")

LOG_CHARACTERS = 3000


def wait_until(
    look: Callable[[], Seen | None],
    *,
    seconds: float,
    late: Callable[[], Exception] | None = None,
    pause: float = 0.1,
    longest_pause: float = 0.0,
) -> Seen:
    """Looks again and again until the answer is true, and gives that answer.

    Args:
        look: what to ask.
        seconds: time-out. The last look comes after it.
        late: makes the error that a time-out raises; a TimeoutError if not given.
        pause: seconds between two looks.
        longest_pause: the pause doubles after each look until it is this long. By default it stays as it is.
    """
    deadline = time.monotonic() + seconds
    while True:
        in_time = time.monotonic() < deadline
        if seen := look():
            return seen
        if not in_time:
            raise late() if late else TimeoutError(f"still waiting after {seconds} s")
        time.sleep(pause)
        pause = max(pause, min(2 * pause, longest_pause))


def wait_until_serving(
    check: Callable[[], object], process: subprocess.Popen[bytes], log: Path, *, seconds: float
) -> None:
    """Waits until a started process passes a check, which raises as long as it doesn't.

    Raises:
        RuntimeError: the process ended or ran out of time, and was killed. The message has the end of its log.
    """
    reason: Exception | None = None

    def failed() -> RuntimeError:
        process.kill()
        process.wait()
        tail = log.read_text(errors="replace")[-LOG_CHARACTERS:]
        return RuntimeError(f"{process.args!r} does not answer ({reason!r}):\n{tail}")

    def serves() -> bool:
        nonlocal reason
        if process.poll() is not None:
            raise failed()
        try:
            check()
        except Exception as error:  # whatever its client raises
            reason = error
            return False
        return True

    wait_until(serves, seconds=seconds, late=failed, pause=0.2)
