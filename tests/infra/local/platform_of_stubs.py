"""A platform of stub parts, in another process so that signals and exits are real.

`python -m tests.infra.local.platform_of_stubs HOME up|down PART…`, where a PART is `name` (healthy at once),
`name=slow` (not healthy within this test), `name=broken` (ends with a message) or `name=ADDRESS:PORT` (listens there).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from infra.local import lifecycle
from infra.local.errors import PlatformError
from infra.local.lifecycle import say
from infra.local.parts import Part
from infra.local.process_manager import ProcessManager

STUB = (sys.executable, "-m", "tests.infra.local.stub_part")


def part(description: str) -> Part:
    """A stub from its description."""
    name, _, kind = description.partition("=")
    behaviour = ("break",) if kind == "broken" else ("listen", *kind.split(":")) if ":" in kind else ("stay",)

    def check(started: float) -> None:
        if kind in ("slow", "broken"):
            raise ConnectionRefusedError("not yet")

    return Part(name=name, command=(*STUB, *behaviour), check=check, stop_within=2)


def manager(home: Path) -> ProcessManager:
    """The stubs' process manager."""
    return ProcessManager(home, dict(os.environ))


def up(home: Path, parts: list[Part]) -> None:
    """Starts the stubs as `commands.up` starts the platform."""
    with lifecycle.alone(home), lifecycle.stopping(manager(home), BaseException):
        lifecycle.begin(home)
        manager(home).start()
        lifecycle.launch(manager(home), parts)
        lifecycle.refuse_exposed(home)
        lifecycle.complete(home)


def main(home: Path, command: str, parts: list[Part]) -> int:
    try:
        if command == "up":
            up(home, parts)
        else:
            with lifecycle.alone(home):
                lifecycle.stop(manager(home))
    except PlatformError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2], [part(text) for text in sys.argv[3:]]))
