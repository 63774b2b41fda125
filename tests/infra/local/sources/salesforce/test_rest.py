"""The Salesforce stand-in's queries and descriptions over REST, called with simple-salesforce."""

from __future__ import annotations

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest

from tests.infra.local.sources.conftest import Org
from tests.infra.local.sources.salesforce.stamped_accounts import BY_STAMP, accounts, error_code


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


def test_query_all_returns_deleted_records_but_never_purged_ones(org: Org) -> None:
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
