"""A part that does almost nothing: `python -m tests.infra.local.stub_part stay|break|listen|note ARGUMENT…`."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

LONG = 600.0


def stay() -> None:
    """Runs, with a child in another session, which a signal to the process group doesn't reach."""
    subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({LONG})"], start_new_session=True)
    time.sleep(LONG)


def break_() -> None:
    """Ends with a message."""
    print("reading my settings")
    sys.exit("no such database")


def listen(host: str, port: str) -> None:
    """Accepts connections."""
    with socket.create_server((host, int(port))):
        time.sleep(LONG)


def note(order: str, name: str) -> None:
    """Writes its name some time after it is asked to stop."""

    def end(number: int, frame: FrameType | None) -> None:
        time.sleep(0.3)
        with Path(order).open("a") as notes:
            notes.write(f"{name} ")
        sys.exit()

    signal.signal(signal.SIGTERM, end)
    Path(f"{order}.{name}").touch()
    time.sleep(LONG)


if __name__ == "__main__":
    behaviours: dict[str, Callable[..., None]] = {"stay": stay, "break": break_, "listen": listen, "note": note}
    behaviours[sys.argv[1]](*sys.argv[2:])
