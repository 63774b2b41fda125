"""The running org: the store, and what a restart forgets (sessions, cursors, settings, planned failures)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from hmac import compare_digest
from secrets import token_urlsafe

from infra.local.sources.faults import Faults
from infra.local.sources.salesforce.errors import ApiError
from infra.local.sources.salesforce.store import Store

OPEN_CURSORS = 10  # as in Salesforce: one more closes the oldest
FAULTS = {
    "rate_limit": ApiError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403),
    "expired_session": ApiError("INVALID_SESSION_ID", "Session expired or invalid", 401),
    "unavailable": ApiError("SERVER_UNAVAILABLE", "The service is temporarily unavailable.", 503),
    "bulk_failure": ApiError("BULK_FAILURE", "InternalServerError : Job failed as planned."),
}
CALL_FAULTS = frozenset(FAULTS) - {"bulk_failure"}


@dataclass(frozen=True)
class Settings:
    """What the control API can set.

    Attributes:
        page_size: most records in a page of query results.
        daily_limit: API calls until REQUEST_LIMIT_EXCEEDED. A new day doesn't reset the count, as no clock is used.
        calls_used: API calls so far.
        bulk_polls: how many times a bulk job answers InProgress before it is complete.
    """

    page_size: int = 2000
    daily_limit: int = 100_000
    calls_used: int = 0
    bulk_polls: int = 0

    def changed(self, document: Mapping[str, object]) -> Settings:
        """These settings, changed by a JSON document.

        Raises:
            ValueError: a setting is unknown, or not a number from 0 (page_size: from 1).
        """
        known = {field.name for field in fields(self)}
        for name, value in document.items():
            if name not in known or type(value) is not int or value < (name == "page_size"):
                raise ValueError(f"settings are numbers from 0: {', '.join(sorted(known))}; page_size is from 1")
        return replace(self, **document)  # type: ignore[arg-type]  # each is an int by the check above


@dataclass(frozen=True)
class Page:
    """A page of a result: its records, the result's size, and the locator of the next page."""

    records: list[dict[str, object]]
    total: int
    next_locator: str | None


class Org:
    """The state of all routes. There is one process with one thread, so calls never overlap."""

    def __init__(self, store: Store, credentials: Mapping[str, str]) -> None:
        self.store = store
        self.instance_url = credentials["instance_url"]
        self.settings = Settings()
        self.faults = Faults(frozenset(FAULTS))
        self.queries: deque[str] = deque(maxlen=50)
        self._credentials = credentials
        self._sessions: set[str] = set()
        self._cursors: OrderedDict[str, list[dict[str, object]]] = OrderedDict()
        self._cursors_opened = 0

    @property
    def id(self) -> str:
        """The organization's id, which begins with `00D`."""
        return "00D" + hashlib.sha256(self.instance_url.encode()).hexdigest()[:15].upper()

    def log_in(self, username: str, secret: str, *, token_required: bool = True) -> str | None:
        """A new session's id for a username and its password + security token. None if they are wrong."""
        known = self._credentials
        right = [known["password"] + known["security_token"]]
        if not token_required:
            right.append(known["password"])
        if username != known["username"] or not any(compare_digest(secret, text) for text in right):
            return None
        session = f"{self.id}!{token_urlsafe(48)}"
        self._sessions.add(session)
        return session

    def admit(self, path: str, authorization: str) -> None:
        """Lets an API call in, and counts it.

        Raises:
            ApiError: a failure is planned, the session is not valid, or no calls are left.
        """
        session = authorization.removeprefix("Bearer ")
        fault = self.faults.take(path, CALL_FAULTS)
        if fault == "expired_session":
            self._sessions.discard(session)
        if fault:
            raise FAULTS[fault]
        if session not in self._sessions:
            raise FAULTS["expired_session"]
        if self.settings.calls_used >= self.settings.daily_limit:
            raise FAULTS["rate_limit"]
        self.settings = replace(self.settings, calls_used=self.settings.calls_used + 1)

    def first_page(self, records: list[dict[str, object]], size: int) -> Page:
        """The first page of a result. A cursor keeps the rest."""
        if len(records) <= size:
            return Page(records, len(records), None)
        self._cursors_opened += 1
        cursor = f"01g{self._cursors_opened:012d}AAA"
        self._cursors[cursor] = records
        if len(self._cursors) > OPEN_CURSORS:
            self._cursors.popitem(last=False)
        return self.page(f"{cursor}-0", size)

    def page(self, locator: str, size: int) -> Page:
        """The page at a locator, `<cursor>-<offset>`.

        Raises:
            ApiError: INVALID_QUERY_LOCATOR. The cursor is not open, or the offset is outside its result.
        """
        cursor, _, offset = locator.partition("-")
        records = self._cursors.get(cursor)
        if records is None or not offset.isdigit() or int(offset) >= len(records):
            raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")
        self._cursors.move_to_end(cursor)
        end = int(offset) + size
        following = f"{cursor}-{end}" if end < len(records) else None
        return Page(records[int(offset) : end], len(records), following)
