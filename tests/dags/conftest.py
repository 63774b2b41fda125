"""The DAG bag as the DAG processor makes it: the repository root is the DAG folder and on `sys.path`.

And an Airflow with a database, for what only Airflow itself can show.
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

from jobs.lake.tables import PIPELINES
from tests import airflow_home
from tests.dags.schedules import SCHEDULE

airflow_home.use()

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG

    from jobs.lake.registry import Pipeline


@pytest.fixture(scope="session")
def bag() -> DagBag:
    from airflow.dag_processing.dagbag import BundleDagBag

    return BundleDagBag(str(airflow_home.REPOSITORY), bundle_path=airflow_home.REPOSITORY, bundle_name="repository")


@pytest.fixture(params=PIPELINES, ids=lambda pipeline: pipeline.name)
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    """Every pipeline of the registry in turn."""
    found: Pipeline = request.param
    return found


@pytest.fixture(params=[one for one in PIPELINES if one.streams], ids=lambda pipeline: pipeline.name)
def streaming(request: pytest.FixtureRequest) -> Pipeline:
    """Every pipeline that has streams in turn."""
    found: Pipeline = request.param
    return found


@pytest.fixture
def built(bag: DagBag, pipeline: Pipeline) -> DAG:
    """The DAG that takes the pipeline's sources to gold."""
    return bag.dags[pipeline.schedule.dag_id]


@pytest.fixture
def stream(bag: DagBag, streaming: Pipeline) -> DAG:
    """The DAG that keeps the pipeline's streams running."""
    assert streaming.streams
    return bag.dags[streaming.streams.dag_id]


@pytest.fixture
def refresh(bag: DagBag, streaming: Pipeline) -> DAG:
    """The DAG that takes what the pipeline's streams have written to gold."""
    assert streaming.refresh
    return bag.dags[streaming.refresh.dag_id]


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
