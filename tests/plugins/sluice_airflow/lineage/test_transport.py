"""Airflow's events come to the jobs' folder, under names of the same form, from processes that have plugins alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.uuid import generate_new_uuid

from sluice_airflow.lineage import transport
from tests import airflow_home

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugins.conftest import LocalAws


def event() -> RunEvent:
    return RunEvent(
        eventType=RunState.COMPLETE,
        eventTime="2026-11-29T16:54:05.487935+00:00",
        run=Run(runId=str(generate_new_uuid())),
        job=Job(namespace="sluice", name="daily_lakehouse.silver orders"),
        producer="urn:test",
    )


def test_event_is_an_object_of_the_lake(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    s3, told = boto3.client("s3"), event()
    s3.create_bucket(Bucket="lineage-lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    monkeypatch.setenv("SLUICE_LAKE_BUCKET", "lineage-lake")

    transport.LakeTransport().emit(told)

    name = f"2026-11-29T16_54_05.487935_00_00-daily_lakehouse.silver_orders-COMPLETE-{told.run.runId}.json"
    body = s3.get_object(Bucket="lineage-lake", Key=f"ops/openlineage/day=2026-11-29/{name}")["Body"].read()
    assert json.loads(body)["job"]["name"] == "daily_lakehouse.silver orders"


def test_endpoint_is_taken_where_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_OPENLINEAGE_URL", "http://127.0.0.1:9")
    sent: list[object] = []
    monkeypatch.setattr(transport.HttpTransport, "emit", lambda self, event: sent.append((self.config.url, event)))
    told = event()

    transport.LakeTransport().emit(told)

    assert sent == [("http://127.0.0.1:9", told)]


def test_scheduler_which_has_the_plugins_alone_can_load_it(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from airflow.providers.openlineage import conf\n"
        "from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter\n"
        "assert not conf.is_disabled()\n"
        "print(OpenLineageAdapter().get_or_create_openlineage_client().transport.kind)\n"
        "assert 'jobs' not in sys.modules\n"
    )
    named = {"OPENLINEAGE__TRANSPORT__TYPE": "sluice_airflow.lineage.transport.LakeTransport"}

    said = airflow_home.run_bare(code, tmp_path, path=airflow_home.REPOSITORY / "plugins", extra=named)

    assert said.splitlines()[-1] == "lake"
