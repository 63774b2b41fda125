"""What the ledger finds of its own records once they are folded, and where a late record goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.lake.delta import log
from jobs.lake.state import history, ledger, objects, recorded
from jobs.maintenance import history as fold_history
from tests.jobs.lakehouse import newest, put, silver_order
from tests.jobs.maintenance.history.folding import TABLE, fold, left
from tests.jobs.maintenance.history.records import LEDGER, TODAY, ask, record


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
