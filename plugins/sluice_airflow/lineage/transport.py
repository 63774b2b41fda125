"""Where Airflow's OpenLineage provider sends its events: to the same folder of the lake as the jobs send theirs.

It is set by `OPENLINEAGE__TRANSPORT__TYPE=sluice_airflow.lineage.transport.LakeTransport`. The scheduler emits the
events of DAG runs, and has only the plugins on its path; so this module needs nothing of `jobs/`.
"""

from __future__ import annotations

import os
import re
from typing import Any

from openlineage.client.serde import Serde
from openlineage.client.transport.http import HttpConfig, HttpTransport
from openlineage.client.transport.transport import Transport

FOLDER = "ops/openlineage/"
SECONDS = 5.0  # of patience with an endpoint
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


class LakeTransport(Transport):
    """Writes each event as an object of the lake; sends it to `SLUICE_OPENLINEAGE_URL` instead where that is set."""

    kind = "lake"

    def __init__(self, config: object = None) -> None:
        url = os.environ.get("SLUICE_OPENLINEAGE_URL")
        self._http = HttpTransport(HttpConfig(url=url, timeout=SECONDS)) if url else None

    def emit(self, event: Any) -> None:
        """Keep one event. The provider logs what goes wrong, and no task fails of it."""
        if self._http:
            self._http.emit(event)
            return
        import boto3  # whoever only loads the plugins needs no client

        content = Serde.to_json(event).encode()
        bucket = os.environ["SLUICE_LAKE_BUCKET"]
        boto3.client("s3").put_object(Bucket=bucket, Key=key(event), Body=content, ContentType="application/json")


def key(event: Any) -> str:
    """Where a run event is kept: `ops/openlineage/day=<day>/<time>-<job>-<event type>-<run id>.json`."""
    parts = (event.eventTime, event.job.name, event.eventType.value, event.run.runId)
    return f"{FOLDER}day={event.eventTime[:10]}/{'-'.join(_ODD.sub('_', part) for part in parts)}.json"
