"""What becomes of each field of the commit records that one record of the ledger sums up."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from jobs.lake.delta import summed
from jobs.lake.delta.commit_record import CommitRecord


def test_every_field_has_a_rule() -> None:
    assert {field.name for field in fields(CommitRecord)} - {"counts"} == set(summed.RULES)


@pytest.mark.parametrize(
    ("field", "older", "newer", "expected"),
    [
        ("reasons", {"a": 1, "b": 2}, {"a": 4}, {"a": 5, "b": 2}),
        ("facts", {"n": 1, "name": "old"}, {"n": 2, "name": "new"}, {"n": 3, "name": "new"}),
        ("lost_offsets", 2, None, 2),
        ("lost_offsets", 2, 3, 5),
        ("lost_offsets", None, None, None),
        ("gap", {"0": [1, 3]}, None, {"0": [1, 3]}),
        ("gap", {"0": [1, 3]}, {"0": [5, 6], "1": [0, 1]}, {"0": [1, 3, 5, 6], "1": [0, 1]}),
        ("inputs", {"a": 1, "b": 2}, {"a": 3}, {"a": 3, "b": 2}),
        ("input_ids", {"a": "x"}, {"b": "y"}, {"a": "x", "b": "y"}),
        ("replayed", ("a",), ("b", "a"), ("a", "b")),
        ("position", {"0": 1}, {"0": 2}, {"0": 2}),
        ("batch_seconds", 9.0, 1.0, 9.0),
        ("seconds", 1.0, 9.0, 9.0),
        ("batch_id", "a", "b", None),
        ("window", {"start": None, "end": "x"}, {"start": "x", "end": "y"}, None),
    ],
)
def test_field_of_two_commits(field: str, older: Any, newer: Any, expected: Any) -> None:
    records = [CommitRecord(**{field: value}) for value in (newer, older)]

    assert summed.fields(records)[field] == expected


def test_single_commit_keeps_every_field() -> None:
    record = CommitRecord(run_id="r", batch_id="b", window={"start": None, "end": "x"}, since={"t": 1}, whole=True)

    assert summed.fields([record]) == {name: getattr(record, name) for name in summed.RULES}
