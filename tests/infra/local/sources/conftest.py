"""One set of source stand-ins for all tests of this folder. Each is a process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from infra.local.addresses import HOST, REPOSITORY, Addresses
from infra.local.polling import wait_until_serving
from infra.local.secrets import salesforce_credentials
from infra.local.sources.serving import HEALTH_PATH

PORT = 18300
START_SECONDS = 60.0


@dataclass
class Server:
    """One stand-in as a process."""

    name: str
    url: str
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, urlsplit(self.url).port or 0)) == 0:
                pytest.fail(f"{self.url} is in use: the {self.name} stand-in can't be tested")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", f"infra.local.sources.{self.name}"],
                cwd=REPOSITORY,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until_serving(self._healthy, self.process, self.log, seconds=START_SECONDS)

    def _healthy(self) -> None:
        requests.get(self.url + HEALTH_PATH, timeout=5).raise_for_status()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=20)
            self.process = None


class ToStandIn(HTTPAdapter):
    """Sends requests for https://*.salesforce.com to the stand-in."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        asked = urlsplit(request.url or "")
        request.url = urlunsplit((self._target.scheme, self._target.netloc, asked.path, asked.query, ""))
        return super().send(request, *args, **kwargs)


@pytest.fixture(scope="session")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Addresses:
    return Addresses(home=tmp_path_factory.mktemp("home"), port=PORT)


@pytest.fixture(scope="session")
def servers(addresses: Addresses) -> Iterator[dict[str, Server]]:
    environment = {**os.environ, **addresses.environment()}
    started = {
        name: Server(name, url, environment, addresses.home / f"{name}.log")
        for name, url in (
            ("snowflake", addresses.snowflake),
            ("salesforce", addresses.salesforce),
            ("ecb", addresses.ecb),
        )
    }
    try:
        for server in started.values():
            server.start()
        yield started
    finally:
        for server in started.values():
            server.stop()


class Org:
    """The Salesforce stand-in as tests use it: its control API, and real clients."""

    def __init__(self, addresses: Addresses) -> None:
        self.url = addresses.salesforce
        self.credentials = salesforce_credentials(addresses)

    def control(self, method: str, path: str, document: object = None, *, expect: int = 200) -> Any:
        answer = requests.request(method, f"{self.url}/_control/{path}", json=document, timeout=30)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def put(self, *records: dict[str, object]) -> None:
        self.control("POST", "records", {"records": list(records)})

    def session(self) -> requests.Session:
        session = requests.Session()
        session.mount("https://", ToStandIn(self.url))
        return session

    def client(self, **changed: str) -> Any:
        """A client with a session. Its type is Any, as simple-salesforce's own types of Bulk 2.0 are wrong."""
        known = {key: self.credentials[key] for key in ("username", "password", "security_token")}
        return Salesforce(session=self.session(), **{**known, **changed})

    def ids(self, soql: str, *, include_deleted: bool = False) -> list[str]:
        found = self.client().query_all(soql, include_deleted=include_deleted)
        return [record["Id"] for record in found["records"]]


@pytest.fixture
def org(addresses: Addresses, servers: dict[str, Server]) -> Iterator[Org]:
    """An org without records, with the standard fields and settings."""
    assert servers["salesforce"].process is not None
    fresh = Org(addresses)
    before = fresh.control("GET", "state")
    fresh.control("POST", "records/purge", {})
    yield fresh
    fresh.control("POST", "records/purge", {})
    fresh.control("DELETE", "fail")
    fresh.control("PATCH", "settings", {**before["settings"], "calls_used": 0})
    now = {field["name"] for field in fresh.control("GET", "state")["fields"]}
    kept = {field["name"] for field in before["fields"]}
    fresh.control("POST", "fields", {"drop": sorted(now - kept), "put": before["fields"]})
