"""The Salesforce stand-in's Bulk 2.0 jobs, called with simple-salesforce."""

from __future__ import annotations

import csv
import io

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceOperationError

from tests.infra.local.sources.conftest import Org
from tests.infra.local.sources.salesforce.stamped_accounts import accounts, error_code


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
