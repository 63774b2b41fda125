"""A commit records who made it and of what. Records of earlier releases are read, and lost rows are refused."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from jobs.lake.delta.commit_record import FORMAT, CommitRecord, Counts
from jobs.lake.errors import LakeError
from jobs.lake.run import Run

RUN = Run(run_id="run-1", step="silver.orders", dag_id="daily", code="abc")
# A value for each field; `test_every_field_has_a_sample` checks that the list is complete.
SAMPLE: dict[str, Any] = {
    "run_id": "run-1",
    "step": "silver.orders",
    "dag_id": "daily",
    "code": "abc",
    "inputs": {"bronze.x": 3},
    "input_ids": {"bronze.x": "a-b"},
    "counts": Counts(read=6, written=1, unchanged=1, superseded=1, quarantined=2, dead_lettered=1, deleted=4),
    "seconds": 1.5,
    "fencing": 7,
    "source": "shop/orders",
    "batch_id": "b1",
    "window": {"start": None, "end": "2026-10-02T00:00:00+00:00"},
    "read_to": "2026-10-02T00:00:00+00:00",
    "facts": {"source_rows": 6},
    "since": {"bronze.x": None, "bronze.y": 2},
    "read_by_source": {"bronze.x": 6},
    "batches": {"bronze.x": None, "bronze.y": ["b1"]},
    "lost": {"bronze.y": ["b1"]},
    "quarantine_version": 0,
    "replayed": ("b1", "b2"),
    "whole": False,
    "position": {"0": 4},
    "topic": "orders",
    "topic_id": "zv3qj5ADQ6mraNNx9guQRA",
    "newest": {"0": [3, 1790841600000, 123]},
    "reasons": {"not_json": 1},
    "batch_seconds": 0.0,
    "gap": {"0": [1, 3]},
    "lost_offsets": 2,
    "accepted": (3, 4),
    "restored_to": 2,
    "housekeeping": {"files_before": 12, "vacuum_seconds": 1.5},
    "who": "Ann",
    "why": "erasure 17",
    "format": FORMAT,
}


def test_every_field_has_a_sample() -> None:
    assert set(SAMPLE) == {field.name for field in fields(CommitRecord)}


def test_record_is_read_as_it_was_written() -> None:
    record = CommitRecord(**SAMPLE)

    assert CommitRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize("name", sorted(SAMPLE))
def test_each_field_comes_back_by_itself(name: str) -> None:
    record = CommitRecord(**{"run_id": "r", name: SAMPLE[name]})

    assert CommitRecord.from_json(record.to_json()) == record


def test_commit_says_who_made_it_of_what_and_in_which_format() -> None:
    written = json.loads(CommitRecord.of(RUN, inputs={"bronze.x": 3}, counts=Counts(read=1, written=1)).to_json())

    assert written.pop("seconds") >= 0
    assert written.pop("counts").items() >= {"read": 1, "written": 1, "unchanged": 0}.items()
    assert written == {
        "format": FORMAT,
        "run_id": "run-1",
        "step": "silver.orders",
        "dag_id": "daily",
        "code": "abc",
        "inputs": {"bronze.x": 3},
    }


@pytest.mark.parametrize("text", [None, "", "{}", "Optimized by hand", "[1]"])
def test_commit_of_another_writer_has_no_record(text: str | None) -> None:
    assert CommitRecord.from_json(text) is None


def test_format_1_is_read() -> None:
    """As release 0.1.0 wrote it: no format, no DAG, and a replay of dead messages names one batch as a text."""
    old = {
        "run_id": "scheduled__1",
        "step": "dlq.replay",
        "code": "c",
        "inputs": {},
        "seconds": 2.0,
        "counts": {
            "read": 0,
            "written": 0,
            "unchanged": 0,
            "superseded": 0,
            "quarantined": 0,
            "dead_lettered": 0,
            "deleted": 3,
        },
        "replayed": "orders-replay-1",
        "quarantine_version": None,
    }

    record = CommitRecord.from_json(json.dumps(old))

    assert record == CommitRecord(
        run_id="scheduled__1", step="dlq.replay", code="c", seconds=2.0, counts=Counts(0, deleted=3),
        replayed=("orders-replay-1",), format=1,
    )  # fmt: skip


def test_fields_that_only_a_later_release_knows_are_left_out() -> None:
    later = {"format": FORMAT + 1, "run_id": "r", "colour": "red", "counts": {"read": 1, "written": 1, "tinted": 1}}

    assert CommitRecord.from_json(json.dumps(later)) == CommitRecord(run_id="r", counts=Counts(1, 1), format=FORMAT + 1)


@pytest.mark.parametrize("lost", ["written", "unchanged", "superseded", "quarantined", "dead_lettered"])
def test_counts_that_lose_a_row_are_refused_before_they_are_committed(lost: str) -> None:
    whole = Counts(read=5, written=1, unchanged=1, superseded=1, quarantined=1, dead_lettered=1)
    CommitRecord(counts=whole).to_json()

    with pytest.raises(LakeError, match="rows lost or doubled: 5 read but 4"):
        CommitRecord(counts=replace(whole, **{lost: 0})).to_json()


def test_counts_that_were_committed_wrong_are_read_so_that_the_gate_can_name_them() -> None:
    record = CommitRecord.from_json(json.dumps({"run_id": "r", "counts": {"read": 2, "written": 1}}))

    assert record is not None
    assert record.counts is not None
    assert (record.counts.read, record.counts.accounted) == (2, 1)


def test_run_is_dag_and_run_id() -> None:
    record = CommitRecord.of(RUN)

    assert record.is_of(replace(RUN, step="gate"))
    assert not record.is_of(replace(RUN, dag_id="refresh"))
    assert not record.is_of(replace(RUN, run_id="run-2"))
    assert replace(record, dag_id="").is_of(RUN), "format 1 does not name its DAG"


def test_deleted_rows_are_not_input() -> None:
    assert str(Counts(read=0, deleted=1200)) == "read 0, written 0, deleted 1,200"
