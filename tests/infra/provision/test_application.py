"""An application is stopped before it is deleted, and never while somebody's job runs are live."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from infra.provision import application
from infra.provision.errors import ProvisionError


class Emr:
    """EMR Serverless with one application, which stops at the third look."""

    exceptions = SimpleNamespace(ResourceNotFoundException=type("ResourceNotFoundException", (Exception,), {}))

    def __init__(self, state: str, *names: str, stops: bool = True) -> None:
        self.state, self.names, self.stops, self.looks = state, names, stops, 0

    def get_application(self, **_: Any) -> Any:
        if not self.state:
            raise self.exceptions.ResourceNotFoundException
        self.looks += 1
        if self.state == "STOPPING" and self.stops and self.looks > 2:
            self.state = "STOPPED"
        return {"application": {"state": self.state}}

    def list_job_runs(self, **_: Any) -> Any:
        return {"jobRuns": [{"name": name, "id": "1"} for name in self.names]}

    def stop_application(self, **_: Any) -> None:
        self.state = "STOPPING"


@pytest.mark.parametrize(
    ("before", "after"), [("STARTED", "STOPPED"), ("STOPPED", "STOPPED"), ("CREATED", "CREATED"), ("", "")]
)
def test_it_is_at_rest_afterwards(before: str, after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "PAUSE", 0.0)
    emr = Emr(before)
    application.stop(emr, "00app")
    assert emr.state == after


def test_live_job_runs_are_named_and_left_alone() -> None:
    emr = Emr("STARTED", "orders_stream/keep_alive", "daily/gold")
    with pytest.raises(ProvisionError, match=r"2 job runs are live in 00app: orders_stream/keep_alive, daily/gold"):
        application.stop(emr, "00app")
    assert emr.state == "STARTED"


def test_one_that_does_not_stop_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "WITHIN", 0.01)
    monkeypatch.setattr(application, "PAUSE", 0.0)
    with pytest.raises(ProvisionError, match="is STOPPING after"):
        application.stop(Emr("STARTED", stops=False), "00app")
