from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from infra.local.addresses import REPOSITORY
from infra.pools import PoolsRefusedError, pools, set_on_mwaa
from jobs.lake import tables


def test_every_table_of_the_registry_has_its_pool() -> None:
    assert list(pools()) == [table.name for table in tables.every()]


def test_one_job_at_a_time_holds_a_pool_also_while_its_task_is_deferred() -> None:
    assert {(pool["slots"], pool["include_deferred"]) for pool in pools().values()} == {(1, True)}


def test_module_prints_what_airflow_imports() -> None:
    command = [sys.executable, "-m", "infra.pools"]
    printed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == pools()


@pytest.fixture
def mwaa() -> Iterator[tuple[Any, Stubber]]:
    """MWAA as botocore knows it: a request that it would refuse fails."""
    client = boto3.client("mwaa", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


def answered(stub: Stubber, errors: list[dict[str, Any]]) -> None:
    wanted = [{"name": name, **settings} for name, settings in pools().items()]
    stub.add_response(
        "invoke_rest_api",
        {"RestApiStatusCode": 200, "RestApiResponse": {"create": {"success": [], "errors": errors}}},
        {
            "Name": "sluice-dev", "Path": "/pools", "Method": "PATCH",
            "Body": {"actions": [{"action": "create", "entities": wanted, "action_on_existence": "overwrite"}]},
        },
    )  # fmt: skip


def test_deployment_makes_all_pools_in_one_request(mwaa: tuple[Any, Stubber]) -> None:
    client, stub = mwaa
    answered(stub, [])
    assert set_on_mwaa("sluice-dev", client) == list(pools())


def test_refused_pool_is_told(mwaa: tuple[Any, Stubber]) -> None:
    client, stub = mwaa
    answered(stub, [{"error": "slots must be positive"}])
    with pytest.raises(PoolsRefusedError, match="slots must be positive"):
        set_on_mwaa("sluice-dev", client)
    stub.add_client_error("invoke_rest_api", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        set_on_mwaa("sluice-dev", client)
