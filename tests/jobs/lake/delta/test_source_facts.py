"""What a source said about itself, found again in the commits of its bronze table."""

from __future__ import annotations

from jobs.lake import source_facts, tables
from tests.jobs.lakehouse import ORDERS, order, put

TABLE = tables.table(ORDERS)


def test_table_that_is_not_there_has_no_facts(lake: str) -> None:
    assert source_facts.newest(TABLE, "source_total") is None


def test_newest_facts_that_are_whole_count_and_commits_without_them_are_passed_over(lake: str) -> None:
    put(ORDERS, [order()], facts={"source_total": 3, "source_rows": 3})
    put(ORDERS, [order()], facts={"source_total": 5, "source_rows": 1})
    put(ORDERS, [order()], facts={"source_rows": 7, "source_total": None})
    put(ORDERS, [order()], facts=None)
    put(ORDERS, [order()], step="optimize")

    assert source_facts.newest(TABLE, "source_total") == {"source_total": 5, "source_rows": 1}
    assert source_facts.newest(TABLE, "source_days") is None
