"""What Salesforce really does to a reader: each row still comes once, and nothing that exists is lost.

The real client reads the real stand-in server. Hardly a test needs Spark: a source's rows end in staged parts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

import boto3
import pytest
from pyspark.sql import SparkSession

from infra.local import secrets
from infra.local.addresses import Addresses
from jobs.bronze import salesforce_accounts
from jobs.lake import delta, ingest, objects, session, staging, tables, watermark
from jobs.lake.errors import DataError, LakeError, SchemaContractError, TransientError
from jobs.lake.run import Run, Window
from jobs.salesforce import budget, bulk, client, rest
from tests.infra.local.sources.conftest import Org, Server
from tests.jobs.lakehouse import ACCOUNTS, at, killed_at, put
from tests.jobs.lakehouse import rows as bronze_rows

TABLE = tables.table(ACCOUNTS)
DAY = Window(at("2026-10-01"), at("2026-10-02"))
NEXT_DAY = Window(at("2026-10-02"), at("2026-10-03"))
NOON = "2026-10-01T12:00:00Z"
HEALTHY = {"page_size": 2000, "daily_limit": 100_000, "calls_used": 0, "bulk_polls": 0}
BEGIN = "SELECT COUNT() FROM Account WHERE Name = 'the test begins'"
Row = dict[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    addresses = Addresses(home=tmp_path_factory.mktemp("salesforce"), port=18400)
    environment = {**os.environ, **addresses.environment()}
    process = Server("salesforce", addresses.salesforce, environment, addresses.home / "salesforce.log")
    process.start()
    yield addresses
    process.stop()


@pytest.fixture
def org(server: Addresses, lake: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Org]:
    """An empty, healthy org whose log-in is in the lake's secrets."""
    monkeypatch.setenv("SALESFORCE_ENDPOINT_URL", server.salesforce)
    name, value = f"{lake}/salesforce/credentials", secrets.salesforce_credentials(server)
    boto3.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(value))
    fresh = Org(server)
    known = fresh.control("GET", "state")["fields"]
    fresh.control("POST", "records/purge", {})
    fresh.client().query(BEGIN)
    fresh.control("PATCH", "settings", HEALTHY)
    yield fresh
    fresh.control("DELETE", "fail")
    fresh.control("POST", "fields", {"put": known})


def record(number: int, stamp: str = NOON, **fields: object) -> dict[str, object]:
    """An account as the org keeps it."""
    return {
        "Id": f"001{number:012d}AAA",
        "Name": f"n{number}",
        "CreatedDate": "2026-09-01T00:00:00Z",
        "SystemModstamp": stamp,
        **fields,
    }


def fill(org: Org, accounts: int) -> list[str]:
    """Accounts that were changed in the same second; their ids."""
    records = [record(number) for number in range(accounts)]
    org.put(*records)
    return [str(account["Id"]) for account in records]


def read(window: Window = DAY, **options: Any) -> tuple[list[Row], dict[str, Any]]:
    """The staged rows, in order, and the facts."""
    facts = staging.write(TABLE, window.batch_id, salesforce_accounts.extract(window, **options)).facts
    return staged(window), facts


def staged(window: Window = DAY) -> list[Row]:
    names = salesforce_accounts.SCHEMA.names
    return [row for part in staging.read(TABLE, window.batch_id, names) for row in part.to_pylist()]


def commit(window: Window, *earlier: Row) -> list[Row]:
    """Makes what is staged for the window, and earlier rows, the whole of bronze; gives them."""
    rows = [*earlier, *({**row, "_batch_id": window.batch_id} for row in staged(window))]
    put(ACCOUNTS, rows)
    staging.clear(TABLE, window.batch_id)
    return rows


def ids(rows: list[Row]) -> list[str]:
    return [row["id"] for row in rows]


def queries(org: Org) -> list[str]:
    """The queries of this test, those of Bulk 2.0 jobs included."""
    known = org.control("GET", "state")["queries"]
    return known[len(known) - known[::-1].index(BEGIN) :]


def listings(org: Org) -> int:
    """How many queries asked for nothing but ids."""
    return sum(query.startswith("SELECT Id FROM") for query in queries(org))


def after_count(monkeypatch: pytest.MonkeyPatch, which: str, happens: Callable[[], object]) -> None:
    """Something happens in the org right after accounts with this condition were counted for the first time."""
    real, done = rest.count, list[str]()

    def count(org: Any, where: str) -> int:
        found = real(org, where)
        if which in where and not done:
            done.append(where)
            happens()
        return found

    monkeypatch.setattr(rest, "count", count)


def assert_fails(kind: type[LakeError], *words: str, **options: Any) -> None:
    with pytest.raises(kind) as caught:
        read(**options)
    assert type(caught.value) is kind
    for word in ("salesforce", "Nothing was written", *words):
        assert word in str(caught.value)


@pytest.fixture
def in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every window is large, and a result page holds two records."""
    monkeypatch.setattr(bulk, "FROM_ROWS", 1)
    monkeypatch.setattr(bulk, "ROWS_PER_PAGE", 2)


def bulk_jobs(org: Org) -> int:
    """How many Bulk 2.0 jobs read accounts: paged reads say an order."""
    return sum(query.startswith("SELECT Id, AccountNumber") and "ORDER BY" not in query for query in queries(org))


# Reading by pages


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
    reading = salesforce_accounts.rest.records(client.connect(), "SELECT Id FROM Account")
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

    assert_fails(DataError, "3 accounts were counted", "2 arrived")
    assert objects.keys("_staging/") == []


def test_account_that_leaves_the_window_while_it_is_read_is_no_loss(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    known = fill(org, 3)
    after_count(monkeypatch, "SystemModstamp", lambda: org.put(record(0, "2026-10-02T00:00:01Z")))

    rows, facts = read()

    assert ids(rows) == known[1:]
    assert (facts["source_rows"], facts["arrived_rows"]) == (3, 2)
    assert ids(read(NEXT_DAY)[0]) == known[:1]


# Before the read


def test_field_that_is_gone_from_describe_is_named_and_nothing_is_asked(org: Org) -> None:
    fill(org, 1)
    org.control("POST", "fields", {"drop": ["Industry", "AnnualRevenue"]})

    assert_fails(SchemaContractError, "Account has no field Industry, AnnualRevenue", "permission", "FIELDS")
    assert queries(org) == []
    assert objects.keys("_staging/") == []


def test_new_field_of_the_org_is_ignored(org: Org) -> None:
    fill(org, 1)
    org.control("POST", "fields", {"put": [{"name": "Tier__c", "type": "string"}]})

    assert set(read()[0][0]) == set(salesforce_accounts.SCHEMA.names)
    org.control("POST", "fields", {"drop": ["Tier__c"]})


@pytest.mark.parametrize(("used", "enough"), [(892, True), (893, False)])
def test_read_that_would_use_up_others_share_of_api_calls_is_not_begun(
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


# Bulk 2.0


def test_bulk_and_paged_reads_give_the_same_rows(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    org.put(
        record(0, Name='O"Neil, "Ltd"\nsecond line', Type="", NumberOfEmployees=12),
        record(1, Name="Ünï", AnnualRevenue=1.5, IsDeleted=True),
    )
    paged, _ = read()
    monkeypatch.setattr(bulk, "FROM_ROWS", 1)
    in_bulk, _ = read()

    def without_zone(rows: list[Row]) -> list[Row]:
        return [{name: value and value.replace("+0000", "Z") for name, value in row.items()} for row in rows]

    assert bulk_jobs(org) == 1
    assert without_zone(in_bulk) == without_zone(paged)
    assert [(row["is_deleted"], row["type"], row["number_of_employees"]) for row in paged] == [
        ("false", None, "12"),
        ("true", None, None),
    ]


def test_session_that_ends_between_pages_of_a_bulk_read_is_renewed(org: Org, in_bulk: None) -> None:
    known = fill(org, 5)
    for _ in range(2):
        org.control("POST", "fail", {"kind": "expired_session", "path": "/results", "after": 1})

    assert ids(read()[0]) == known
    assert bulk_jobs(org) == 1


def test_session_that_ends_again_and_again_is_given_up_and_the_next_attempt_goes_on(org: Org, in_bulk: None) -> None:
    known = fill(org, 5)
    org.control("POST", "fail", {"kind": "expired_session", "path": "/results", "after": 1, "calls": 99})

    assert_fails(TransientError, "INVALID_SESSION_ID")
    (left,) = org.control("GET", "state")["faults"]
    assert 99 - left["calls"] == 1 + bulk.LOG_INS
    org.control("DELETE", "fail")
    assert ids(read()[0]) == known
    assert bulk_jobs(org) == 1


def test_bulk_job_that_fails_is_named_and_the_next_attempt_makes_a_new_one(org: Org, in_bulk: None) -> None:
    known = fill(org, 3)
    org.control("POST", "fail", {"kind": "bulk_failure"})

    assert_fails(TransientError, "ended as Failed", "Bulk Data Load Jobs")
    assert ids(read()[0]) == known
    assert bulk_jobs(org) == 2


def test_bulk_job_that_is_not_ready_in_time_is_waited_for_by_the_next_attempt(
    org: Org, in_bulk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = fill(org, 3)
    org.control("PATCH", "settings", {"bulk_polls": 3})
    monkeypatch.setattr(bulk, "FIRST_LOOK", 0.01)
    with monkeypatch.context() as patch:
        patch.setattr(bulk, "WAIT_LIMIT", -1)
        assert_fails(TransientError, "InProgress after", "same job")

    assert ids(read()[0]) == known
    assert bulk_jobs(org) == 1


def kill_at_write(number: int) -> None:
    """Reads, and is killed as it writes its so-manieth object."""
    real, written = objects.write, list[str]()

    def write(key: str, body: bytes) -> str:
        written.append(key)
        if len(written) == number:
            raise InterruptedError
        return real(key, body)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "write", write)
        with pytest.raises(InterruptedError):
            read()


# Objects are: the job's id, then for each of three pages its part and how far the read came.
@pytest.mark.parametrize("write", range(2, 8))
def test_bulk_read_that_was_killed_goes_on_with_its_job_and_loses_and_doubles_no_row(
    org: Org, in_bulk: None, write: int
) -> None:
    known = fill(org, 5)
    kill_at_write(write)

    rows, facts = read()

    assert ids(rows) == known
    assert facts["source_rows"] == facts["arrived_rows"] == 5
    assert bulk_jobs(org) == 1


def test_bulk_read_that_goes_on_fetches_no_page_twice(org: Org, in_bulk: None) -> None:
    fill(org, 5)
    kill_at_write(5)  # as it says that two pages are there
    used = org.control("GET", "state")["settings"]["calls_used"]

    read()

    # Description, count, limits, two looks at the job, and the second and third page.
    assert org.control("GET", "state")["settings"]["calls_used"] == used + 7


def test_bulk_read_that_goes_on_keeps_to_its_own_result(org: Org, in_bulk: None) -> None:
    fill(org, 5)
    kill_at_write(4)
    org.put(*(record(number, Name="changed") for number in range(6)))

    assert [row["name"] for row in read()[0]] == ["n0", "n1", "n2", "n3", "n4"]


def test_bulk_read_begins_anew_when_its_job_is_gone_and_mixes_nothing(org: Org, in_bulk: None) -> None:
    known = fill(org, 5)
    kill_at_write(6)
    progress = staging.progress(TABLE, DAY.batch_id)
    assert progress is not None
    client.connect().restful(f"jobs/query/{progress.place['job']}", method="DELETE")
    org.put(*(record(number, Name="changed") for number in range(5)))

    rows, _ = read()

    assert ids(rows) == known
    assert {row["name"] for row in rows} == {"changed"}
    assert bulk_jobs(org) == 2


def test_other_query_never_goes_on_with_the_parts_of_this_one(
    org: Org, in_bulk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(org, 5)
    kill_at_write(4)
    without = {name: text for name, text in salesforce_accounts.FIELDS.items() if name != "Industry"}
    monkeypatch.setattr(salesforce_accounts, "FIELDS", without)

    assert len(read()[0]) == 5
    assert bulk_jobs(org) == 2


def test_bulk_read_that_was_killed_at_its_commit_fetches_nothing_again(
    spark: SparkSession, org: Org, in_bulk: None
) -> None:
    known = fill(org, 5)
    run = Run("run", ACCOUNTS, window_start=DAY.start, window_end=DAY.end)
    with killed_at(delta, "replace_batch"):
        salesforce_accounts.build(run)

    salesforce_accounts.build(run)

    assert sorted(row["id"] for row in bronze_rows(spark, ACCOUNTS)) == known
    assert bulk_jobs(org) == 1
    assert objects.keys("_staging/") == []


# Hard deletes


def committed(org: Org, accounts: int) -> tuple[list[str], list[Row]]:
    """An org whose accounts are all in bronze."""
    known = fill(org, accounts)
    read()
    return known, commit(DAY)


def test_account_that_was_deleted_for_good_gets_a_row_of_its_own(org: Org) -> None:
    known, bronze = committed(org, 3)
    org.control("POST", "records/purge", {"ids": known[1:2]})
    org.put(record(7, "2026-10-02T08:00:00Z", CreatedDate="2026-10-02T08:00:00Z"))

    rows, facts = read(NEXT_DAY, find_deleted=True)

    assert ids(rows) == ["001000000000007AAA", known[1]]
    last = {name: value for name, value in bronze[1].items() if name != "_batch_id"}
    assert rows[1] == {**last, "is_deleted": "true"}
    assert facts == {"source_rows": 1, "arrived_rows": 1, "hard_deleted": 1}
    assert len(read(NEXT_DAY)[0]) == 1


def test_ids_are_listed_only_when_the_counts_differ(org: Org) -> None:
    known, _ = committed(org, 3)
    # Changed, and created, since the window's end: neither makes a difference.
    org.put(record(0, "2026-10-09T00:00:00Z"), record(8, "2026-10-09T00:00:00Z", CreatedDate="2026-10-09T00:00:00Z"))

    assert read(NEXT_DAY, find_deleted=True)[1]["hard_deleted"] == 0
    assert listings(org) == 0

    org.control("POST", "records/purge", {"ids": known[2:]})
    assert read(NEXT_DAY, find_deleted=True)[1]["hard_deleted"] == 1
    assert listings(org) == 1


def test_account_that_changes_between_count_and_list_is_never_taken_for_deleted(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, _ = committed(org, 5)
    org.control("POST", "records/purge", {"ids": known[:1]})

    def meanwhile() -> None:
        org.put(record(1, "2026-10-09T00:00:00Z"))
        org.control("POST", "records/delete", {"ids": known[2:3], "at": "2026-10-09T00:00:00Z"})
        org.put(record(9, "2026-10-09T00:00:00Z"))
        org.control("POST", "records/purge", {"ids": known[3:4]})

    after_count(monkeypatch, "IsDeleted", meanwhile)
    org.control("PATCH", "settings", {"page_size": 2})

    assert ids(read(NEXT_DAY, find_deleted=True)[0]) == [known[0], known[3]]


def test_account_in_the_recycle_bin_is_not_gone(org: Org) -> None:
    known, _ = committed(org, 2)
    org.control("POST", "records/delete", {"ids": known[:1], "at": "2026-10-09T00:00:00Z"})

    assert read(NEXT_DAY, find_deleted=True)[0] == []


def test_account_that_goes_right_after_it_was_read_gets_its_row_in_the_same_batch(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, _ = committed(org, 2)
    org.put(record(0, "2026-10-02T08:00:00Z", Name="newer"))
    real = rest.records

    def records(client: Any, soql: str) -> Iterator[Row]:
        yield from real(client, soql)
        if "SystemModstamp" in soql:
            org.control("POST", "records/purge", {"ids": known[:1]})

    monkeypatch.setattr(rest, "records", records)
    rows, _ = read(NEXT_DAY, find_deleted=True)

    assert [(row["id"], row["name"], row["is_deleted"]) for row in rows] == [
        (known[0], "newer", "false"),
        (known[0], "newer", "true"),
    ]


def test_deleted_account_is_told_of_once_and_again_when_its_window_is_read_again(org: Org) -> None:
    known, bronze = committed(org, 2)
    org.control("POST", "records/purge", {"ids": known[:1]})
    assert ids(read(NEXT_DAY, find_deleted=True)[0]) == known[:1]
    commit(NEXT_DAY, *bronze)

    assert ids(read(NEXT_DAY, find_deleted=True)[0]) == known[:1]
    assert read(Window(at("2026-10-03"), at("2026-10-04")), find_deleted=True)[0] == []


def test_loss_of_many_accounts_is_refused_unless_it_is_accepted(org: Org) -> None:
    known, _ = committed(org, 12)
    org.control("POST", "records/purge", {"ids": known[:11]})

    assert_fails(DataError, "11 of 12", "sharing", "fewer_rows", window=NEXT_DAY, find_deleted=True)
    assert ids(read(NEXT_DAY, find_deleted=True, accept=("fewer_rows",))[0]) == known[:11]


def test_ids_of_a_large_org_are_listed_by_a_bulk_job(org: Org, in_bulk: None) -> None:
    known, _ = committed(org, 5)
    org.control("POST", "records/purge", {"ids": known[:1]})

    assert ids(read(NEXT_DAY, find_deleted=True)[0]) == known[:1]
    assert queries(org)[-1] == "SELECT Id FROM Account"


def test_ids_are_not_listed_when_too_few_api_calls_are_left(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    known, _ = committed(org, 5)
    org.control("POST", "records/purge", {"ids": known[:1]})
    after_count(monkeypatch, "IsDeleted", lambda: org.control("PATCH", "settings", {"calls_used": 95_000}))

    assert_fails(TransientError, "4999 of 100000", f"needs {budget.by_rest(4)}", window=NEXT_DAY, find_deleted=True)


@pytest.mark.parametrize("exact", [False, True])
def test_backfills_never_look_for_deleted_accounts(org: Org, monkeypatch: pytest.MonkeyPatch, exact: bool) -> None:
    known, _ = committed(org, 2)
    org.control("POST", "records/purge", {"ids": known[:1]})
    found: list[Row] = []

    def ingest_without_spark(spark: None, run: Run, table: object, schema: object, extract: ingest.Extract) -> None:
        staging.write(TABLE, NEXT_DAY.batch_id, extract(NEXT_DAY))
        found.extend(staged(NEXT_DAY))

    monkeypatch.setattr(session, "spark", lambda step: None)
    monkeypatch.setattr(ingest, "ingest", ingest_without_spark)
    salesforce_accounts.build(Run("run", ACCOUNTS, window_start=NEXT_DAY.start, window_end=NEXT_DAY.end, exact=exact))

    assert ids(found) == ([] if exact else known[:1])
