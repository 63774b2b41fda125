"""What stands before a server: it notes what each signed request uses, and refuses what no policy allows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from infra.local.aws.access import caller, refusal, s3_uses, service_uses
from infra.local.aws.access.policies import Policies
from infra.local.aws.access.record import Record, folder
from infra.local.aws.access.refusal import Answer
from infra.local.aws.access.use import Use


class Request(NamedTuple):
    """A request as both kinds of servers have it.

    Attributes:
        method: of HTTP.
        path: decoded.
        query: as it is.
        headers: by lower-case name.
        body: empty where it is not needed (`Guard.needs_body`).
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


class Seen(NamedTuple):
    """A signed request: the caller's access key id, the service, and what it uses."""

    key: str
    service: str
    uses: list[Use]


class Guard:
    """Of one server."""

    def __init__(self, home: Path, server: str) -> None:
        """Opens the record.

        Args:
            home: the platform's.
            server: its name, for the record's file.
        """
        self._record = Record(folder(home) / f"{server}.jsonl")
        self._policies = Policies(home)

    @staticmethod
    def needs_body(request: Request) -> bool:
        """Whether only the body says what a request uses. Those of S3's objects are large, and are left alone."""
        signed = caller.signed(request.headers.get("authorization", ""))
        if signed is None:
            return False
        return signed[2] != "s3" or s3_uses.names_keys_in_its_body(request.method, request.query)

    def look(self, request: Request) -> Seen | None:
        """What a request uses, which is noted now; None if it is not signed."""
        signed = caller.signed(request.headers.get("authorization", ""))
        if signed is None:
            return None
        key, region, service = signed
        method, path, query, headers, body = request
        if service == "s3":
            uses = s3_uses.uses(method, path, query, headers, body)
        else:
            uses = service_uses.uses(service, region, method=method, path=path, query=query, headers=headers, body=body)
        self._record.add(key, uses)
        return Seen(key, service, uses)

    def refusal(self, request: Request, seen: Seen) -> Answer | None:
        """The answer to a request that the caller's policy does not allow."""
        use = self._policies.refused(seen.key, seen.uses)
        return refusal.answer(seen.key, seen.service, use, request.headers) if use else None

    def absent(self, request: Request, seen: Seen) -> Answer | None:
        """The answer for an object that is not there. S3 says so only to who may list the bucket."""
        if seen.service != "s3" or request.method not in ("GET", "HEAD"):
            return None
        listing = s3_uses.absence(request.path)
        self._record.add(seen.key, [listing])
        refused = self._policies.refused(seen.key, [listing])
        return refusal.answer(seen.key, "s3", refused, request.headers) if refused else None
