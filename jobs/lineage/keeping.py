"""Where a job's lineage is kept: as objects of the lake, or at the HTTP endpoint that the deployment names.

`ops/openlineage/day=<YYYY-MM-DD>/<event time>-<job>-<event type>-<run id>.json`, one event each. Airflow's own events
come to the same folder (`plugins/sluice_airflow/lineage/transport.py`). The bucket's lifecycle decides for how long.
"""

from __future__ import annotations

import re

from openlineage.client.event_v2 import RunEvent
from openlineage.client.serde import Serde
from openlineage.client.transport.http import HttpConfig, HttpTransport

from jobs.lake import settings
from jobs.lake.state import objects

FOLDER = "ops/openlineage/"
# Patience with an endpoint, in seconds and tries: whoever emits has other work.
SECONDS = 5.0
RETRY = {"total": 1, "backoff_factor": 0.1}
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


def keep(event: RunEvent) -> None:
    """Writes the event as an object; sends it to `SLUICE_OPENLINEAGE_URL` instead where that is set.

    Raises:
        ConfigurationError: no lake is set.
        botocore.exceptions.ClientError, requests.RequestException: it could not be kept.
    """
    if url := settings.openlineage_url():
        HttpTransport(HttpConfig(url=url, timeout=SECONDS, retry=RETRY)).emit(event)
    else:
        objects.write(key(event), Serde.to_json(event).encode(), content_type="application/json")


def key(event: RunEvent) -> str:
    """Where an event is kept. Names lose what a key should not hold; the content has it."""
    kind = event.eventType.value if event.eventType else "OTHER"
    name = "-".join(_ODD.sub("_", part) for part in (event.eventTime, event.job.name, kind, event.run.runId))
    return f"{FOLDER}day={event.eventTime[:10]}/{name}.json"
