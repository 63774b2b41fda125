"""Every row that a silver commit read is accounted for; missing rows are reported with their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from pyspark.sql import SparkSession

from dq import conservation, suite
from dq.validate import Judgement
from jobs.lake import quarantine, settings, tables
from jobs.lake.delta import log, row_counts, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.delta.log import Commit
from jobs.lake.run import Run
from tests import lakes
from tests.jobs.lakehouse import ORDERS, build, land, order, version

SILVER = "silver.orders"
BAD = order("Q1", status="LOST")


@pytest.fixture(scope="module")
def original(spark: SparkSession, lake_environment: dict[str, str]) -> Iterator[str]:
    """Two batches with two good rows and a bad one, in silver and quarantine."""
    with lakes.empty(lake_environment) as bucket:
        land(spark, ORDERS, "b1", [order("O1"), BAD])
        build(SILVER)
        land(spark, ORDERS, "b2", [order("O2")])
        build(SILVER)
        yield bucket


@pytest.fixture
def built(original: str, lake_environment: dict[str, str]) -> Iterator[int]:
    """A lake with these; returns silver's version."""
    with lakes.copy(original, lake_environment):
        yield version(SILVER)


def judge(version: int, passed: int | None = None, run_id: str = "run-1") -> dict[str, Judgement]:
    found = conservation.judge(suite.load(SILVER), version, passed, Run(run_id, "gate"))
    return {judgement.rule.name: judgement for judgement in found}


def rewrite(monkeypatch: pytest.MonkeyPatch, table: str, change: Callable[[CommitRecord], CommitRecord]) -> None:
    """Makes the records of a table's commits read as changed."""
    real = log.commit

    def commit(uri: str, number: int) -> Commit | None:
        found = real(uri, number)
        if found and found.record and found.counts and uri == settings.lake().uri(table):
            return replace(found, record=change(found.record))
        return found

    monkeypatch.setattr(log, "commit", commit)


def counts_of(record: CommitRecord) -> Counts:
    assert record.counts
    return record.counts


def counted(record: CommitRecord, **numbers: int) -> CommitRecord:
    """With other counts."""
    return replace(record, counts=replace(counts_of(record), **numbers))


def faults(version: int) -> str:
    judged = judge(version)["conservation"]
    assert judged.critical
    return str(judged.observed["faults"])


def test_counts_of_all_steps_add_up(built: int) -> None:
    judged = judge(built)

    assert judged["conservation"].success
    assert judged["conservation"].observed == {"commits": 2}
    assert judged["quarantine_volume"].observed["quarantined"] == 1


def test_only_commits_since_the_version_that_passed_are_looked_at(built: int) -> None:
    assert judge(built, passed=built - 1)["conservation"].observed == {"commits": 1}


def test_row_that_no_count_accounts_for_is_missing(built: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rewrite(monkeypatch, SILVER, lambda record: counted(record, read=counts_of(record).read + 2))

    assert "2 accounted for: 2 missing" in faults(built)


def test_row_that_bronze_gave_and_silver_did_not_read_is_missing(built: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_counts, "added", lambda uri, since, until: 5)

    assert f"{ORDERS} gave 5 rows, 1 were read: 4 missing" in faults(built)


def test_what_bronze_gave_is_counted_from_deltas_own_actions(built: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rewrite(monkeypatch, ORDERS, lambda record: counted(record, written=5))

    assert judge(built)["conservation"].success


def test_batch_that_silver_never_saw_is_missing(built: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(record: CommitRecord) -> CommitRecord:
        return replace(record, read_by_source={}) if record.since[ORDERS] is not None else record

    rewrite(monkeypatch, SILVER, forget)

    assert f"{ORDERS} gave 1 rows, 0 were read: 1 missing" in faults(built)


def test_rows_said_to_be_written_that_delta_did_not_write_are_noticed(
    built: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite(monkeypatch, SILVER, lambda record: counted(record, written=0, unchanged=1))

    assert "0 recorded as written, 1 were" in faults(built)


def test_row_said_to_be_quarantined_that_is_not_there_is_missing(built: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "held", lambda table, batches, version=None, after=None: 0)

    assert "1 rows quarantined, 0 are there: 1 missing" in faults(built)


def test_run_that_left_no_record_is_noticed(built: int) -> None:
    judged = judge(built, run_id="another")["conservation"]

    assert judged.critical
    assert "run by_hand another did not record the rows that it read" in judged.observed["faults"]


def test_commit_of_another_writer_is_not_a_record(spark: SparkSession, built: int) -> None:
    writes.commit_nothing(spark, settings.lake().uri(SILVER), CommitRecord(run_id="run-2"))

    assert judge(version(SILVER), passed=built, run_id="run-2")["conservation"].critical


@pytest.mark.parametrize(
    ("limits", "closed"),
    [
        (suite.Quarantine(max_share=0.2, share_from_rows=3), True),
        (suite.Quarantine(max_share=0.2, share_from_rows=4), False),
        (suite.Quarantine(max_share=0.5, share_from_rows=3), False),
        (suite.Quarantine(max_rows=0), True),
    ],
    ids=["share", "share of too few rows", "share allowed", "number"],
)
def test_too_many_quarantined_rows_are_critical(built: int, limits: suite.Quarantine, closed: bool) -> None:
    rules = suite.load(SILVER)
    limited = suite.Suite(rules.table, rules.rules, rules.digest, limits)

    (_, volume) = conservation.judge(limited, built, None, Run("run-1", "gate"))

    assert volume.critical is closed
    assert volume.observed["read"] == 3


@pytest.mark.slow
def test_rows_that_a_replay_moved_to_silver_do_not_count(
    spark: SparkSession, built: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "load", lambda table: suite.Suite(table, (), "d", suite.Quarantine()))
    build(SILVER, batches=("b1",))

    judged = judge(version(SILVER))

    assert judged["conservation"].success
    assert judged["quarantine_volume"].observed["quarantined"] == 0
    assert quarantine.total(tables.table(SILVER)) == 0
