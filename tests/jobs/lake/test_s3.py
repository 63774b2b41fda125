"""An object that is missing, and one that may not be seen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from jobs.lake import s3
from jobs.lake.delta import log
from jobs.lake.errors import ConfigurationError
from jobs.lake.state import objects

REPOSITORY = Path(__file__).resolve().parents[3]


def answer(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "role a may not b"}}, "GetObject")


class Refusing:
    """S3 as a role without `s3:ListBucket` sees it, where an object is missing."""

    def get_object(self, **_: Any) -> Any:
        raise answer("AccessDenied")


@pytest.mark.parametrize(("code", "absent"), [("NoSuchKey", True), ("404", True), ("SlowDown", False)])
def test_only_what_s3_says_is_missing_is_missing(code: str, absent: bool) -> None:
    assert s3.absent(answer(code)) is absent


def test_refusal_is_never_taken_for_a_missing_object_and_names_the_permission(
    lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease, a watermark or a verdict that is not seen would be made anew beside the one that is there."""
    assert objects.read_json("_locks/none.json") is None
    monkeypatch.setattr(s3, "client", Refusing)
    for read in (
        lambda: objects.read_json("_locks/silver.orders.json"),
        lambda: log.actions(f"s3://{lake}/silver/orders", 3),
    ):
        with pytest.raises(
            ConfigurationError, match=r"S3 refuses GetObject \(AccessDenied\): role a may not b\. .*s3:ListBucket"
        ):
            read()


def test_every_place_that_relies_on_a_missing_object_is_known() -> None:
    """A new one asks `s3.absent` (jobs) or `lake_objects.absent` (Airflow), whose roles need `s3:ListBucket`.

    Beside these: a conditional PUT's answers; a log that may come later; pages that say which code S3 gave; a release
    that may not be uploaded yet.
    """
    found = {
        file.relative_to(REPOSITORY).as_posix()
        for folder in ("jobs", "dq", "plugins", "infra/package")
        for file in (REPOSITORY / folder).rglob("*.py")
        if re.search(r'"(NoSuchKey|404)"', file.read_text())
    }
    assert found == {
        "jobs/lake/s3.py", "jobs/lake/state/objects.py", "plugins/sluice_airflow/lake_objects.py",
        "plugins/sluice_airflow/emr/driver_log.py", "plugins/quality_page/lake.py", "infra/package/upload.py",
    }  # fmt: skip
