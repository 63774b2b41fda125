"""A step by hand: its words, and what an interrupt does to its job run."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from infra.local import athena, bootstrap, clients, job
from infra.local.addresses import Addresses
from infra.local.errors import PlatformError

ADDRESSES = Addresses(Path("/state"), 18900)


class Aws:
    """EMR Serverless and Athena with one thing that runs until it is stopped. Ctrl-C comes while it is watched."""

    def __init__(self, interrupt: signal.Signals) -> None:
        self.interrupt: signal.Signals | None = interrupt
        self.state = "RUNNING"
        self.asked: list[str] = []
        self.looks = 0

    def start_job_run(self, **request: Any) -> dict[str, str]:
        self.asked.append(" ".join(request["jobDriver"]["sparkSubmit"]["entryPointArguments"][:2]))
        return {"jobRunId": "00abc"}

    def start_query_execution(self, **request: Any) -> dict[str, str]:
        return {"QueryExecutionId": "q1"}

    def get_job_run(self, **_: Any) -> dict[str, Any]:
        self._look()
        return {"jobRun": {"state": self.state}}

    def get_query_execution(self, **_: Any) -> dict[str, Any]:
        self._look()
        return {"QueryExecution": {"Status": {"State": self.state}}}

    def cancel_job_run(self, **request: str) -> None:
        self.asked.append(f"cancel {request['jobRunId']}")
        os.kill(os.getpid(), signal.SIGINT)  # a second Ctrl-C changes nothing
        self.state = "CANCELLED"

    def stop_query_execution(self, **request: str) -> None:
        self.asked.append(f"stop {request['QueryExecutionId']}")

    def _look(self) -> None:
        self.looks += 1
        assert self.looks < 6, "nothing stops it"
        if self.interrupt:
            interrupt, self.interrupt = self.interrupt, None
            os.kill(os.getpid(), interrupt)


@pytest.fixture
def interrupts() -> Any:
    """Signals do what they do in a terminal, even if the tests run under nohup or with `&`."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_cancels_the_job_run_waits_for_its_end_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], interrupt: signal.Signals
) -> None:
    aws = Aws(interrupt)
    monkeypatch.setattr(clients, "client", lambda *_: aws)
    monkeypatch.setattr(bootstrap, "release", lambda *_: "s3://code/releases/1")
    handler = signal.getsignal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        job.run(ADDRESSES, ["silver.orders", "--full-refresh"])

    assert aws.asked == ["silver.orders --full-refresh", "cancel 00abc"]
    said = capsys.readouterr().out.splitlines()
    assert said[-2:] == ["interrupted: cancelling job run 00abc", "job run 00abc: CANCELLED"]
    assert signal.getsignal(signal.SIGTERM) is handler


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_stops_the_query(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(signal.SIGINT)
    monkeypatch.setattr(clients, "client", lambda *_: aws)
    with pytest.raises(KeyboardInterrupt):
        athena.query(ADDRESSES, "SELECT 1")
    assert aws.asked == ["stop q1"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["quarantine.count"], ["quarantine.count"]),
        (["quarantine.replay silver.orders"], ["quarantine.replay", "silver.orders"]),
        (["commits.accept silver.orders --why 'it is $(fine)'"],
         ["commits.accept", "silver.orders", "--why", "it is $(fine)"]),
        (["lease.break", "silver.orders"], ["lease.break", "silver.orders"]),
        (["x", "--why", "two words"], ["x", "--why", "two words"]),
    ],
)  # fmt: skip
def test_one_text_is_split_as_a_shell_would_and_words_stay(given: list[str], words: list[str]) -> None:
    assert job.words(given) == words


@pytest.mark.parametrize(("given", "reason"), [([""], "name a step"), ([], "name a step"), (["a 'b"], "can't be read")])
def test_a_step_that_is_none_is_said(given: list[str], reason: str) -> None:
    with pytest.raises(PlatformError, match=reason):
        job.words(given)
