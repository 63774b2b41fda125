"""Salesforce's daily API calls: a read that would use up the share of others is not started."""

from __future__ import annotations

import pytest

from jobs.lake.errors import TransientError
from jobs.sources.salesforce import bulk, rest
from tests.faults.salesforce_org import assert_fails, bulk_jobs, fill, read
from tests.infra.local.sources.conftest import Org


@pytest.mark.parametrize(("used", "enough"), [(892, True), (893, False)])
def test_read_that_would_use_up_others_share_of_api_calls_is_not_started(
    org: Org, monkeypatch: pytest.MonkeyPatch, used: int, enough: bool
) -> None:
    fill(org, 10)
    monkeypatch.setattr(rest, "ROWS_PER_PAGE", 2)
    # Description, count and limits are three calls; five pages follow, and 100 are left to others.
    org.control("PATCH", "settings", {"daily_limit": 1000, "calls_used": used})

    if enough:
        assert len(read()[0]) == 10
        return
    assert_fails(TransientError, "104 of 1000", "needs 5", "100 are left to others", "24 hours")
    assert org.control("GET", "state")["settings"]["calls_used"] == used + 3


def test_bulk_read_needs_calls_for_its_pages_and_the_looks_at_its_job(org: Org, in_bulk: None) -> None:
    fill(org, 10)
    org.control("PATCH", "settings", {"daily_limit": 1000, "calls_used": 890})

    assert_fails(TransientError, "107 of 1000", f"needs {1 + bulk.POLLS + 5}")
    assert bulk_jobs(org) == 0


def test_limits_that_the_user_may_not_ask_for_are_read_from_the_answers(org: Org) -> None:
    fill(org, 1)
    org.control("PATCH", "settings", {"daily_limit": 1000, "calls_used": 950})
    org.control("POST", "fail", {"kind": "rate_limit", "path": "/limits"})

    assert_fails(TransientError, "48 of 1000")
