"""What a role lacks, and what it has for nothing, is told; what Terraform grants is what the recorded flow uses."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from infra.local.addresses import Addresses
from infra.local.aws.access import record
from infra.local.aws.access.policies import Policy
from infra.local.aws.access.use import Use
from infra.policies import __main__ as command
from infra.policies import granted, recorded, report
from infra.policies.excused import EXCUSES, reason
from jobs.lake import job_kinds
from tests.infra.provision.test_terraform import WITHOUT

# Objects, parts of uploads, and versions that go before their bucket.
NOT_OF_A_PLAN = r"s3:(GetObject|ListMultipartUploadParts|ListBucketVersions)"
READ = Use("s3:GetObject", "arn:aws:s3:::lake/gold/*")
WRITE = Use("s3:PutObject", "arn:aws:s3:::lake/gold/*")
SILVER = Use("s3:GetObject", "arn:aws:s3:::lake/silver/*")


def policy(actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources}]}


def test_role_that_has_what_it_uses_is_exact() -> None:
    exact = report.compare(
        "gold", policy(["s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::lake/gold/*"]), [READ, WRITE]
    )
    assert exact.exact
    assert "missing:" not in report.text([exact])


def test_what_is_missing_and_what_nothing_uses_is_named() -> None:
    wrong = report.compare(
        "gold", policy(["s3:GetObject"], ["arn:aws:s3:::lake/gold/*", SILVER.resource]), [READ, WRITE]
    )
    assert (wrong.missing, wrong.unused, wrong.exact) == ((WRITE,), (SILVER,), False)
    said = report.text([wrong])
    assert "missing: gold uses s3:PutObject on arn:aws:s3:::lake/gold/*" in said
    assert "unused: gold may s3:GetObject on arn:aws:s3:::lake/silver/*" in said


def test_grant_is_used_only_where_one_request_needs_its_action_on_its_resource() -> None:
    """Both actions and both resources are used, and still two of the four pairs are for nothing."""
    crossed = policy(["s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::lake/gold/*", SILVER.resource])
    assert report.compare("gold", crossed, [SILVER, WRITE]).unused == (READ, Use("s3:PutObject", SILVER.resource))


def test_what_a_list_of_awss_own_allows_is_not_missing_and_need_not_be_used() -> None:
    own, kept = policy(["s3:GetObject"], [READ.resource]), policy(["s3:Get*"], [SILVER.resource])
    assert report.compare("plan", own, [READ, SILVER], kept).exact
    assert report.compare("plan", own, [READ, WRITE], kept).missing == (WRITE,)
    assert report.compare("plan", own, [SILVER], kept).unused == (READ,)


def test_excused_grant_is_told_with_its_reason() -> None:
    grant = Use("kms:Decrypt", "arn:aws:kms:eu-west-1:123456789012:key/data")
    excused = report.compare("gold", policy([grant.action], [grant.resource]), [])
    assert excused.exact
    assert "excused: gold kms:Decrypt: S3, Secrets Manager and SNS" in report.text([excused])


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> list[report.Comparison]:
    """Terraform's own documents beside what was recorded: some four CPU seconds. Without Terraform it fails."""
    if os.environ.get(WITHOUT) == "1":
        # Who has no Terraform on purpose says so, and sees here what was left out.
        pytest.skip(f"{WITHOUT} is 1: nobody has looked at the policies")
    return command.comparisons(Addresses(tmp_path_factory.mktemp("home"), 8100))


def test_every_role_has_what_the_recorded_flow_uses_and_no_more(compared: list[report.Comparison]) -> None:
    assert {row.role for row in compared} == {*job_kinds.KINDS, "airflow", "deploy", "plan", "query"}
    assert [row.role for row in compared if not row.used] == []
    assert [row.role for row in compared if not row.exact] == [], report.text(compared)


def test_plan_may_look_at_whatever_a_deployment_looks_at(compared: list[report.Comparison]) -> None:
    """Also at what the local AWS does not have. Objects, and Athena's answers, are a deployment's own."""
    rows = {row.role: row for row in compared}
    own = [policy([grant.action], [grant.resource])["Statement"][0] for grant in rows["plan"].granted]
    allowed = Policy(granted.together({"Statement": own}, granted.reading_lists()))
    looks = [
        grant
        for grant in set(rows["deploy"].granted) - set(rows["query"].granted)
        if re.match(r"[^:]+:(Get|List|Describe|View)", grant.action) and not re.match(NOT_OF_A_PLAN, grant.action)
    ]
    assert len(looks) > 50
    assert [grant for grant in looks if not allowed.allows(grant)] == []


def test_every_excuse_is_needed(compared: list[report.Comparison]) -> None:
    idle = [(row.role, grant) for row in compared for grant, _ in row.excused]
    assert [excuse for excuse in EXCUSES if not any(excuse.covers(*pair) for pair in idle)] == []


def test_recorded_uses_are_those_of_roles_and_stay_as_they_were_written(tmp_path: Path) -> None:
    addresses, file = Addresses(tmp_path, 8100), tmp_path / "recorded.yaml"
    seen = record.Record(record.folder(tmp_path) / "s3.jsonl")
    seen.add("sluice-job-gold", [READ, Use("sts:GetCallerIdentity", "*")])
    seen.add("sluice-airflow", [WRITE])
    seen.add("sluice-local", [SILVER])
    uses = recorded.of_platform(addresses)
    assert {role: set(found) for role, found in uses.items() if found} == {"gold": {READ}, "airflow": {WRITE}}
    recorded.write(uses, file)
    assert recorded.read(file) == uses


def test_recorded_uses_of_a_deployment_are_of_its_role_and_name_no_id_that_was_drawn(tmp_path: Path) -> None:
    seen = record.Record(record.folder(tmp_path) / "aws.jsonl")
    made = Use("emr-serverless:GetApplication", "arn:aws:emr-serverless:x:/applications/00f1")
    seen.add("github-sluice-deploy", [made, Use("sts:GetCallerIdentity", "*")])
    seen.add("sluice-airflow", [WRITE])
    known = made._replace(resource="arn:aws:emr-serverless:x:/applications/*")
    seen.add("sluice-query", [READ])
    seen.add("github-sluice-plan", [SILVER])
    found = recorded.of_deployment(Addresses(tmp_path, 8100))
    assert found == {"deploy": {known}, "plan": {SILVER}, "query": {READ}}


def test_command_ends_with_1_when_a_role_is_not_exact(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking = report.compare("gold", policy(["s3:GetObject"], [READ.resource]), [READ, WRITE])
    monkeypatch.setattr(command, "comparisons", lambda _: [lacking])
    assert command.main([]) == 1
    assert "missing: gold uses s3:PutObject" in capsys.readouterr().out


def test_recorded_uses_are_those_of_every_run() -> None:
    """What comes in one run and not in the next is excused, and would make the flow's comparison fail by chance."""
    by_chance = {role: [use for use in uses if reason(role, use)] for role, uses in recorded.read().items()}
    assert {role: uses for role, uses in by_chance.items() if uses} == {}
