"""Listing, tags, dashboard and refusals, through the real client."""

from __future__ import annotations

import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.addresses import application_id
from tests.infra.local.aws.stand_in import ROLE, Jobs, Server

FAIL = "raise SystemExit(1)"


def refused(call: Any, code: str, **request: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**request)
    assert error.value.response["Error"]["Code"] == code
    return str(error.value.response["Error"]["Message"])


def test_runs_are_listed_newest_first_by_state_and_time_and_in_pages(jobs: Jobs) -> None:
    first, second = (jobs.start(FAIL, jobDriver={"sparkSubmit": {"entryPoint": "/no"}}) for _ in range(2))
    for run in (first, second):
        jobs.wait(run)
    listed = jobs.emr.list_job_runs(applicationId=jobs.application, states=["FAILED"], maxResults=1)
    assert [run["id"] for run in listed["jobRuns"]] == [second]
    following = jobs.emr.list_job_runs(
        applicationId=jobs.application, states=["FAILED"], maxResults=1, nextToken=listed["nextToken"]
    )
    assert [run["id"] for run in following["jobRuns"]] == [first]
    soon = datetime.now(UTC) + timedelta(minutes=1)
    assert jobs.emr.list_job_runs(applicationId=jobs.application, createdAtAfter=soon)["jobRuns"] == []
    assert len(jobs.emr.list_job_runs(applicationId=jobs.application, createdAtBefore=soon)["jobRuns"]) >= 2


def test_tags_can_be_read_and_changed(jobs: Jobs) -> None:
    run = jobs.start(FAIL, tags={"a": "1", "b": "2"}, jobDriver={"sparkSubmit": {"entryPoint": "/no"}})
    arn = jobs.wait(run)["arn"]
    jobs.emr.tag_resource(resourceArn=arn, tags={"c": "3"})
    jobs.emr.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert jobs.emr.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2", "c": "3"}
    assert jobs.get(run)["tags"] == {"b": "2", "c": "3"}


def test_dashboard_shows_state_command_and_log(jobs: Jobs) -> None:
    run = jobs.start("print('<b>hello</b>')", name="a & b")
    jobs.wait(run)
    url = jobs.emr.get_dashboard_for_job_run(applicationId=jobs.application, jobRunId=run)["url"]
    page = urllib.request.urlopen(url).read().decode()
    assert "SUCCESS" in page
    assert "spark-submit" in page
    assert "&lt;b&gt;hello&lt;/b&gt;" in page
    assert "a &amp; b" in page
    # The Airflow provider's link to the log is the dashboard's with another path.
    log = url.replace("/_emr/job-run", "/logs/SPARK_DRIVER/stdout.gz")
    assert urllib.request.urlopen(log).read() == b"<b>hello</b>\n"


def test_application_id_follows_from_its_name(jobs: Jobs, server: Server) -> None:
    emr = server.client("emr-serverless")

    def create(**request: Any) -> str:
        created: str = emr.create_application(releaseLabel="emr-spark-8.1.0", type="SPARK", **request)["applicationId"]
        return created

    first = create(name="named", clientToken="1")
    assert first == application_id("named")
    assert create(name="named", clientToken="1") == first
    assert create(name="named", clientToken="2") != first
    application = emr.get_application(applicationId=first)["application"]
    assert application["state"] == "CREATED"
    assert application["arn"].endswith(first)
    assert emr.get_application(applicationId=jobs.application)["application"]["releaseLabel"] == "emr-spark-8.1.0"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"executionTimeoutMinutes": 1}, "ValidationException"),
        ({"mode": "BATCH", "retryPolicy": {"maxFailedAttemptsPerHour": 2}}, "ValidationException"),
        ({"mode": "STREAMING", "retryPolicy": {"maxAttempts": 2}}, "ValidationException"),
        ({"retryPolicy": {"maxAttempts": 11}}, "ValidationException"),
        ({"executionRoleArn": ROLE.replace("123456789012", "210987654321")}, "AccessDeniedException"),
        ({"applicationId": "00nosuch"}, "ResourceNotFoundException"),
    ],
)
def test_requests_that_aws_refuses_are_refused(jobs: Jobs, request_: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError, match=code):
        jobs.start(FAIL, **request_)


def test_unknown_runs_and_attempts_are_not_found(jobs: Jobs) -> None:
    refused(jobs.emr.get_job_run, "ResourceNotFoundException", applicationId=jobs.application, jobRunId="00no")
    run = jobs.start(FAIL, jobDriver={"sparkSubmit": {"entryPoint": "/no"}})
    jobs.wait(run)
    refused(jobs.emr.get_job_run, "ResourceNotFoundException", applicationId=jobs.application, jobRunId=run, attempt=2)


def test_unknown_release_labels_are_refused(server: Server) -> None:
    create = server.client("emr-serverless").create_application
    refused(create, "ValidationException", name="x", releaseLabel="spark-8", type="SPARK")
