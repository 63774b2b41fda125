"""Lineage is kept in the lake, or goes to the endpoint that is set, and nowhere else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from openlineage.client.event_v2 import RunState

from jobs.lake.run import Run
from jobs.lake.state import objects
from jobs.lineage import keeping
from jobs.lineage.events import Lineage


class Endpoint(HTTPServer):
    """Takes events as a lineage service does."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, object]]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, json.loads(body)))
        self.send_response(201)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """A test prints nothing."""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("SLUICE_OPENLINEAGE_URL", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    server.server_close()


def test_event_is_an_object_of_the_lake(lake: str) -> None:
    event = Lineage(Run("r1", "gate", job="j")).event(RunState.START)
    event.job.name = "a/b c"

    keeping.keep(event)

    (key,) = objects.keys(keeping.FOLDER)
    time = event.eventTime.replace(":", "_").replace("+", "_")
    assert key == f"ops/openlineage/day={event.eventTime[:10]}/{time}-a_b_c-START-{event.run.runId}.json"
    assert json.loads(objects.read(key))["job"]["name"] == "a/b c"


def test_event_goes_to_the_endpoint_instead_where_one_is_set(lake: str, endpoint: Endpoint) -> None:
    lineage = Lineage(Run("r1", "gate", job="j"))

    lineage.started()

    ((path, event),) = endpoint.taken
    assert path == "/api/v1/lineage"
    assert event["run"]["runId"] == lineage.id  # type: ignore[index]  # JSON
    assert objects.keys(keeping.FOLDER) == []


def test_endpoint_that_is_gone_is_told_and_stops_nothing(
    lake: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_OPENLINEAGE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(keeping, "SECONDS", 0.2)

    Lineage(Run("r1", "gate", job="j")).started()

    assert "lineage: START could not be told: " in capsys.readouterr().out
