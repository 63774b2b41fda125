"""Turns the signals that end a command into KeyboardInterrupt, and lets it tidy up undisturbed."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def heard() -> Iterator[None]:
    """In the block, SIGTERM and a closed terminal raise KeyboardInterrupt, as Ctrl-C does.

    Signals that the caller ignores (nohup) stay ignored.
    """
    numbers = [number for number in _INTERRUPTS if signal.getsignal(number) != signal.SIG_IGN]
    handlers = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def ignore() -> None:
    """From here to the end of the block of `heard`, they do nothing: a second Ctrl-C would leave orphans."""
    for number in _INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(number: int, _: object) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)
