"""Each kind of failure has its exit code and its line."""

from __future__ import annotations

import json

import pytest

from jobs.lake import errors


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (errors.DataError("m"), 65, "data"),
        (errors.SchemaContractError("m"), 65, "data"),
        (errors.GateError("m"), 65, "data"),
        (errors.ConfigurationError("m"), 78, "configuration"),
        (errors.TransientError("m"), 75, "transient"),
        (errors.LakeError("m"), 70, "system"),
        (ZeroDivisionError("m"), 70, "system"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_kind_of_failure_decides_the_exit_code(error: Exception, code: int, kind: str) -> None:
    found, line = errors.report(error)

    assert found == code
    assert json.loads(line.removeprefix("SLUICE-ERROR ")) == {
        "kind": kind,
        "error": type(error).__name__,
        "message": "m",
        "ours": isinstance(error, errors.LakeError),
    }


def test_report_is_one_line_of_limited_length() -> None:
    _, line = errors.report(errors.DataError("first\nsecond " + "x" * 10_000))

    assert "\n" not in line
    assert len(line) < 2_200
    assert "first\\nsecond" in line
