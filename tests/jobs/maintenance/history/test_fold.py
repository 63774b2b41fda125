"""Queries see each record exactly once, at every moment of a fold."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from jobs.catalog import ops_tables
from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.errors import LakeError
from jobs.lake.state import history, objects
from jobs.maintenance import history as fold_history
from jobs.maintenance import record_rows
from tests.infra.local.aws.athena.engine import Athena, GlueCatalog
from tests.jobs.lakehouse import newest
from tests.jobs.maintenance.history.folding import HISTORY, TABLE, fold, folded, left, once, register
from tests.jobs.maintenance.history.records import COUNTED, LEDGER, RESULTS, ask, day, record, result


@pytest.mark.usefixtures("no_query_runs", "both_kinds")
@pytest.mark.parametrize("kind", [LEDGER, RESULTS], ids=lambda kind: kind.name)
@pytest.mark.slow
def test_every_column_of_every_record_is_the_same_before_and_after(
    lake: str, tmp_path: Path, kind: ops_tables.JsonTable
) -> None:
    for number, ago in enumerate((1, 7, 8, 40, 100)):
        record(number, ago, seconds=None if number else 2, table_rows=2**60)
        result(number, ago, version=number or None)
    register(lake)
    before = Athena(tmp_path, GlueCatalog()).result(f"SELECT * FROM {kind.name} ORDER BY day")

    fold()
    assert Athena(tmp_path, GlueCatalog()).result(f"SELECT * FROM {kind.name} ORDER BY day") == before
    fold()
    assert Athena(tmp_path, GlueCatalog()).result(f"SELECT * FROM {kind.name} ORDER BY day") == before
    assert len(before[1]) == 5
    assert len(left(kind.folder)) == 2, "those of the last seven whole days"


def test_days_older_than_seven_are_folded_and_their_objects_go_when_no_query_can_read_them(
    lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [record(ago, ago) for ago in (0, 7, 8, 30)]
    fold()
    assert folded() == [day(30), day(8)]
    fold()
    assert sorted(left()) == sorted(keys), "a query that began before the first run may read them"
    monkeypatch.setattr(fold_history, "LONGEST_QUERY", timedelta(0))

    fold()

    assert sorted(left()) == sorted(keys[:2])
    assert ask(tmp_path, COUNTED) == once(0, 7, 8, 30)


@pytest.mark.slow
def test_query_that_began_before_the_fold_reads_all_records(lake: str, tmp_path: Path) -> None:
    for ago in (1, 8, 30):
        record(ago, ago)
    register(lake)
    began = GlueCatalog()

    fold()

    assert ask(tmp_path, COUNTED, began) == once(1, 8, 30)


@pytest.mark.usefixtures("no_query_runs")
def test_object_that_comes_into_a_folded_day_is_taken_in_by_the_next_run_and_never_seen_twice(
    lake: str, tmp_path: Path
) -> None:
    record(8, 8)
    fold()
    record(9, 9)
    assert ask(tmp_path, COUNTED) == once(8), "no query looks there any more"

    for _ in range(3):
        fold()
        assert ask(tmp_path, COUNTED) == once(8, 9)
    assert left() == []


@pytest.mark.usefixtures("no_query_runs")
@pytest.mark.slow
def test_object_that_was_written_again_replaces_its_row(lake: str, tmp_path: Path) -> None:
    record(8, 8, read=1)
    fold()
    record(8, 8, read=2)

    fold()

    assert ask(tmp_path, 'SELECT "read", COUNT(*) FROM ops.run_ledger GROUP BY 1') == [["2", "1"]]
    assert left() == []


@pytest.mark.usefixtures("no_query_runs")
def test_object_is_deleted_only_if_the_table_has_it(lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, other = record(8, 8), record(9, 9)
    fold()
    log.open_table(settings.lake().uri(HISTORY)).delete("output_version = 8")  # somebody's mistake
    monkeypatch.setattr(fold_history, "_commit", lambda *_: None)  # and a commit that never came

    fold()

    assert left() == [kept]
    assert other not in left()


BROKEN: dict[str, bytes] = {
    "no JSON": b'{"table_name": ',
    "no object": b"[1]",
    "no text": b"\xff\xfe",
    "no number": b'{"output_version": "many"}',
    "too large a number": b'{"output_version": 99999999999999999999}',
    "no map": b'{"inputs": [1]}',
}


@pytest.mark.usefixtures("no_query_runs")
@pytest.mark.slow
def test_object_that_holds_no_record_stays_and_is_named(
    lake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = [f"{LEDGER.folder}day={day(9)}/{name}.json" for name in BROKEN]
    for key, body in zip(broken, BROKEN.values(), strict=True):
        objects.write(key, body)
    others = [objects.write(f"{LEDGER.folder}day={name}/x.json", b"{}") for name in ("2026-1-1", "2026-13-01", "x")]
    record(9, 9)

    fold()
    fold()

    assert len(left()) == len(broken) + len(others), "folders that are no days are no part of it"
    assert ask(tmp_path, COUNTED) == once(9)
    warned = [line for line in capsys.readouterr().out.splitlines() if line.startswith("WARNING ")]
    assert len(warned) == 2 * len(broken)
    assert f"s3://{lake}/{broken[0]}" in "".join(warned)
    assert "many" not in "".join(warned), "no value is shown"


def test_history_has_one_file_a_month_and_a_day_reads_one(lake: str) -> None:
    days = range(8, 130, 9)
    for ago in days:
        record(ago, ago)
    record(200, 200)
    fold()
    record(201, 200)
    fold()

    table = log.open_table(settings.lake().uri(HISTORY))
    months = {day(ago)[:7] for ago in (*days, 200)}
    assert len(table.file_uris()) == len(months)
    scanned = log.rows(table).get_fragments(ds.field("day") == day(17))
    assert len(list(scanned)) == 1


def test_record_keeps_what_has_no_column(lake: str) -> None:
    key = record(8, 8)
    was = objects.read_json(key)
    fold()

    (line,) = history.lines(LEDGER.name, TABLE)
    assert json.loads(line) == was
    assert "facts" in was


def test_run_with_nothing_to_do_commits_nothing(lake: str) -> None:
    record(8, 8)
    fold()
    before = log.version(settings.lake().uri(HISTORY))

    fold()

    assert log.version(settings.lake().uri(HISTORY)) == before


def test_commit_says_who_made_it_and_holds_the_lease(lake: str) -> None:
    record(8, 8)
    fold()

    made = newest(HISTORY)
    assert made.record is not None
    assert (made.record.dag_id, made.record.step) == ("weekly_housekeeping", "maintenance.fold_history")
    assert made.record.fencing == objects.read_json(f"_locks/{HISTORY}.json")["fencing"]


@pytest.mark.usefixtures("no_query_runs", "both_kinds")
def test_dry_run_says_what_it_would_do_and_does_nothing(lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    record(8, 8)
    result(8, 8)
    before = objects.keys("")

    fold(dry_run=True)
    assert objects.keys("") == before
    assert "ops.run_ledger: would fold 1 records and delete 0 objects" in capsys.readouterr().out
    fold()
    before = objects.keys("")
    capsys.readouterr()
    fold(dry_run=True)

    assert objects.keys("") == before
    assert "ops.dq_results: would fold 0 records and delete 1 objects" in capsys.readouterr().out


@pytest.mark.usefixtures("both_kinds")
def test_kind_that_fails_fails_the_run_and_does_not_hold_up_the_other(
    lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(8, 8)
    result(8, 8)
    real = record_rows.table

    def table(kind: ops_tables.JsonTable, *rest: Any) -> Any:
        if kind is LEDGER:
            raise LakeError("broken")
        return real(kind, *rest)

    monkeypatch.setattr(record_rows, "table", table)

    with pytest.raises(LakeError, match="broken"):
        fold()
    assert log.dataset(settings.lake().uri(history.name(RESULTS.name))).count_rows() == 1


def test_history_that_the_lake_has_lost_is_told_and_not_made_anew(lake: str) -> None:
    record(8, 8)
    fold()
    objects.delete_prefix(f"ops/{HISTORY.partition('.')[2]}/")

    assert any(line.startswith(f"WARNING {HISTORY}: Glue lists it") for line in register(lake))
    with pytest.raises(LakeError, match=f"{HISTORY} is gone from the lake"):
        fold()
    assert len(left()) == 1


@pytest.mark.slow
def test_files_that_the_table_no_longer_needs_go_by_age(lake: str) -> None:
    record(8, 8)
    fold()
    first = set(_data_files())
    record(9, 8)
    fold()
    assert first < set(_data_files()), "a reader may still have it"
    table = log.open_table(settings.lake().uri(HISTORY))
    table.alter.set_table_properties({"delta.deletedFileRetentionDuration": "interval 0 seconds"})

    fold()

    assert len(_data_files()) == 1
    assert not first & set(_data_files())


def _data_files() -> list[str]:
    return [key for key in objects.keys(f"ops/{HISTORY.partition('.')[2]}/") if key.endswith(".parquet")]
