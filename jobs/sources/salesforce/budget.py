"""The org's daily allowance of API calls, which we share with everybody who works with the org."""

from __future__ import annotations

from math import ceil
from typing import Any

from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceRefusedRequest

from jobs.lake.errors import TransientError
from jobs.sources.salesforce import bulk, rest

# Share of the daily allowance that our reads leave to others.
RESERVE = 0.1


def by_rest(rows: int) -> int:
    """Calls that reading so many rows in pages takes."""
    return max(1, ceil(rows / rest.ROWS_PER_PAGE))


def by_bulk(rows: int) -> int:
    """Calls that a Bulk 2.0 read of so many rows takes: its creation, its result pages, and looks at its state."""
    return 1 + bulk.POLLS + max(1, ceil(rows / bulk.ROWS_PER_PAGE))


def require(org: Salesforce, needed: int) -> None:
    """Makes sure that a read can be finished before it is begun. Costs one call.

    Args:
        org: the logged-in client.
        needed: calls that the read will take.

    Raises:
        TransientError: after the read less than the reserve would be left.
    """
    remaining, most = _allowance(org)
    reserve = ceil(most * RESERVE)
    if remaining - needed < reserve:
        raise TransientError(
            f"salesforce: {remaining} of {most} API calls of the day remain; the read needs {needed}, and {reserve} "
            "are left to others. Nothing was written. A call counts for 24 hours, so that calls come back all the "
            "time and all of them within 24 hours; it is tried again. If it stays so, see Setup > Company Information "
            "for who uses them up."
        )


def _allowance(org: Salesforce) -> tuple[int, int]:
    """Calls that remain, and the most a day may have."""
    try:
        daily: Any = org.limits()["DailyApiRequests"]
        return int(daily["Remaining"]), int(daily["Max"])
    except (SalesforceRefusedRequest, KeyError):
        # Only users with "View Setup and Configuration" may ask; the header of every answer says it too.
        usage: Any = org.api_usage.get("api-usage")
        if usage is None:
            raise
        return usage.total - usage.used, usage.total
