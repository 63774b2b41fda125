"""Start and stop of a whole platform of stub parts, under the real process manager."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from infra.local import airflow, bootstrap, commands, daily_run, lifecycle, processes
from infra.local.addresses import REPOSITORY, Addresses
from infra.local.errors import PlatformError
from infra.local.supervisord_conf import MANAGER
from tests.infra.local import platform_of_stubs as stubs

OTHER_INTERFACE = "127.0.0.2" if sys.platform == "linux" else "0.0.0.0"  # noqa: S104 - that it is refused is the test


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    processes.end(tmp_path)


@pytest.fixture(autouse=True)
def interrupts() -> Iterator[None]:
    """The processes of these tests obey interrupts, even if the tests run under nohup or with `&`."""
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def _start(home: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.infra.local.platform_of_stubs", str(home), *words],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )


def _run(home: Path, *words: str) -> tuple[int, str]:
    process = _start(home, *words)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


def _living(home: Path) -> set[str]:
    return {member.part for member in processes.members(home)}


def _platform(home: Path, command: str, port: int = 18900) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.local", command],
        cwd=REPOSITORY,
        env={**os.environ, "SLUICE_HOME": str(home), "SLUICE_PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_down_leaves_no_process_not_even_one_in_a_session_of_its_own(home: Path) -> None:
    code, output = _run(home, "up", "a", "b")
    assert (code, output.count("healthy")) == (0, 2)
    assert len(processes.members(home)) == 5  # the manager, two parts, and a child of each
    assert _run(home, "down")[0] == 0
    assert _living(home) == set()


def test_down_ends_what_a_killed_process_manager_left(home: Path) -> None:
    _run(home, "up", "a")
    (manager,) = [member.process for member in processes.members(home) if member.part == MANAGER]
    manager.kill()
    assert "a" in _living(home)
    assert _run(home, "down")[0] == 0
    assert _living(home) == set()


@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_start_stops_all_that_was_started(home: Path, interrupt: signal.Signals) -> None:
    process = _start(home, "up", "quick", "late=slow")
    assert process.stdout is not None
    assert "quick" in process.stdout.readline()
    process.send_signal(interrupt)
    assert "stopping the platform" in process.stdout.readline()
    process.send_signal(interrupt)  # a second signal changes nothing
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert _living(home) == set()


def test_a_part_that_ends_is_reported_with_its_last_log_lines_and_nothing_stays(home: Path) -> None:
    code, output = _run(home, "up", "good", "bad=broken")
    assert code == 1
    assert "bad ended" in output
    assert "| no such database" in output
    assert _living(home) == set()


def test_a_part_that_never_gets_healthy_is_reported_with_its_reason(home: Path) -> None:
    impatient = replace(stubs.part("late=slow"), healthy_within=1.5)
    with pytest.raises(PlatformError, match="late is not healthy after 2 s: ConnectionRefusedError: not yet"):
        stubs.up(home, [impatient])
    assert _living(home) == set()


def test_a_listener_on_another_interface_stops_the_platform_and_is_named(home: Path) -> None:
    code, output = _run(home, "up", "good", f"wide={OTHER_INTERFACE}:18911")
    assert code == 1
    assert "reachable from outside this machine: wide (pid" in output
    assert f"on {OTHER_INTERFACE}:18911" in output
    assert _living(home) == set()


def test_a_loopback_listener_is_fine(home: Path) -> None:
    assert _run(home, "up", "narrow=127.0.0.1:18912")[0] == 0


def test_a_second_start_is_refused_with_what_to_do_and_changes_nothing(home: Path) -> None:
    _run(home, "up", "a")
    before = {member.process.pid for member in processes.members(home)}
    second = _platform(home, "up")
    assert second.returncode == 1
    assert "make down" in second.stderr
    assert "http://127.0.0.1:18900" in second.stderr
    assert {member.process.pid for member in processes.members(home)} == before


def test_a_start_that_was_killed_is_no_platform_and_the_next_one_is_whole(home: Path) -> None:
    """Its parts run, but nobody has filled them."""
    process = _start(home, "up", "quick", "late=slow")
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.wait(30)
    manager = stubs.manager(home)
    assert manager.running()
    assert not lifecycle.is_whole(manager)

    lifecycle.stop(manager)
    stubs.up(home, [stubs.part("quick")])

    assert lifecycle.is_whole(manager)
    manager.stop()
    assert not lifecycle.is_whole(manager)


@pytest.mark.parametrize("command", [commands.up, commands.run])
def test_a_start_that_was_killed_is_made_anew(
    home: Path, monkeypatch: pytest.MonkeyPatch, command: Callable[[Addresses], object]
) -> None:
    filled: list[str] = []
    monkeypatch.setattr(commands, "stand_ins", lambda _: (stubs.part("a"),))
    monkeypatch.setattr(airflow, "parts", lambda *_: ())
    monkeypatch.setattr(airflow, "Migration", lambda *_: SimpleNamespace(wait=lambda: None))
    monkeypatch.setattr(bootstrap, "prepare", lambda *_: filled.append("prepared"))
    monkeypatch.setattr(bootstrap, "pools", lambda *_: filled.append("pools"))
    monkeypatch.setattr(daily_run, "run", lambda _: filled.append("run") or 0)
    stubs.manager(home).start()  # and then the command was killed

    command(Addresses(home, 18940))

    assert filled[:2] == ["prepared", "pools"]
    assert lifecycle.is_whole(stubs.manager(home))
    with pytest.raises(PlatformError, match="already runs"):
        commands.up(Addresses(home, 18940))
    stubs.manager(home).stop()


def test_a_start_beside_another_command_is_refused(home: Path) -> None:
    process = _start(home, "up", "quick", "late=slow")
    assert process.stdout is not None
    process.stdout.readline()
    second = _platform(home, "down")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert second.returncode == 1
    assert f"pid {process.pid}" in second.stderr


def test_a_taken_port_is_named_with_the_process_that_holds_it(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 18922)):
        refused = _platform(home, "up", port=18920)
    assert refused.returncode == 1
    assert "port 18922 (s3) is held by" in refused.stderr
    assert f"(pid {os.getpid()})" in refused.stderr
    assert _living(home) == set()


def test_down_is_fine_when_nothing_runs(home: Path) -> None:
    done = _platform(home, "down")
    assert (done.returncode, done.stdout) == (0, "nothing runs\n")


def test_status_says_what_is_down(home: Path) -> None:
    _run(home, "up", "a")
    status = _platform(home, "status")
    lines = {line.split()[0]: line for line in status.stdout.splitlines()}
    assert status.returncode == 1
    assert "down" in lines["aws"]
    assert "healthy" in lines[MANAGER]
    assert "not expected" in lines["a"]
    assert int(lines["total"].split()[1]) > 0


def test_a_platform_finds_only_its_own_processes(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    _run(home, "up", "a")
    assert processes.members(other) == []
    assert psutil.Process().pid not in {member.process.pid for member in processes.members(home)}
