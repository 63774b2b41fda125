"""Queries see each record exactly once, at every moment of a fold and after any kill."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow.dataset as ds
import pytest

from jobs import run as run_py
from jobs.catalog import ops_tables, ops_views, register_glue_tables
from jobs.catalog.catalog import Catalog
from jobs.lake import settings, tables
from jobs.lake.delta import log
from jobs.lake.errors import LakeError
from jobs.lake.run import Run
from jobs.lake.state import history, ledger, objects, recorded
from jobs.maintenance import history as fold_history
from jobs.maintenance import record_rows
from tests.infra.local.aws.athena.engine import Athena, GlueCatalog
from tests.jobs.lakehouse import killed_at, newest, put, silver_order
from tests.jobs.maintenance.records import COUNTED, LEDGER, RESULTS, TODAY, ask, day, record, result

TABLE = "silver.orders"
HISTORY = history.name(LEDGER.name)


@pytest.fixture(autouse=True)
def glue(lake: str) -> Any:
    """An empty catalog: all tests share moto's."""
    client: Any = boto3.client("glue")
    for database in client.get_databases()["DatabaseList"]:
        client.delete_database(Name=database["Name"])
    return client


@pytest.fixture(autouse=True)
def ledger_alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One kind of records, which halves the time; a test that is about both says so."""
    if "both_kinds" not in request.fixturenames:
        monkeypatch.setattr(ops_tables, "TABLES", (LEDGER,))


@pytest.fixture
def both_kinds() -> None:
    """The ledger's records and the gates' results."""


@pytest.fixture
def no_query_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every query that began before the run before has ended."""
    monkeypatch.setattr(fold_history, "LONGEST_QUERY", timedelta(0))


def register(lake: str) -> list[str]:
    return register_glue_tables.register_layers(Catalog(boto3.client("glue"), lake), ("ops",), tables.every())


def fold(**options: Any) -> None:
    run_py.perform(Run("weekly", "maintenance.fold_history", "weekly_housekeeping", **options))


def folded() -> list[str]:
    """The days of the ledger's history."""
    return sorted(set(log.dataset(settings.lake().uri(HISTORY)).to_table(columns=["day"])["day"].to_pylist()))


def once(*versions: int) -> list[list[str]]:
    """The answer of `COUNTED` if each record is there once."""
    return sorted([[str(version), "1"] for version in versions], key=str)


def left(folder: str = LEDGER.folder) -> list[str]:
    return objects.keys(folder)


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


KILLS: dict[str, tuple[Any, str]] = {
    "before the commit": (fold_history, "write_deltalake"),
    "after the commit": (fold_history, "_delete"),
    "between commit and view": (ops_views, "show"),
    "after the view": (fold_history, "_vacuum"),
}


@pytest.mark.usefixtures("no_query_runs")
@pytest.mark.parametrize(("place", "name"), KILLS.values(), ids=KILLS)
def test_kill_anywhere_loses_and_doubles_nothing(lake: str, tmp_path: Path, place: Any, name: str) -> None:
    versions = (1, 8, 9, 60)
    for ago in versions:
        record(ago, ago)
    register(lake)

    with killed_at(place, name):
        fold()
    assert ask(tmp_path, COUNTED) == once(*versions)
    register(lake)  # a pipeline ends meanwhile
    assert ask(tmp_path, COUNTED) == once(*versions)
    fold()
    assert ask(tmp_path, COUNTED) == once(*versions)
    fold()
    assert ask(tmp_path, COUNTED) == once(*versions)
    assert len(left()) == 1


@pytest.mark.usefixtures("no_query_runs")
@pytest.mark.slow
def test_kill_between_two_months_leaves_the_later_one_to_the_objects(
    lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ago in (8, 40, 80):
        record(ago, ago)
    real, commits = fold_history.write_deltalake, list[int]()

    def write(*arguments: Any, **options: Any) -> None:
        if commits:
            raise InterruptedError("killed")
        commits.append(1)
        real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(fold_history, "write_deltalake", write)
        with pytest.raises(InterruptedError):
            fold()
    register(lake)

    assert folded() == [day(80)]
    assert ask(tmp_path, COUNTED) == once(8, 40, 80)
    fold()
    assert folded() == [day(80), day(40), day(8)]
    assert ask(tmp_path, COUNTED) == once(8, 40, 80)


@pytest.mark.usefixtures("no_query_runs")
@pytest.mark.slow
def test_kill_while_objects_are_deleted_loses_nothing(
    lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ago in (8, 9, 10):
        record(ago, ago)
    fold()

    def some(keys: list[str]) -> None:
        objects.delete(keys[0])
        raise InterruptedError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(objects, "delete_all", some)
        with pytest.raises(InterruptedError):
            fold()

    assert len(left()) == 2
    assert ask(tmp_path, COUNTED) == once(8, 9, 10)
    fold()
    assert left() == []
    assert ask(tmp_path, COUNTED) == once(8, 9, 10)


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


# What the ledger finds of its own records


def commit(run_id: str, ago: int = 0) -> log.Commit:
    """A commit that was made so many days ago."""
    counts = {"read": 1, "written": 1}
    put(TABLE, [silver_order()], run_id=run_id, dag_id="daily", step=TABLE, code="c", counts=counts)
    made = newest(TABLE)
    key = f"silver/orders/_delta_log/{made.version:020d}.json"
    moment = made.time - timedelta(days=ago)
    text = objects.read(key).decode()
    stamp = f'"timestamp":{int(made.time.timestamp() * 1000)}'
    assert text.count(stamp) == 1
    objects.write(key, text.replace(stamp, f'"timestamp":{int(moment.timestamp() * 1000)}').encode())
    return newest(TABLE)


def fold_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folds and deletes as if today were more than a week ago."""
    monkeypatch.setattr(history, "KEPT", timedelta(days=-1))
    monkeypatch.setattr(fold_history, "LONGEST_QUERY", timedelta(0))
    fold()
    fold()
    assert left() == []


FORGET: dict[str, Callable[[], None]] = {
    "batches without a mark": lambda: objects.delete_prefix("ops/recorded/"),
    "stream with its mark": lambda: None,
}


@pytest.mark.parametrize(
    ("write", "forget"), zip([ledger.record, ledger.record_stream], FORGET.values(), strict=True), ids=FORGET
)
def test_step_that_runs_after_a_fold_writes_no_record_again(
    lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[str], None], forget: Callable[[], None]
) -> None:
    for ago in (30, 20, 10):
        commit(f"run-{ago}", ago)
        with monkeypatch.context() as patch:
            patch.setattr(history, "is_late", lambda _: False)  # each was recorded on its own day
            write(TABLE)
    fold_everything(monkeypatch)
    forget()
    commit("run-0")

    write(TABLE)

    assert [key.split("/")[2] for key in left()] == [f"day={TODAY}"]
    assert ask(tmp_path, "SELECT run_id, COUNT(*) FROM ops.run_ledger GROUP BY run_id") == [
        [f"run-{ago}", "1"] for ago in (0, 10, 20, 30)
    ]


def test_record_that_comes_late_goes_to_today_and_is_seen_once_before_and_after_its_fold(
    lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(99, 8, table="bronze.fx_rates")
    made = commit("killed", 20)
    fold()  # its day is folded, and it has no record: the step was killed before
    ledger.record(TABLE)

    (key,) = [key for key in left() if TABLE in key]
    assert key.startswith(f"{LEDGER.folder}day={TODAY}/")
    sought = f"SELECT run_id, COUNT(*) FROM ops.run_ledger WHERE table_name = '{TABLE}' GROUP BY run_id"
    assert ask(tmp_path, sought) == [["killed", "1"]]
    objects.delete_prefix("ops/recorded/")
    ledger.record(TABLE)
    assert ask(tmp_path, sought) == [["killed", "1"]], "a kill before the mark doubles nothing"
    assert recorded.find(TABLE, made) == objects.read_json(key)

    fold_everything(monkeypatch)
    objects.delete_prefix("ops/recorded/")
    ledger.record(TABLE)

    assert ask(tmp_path, sought) == [["killed", "1"]]
    assert left() == []
    assert recorded.find(TABLE, made)["run_id"] == "killed"


@pytest.mark.parametrize(("ago", "late"), [(0, False), (5, False), (6, True), (7, True)])
def test_last_two_days_before_a_fold_take_no_new_object(lake: str, ago: int, late: bool) -> None:
    made = commit("r", ago)
    ledger.record(TABLE)

    (key,) = left()
    assert (key == recorded.key(TABLE, made)) == (not late)
    assert history.LATE + timedelta(days=1) < history.KEPT
