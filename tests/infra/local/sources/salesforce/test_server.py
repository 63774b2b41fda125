"""The Salesforce stand-in, by simple-salesforce."""

from __future__ import annotations

import csv
import io
import signal
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceOperationError,
    SalesforceRefusedRequest,
)

from tests.infra.local.sources.conftest import Org, Server

STAMP = "2026-10-30T08:00:00Z"
BY_STAMP = "SELECT Id, SystemModstamp FROM Account ORDER BY SystemModstamp, Id"


def accounts(number: int, **fields: object) -> list[dict[str, object]]:
    return [{"Id": f"001{i:012d}AAA", "Name": f"n{i}", "SystemModstamp": STAMP, **fields} for i in range(number)]


def error_code(error: Any) -> str:
    return str(error.value.content[0]["errorCode"])


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


def test_values_arrive_in_rests_own_form(org: Org) -> None:
    org.put(*accounts(1, Name="Bräuer & Söhne", AnnualRevenue=1500.5, NumberOfEmployees=3))
    soql = "SELECT Id, Name, Industry, AnnualRevenue, NumberOfEmployees, IsDeleted, SystemModstamp FROM Account"
    (record,) = org.client().query(soql)["records"]
    assert record.pop("attributes")["type"] == "Account"
    assert record == {
        "Id": "001000000000000AAA",
        "Name": "Bräuer & Söhne",
        "Industry": None,
        "AnnualRevenue": 1500.5,
        "NumberOfEmployees": 3,
        "IsDeleted": False,
        "SystemModstamp": "2026-10-30T08:00:00.000+0000",
    }


def test_ties_across_pages_are_all_returned_once(org: Org) -> None:
    org.put(*accounts(7))
    org.control("PATCH", "settings", {"page_size": 2})
    first = org.client().query(BY_STAMP)
    assert (first["totalSize"], first["done"], len(first["records"])) == (7, False, 2)
    assert org.ids(BY_STAMP) == [record["Id"] for record in accounts(7)]


def test_batch_size_header_makes_smaller_pages_of_at_least_200(org: Org) -> None:
    org.put(*accounts(450))
    client = org.client()
    sizes = [
        len(client.query(BY_STAMP, headers={"Sforce-Query-Options": f"batchSize={size}"})["records"])
        for size in (300, 1)
    ]
    assert sizes == [300, 200]
    assert len(client.query(BY_STAMP)["records"]) == 450


def test_an_eleventh_cursor_closes_the_oldest(org: Org) -> None:
    org.put(*accounts(3))
    org.control("PATCH", "settings", {"page_size": 2})
    client = org.client()
    urls = [client.query(BY_STAMP)["nextRecordsUrl"] for _ in range(11)]
    assert client.query_more(urls[-1], identifier_is_url=True)["done"]
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.query_more(urls[0], identifier_is_url=True)
    assert error_code(refused) == "INVALID_QUERY_LOCATOR"


def test_deleted_records_come_by_query_all_and_purged_ones_never(org: Org) -> None:
    org.put(*accounts(3))
    ids = [str(record["Id"]) for record in accounts(3)]
    org.control("POST", "records/delete", {"ids": ids[:1], "at": "2026-10-31T00:00:00Z"})
    org.control("POST", "records/purge", {"ids": ids[1:2]})

    assert org.ids("SELECT Id FROM Account") == ids[2:]
    soql = "SELECT Id FROM Account WHERE IsDeleted = true AND SystemModstamp = 2026-10-31T00:00:00Z"
    assert org.ids(soql, include_deleted=True) == ids[:1]
    assert org.ids("SELECT Id FROM Account", include_deleted=True) == [ids[0], ids[2]]


def test_describe_lists_fields_with_types(org: Org) -> None:
    client = org.client()
    assert [found["name"] for found in client.describe()["sobjects"]] == ["Account"]
    types = {field["name"]: field["type"] for field in client.Account.describe()["fields"]}
    assert types["SystemModstamp"] == "datetime"
    assert types["AnnualRevenue"] == "currency"
    assert len(types) == 12


def test_a_dropped_field_is_gone_from_describe_and_query(org: Org) -> None:
    org.control("POST", "fields", {"drop": ["Industry"], "put": [{"name": "Tier__c", "type": "string"}]})
    client = org.client()
    names = [field["name"] for field in client.Account.describe()["fields"]]
    assert "Industry" not in names
    assert names[-1] == "Tier__c"
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.query("SELECT Id, Industry FROM Account")
    assert error_code(refused) == "INVALID_FIELD"


def test_a_malformed_query_is_refused(org: Org) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        org.client().query("SELECT Id FRM Account")
    assert error_code(refused) == "MALFORMED_QUERY"


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


def test_the_daily_limit_counts_down_and_refuses(org: Org) -> None:
    org.control("PATCH", "settings", {"daily_limit": 3, "calls_used": 0})
    client = org.client()
    client.query("SELECT Id FROM Account")
    assert client.api_usage["api-usage"] == (1, 3)
    assert client.limits()["DailyApiRequests"] == {"Max": 3, "Remaining": 1}
    client.limits()
    with pytest.raises(SalesforceRefusedRequest):
        client.limits()


def test_bulk_pages_through_a_result_by_locator(org: Org) -> None:
    org.put(*accounts(5, Name='quoted "and", split\nname', AnnualRevenue=None))
    soql = "SELECT Id, Name, AnnualRevenue, IsDeleted, SystemModstamp FROM Account ORDER BY Id"
    org.control("PATCH", "settings", {"bulk_polls": 1})
    pages = list(org.client().bulk2.Account.query(soql, max_records=2, wait=0))
    rows = [row for page in pages for row in csv.DictReader(io.StringIO(page))]
    assert len(pages) == 3
    assert [row["Id"] for row in rows] == [record["Id"] for record in accounts(5)]
    assert rows[0] == {
        "Id": "001000000000000AAA",
        "Name": 'quoted "and", split\nname',
        "AnnualRevenue": "",
        "IsDeleted": "false",
        "SystemModstamp": "2026-10-30T08:00:00.000Z",
    }


def test_bulk_query_all_holds_deleted_records_and_query_does_not(org: Org) -> None:
    org.put(*accounts(1, IsDeleted=True))
    bulk = org.client().bulk2.Account
    soql = "SELECT Id, IsDeleted FROM Account"
    assert list(bulk.query(soql, wait=0)) == ['"Id","IsDeleted"\n']
    assert list(bulk.query_all(soql, wait=0)) == ['"Id","IsDeleted"\n"001000000000000AAA","true"\n']


def test_a_bulk_job_can_fail_and_refuses_a_wrong_query(org: Org) -> None:
    bulk = org.client().bulk2.Account
    org.control("POST", "fail", {"kind": "bulk_failure"})
    with pytest.raises(SalesforceOperationError, match="InternalServerError"):
        list(bulk.query("SELECT Id FROM Account", wait=0))
    with pytest.raises(SalesforceMalformedRequest) as refused:
        list(bulk.query("SELECT Nope FROM Account", wait=0))
    assert error_code(refused) == "INVALID_FIELD"


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
