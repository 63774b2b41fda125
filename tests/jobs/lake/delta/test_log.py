"""Versions and commits read from the log alone."""

from __future__ import annotations

from jobs.lake import settings
from jobs.lake.delta import log
from tests.jobs.lakehouse import put, silver_order

TABLE = "silver.orders"


def test_no_table_has_no_version_and_no_commits(lake: str) -> None:
    uri = settings.lake().uri(TABLE)

    assert log.version(uri) is None
    assert list(log.commits(uri)) == []
    assert log.last_inputs(uri, TABLE) is None


def test_commits_come_newest_first_with_their_metadata(lake: str) -> None:
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

    assert log.last_inputs(uri, TABLE) == {"b": 41}
    assert len(list(log.commits(uri))) == 13


def test_commits_of_other_writers_have_no_metadata(lake: str) -> None:
    put(TABLE, [silver_order()])

    (commit,) = log.commits(settings.lake().uri(TABLE))

    assert (commit.metadata, commit.inputs) == ({}, {})
