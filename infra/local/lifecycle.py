"""Starts and stops a platform as a whole: either all of it is healthy, or none of it runs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.local import interrupts, listeners, processes
from infra.local.aws.emr import process
from infra.local.aws.emr.logs import tail
from infra.local.aws.mwaa.variables import PROCESS_VARIABLE
from infra.local.errors import PlatformError
from infra.local.parts import Part
from infra.local.process_manager import ProcessManager, State

POLL_SECONDS = 0.3
LOG_LINES = 25


def say(line: str) -> None:
    """Prints a line without delay, into a pipe too."""
    print(line, flush=True)


@contextlib.contextmanager
def alone(home: Path) -> Iterator[None]:
    """Keeps two commands from starting or stopping one platform at the same time.

    Raises:
        PlatformError: another command is doing so.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "command.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise PlatformError(
                f"another command (pid {lock.read()}) is starting or stopping this platform: "
                "wait for it or interrupt it"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def begin(home: Path) -> None:
    """Notes that a start has begun."""
    _mark(home).unlink(missing_ok=True)


def complete(home: Path) -> None:
    """Notes that the start has ended, with every part healthy and filled."""
    _mark(home).touch()


def is_whole(manager: ProcessManager) -> bool:
    """Whether a platform runs whose start has ended.

    A start that was killed leaves the process manager, and some parts that lack what they need. Nobody would fill them.
    """
    return manager.running() and _mark(manager.home).exists()


def _mark(home: Path) -> Path:
    return home / "started"


@contextlib.contextmanager
def stopping(manager: ProcessManager, *errors: type[BaseException]) -> Iterator[None]:
    """Stops the whole platform when the block ends with one of these errors. An interrupt is a KeyboardInterrupt."""
    with interrupts.heard():
        try:
            yield
        except errors as error:
            interrupts.ignore()
            say(f"{'interrupted' if isinstance(error, KeyboardInterrupt) else 'failed'}: stopping the platform")
            stop(manager)
            raise


def refuse_taken_ports(ports: dict[int, str]) -> None:
    """Checks that ports (port -> part) are free.

    Raises:
        PlatformError: a port is taken. The message names the port and the process.
    """
    held = [
        f"port {port} ({part}) is held by {owner}" for port, part in ports.items() if (owner := listeners.taken(port))
    ]
    if held:
        raise PlatformError("\n".join([*held, "stop that process, or set SLUICE_PORT to another first port"]))


def launch(manager: ProcessManager, parts: Sequence[Part]) -> None:
    """Makes these the parts that run, and waits until those that it started are healthy.

    Raises:
        PlatformError: a part is late, or ends. The message has its last log lines.
    """
    started = manager.apply(parts)
    wait_until_healthy(manager, [part for part in parts if part.name in started])


def wait_until_healthy(manager: ProcessManager, parts: Sequence[Part]) -> None:
    """Waits until parts are healthy. Prints a line for each.

    Raises:
        PlatformError: a part is late, or ends. The message has its last log lines.
    """
    begun = time.monotonic()
    waiting = {part.name: part for part in parts}
    pids: dict[str, int] = {}
    last: dict[str, str] = {}
    while waiting:
        for state in manager.states():
            if not (part := waiting.get(state.part)):
                continue
            died = state.name in ("BACKOFF", "EXITED", "FATAL", "UNKNOWN")
            if died or state.pid != pids.get(part.name, state.pid):
                raise PlatformError(_report(manager, part, f"ended: {state.description}"))
            if not state.pid:
                continue  # about to be started
            pids[part.name] = state.pid
            if _healthy(part, state, last):
                del waiting[part.name]
                say(f"  {part.name:<22} healthy  {time.monotonic() - begun:5.1f} s  {part.address}".rstrip())
            elif time.monotonic() - begun > part.healthy_within:
                reason = f"is not healthy after {part.healthy_within:.0f} s: {last[part.name]}"
                raise PlatformError(_report(manager, part, reason))
        time.sleep(POLL_SECONDS)


def _healthy(part: Part, state: State, last: dict[str, str]) -> bool:
    try:
        part.check(state.started)
    except Exception as error:  # whatever its client raises; shown when the part never gets healthy
        last[part.name] = f"{type(error).__name__}: {error}"
        return False
    return True


def _report(manager: ProcessManager, part: Part, reason: str) -> str:
    log = manager.log(part.name)
    shown = "\n".join(f"  | {line}" for line in tail(log, LOG_LINES)) or "  | (no output)"
    return f"{part.name} {reason}\nlast lines of {log}:\n{shown}"


def refuse_exposed(home: Path) -> None:
    """Checks that the whole platform listens on loopback only.

    Raises:
        PlatformError: something listens elsewhere. The message names it.
    """
    if exposed := listeners.exposed(home):
        raise PlatformError(f"reachable from outside this machine: {', '.join(exposed)}")


def stop(manager: ProcessManager) -> bool:
    """Stops all that belongs to the platform, in whatever state it is. Returns whether there was anything."""
    running = manager.running()
    if running:
        manager.stop()
    jobs = process.remove_orphans(manager.home / "emr")
    jobs += process.remove_orphans(manager.home / "mwaa", PROCESS_VARIABLE)
    left = processes.end(manager.home)
    for member in left:
        say(f"  ended a process that was left: {member}")
    return bool(running or jobs or left)
