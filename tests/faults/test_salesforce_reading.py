"""What Salesforce really does to a reader: each row still comes once, and nothing that exists is lost.

The real client reads the real stand-in server. Hardly a test needs Spark: a source's rows end in staged parts.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

import pytest

from jobs.bronze import salesforce_accounts
from jobs.lake.errors import DataError, SchemaContractError, TransientError
from jobs.lake.run import Run
from jobs.lake.state import objects, watermark
from jobs.sources.salesforce import client, rest
from jobs.sources.salesforce.sobject import Kind, SObject
from tests.faults.salesforce_org import NEXT_DAY, TABLE, after_count, assert_fails, fill, ids, queries, read, record
from tests.infra.local.sources.conftest import Org
from tests.jobs.lakehouse import ACCOUNTS, at, commit_window


def test_accounts_changed_in_the_same_second_come_once_each_across_pages(org: Org) -> None:
    known = fill(org, 7)
    org.control("PATCH", "settings", {"page_size": 2})

    rows, facts = read()

    assert ids(rows) == known
    assert facts == {"source_rows": 7, "arrived_rows": 7, "hard_deleted": 0}
    assert queries(org)[-1].endswith("ORDER BY SystemModstamp, Id")


def test_account_stamped_before_the_cursor_that_becomes_visible_later_is_read_by_the_next_run(org: Org) -> None:
    def scheduled(day: int) -> Run:
        return Run(f"run-{day}", ACCOUNTS, window_start=at(f"2026-10-0{day}"), window_end=at(f"2026-10-0{day + 1}"))

    fill(org, 1)
    first = watermark.window(scheduled(1), TABLE)
    assert len(read(first)[0]) == 1
    commit_window(scheduled(1), first)
    watermark.save(scheduled(1), TABLE, first)
    org.put(record(9, "2026-10-01T23:30:00Z"))

    second = watermark.window(scheduled(2), TABLE)

    assert ids(read(second)[0]) == ["001000000000009AAA"]
    assert second.start == first.end - timedelta(hours=TABLE.overlap_hours)


def test_soft_deleted_account_is_read_with_its_mark(org: Org) -> None:
    known = fill(org, 2)
    org.control("POST", "records/delete", {"ids": known[:1], "at": "2026-10-01T13:00:00Z"})

    assert {row["id"]: row["is_deleted"] for row in read()[0]} == {known[0]: "true", known[1]: "false"}


def test_session_that_ends_between_pages_is_renewed(org: Org) -> None:
    known = fill(org, 5)
    org.control("PATCH", "settings", {"page_size": 2})
    org.control("POST", "fail", {"kind": "expired_session", "path": "/query/"})

    assert ids(read()[0]) == known


def test_cursor_that_salesforce_closed_is_tried_again(org: Org) -> None:
    fill(org, 5)
    org.control("PATCH", "settings", {"page_size": 2})
    reading = rest.records(client.connect(), "SELECT Id FROM Account")
    next(reading)
    other = client.connect()
    for _ in range(10):  # as many as may be open
        other.query("SELECT Id FROM Account")

    with pytest.raises(TransientError, match="INVALID_QUERY_LOCATOR"), client.named_errors():
        list(reading)


def test_fewer_accounts_than_were_counted_are_refused(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(org, 3)
    real = rest.records
    monkeypatch.setattr(rest, "records", lambda *query: islice(real(*query), 2))

    assert_fails(DataError, "3 records of Account were counted", "2 arrived")
    assert objects.keys("_staging/") == []


def test_account_that_leaves_the_window_while_it_is_read_is_not_a_loss(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = fill(org, 3)
    after_count(monkeypatch, "SystemModstamp", lambda: org.put(record(0, "2026-10-02T00:00:01Z")))

    rows, facts = read()

    assert ids(rows) == known[1:]
    assert (facts["source_rows"], facts["arrived_rows"]) == (3, 2)
    assert ids(read(NEXT_DAY)[0]) == known[:1]


def test_field_that_is_gone_from_describe_is_named_and_nothing_is_asked(org: Org) -> None:
    fill(org, 1)
    org.control("POST", "fields", {"drop": ["Industry", "AnnualRevenue"]})

    assert_fails(SchemaContractError, "Account has no field Industry, AnnualRevenue", "permission", "FIELDS", "RETIRED")
    assert queries(org) == []
    assert objects.keys("_staging/") == []


@pytest.mark.parametrize(
    ("field", "type_now", "now", "wanted"),
    [
        ("AnnualRevenue", "string", "text", "number"),
        ("NumberOfEmployees", "double", "number", "integer"),
        ("Industry", "boolean", "boolean", "text"),
        ("CreatedDate", "string", "text", "time"),
    ],
)
def test_field_of_another_kind_is_refused_until_the_module_says_so(
    org: Org, monkeypatch: pytest.MonkeyPatch, field: str, type_now: str, now: Kind, wanted: str
) -> None:
    fill(org, 1)
    org.control("POST", "fields", {"put": [{"name": field, "type": type_now}]})
    sentence = f"Account: field {field} is {type_now} and has to be {wanted}"
    assert_fails(SchemaContractError, sentence, "Nothing was written", "say so in KINDS")
    assert queries(org) == []

    account = salesforce_accounts.ACCOUNT
    changed = SObject("Account", account.fields, {**account.kinds, field: now})
    monkeypatch.setattr(salesforce_accounts, "ACCOUNT", changed)
    assert len(read()[0]) == 1


def test_new_field_of_the_org_is_ignored(org: Org) -> None:
    fill(org, 1)
    org.control("POST", "fields", {"put": [{"name": "Tier__c", "type": "string"}]})

    assert set(read()[0][0]) == set(salesforce_accounts.SCHEMA.names)
    org.control("POST", "fields", {"drop": ["Tier__c"]})
