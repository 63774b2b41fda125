"""What an application keeps ready: drivers of its initial capacity, until it has been idle for long enough."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any


def initial_drivers(capacity: Mapping[str, Any] | None) -> int:
    """How many pre-initialised drivers an application's `initialCapacity` asks for."""
    workers = {kind.upper(): asked for kind, asked in (capacity or {}).items()}
    return int((workers.get("DRIVER") or {}).get("workerCount") or 0)


def idle_minutes(auto_stop: Mapping[str, Any] | None) -> float | None:
    """After how many idle minutes an application stops: 15 if it does not say. None if never."""
    wanted = auto_stop or {}
    return float(wanted.get("idleTimeoutMinutes") or 15) if wanted.get("enabled", True) else None


class IdleWatch:
    """Stops an application when it has had no job run for a while."""

    def __init__(self, seconds: float, busy: Callable[[], bool], stop: Callable[[], None]) -> None:
        """Starts to watch.

        Args:
            seconds: idle time after which it stops.
            busy: whether a job run lives.
            stop: stops it, if it is still idle.
        """
        self._seconds = seconds
        self._busy = busy
        self._stop = stop
        self._ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True, name="idle-watch").start()

    def end(self) -> None:
        self._ended.set()

    def _watch(self) -> None:
        since = time.monotonic()
        while not self._ended.wait(self._seconds / 10):
            now = time.monotonic()
            if self._busy():
                since = now
            elif now - since >= self._seconds:
                self._stop()
                return
