from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from infra.local import environment, exports
from infra.local.addresses import Addresses
from infra.setup import jars

ADDRESSES = Addresses(Path("/state"), 18900)
SHELL = {
    "PATH": "/bin",
    "HOME": "/home/ada",
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "real",
    "AIRFLOW_HOME": "/somewhere/airflow",
    "PYTHONPATH": "/elsewhere",
    "PYTHONDONTWRITEBYTECODE": "1",
    "SLUICE_RELEASE": "s3://other/releases/1",
    "SLUICE_JARS": "/jars",
    "NO_PROXY": "example.com",
}


def test_no_part_sees_the_shells_own_clouds() -> None:
    given = environment.of_parts(ADDRESSES, SHELL)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AIRFLOW_HOME", "PYTHONPATH", "SLUICE_RELEASE"):
        assert name not in given
    assert given["AWS_ENDPOINT_URL"] == "http://127.0.0.1:18901"
    assert given["AWS_CONFIG_FILE"] == os.devnull


def test_parts_see_the_jars_of_this_checkout_and_the_rest_of_the_shell() -> None:
    given = environment.of_parts(ADDRESSES, SHELL)
    assert (given["SLUICE_JARS"], given["PATH"], given["HOME"]) == (str(jars.folder()), "/bin", "/home/ada")


def test_calls_to_stand_ins_never_go_through_a_proxy() -> None:
    assert environment.of_parts(ADDRESSES, SHELL)["NO_PROXY"] == "example.com,127.0.0.1,localhost"


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_clients_of_exports_call_stand_ins_without_a_proxy(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("NO_PROXY", "example.com")
    assert f"export {name}=example.com,127.0.0.1,localhost" in exports.text(ADDRESSES).splitlines()
    assert environment.of_parts(ADDRESSES, SHELL)[name] == "example.com,127.0.0.1,localhost"


def test_exports_can_be_evaluated_by_a_shell() -> None:
    script = f"{exports.text(ADDRESSES)}\nenv"
    printed = subprocess.run(["bash", "-c", script], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    got = dict(line.split("=", 1) for line in printed.stdout.splitlines())
    assert printed.stderr == ""
    assert {name: got[name] for name in ADDRESSES.environment()} == ADDRESSES.environment()
    assert (got["SNOWFLAKE_HOST"], got["SNOWFLAKE_PORT"]) == ("127.0.0.1", "18903")
    assert got["SALESFORCE_USERNAME"].startswith("lakehouse@")
