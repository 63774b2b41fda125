"""Who calls: on a laptop a role's access key id is the role's own name, so that each server knows it by itself.

Nothing here is secret: no server checks a signature. Keys that are no role's, such as `sluice-local`, are a person's.
"""

from __future__ import annotations

import re

from infra.local.addresses import ACCOUNT_ID

AIRFLOW = "airflow"  # what follows the project in the name of Airflow's role
_SIGNED = re.compile(r"Credential=(?P<key>[^/,]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


def credentials(role: str) -> dict[str, str]:
    """Variables by which AWS's SDKs call as a role.

    Args:
        role: its name or ARN.
    """
    name = role.rpartition("/")[2]
    return {"AWS_ACCESS_KEY_ID": name, "AWS_SECRET_ACCESS_KEY": name}


def signed(authorization: str) -> tuple[str, str, str] | None:
    """The access key id, region and service of a signature; None for a call without one."""
    found = _SIGNED.search(authorization)
    return (found["key"], found["region"], found["service"]) if found else None


def arn(key: str) -> str:
    """How AWS names a caller in its refusals; the session's name is the role's here."""
    return f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{key}/{key}"
