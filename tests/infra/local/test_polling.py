from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.polling import wait_until, wait_until_serving


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made; the clock moves by these alone."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(made))
    return made


def test_first_true_answer_is_given_without_a_pause(naps: list[float]) -> None:
    assert wait_until(lambda: "there", seconds=1) == "there"
    assert naps == []


def test_it_looks_until_the_answer_is_true(naps: list[float]) -> None:
    answers = iter(["", "", "there"])
    assert wait_until(lambda: next(answers), seconds=10, pause=1) == "there"
    assert naps == [1, 1]


def test_time_out_raises(naps: list[float]) -> None:
    with pytest.raises(TimeoutError, match="still waiting after 2 s"):
        wait_until(lambda: False, seconds=2, pause=0.5)
    assert sum(naps) == 2


def test_time_out_raises_the_callers_own_error(naps: list[float]) -> None:
    with pytest.raises(RuntimeError, match="the door stays shut"):
        wait_until(lambda: False, seconds=2, late=lambda: RuntimeError("the door stays shut"))


def test_last_look_comes_after_the_time_out(naps: list[float]) -> None:
    assert wait_until(lambda: sum(naps) >= 5, seconds=3, pause=5)


def test_pause_grows_up_to_its_limit(naps: list[float]) -> None:
    with pytest.raises(TimeoutError):
        wait_until(lambda: False, seconds=10, pause=1, longest_pause=3)
    assert naps == [1, 2, 3, 3, 3]


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield started
    started.kill()
    started.wait()


def refuse() -> None:
    raise ConnectionRefusedError("not yet")


def test_process_that_serves_is_left_running(process: subprocess.Popen[bytes], tmp_path: Path) -> None:
    wait_until_serving(lambda: None, process, tmp_path / "log", seconds=30)
    assert process.poll() is None


def test_process_that_never_serves_is_killed_and_shown_with_reason_and_log(
    process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    (tmp_path / "log").write_text("reading my settings")
    with pytest.raises(RuntimeError, match=r"not yet(.*\n)*reading my settings"):
        wait_until_serving(refuse, process, tmp_path / "log", seconds=0.5)
    assert process.poll() is not None


def test_process_that_ended_is_not_waited_for(process: subprocess.Popen[bytes], tmp_path: Path) -> None:
    (tmp_path / "log").write_text("no such database")
    process.kill()
    process.wait()
    with pytest.raises(RuntimeError, match="no such database"):
        wait_until_serving(lambda: None, process, tmp_path / "log", seconds=600)
