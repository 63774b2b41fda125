"""What a person is shown of a table's versions; the log alone is read."""

from __future__ import annotations

import re

import pytest

from jobs import run as run_py
from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.errors import ConfigurationError
from jobs.maintenance import table_history
from tests.jobs.lakehouse import put, silver_order

SILVER = "silver.orders"


def history(*words: str) -> None:
    run_py.perform(run_py.parse(["history", *words]))


def test_each_version_has_its_time_operation_run_and_counts_and_what_was_undone_is_marked(
    lake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = {"dag_id": "daily_lakehouse", "run_id": "r1", "step": SILVER, "counts": {"read": 5, "written": 4}}
    put(SILVER, [silver_order()], **run)
    put(SILVER, [silver_order(customer_id="C-secret")], **{**run, "run_id": "r2"})
    put(SILVER, [silver_order("O2")])
    log.open_table(settings.lake().uri(SILVER)).restore(0)  # type: ignore[union-attr]
    accepted = {"dag_id": "by_hand", "run_id": "m", "step": "commits.accept", "who": "Ann", "why": "erasure-17"}
    put(SILVER, [], **accepted)

    history(SILVER)

    shown = capsys.readouterr().out
    lines = [re.sub(r" \d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", " TIME ", line) for line in shown.splitlines()]
    assert lines == [
        "silver.orders: newest version 4",
        "     4  TIME  WRITE         by_hand m (commits.accept)  by Ann: erasure-17",
        "     3  TIME  RESTORE       another program  back to 0",
        "     2  TIME  WRITE         another program  (undone by a RESTORE)",
        "     1  TIME  WRITE         daily_lakehouse r2 (silver.orders)  read 5, written 4  (undone by a RESTORE)",
        "     0  TIME  WRITE         daily_lakehouse r1 (silver.orders)  read 5, written 4",
    ]
    assert "C-secret" not in shown


def test_long_history_is_shown_in_parts(
    lake: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(table_history, "SHOWN", 2)
    for _ in range(4):
        put(SILVER, [])

    history(SILVER)
    first = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in first[1:3]] == ["3", "2"]
    assert first[3] == "older ones, as far as the log has them: history silver.orders --version 1"

    history(SILVER, "--version", "1")
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == ["1", "0"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("silver.nothing",), r"no table 'silver.nothing'; there are bronze.fx_rates, .*, quarantine.orders"),
        (("gold.fact_orders",), "gold.fact_orders has no table yet"),
        ((SILVER, "--version", "7"), "silver.orders has no version 7; its newest is 0"),
    ],
)
def test_what_is_not_there_is_named(lake: str, words: tuple[str, ...], said: str) -> None:
    put(SILVER, [])
    with pytest.raises(ConfigurationError, match=said):
        history(*words)


def test_commits_that_a_run_made_one_after_another_are_one_line(lake: str) -> None:
    for run_id in ("a", "b", "b", "b"):
        put(SILVER, [], dag_id="d", run_id=run_id, step=SILVER)
    lines = list(table_history.summary(log.commits(settings.lake().uri(SILVER))))
    assert [line.split()[0] for line in lines] == ["3", "0"]
    assert lines[0].endswith("(and 2 more, from version 1 on)")
