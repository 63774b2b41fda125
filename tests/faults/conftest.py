"""The source stand-ins as processes, with the log-ins that jobs find in Secrets Manager."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
import requests

from infra.local import secrets
from infra.local.addresses import REPOSITORY, Addresses
from infra.local.sources.ecb.history import newest
from infra.local.sources.seed import Recipe, connect, load_accounts, load_orders
from infra.local.sources.serving import HEALTH_PATH
from jobs.sources.salesforce import bulk
from tests.faults.salesforce_org import BEGIN
from tests.infra.local.sources.conftest import Org, Server

PORT = 18500
NAMES = ("snowflake", "salesforce", "ecb")
HEALTHY = {"page_size": 2000, "daily_limit": 100_000, "calls_used": 0, "bulk_polls": 0}


@dataclass(frozen=True)
class Sources:
    """The three sources, and ways to break them."""

    addresses: Addresses

    def control(self, name: str, method: str, path: str, document: Any = None) -> None:
        """A call to a stand-in's control API."""
        url = f"{getattr(self.addresses, name)}/_control/{path}"
        requests.request(method, url, json=document, timeout=30).raise_for_status()

    def snowflake(self, statement: str) -> None:
        """Runs a statement in the Snowflake stand-in."""
        with connect(self.addresses) as connection:
            connection.cursor().execute(statement)

    def fill(self) -> None:
        """Puts the original seeds back."""
        with connect(self.addresses) as connection:
            connection.cursor().execute("DROP TABLE IF EXISTS SEEDS.LOADED")
            load_orders(connection, RECIPE)
        self.control("salesforce", "PUT", "notes/seeds", {"text": None})
        load_accounts(self.addresses.salesforce, RECIPE)


@pytest.fixture(scope="session")
def running_sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sources]:
    addresses = Addresses(home=tmp_path_factory.mktemp("sources"), port=PORT)
    environment = {**os.environ, **addresses.environment()}
    log = (addresses.home / "servers.log").open("wb")
    servers = [
        subprocess.Popen(
            [sys.executable, "-m", f"infra.local.sources.{name}"],
            cwd=REPOSITORY, env=environment, stdout=log, stderr=log,
        )
        for name in NAMES
    ]  # fmt: skip
    try:
        for name in NAMES:
            _wait(getattr(addresses, name) + HEALTH_PATH, addresses)
        yield Sources(addresses)
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(30)


def _wait(url: str, addresses: Addresses) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        try:
            requests.get(url, timeout=5).raise_for_status()
            return
        except requests.RequestException:
            time.sleep(0.2)
    pytest.fail(f"{url} does not answer:\n{(addresses.home / 'servers.log').read_text()[-2000:]}")


RECIPE = Recipe(size=200, newest=newest())


@pytest.fixture
def sources(running_sources: Sources, lake: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sources]:
    """Healthy, filled sources, their addresses in this process's environment and their log-ins in its secrets."""
    environment = running_sources.addresses.environment()
    for name in ("SNOWFLAKE_ENDPOINT_URL", "SALESFORCE_ENDPOINT_URL", "FX_RATES_URL"):
        monkeypatch.setenv(name, environment[name])
    manager = boto3.client("secretsmanager")
    for name, value in secrets.secrets(running_sources.addresses).items():
        _, _, rest = name.partition("/")
        manager.create_secret(Name=f"{lake}/{rest}", SecretString=json.dumps(value))
    running_sources.fill()
    yield running_sources
    running_sources.control("salesforce", "DELETE", "fail")
    running_sources.control("ecb", "DELETE", "fail")
    running_sources.control("ecb", "DELETE", "overrides")


@pytest.fixture(scope="session")
def salesforce_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    addresses = Addresses(home=tmp_path_factory.mktemp("salesforce"), port=18400)
    environment = {**os.environ, **addresses.environment()}
    process = Server("salesforce", addresses.salesforce, environment, addresses.home / "salesforce.log")
    process.start()
    yield addresses
    process.stop()


@pytest.fixture
def org(salesforce_server: Addresses, lake: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Org]:
    """An empty, healthy org whose log-in is in the lake's secrets."""
    monkeypatch.setenv("SALESFORCE_ENDPOINT_URL", salesforce_server.salesforce)
    name, value = f"{lake}/salesforce/credentials", secrets.salesforce_credentials(salesforce_server)
    boto3.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(value))
    fresh = Org(salesforce_server)
    known = fresh.control("GET", "state")["fields"]
    fresh.control("POST", "records/purge", {})
    fresh.client().query(BEGIN)
    fresh.control("PATCH", "settings", HEALTHY)
    yield fresh
    fresh.control("DELETE", "fail")
    fresh.control("POST", "fields", {"put": known})


@pytest.fixture
def in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every window is large, and a result page holds two records."""
    monkeypatch.setattr(bulk, "FROM_ROWS", 1)
    monkeypatch.setattr(bulk, "ROWS_PER_PAGE", 2)
