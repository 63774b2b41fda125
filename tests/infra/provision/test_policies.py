"""What the policies grant is what the code calls: actions by boto3's method, resources by the keys that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.provision.settings import TERRAFORM

REPOSITORY = Path(__file__).resolve().parents[3]
MODULES = TERRAFORM / "modules"

# boto3's methods, and paginators, with the action that each needs.
ACTIONS = {
    "get_object": "s3:GetObject",
    "put_object": "s3:PutObject",
    "delete_object": "s3:DeleteObject",
    "delete_objects": "s3:DeleteObject",
    "list_objects_v2": "s3:ListBucket",
    "get_secret_value": "secretsmanager:GetSecretValue",
    "put_metric_data": "cloudwatch:PutMetricData",
    "publish_batch": "sns:Publish",
    "get_database": "glue:GetDatabase",
    "get_table": "glue:GetTable",
    "get_tables": "glue:GetTables",
    "create_table": "glue:CreateTable",
    "update_table": "glue:UpdateTable",
    "start_job_run": "emr-serverless:StartJobRun",
    "get_job_run": "emr-serverless:GetJobRun",
    "list_job_runs": "emr-serverless:ListJobRuns",
    "cancel_job_run": "emr-serverless:CancelJobRun",
    "tag_resource": "emr-serverless:TagResource",
    "invoke_rest_api": "airflow:InvokeRestApi",
}
# Called in the code, and not granted: why.
NOT_GRANTED = {
    "create_database": "Terraform makes the databases",
    "get_dashboard_for_job_run": "the laptop's stand-in alone: on AWS the link is the S3 console's",
}
# Granted, and called by no boto3 method of the code: who needs it.
OF_OTHERS = {
    "s3:AbortMultipartUpload": "S3A and delta-rs, when an upload in parts fails",
    "kms:Decrypt": "S3, Secrets Manager and SNS, for whoever reads",
    "kms:GenerateDataKey": "S3 and SNS, for whoever writes",
    "iam:PassRole": "StartJobRun with a role",
    "sts:AssumeRole": "trust",
}
CLIENTS = {"s3", "glue", "cloudwatch", "secretsmanager", "emr-serverless", "sns"}


def source(*folders: str) -> str:
    return "\n".join(file.read_text() for folder in folders for file in sorted((REPOSITORY / folder).rglob("*.py")))


def called(text: str) -> set[str]:
    """boto3's methods and paginators in a text, of those that the tables know."""
    names = set(re.findall(r"\.(\w+)\(", text)) | set(re.findall(r'get_paginator\("(\w+)"\)', text))
    return names & {*ACTIONS, *NOT_GRANTED}


def granted(*files: str) -> set[str]:
    lines = [line for file in files for line in (MODULES / file).read_text().splitlines() if "variable" not in line]
    text = "\n".join(lines)  # conditions name keys in the same form
    return set(
        re.findall(r'"((?:s3|kms|iam|sts|sns|glue|airflow|cloudwatch|secretsmanager|emr-serverless):\w+)"', text)
    )


@pytest.mark.parametrize(
    ("folders", "files"),
    [(("jobs", "dq"), ("job_roles/policy.tf",)), (("plugins", "dags"), ("mwaa/dags.tf",))],
    ids=["jobs", "airflow"],
)
def test_every_call_is_granted_and_every_grant_is_called(folders: tuple[str, ...], files: tuple[str, ...]) -> None:
    text = source(*folders)
    # Airflow's side sends alerts and figures through modules of jobs/.
    if "plugins" in folders:
        text += source("jobs/alerts") + (REPOSITORY / "jobs" / "lake" / "state" / "metrics.py").read_text()
    needed = {ACTIONS[name] for name in called(text) if name in ACTIONS}
    assert len(needed) >= 8
    assert needed - granted(*files) == set()
    assert granted(*files) - needed - set(OF_OTHERS) == set()


def test_a_new_client_has_to_be_looked_at_here() -> None:
    found = set(re.findall(r'boto3\.client\(\s*"([\w-]+)"', source("jobs", "dq", "plugins", "dags")))
    assert found == CLIENTS


def lists(text: str, name: str) -> set[str]:
    """The prefixes in all lists of this name."""
    found = re.findall(rf"\b{name} += (?:concat\([\w., ]*)?\[([^\]]*)\]", text)
    return set(re.findall(r'"([\w/]+/)"', " ".join(found)))


def named_keys(text: str) -> set[str]:
    """Keys of the lake that code names: `_locks/`, `ops/quality/`, … up to the first part that is computed."""
    found = re.findall(r'f?"((?:_checkpoints|_locks|_staging|_control|ops|reports|gold/quality)/[\w/]*)', text)
    return {key[: key.rfind("/") + 1] for key in found}


def covered(key: str, prefixes: set[str]) -> bool:
    return any(key.startswith(prefix) for prefix in prefixes)


def test_jobs_may_reach_every_key_that_they_name() -> None:
    kinds = (MODULES / "job_roles" / "kinds.tf").read_text()
    keys = named_keys(source("jobs", "dq")) - {"ops/"}  # what follows is the name of a kind of records
    assert {"_locks/", "_staging/", "ops/quality/", "gold/quality/"} <= keys
    reach = lists(kinds, "read") | lists(kinds, "write") | lists(kinds, "quality") | {"ops/openlineage/"}
    assert [key for key in sorted(keys) if not covered(key, reach)] == []


def test_every_prefix_of_a_kind_is_named_in_the_code_or_is_a_layer() -> None:
    kinds = (MODULES / "job_roles" / "kinds.tf").read_text()
    known = named_keys(source("jobs", "dq")) | {"bronze/", "silver/", "gold/", "quarantine/", "ops/"}
    known |= {
        f"ops/{name}/" for name in ("canary", "run_ledger", "recorded", "run_ledger_history", "dq_results_history")
    }
    for prefix in lists(kinds, "read") | lists(kinds, "write"):
        assert prefix in known or any(key.startswith(prefix) for key in known), prefix


def test_airflow_may_reach_exactly_the_keys_that_plugins_name() -> None:
    variables = (MODULES / "mwaa" / "variables.tf").read_text()
    read, write = lists(variables, "read"), lists(variables, "write")
    keys = named_keys(source("plugins"))
    assert [key for key in sorted(keys) if not covered(key, read | write)] == []
    assert [prefix for prefix in sorted(read) if not any(key.startswith(prefix) for key in keys)] == []
    assert write == {"ops/alerts/", "ops/openlineage/", "_control/"}


def test_what_is_missing_is_noticed() -> None:
    assert called("x.get_object(y); c.get_paginator('z'); c.get_paginator(\"get_tables\")") == {
        "get_object",
        "get_tables",
    }
    assert named_keys('f"_locks/{table}.json" "ops/streams/x.json"') == {"_locks/", "ops/streams/"}
    assert not covered("reports/", {"ops/"})
