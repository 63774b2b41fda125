"""Bulk 2.0 query jobs: Salesforce makes the whole result once, and we fetch it in pages, each by a locator.

A job and its result stay for seven days, so that a read can go on at any locator, from another process too.
"""

from __future__ import annotations

import csv
import io
import time
from typing import Any, cast

from simple_salesforce.api import Salesforce
from simple_salesforce.bulk2 import Operation, SFBulk2Handler
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from jobs.lake.errors import TransientError
from jobs.sources.salesforce import client

# Salesforce's own advice: Bulk 2.0 from about this many records on.
FROM_ROWS = 50_000
ROWS_PER_PAGE = 20_000
# Log-ins in a row for one call.
LOG_INS = 3
# Seconds between looks at a job's state: doubled from the first to the longest; given up after the limit.
FIRST_LOOK, LONGEST_LOOK, WAIT_LIMIT = 0.5, 30.0, 2 * 3600.0
POLLS = 30  # looks in the first quarter of an hour, in which a job should be done


class Bulk:
    """Queries on one object. They survive the end of the session, which the client's own Bulk 2.0 calls don't."""

    def __init__(self, org: Salesforce, name: str) -> None:
        self._org, self._name = org, name

    def create(self, soql: str) -> str:
        """Starts a query job, the recycle bin included; returns its id."""
        return str(self._call("create_job", Operation.query_all, soql)["id"])

    def is_usable(self, job: str) -> bool:
        """Whether the job exists, and has a result or may still get one."""
        try:
            return self._state(job) not in ("Failed", "Aborted")
        except (SalesforceResourceNotFound, SalesforceMalformedRequest):
            return False

    def wait(self, job: str) -> None:
        """Returns when the job is complete.

        Raises:
            TransientError: it failed, was aborted, or is not ready in time.
        """
        look, begun = FIRST_LOOK, time.monotonic()
        while (state := self._state(job)) != "JobComplete":
            if state in ("Failed", "Aborted"):
                raise TransientError(
                    f"salesforce: Bulk 2.0 job {job} ended as {state}. Nothing was written. Sluice will try again "
                    "with a new job. If it keeps failing, see Setup > Bulk Data Load Jobs."
                )
            if time.monotonic() - begun > WAIT_LIMIT:
                raise TransientError(
                    f"salesforce: Bulk 2.0 job {job} is {state} after {WAIT_LIMIT / 3600:g} hours. Nothing was "
                    "written. Sluice will try again with the same job; see Setup > Bulk Data Load Jobs."
                )
            time.sleep(look)
            look = min(2 * look, LONGEST_LOOK)

    def page(self, job: str, locator: str) -> tuple[list[dict[str, str]], str]:
        """The records at a locator, and the next locator. It is empty before the first page and after the last."""
        result = self._call("get_query_results", job, locator, ROWS_PER_PAGE)
        return list(csv.DictReader(io.StringIO(result["records"]))), str(result["locator"])

    def _state(self, job: str) -> str:
        return str(self._call("get_job", job, True)["state"])

    def _call(self, name: str, *arguments: object) -> Any:
        for log_ins_left in reversed(range(LOG_INS + 1)):
            # The client declares three types, but it is always this one. And its public query_all shows neither the
            # job's id nor its locators.
            api = getattr(cast(SFBulk2Handler, self._org.bulk2), self._name)._client
            try:
                return getattr(api, name)(*arguments)
            except SalesforceExpiredSession:
                if not log_ins_left:
                    raise
                self._org = client.connect()
        raise AssertionError("the last round returns or raises")
