"""The services of docker-compose.yaml, started by their own words and in their own order, without an engine.

What an engine adds is left out: image, namespaces, rights. Everything that the file itself says is used.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local import processes
from infra.local.addresses import REPOSITORY
from infra.local.airflow_api import AirflowApi
from infra.pools import pools
from tests.infra.containers.entry_point import ENTRY_POINT

PORT = 18_700
Services = dict[str, dict[str, Any]]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    processes.end(tmp_path, grace=40)


def in_order(services: Services) -> list[str]:
    """Names, each behind those that it waits for."""
    found: list[str] = []
    while ready := [
        name
        for name, service in services.items()
        if name not in found and set(service["depends_on"]) - {"doors"} <= set(found)
    ]:
        found += ready
    assert len(found) == len(services), f"these wait for ever: {set(services) - set(found)}"
    return found


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "SLUICE_HOME": str(home), "SLUICE_PORT": str(PORT), "SLUICE_DAYS": "1"}


def run(home: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=REPOSITORY, env=environment(home), capture_output=True, text=True, timeout=300, check=False
    )


def seconds(text: str) -> int:
    (number,) = re.findall(r"^(\d+)s$", text)
    return int(number)


@pytest.mark.slow
def test_services_get_healthy_in_their_order_and_airflow_has_its_pools(home: Path) -> None:
    services: Services = yaml.safe_load((REPOSITORY / "docker-compose.yaml").read_text())["services"]
    del services["doors"]
    started: dict[str, subprocess.Popen[bytes]] = {}
    for name in in_order(services):
        service = services[name]
        if "profiles" in service:
            continue
        command = [*ENTRY_POINT, *service["command"]]
        if "healthcheck" not in service:  # it ends by itself
            done = run(home, command)
            assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
            continue
        with (home / f"{name}.out").open("wb") as output:
            started[name] = subprocess.Popen(
                command, cwd=REPOSITORY, env=environment(home), stdout=output, stderr=output
            )
        _wait_until_healthy(home, name, service["healthcheck"])
    assert all(process.poll() is None for process in started.values())
    known = AirflowApi(f"http://127.0.0.1:{PORT}").pools()
    assert set(pools()) <= set(known)


def _wait_until_healthy(home: Path, name: str, check: dict[str, Any]) -> None:
    late = time.monotonic() + seconds(check["start_period"])
    while (done := run(home, check["test"][1:])).returncode:
        assert time.monotonic() < late, f"{name}: {done.stderr}{(home / f'{name}.out').read_text()[-3000:]}"
        time.sleep(seconds(check["start_interval"]) / 3)
