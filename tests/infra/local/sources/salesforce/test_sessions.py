"""Log-ins to the Salesforce stand-in and their sessions, called with simple-salesforce."""

from __future__ import annotations

import signal

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceExpiredSession

from tests.infra.local.sources.conftest import Org, Server
from tests.infra.local.sources.salesforce.stamped_accounts import BY_STAMP, accounts, error_code


def test_log_in_needs_password_and_security_token(org: Org) -> None:
    assert org.client().sf_instance == "sluice.my.salesforce.com"
    for wrong in ({"password": "no"}, {"security_token": "no"}, {"username": "no"}):
        with pytest.raises(SalesforceAuthenticationFailed) as refused:
            org.client(**wrong)
        assert refused.value.code == "INVALID_LOGIN"
        assert "Invalid username, password, security token" in str(refused.value)


def test_oauth_password_grant_logs_in_and_refuses(org: Org) -> None:
    known = {"username": org.credentials["username"], "consumer_key": "k", "consumer_secret": "s"}
    client = Salesforce(session=org.session(), password=org.credentials["password"], **known)
    assert client.query("SELECT COUNT() FROM Account")["totalSize"] == 0
    with pytest.raises(SalesforceAuthenticationFailed, match="authentication failure"):
        Salesforce(session=org.session(), password="no", **known)


def test_a_made_up_session_is_refused(org: Org) -> None:
    client = Salesforce(session=org.session(), session_id="no", instance_url=org.credentials["instance_url"])
    with pytest.raises(SalesforceExpiredSession) as refused:
        client.query("SELECT Id FROM Account")
    assert error_code(refused) == "INVALID_SESSION_ID"


def test_a_session_that_expires_between_pages_is_renewed_by_the_client(org: Org) -> None:
    org.put(*accounts(5))
    org.control("PATCH", "settings", {"page_size": 2})
    client = org.client()
    session = client.session_id
    org.control("POST", "fail", {"kind": "expired_session", "after": 1, "path": "/query"})
    assert len(list(client.query_all_iter(BY_STAMP))) == 5
    assert client.session_id != session


def test_an_expired_session_stays_expired(org: Org) -> None:
    client = org.client()
    org.control("POST", "fail", {"kind": "expired_session"})
    for _ in range(2):
        with pytest.raises(SalesforceExpiredSession):
            # The Bulk client of simple-salesforce never logs in again.
            list(client.bulk2.Account.query("SELECT Id FROM Account", wait=0))


def test_records_survive_a_kill_and_sessions_do_not(org: Org, servers: dict[str, Server]) -> None:
    org.put(*accounts(2))
    client = org.client()
    servers["salesforce"].stop(signal.SIGKILL)
    with pytest.raises(requests.ConnectionError):
        org.client()
    servers["salesforce"].start()

    session = client.session_id
    assert client.query("SELECT COUNT() FROM Account")["totalSize"] == 2
    assert client.session_id != session
