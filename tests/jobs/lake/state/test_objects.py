"""Small objects in the lake's bucket."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from jobs.lake.state import objects
from tests.jobs.lakehouse import at


def test_json_is_read_as_written_and_times_become_iso(lake: str) -> None:
    assert objects.write_json("a/b.json", {"n": 1, "t": at("2026-10-01")}) == f"s3://{lake}/a/b.json"
    assert objects.read_json("a/b.json") == {"n": 1, "t": "2026-10-01T00:00:00+00:00"}


def test_object_that_does_not_exist_is_none(lake: str) -> None:
    assert objects.read_json("nothing.json") is None


def test_bucket_that_does_not_exist_is_an_error(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_LAKE_BUCKET", "no-such-bucket")

    with pytest.raises(ClientError, match="NoSuchBucket"):
        objects.read_json("nothing.json")


def test_deleting_a_prefix_leaves_the_rest(lake: str) -> None:
    for key in ("a/1", "a/2", "b/1"):
        objects.write_json(key, key)

    objects.delete_prefix("a/")

    assert [objects.read_json(key) for key in ("a/1", "a/2", "b/1")] == [None, None, "b/1"]
