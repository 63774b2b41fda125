"""Failures and limits that a test plans in the Salesforce stand-in, as simple-salesforce sees them."""

from __future__ import annotations

import pytest
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceGeneralError,
    SalesforceRefusedRequest,
)

from tests.infra.local.sources.conftest import Org
from tests.infra.local.sources.salesforce.stamped_accounts import error_code


def test_a_planned_rate_limit_is_answered_and_used_up(org: Org) -> None:
    client = org.client()
    org.control("POST", "fail", {"kind": "rate_limit", "calls": 2})
    for _ in range(2):
        with pytest.raises(SalesforceRefusedRequest) as refused:
            client.query("SELECT Id FROM Account")
        assert error_code(refused) == "REQUEST_LIMIT_EXCEEDED"
    assert client.query("SELECT Id FROM Account")["done"]


def test_a_planned_outage_is_answered_503(org: Org) -> None:
    client = org.client()
    org.control("POST", "fail", {"kind": "unavailable"})
    with pytest.raises(SalesforceGeneralError) as refused:
        client.query("SELECT Id FROM Account")
    assert refused.value.status == 503


def test_log_in_fails_only_when_the_plan_names_its_path(org: Org) -> None:
    org.control("POST", "fail", {"kind": "unavailable"})
    client = org.client()
    org.control("POST", "fail", {"kind": "unavailable", "path": "/services/Soap"})
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        org.client()
    assert refused.value.code == 503
    with pytest.raises(SalesforceGeneralError):
        client.limits()


def test_the_daily_limit_counts_down_and_refuses(org: Org) -> None:
    org.control("PATCH", "settings", {"daily_limit": 3, "calls_used": 0})
    client = org.client()
    client.query("SELECT Id FROM Account")
    assert client.api_usage["api-usage"] == (1, 3)
    assert client.limits()["DailyApiRequests"] == {"Max": 3, "Remaining": 1}
    client.limits()
    with pytest.raises(SalesforceRefusedRequest):
        client.limits()


def test_the_control_api_refuses_wrong_documents(org: Org) -> None:
    for path, document in (
        ("fail", {"kind": "nope"}),
        ("fail", {"kind": "rate_limit", "calls": 0}),
        ("records", {"records": [{"Id": "x"}]}),
        ("fields", {"put": [{"name": "x y", "type": "string"}]}),
    ):
        assert "error" in org.control("POST", path, document, expect=400)
    assert "error" in org.control("PATCH", "settings", {"page_size": 0}, expect=400)
    assert org.control("GET", "state")["records"] == 0
