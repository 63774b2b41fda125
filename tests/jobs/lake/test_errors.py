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
        "alert": f"{type(error).__name__}: m" if isinstance(error, errors.LakeError) else "",
    }


def test_alert_repeats_the_brief_of_a_gate_and_not_its_message() -> None:
    _, line = errors.report(errors.GateError("engine: cannot cast 'Ann'", brief="silver.orders: amount"))
    assert json.loads(line.removeprefix("SLUICE-ERROR "))["alert"] == "GateError: silver.orders: amount"


def test_report_is_one_line_of_limited_length() -> None:
    _, line = errors.report(errors.DataError("first\nsecond " + "x" * 10_000))

    assert "\n" not in line
    assert len(line) < 2_900
    assert "first\\nsecond" in line
