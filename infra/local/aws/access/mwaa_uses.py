"""What a request to MWAA does, by IAM's names."""

from __future__ import annotations

import json
import re

from infra.local.addresses import ACCOUNT_ID
from infra.local.aws.access.use import Use

_OPERATIONS = (
    ("PUT", re.compile(r"/environments/(?P<name>[^/]+)"), "CreateEnvironment"),
    ("GET", re.compile(r"/environments/(?P<name>[^/]+)"), "GetEnvironment"),
    ("PATCH", re.compile(r"/environments/(?P<name>[^/]+)"), "UpdateEnvironment"),
    ("DELETE", re.compile(r"/environments/(?P<name>[^/]+)"), "DeleteEnvironment"),
    ("GET", re.compile(r"/environments"), "ListEnvironments"),
    ("POST", re.compile(r"/restapi/(?P<name>[^/]+)"), "InvokeRestApi"),
    ("POST", re.compile(r"/tags/(?P<arn>.+)"), "TagResource"),
    ("DELETE", re.compile(r"/tags/(?P<arn>.+)"), "UntagResource"),
    ("GET", re.compile(r"/tags/(?P<arn>.+)"), "ListTagsForResource"),
)
# Whose rights in Airflow a call of its API has. MWAA takes the highest that the caller may use; ours name this one.
_AIRFLOW_ROLE = "Op"


def uses(region: str, method: str, path: str, body: bytes) -> list[Use]:
    """What a request does; nothing when it is none of MWAA's. An environment's execution role is passed on to it."""
    for verb, pattern, operation in _OPERATIONS:
        found = pattern.fullmatch(path) if verb == method else None
        if found is None:
            continue
        named, base = found.groupdict(), f"arn:aws:airflow:{region}:{ACCOUNT_ID}:"
        resource = named.get("arn") or "*"
        if name := named.get("name"):
            resource = base + (
                f"role/{name}/{_AIRFLOW_ROLE}" if operation == "InvokeRestApi" else f"environment/{name}"
            )
        used = [Use(f"airflow:{operation}", resource)]
        if operation in ("CreateEnvironment", "UpdateEnvironment"):
            asked = json.loads(body or b"{}")
            if role := asked.get("ExecutionRoleArn"):
                used.append(Use("iam:PassRole", str(role), (("iam:PassedToService", "airflow.amazonaws.com"),)))
            used += [Use("airflow:TagResource", resource)] if asked.get("Tags") else []
        return used
    return []
