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
    """API calls that it takes to read so many rows in pages."""
    return max(1, ceil(rows / rest.ROWS_PER_PAGE))


def by_bulk(rows: int) -> int:
    """API calls that a Bulk 2.0 read of so many rows takes: to create it, look at its state, and get its pages."""
    return 1 + bulk.POLLS + max(1, ceil(rows / bulk.ROWS_PER_PAGE))


def require(org: Salesforce, needed: int) -> None:
    """Makes sure, before a read starts, that it can be finished. This costs one call.

    Args:
        org: the logged-in client.
        needed: calls that the read will take.

    Raises:
        TransientError: after the read, less than the reserve would be left.
    """
    remaining, most = _allowance(org)
    reserve = ceil(most * RESERVE)
    if remaining - needed < reserve:
        raise TransientError(
            f"salesforce: {remaining} of {most} API calls of the day remain; the read needs {needed}, and {reserve} "
            "are left to others. Nothing was written. A call counts for 24 hours: all calls come back within 24 hours. "
            "Sluice will try again. If it keeps failing, find out in Setup > Company Information who uses up the calls."
        )


def _allowance(org: Salesforce) -> tuple[int, int]:
    """API calls that remain, and the day's maximum."""
    try:
        daily: Any = org.limits()["DailyApiRequests"]
        return int(daily["Remaining"]), int(daily["Max"])
    except (SalesforceRefusedRequest, KeyError):
        # Only users with "View Setup and Configuration" may ask; the header of every answer says it too.
        usage: Any = org.api_usage.get("api-usage")
        if usage is None:
            raise
        return usage.total - usage.used, usage.total
