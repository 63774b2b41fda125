"""Which answers of AWS are worth another attempt."""

from __future__ import annotations

import pytest
from botocore.exceptions import ParamValidationError
from botocore.parsers import ResponseParserError

from sluice_airflow.emr.patience import patiently, transient
from tests.plugins.sluice_airflow.emr.fake_emr import STUMBLES, FakeEmr, refused


@pytest.mark.parametrize("kind", STUMBLES)
def test_stumble_is_asked_again_until_it_is_answered(emr: FakeEmr, kind: str) -> None:
    job, emr.spoilt["get_job_run"] = emr.add("job"), [STUMBLES[kind]] * 3
    assert patiently(lambda: emr.get_job_run(applicationId="00app", jobRunId=job))["jobRun"]["id"] == job


@pytest.mark.parametrize(
    "error",
    [
        refused("ValidationException"),
        refused("ResourceNotFoundException", 404),
        refused("AccessDeniedException", 403),
        refused("ConflictException", 409),
        ParamValidationError(report="no such parameter"),
        KeyError("a mistake of ours"),
    ],
)
def test_what_the_same_request_will_always_be_told_is_raised_at_once(emr: FakeEmr, error: Exception) -> None:
    job, emr.spoilt["get_job_run"] = emr.add("job"), [error]
    with pytest.raises(type(error)):
        patiently(lambda: emr.get_job_run(applicationId="00app", jobRunId=job))


def test_last_error_is_raised_when_patience_ends(emr: FakeEmr) -> None:
    emr.spoilt["list_job_runs"] = [STUMBLES["unavailable"]] * 1000
    with pytest.raises(type(STUMBLES["unavailable"]), match="ServiceUnavailable"):
        patiently(lambda: list(emr.get_paginator("list_job_runs").paginate(applicationId="00app")), seconds=0)


def test_page_of_a_proxy_instead_of_an_answer_is_a_stumble() -> None:
    assert transient(ResponseParserError("<html>"))
