"""A Bulk 2.0 read that was killed goes on where it was: no row is lost, doubled or mixed with another read's."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from jobs import steps
from jobs.bronze import salesforce_accounts
from jobs.lake import staging
from jobs.lake.delta import writes
from jobs.lake.run import Run
from jobs.lake.state import objects
from jobs.sources.salesforce import client
from jobs.sources.salesforce.sobject import SObject
from tests.faults.salesforce_org import DAY, TABLE, bulk_jobs, fill, ids, read, record
from tests.infra.local.sources.conftest import Org
from tests.jobs.lakehouse import ACCOUNTS, killed_at
from tests.jobs.lakehouse import rows as bronze_rows


def kill_at_write(number: int) -> None:
    """Reads, and is killed when it writes the object of this number."""
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
    kill_at_write(5)  # as it records that two pages are staged
    used = org.control("GET", "state")["settings"]["calls_used"]

    read()

    # Description, count, limits, two looks at the job, and the second and third page.
    assert org.control("GET", "state")["settings"]["calls_used"] == used + 7


def test_bulk_read_that_goes_on_keeps_to_its_own_result(org: Org, in_bulk: None) -> None:
    fill(org, 5)
    kill_at_write(4)
    org.put(*(record(number, Name="changed") for number in range(6)))

    assert [row["name"] for row in read()[0]] == ["n0", "n1", "n2", "n3", "n4"]


def test_bulk_read_begins_again_when_its_job_is_gone_and_mixes_nothing(org: Org, in_bulk: None) -> None:
    known = fill(org, 5)
    kill_at_write(6)
    progress = staging.progress(TABLE, DAY.batch_id)
    assert progress is not None
    client.connect().restful(f"jobs/query/{progress.resume_from['job']}", method="DELETE")
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
    fields = {name: column for name, column in salesforce_accounts.ACCOUNT.fields.items() if name != "Industry"}
    without = SObject("Account", fields)
    monkeypatch.setattr(salesforce_accounts, "ACCOUNT", without)
    monkeypatch.setattr(salesforce_accounts, "SCHEMA", without.schema)

    assert len(read()[0]) == 5
    assert bulk_jobs(org) == 2


def test_bulk_read_that_was_killed_at_its_commit_fetches_nothing_again(
    spark: SparkSession, org: Org, in_bulk: None
) -> None:
    known = fill(org, 5)
    run = Run("run", ACCOUNTS, window_start=DAY.start, window_end=DAY.end)
    with killed_at(writes, "replace_batch"):
        steps.build(run)

    steps.build(run)

    assert sorted(row["id"] for row in bronze_rows(ACCOUNTS)) == known
    assert bulk_jobs(org) == 1
    assert objects.keys("_staging/") == []
