"""Versions and commits read from the log alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import pytest

from jobs.lake import s3, settings
from jobs.lake.delta import log
from jobs.lake.errors import LakeError
from jobs.lake.state import objects
from tests.jobs.lakehouse import ORDERS, order, put, silver_order

TABLE = "silver.orders"


def test_no_table_has_no_version_and_no_commits(lake: str) -> None:
    uri = settings.lake().uri(TABLE)

    assert log.version(uri) is None
    assert list(log.commits(uri)) == []
    assert log.newest_of(uri, TABLE) is None
    assert log.newest_facts(uri) == {}


def test_commits_come_newest_first_with_their_records(lake: str) -> None:
    uri = settings.lake().uri(TABLE)
    versions = [put(TABLE, [silver_order()], step=TABLE, inputs={"b": number}) for number in range(3)]

    found = list(log.commits(uri))

    assert log.version(uri) == versions[-1]
    assert [commit.version for commit in found] == versions[::-1]
    assert [commit.inputs for commit in found] == [{"b": 2}, {"b": 1}, {"b": 0}]


def test_commits_beyond_the_first_pages_are_found(lake: str) -> None:
    uri = settings.lake().uri(TABLE)
    put(TABLE, [silver_order()], step=TABLE, inputs={"b": 41})
    for _ in range(12):
        put(TABLE, [silver_order()], step="optimize")

    found = log.newest_of(uri, TABLE)
    assert found
    assert found.inputs == {"b": 41}
    assert len(list(log.commits(uri))) == 13


def test_commits_of_other_writers_have_no_record(lake: str) -> None:
    put(TABLE, [silver_order()])

    (commit,) = log.commits(settings.lake().uri(TABLE))

    assert (commit.record, commit.inputs, commit.counts) == (None, {}, None)


def test_newest_facts_of_a_source_are_found_and_commits_without_them_are_skipped(lake: str) -> None:
    put(ORDERS, [order()], facts={"source_total": 3, "source_rows": 3})
    put(ORDERS, [order()], facts={"source_total": 5, "source_rows": 1})
    put(ORDERS, [order()], facts=None)
    put(ORDERS, [order()], step="optimize")

    assert log.newest_facts(settings.lake().uri(ORDERS)) == {"source_total": 5, "source_rows": 1}


@contextmanager
def requests() -> Iterator[list[str]]:
    """The requests to S3 that are made inside."""
    asked: list[str] = []

    def note(model: Any, **_: Any) -> None:
        asked.append(model.name)

    events = s3.client().meta.events
    events.register("before-call.s3", note)
    yield asked
    events.unregister("before-call.s3", note)


def test_commits_cost_one_request_each_however_long_the_log_is(lake: str) -> None:
    uri = settings.lake().uri(TABLE)
    for _ in range(25):
        put(TABLE, [silver_order()], step=TABLE)
    log.open_table(uri).create_checkpoint()
    newest = put(TABLE, [silver_order()], step=TABLE)
    with requests() as asked:
        assert [commit.version for commit in islice(log.commits(uri), 5)] == [newest - n for n in range(5)]
    assert asked == ["GetObject", "ListObjectsV2", *["GetObject"] * 5]

    with requests() as asked:
        assert log.version(uri) == newest
    assert asked == ["GetObject", "ListObjectsV2"]


def test_log_that_was_cleaned_ends_where_its_entries_end(lake: str) -> None:
    uri = settings.lake().uri(TABLE)
    for _ in range(4):
        put(TABLE, [silver_order()], step=TABLE)
    log.open_table(uri).create_checkpoint()
    for number in (0, 1):
        objects.delete(f"silver/orders/_delta_log/{number:020d}.json")
    assert [commit.version for commit in log.commits(uri)] == [3, 2]

    for number in (2, 3):
        objects.delete(f"silver/orders/_delta_log/{number:020d}.json")
    assert log.version(uri) == 3, "the checkpoint is the table"
    assert list(log.commits(uri)) == []


def test_entry_that_says_nothing_about_its_commit_is_named(lake: str) -> None:
    put(TABLE, [silver_order()], step=TABLE)
    objects.write("silver/orders/_delta_log/00000000000000000001.json", b'{"add": {}}\n')

    with pytest.raises(LakeError, match=r"00000000000000000001\.json says nothing about its commit"):
        next(log.commits(settings.lake().uri(TABLE)))
