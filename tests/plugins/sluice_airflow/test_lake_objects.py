"""Airflow's view of an object that is missing, and of one that it may not see."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice_airflow.lake_objects import LakeObjects, LakeRefusedError


class Answering:
    """S3 that gives one answer to each read."""

    def __init__(self, code: str) -> None:
        self._code = code

    def get_object(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": self._code, "Message": "m"}}, "GetObject")


def test_missing_object_has_no_value() -> None:
    assert LakeObjects(Answering("NoSuchKey"), "lake").read_json("_control/x.json") is None


def test_refusal_is_not_taken_for_a_missing_object_and_names_the_permission() -> None:
    """So S3 answers a role without `s3:ListBucket`: a stream that a person has stopped would be started again."""
    with pytest.raises(LakeRefusedError, match=r"S3 refuses GetObject \(AccessDenied\): .*s3:ListBucket"):
        LakeObjects(Answering("AccessDenied"), "lake").read_json("_control/x.json")


def test_other_answers_are_raised_as_they_are() -> None:
    with pytest.raises(ClientError, match="SlowDown"):
        LakeObjects(Answering("SlowDown"), "lake").read_json("_control/x.json")
