"""An application is stopped before it is deleted, and somebody's live job runs are left alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from infra.provision import application
from infra.provision.errors import ProvisionError


class Emr:
    """EMR Serverless with one application, which stops at the third look."""

    exceptions = SimpleNamespace(ResourceNotFoundException=type("ResourceNotFoundException", (Exception,), {}))

    def __init__(self, state: str, *names: str, stops: bool = True, ends: bool = True) -> None:
        self.state, self.live, self.stops, self.ends, self.looks = state, list(names), stops, ends, 0

    def get_application(self, **_: Any) -> Any:
        self._there()
        self.looks += 1
        if self.state == "STOPPING" and self.stops and self.looks > 2:
            self.state = "STOPPED"
        return {"application": {"state": self.state}}

    def list_job_runs(self, **_: Any) -> Any:
        self._there()
        return {"jobRuns": [{"name": name, "id": name} for name in self.live]}

    def cancel_job_run(self, jobRunId: str, **_: Any) -> None:
        if self.ends:
            self.live.remove(jobRunId)

    def stop_application(self, **_: Any) -> None:
        assert not self.live, "AWS refuses"
        self.state = "STOPPING"

    def _there(self) -> None:
        if not self.state:
            raise self.exceptions.ResourceNotFoundException


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "PAUSE", 0.0)
    monkeypatch.setattr(application, "WITHIN", 0.02)


@pytest.mark.parametrize(
    ("before", "after"), [("STARTED", "STOPPED"), ("STOPPED", "STOPPED"), ("CREATED", "CREATED"), ("", "")]
)
def test_it_is_at_rest_afterwards(before: str, after: str) -> None:
    emr = Emr(before)
    application.refuse_live(emr, "00app")
    application.stop(emr, "00app")
    assert emr.state == after


def test_live_job_runs_are_named_and_left_alone() -> None:
    emr = Emr("STARTED", "orders_stream/keep_alive", "daily/gold")
    with pytest.raises(ProvisionError, match=r"2 job runs are live in 00app: orders_stream/keep_alive, daily/gold"):
        application.refuse_live(emr, "00app")
    assert (emr.state, len(emr.live)) == ("STARTED", 2)


def test_job_runs_that_began_meanwhile_are_cancelled_first() -> None:
    emr = Emr("STARTED", "orders_stream/keep_alive")
    application.stop(emr, "00app")
    assert (emr.state, emr.live) == ("STOPPED", [])


@pytest.mark.parametrize(
    ("emr", "said"),
    [
        (Emr("STARTED", stops=False), "application 00app does not stop within"),
        (Emr("STARTED", "a run", ends=False), "job runs of 00app do not end within"),
    ],
)
def test_what_does_not_end_is_told(emr: Emr, said: str) -> None:
    with pytest.raises(ProvisionError, match=said):
        application.stop(emr, "00app")
