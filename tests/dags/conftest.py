"""The DAG bag as the DAG processor makes it: the repository root is the DAG folder and on `sys.path`.

Besides an Airflow with a database, for what only Airflow itself can show.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import requests

from tests import airflow_home

airflow_home.use()

SCHEDULE = {"SLUICE_SCHEDULE_START": "2026-11-17", "SLUICE_SCHEDULE_END": "2026-11-19"}

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG


@pytest.fixture(scope="session")
def bag() -> DagBag:
    from airflow.dag_processing.dagbag import BundleDagBag

    return BundleDagBag(str(airflow_home.REPOSITORY), bundle_path=airflow_home.REPOSITORY, bundle_name="repository")


@pytest.fixture(scope="session")
def daily(bag: DagBag) -> DAG:
    return bag.dags["daily_lakehouse"]


@pytest.fixture(scope="session")
def stream(bag: DagBag) -> DAG:
    return bag.dags["orders_stream"]


@pytest.fixture(scope="session")
def refresh(bag: DagBag) -> DAG:
    return bag.dags["orders_refresh"]


@pytest.fixture(scope="session")
def airflow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An API server that has our DAGs with a schedule of three days, in a new database; nothing runs there."""
    home = tmp_path_factory.mktemp("airflow")
    url = f"http://127.0.0.1:{(port := _free_port())}"
    own = {"PATH": os.environ["PATH"], "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True", **SCHEDULE}
    log = home / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, airflow_home.REPOSITORY / "tests" / "dags" / "api_server.py", str(port)],
            cwd=home, env={**own, **airflow_home.settings(str(home))}, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        _wait_until_it_answers(f"{url}/api/v2/version", server)
        yield url
    except requests.ConnectionError:
        pytest.fail(f"the API server does not answer:\n{log.read_text()[-3000:]}")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 120
    while True:
        try:
            requests.get(url, timeout=10).raise_for_status()
            return
        except requests.ConnectionError:
            if time.monotonic() > give_up or server.poll() is not None:
                raise
            time.sleep(0.3)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
