"""Every search in a log ends, also where what it looks for never was: a year of commits is never walked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from dq import conservation, run_ge_checks, suite
from jobs.lake import settings, tables
from jobs.lake.delta import changes, log
from jobs.lake.errors import GateError
from jobs.lake.run import Run
from jobs.lake.state import ledger, objects, watermark
from jobs.operations import lineage
from jobs.sources.kafka import position
from tests.jobs.lakehouse import EVENTS, ORDERS, at, put, silver_order

SILVER = "silver.orders"
COMMITS, BOUND = 30, 6


def long_log(table: str, **metadata: Any) -> str:
    """A table with many commits that are none of ours."""
    for _ in range(COMMITS):
        put(table, [silver_order()] if table == SILVER else [], **metadata)
    return settings.lake().uri(table)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The commits that are looked at."""
    asked: list[int] = []
    real = log.commit

    def commit(uri: str, number: int) -> log.Commit | None:
        asked.append(number)
        return real(uri, number)

    monkeypatch.setattr(log, "commit", commit)
    monkeypatch.setattr(log, "SEARCHED", BOUND)
    return asked


def _gate() -> None:
    with pytest.raises(GateError, match="was not written in run by_hand run-1: run its step first"):
        run_ge_checks.version_to_judge(Run("run-1", "gate"), SILVER)


def _window() -> None:
    table = tables.table(ORDERS)
    run = Run("run-1", ORDERS, window_start=at("2026-10-01"), window_end=at("2026-10-02"))
    assert watermark.window(run, table).start is None


SEARCHES: dict[str, tuple[str, Callable[[], object], int]] = {
    "newest commit of a step": (SILVER, lambda: log.newest_of(settings.lake().uri(SILVER), SILVER), BOUND),
    "facts of a source": (ORDERS, lambda: log.newest_facts(settings.lake().uri(ORDERS)), BOUND),
    "watermark": (ORDERS, _window, 2 * BOUND),
    "version that the gate judges": (SILVER, _gate, BOUND),
    "first judgement of conservation": (
        SILVER, lambda: conservation.judge(suite.load(SILVER), COMMITS - 1, None, None), BOUND
    ),
    "position of a stream": (EVENTS, lambda: position.of_table(tables.table(EVENTS)), BOUND),
    "lineage": (SILVER, lambda: list(lineage.tree(SILVER, COMMITS - 1, None)), BOUND),
    "lineage of an old version": (SILVER, lambda: list(lineage.tree(SILVER, 3, None)), 4),
    "age of a change": (SILVER, lambda: changes._may_be_vacuumed(settings.lake().uri(SILVER), 2), 1),
    "ledger without a mark": (SILVER, lambda: ledger.record(SILVER), BOUND + 1),
}  # fmt: skip


@pytest.mark.parametrize("search", SEARCHES)
def test_search_that_finds_nothing_ends(lake: str, looked: list[int], search: str) -> None:
    table, ask, most = SEARCHES[search]
    long_log(table, step="another program")
    looked.clear()

    ask()

    assert len(looked) <= most, looked


def test_search_finds_what_is_within_the_bound(lake: str, looked: list[int]) -> None:
    uri = settings.lake().uri(SILVER)
    put(SILVER, [silver_order()], step=SILVER)
    for _ in range(BOUND - 1):
        put(SILVER, [silver_order()], step="optimize")
    assert log.newest_of(uri, SILVER)

    put(SILVER, [silver_order()], step="optimize")
    assert log.newest_of(uri, SILVER) is None


def test_restore_to_an_old_version_costs_nothing_for_what_it_undid(lake: str, looked: list[int]) -> None:
    uri = settings.lake().uri(SILVER)
    put(SILVER, [silver_order()], step=SILVER, inputs={"b": 1})
    for number in range(20):
        put(SILVER, [silver_order()], step=SILVER, inputs={"b": 2 + number})
    log.open_table(uri).restore(0)
    put(SILVER, [silver_order()], step="optimize")
    looked.clear()

    found = log.newest_of(uri, SILVER)

    assert found
    assert found.inputs == {"b": 1}
    assert looked == [22, 21, 0]


def test_restore_to_a_time_leaves_out_what_came_after_it(lake: str) -> None:
    uri = settings.lake().uri(SILVER)
    kept = put(SILVER, [silver_order()], step=SILVER)
    moment = next(log.commits(uri)).time + timedelta(milliseconds=1)
    for _ in range(2):
        put(SILVER, [silver_order()], step=SILVER)
    to = {"version": None, "timestamp": f"{moment:%Y-%m-%d %H:%M:%S.%f}"}
    entry = {"timestamp": 4_000_000_000_000, "operation": "RESTORE", "operationParameters": to}
    objects.write_json("silver/orders/_delta_log/00000000000000000003.json", {"commitInfo": entry})

    assert [commit.version for commit in log.effective(uri)] == [kept]
