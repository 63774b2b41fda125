"""One action on one resource, as IAM judges a request."""

from __future__ import annotations

import re
from typing import NamedTuple

S3 = "arn:aws:s3:::"
UNKNOWN = ""  # the resource of a request that names it by an id alone, as Athena's for a query
_JOB_RUN = re.compile(r"(/jobruns/)[^/]+")
_GLUE_TABLE = re.compile(r"(:table/[^/]+/).+")
_ALARM = re.compile(r"(:alarm:\S+ ).+")
_SUBSCRIPTION = re.compile(r"(:sns:[^:]*:[^:]*:[^:]+:).+")
_LISTS = ((_GLUE_TABLE, r"\1*"), (_JOB_RUN, r"\1*"), (_ALARM, r"\1*"), (_SUBSCRIPTION, r"\1*"))


class Use(NamedTuple):
    """What a request does.

    Attributes:
        action: as in a policy, `s3:GetObject`.
        resource: ARN; `*` where AWS has no resource level; `UNKNOWN` where only the action can be judged.
        known: keys of conditions and their values, as far as the request says them. No record keeps them.
    """

    action: str
    resource: str
    known: tuple[tuple[str, str], ...] = ()

    @property
    def general(self) -> Use:
        """The same for all objects of a folder, tables of a database, job runs, alarms: there are few of these."""
        if self.resource.startswith(S3):
            return Use(self.action, _folder(self.resource))
        resource = self.resource
        for listed, general in _LISTS:
            resource = listed.sub(general, resource)
        return Use(self.action, resource)


def _folder(resource: str) -> str:
    """A bucket as it is; of an object the first folder, or more where folders below it are another matter."""
    bucket, slash, key = resource.partition("/")
    folders = key.split("/")[:-1]
    if not slash or folders in ([], ["ops"]):  # the name of a layer, or of a table of `ops`: no object has it
        return resource
    if key.endswith((".tfstate", ".tflock")) or key == "airflow/startup.sh":  # a policy names each
        return resource
    return "/".join([bucket, *folders[: _depth(folders)], "*"])


def _depth(folders: list[str]) -> int:
    match folders:
        case ["gold", "quality", *_] | ["ops" | "applications", _, *_]:
            return 2
        case _:
            return 1
