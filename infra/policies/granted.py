"""What Terraform grants each role: its own documents, planned for the names of a laptop, or for a deployment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from infra.local.addresses import ACCOUNT_ID, REGION, Addresses
from infra.local.secrets import secrets
from infra.policies import planned
from infra.provision.registry import facts
from infra.provision.settings import Environment
from jobs.alerts.severity import SEVERITIES
from jobs.lake import job_kinds

AIRFLOW, DEPLOY, PLAN, QUERY = "airflow", "deploy", "plan", "query"
REPOSITORY = "your-company/sluice"
PLAN_READS = ("SecurityAudit", "ViewOnlyAccess")  # as modules/cicd attaches them
Document = dict[str, Any]


def documents(addresses: Addresses) -> dict[str, Document]:
    """The policies of job runs and of Airflow: `{"sluice-job-gold": {"Statement": […]}, …, "sluice-airflow": …}`.

    Of Airflow's role it is what DAGs do. What MWAA itself asks for is a policy of its own, as Amazon documents it.

    Args:
        addresses: of the platform whose resources the policies name.

    Raises:
        ProvisionError: Terraform is missing, or refuses.
    """
    wanted = {"jobs": "${module.job_roles.policies}", "airflow": '${module.mwaa.policies["dags"]}'}
    found = planned.outputs(REGION, _of_laptop(addresses), wanted)
    jobs = {f"{addresses.project}-job-{kind}": json.loads(policy) for kind, policy in found["jobs"].items()}
    return {**jobs, f"{addresses.project}-{AIRFLOW}": json.loads(found["airflow"])}


def of_deployment(environment: Environment, project: str = "sluice") -> dict[str, Document]:
    """The policies of GitHub's roles, which deploy and plan, and of people who query.

    `{"github-sluice-deploy": …, "github-sluice-plan": …, "sluice-query": …}`. The role that deploys has that of people
    as well. The role that plans has the lists that AWS keeps besides (`reading_lists`).

    Args:
        environment: that is deployed.
        project: begins the names of what is made.

    Raises:
        ProvisionError: Terraform is missing, or refuses.
    """
    key = f"arn:aws:kms:{environment.region}:{ACCOUNT_ID}:key/data"
    modules: dict[str, Document] = {
        "cicd": {
            "project": project,
            "company": environment.company,
            "environment": environment.name,
            "repository": REPOSITORY,
            "state_bucket": environment.state_bucket,
            "query_policy": f"arn:aws:iam::{ACCOUNT_ID}:policy/{project}-query",
        },
        "catalog": {
            "project": project,
            "lake_bucket": environment.lake_bucket,
            "layers": facts()["layers"],
            "results": f"s3://{environment.company}-reports-{environment.name}/athena/",
            "key": key,
            "scan_limit_gb": 10,
            "runbook": "```sql\n-- one\nSELECT 1\n```",  # no policy depends on its queries
        },
    }
    found = planned.outputs(
        environment.region, modules, {"github": "${module.cicd.policies}", "query": "${module.catalog.query_document}"}
    )
    query = json.loads(found["query"])
    github = {role: list(map(json.loads, policies.values())) for role, policies in found["github"].items()}
    github[DEPLOY].append(query)
    return {f"github-{project}-{role}": together(*policies) for role, policies in github.items()} | {
        f"{project}-{QUERY}": query
    }


def reading_lists() -> Document:
    """The lists of reading actions that AWS keeps, and that a plan has: as moto carries them."""
    kept = json.loads(aws_managed_policies_data)
    return together(*(kept[name]["Document"] for name in PLAN_READS))


def together(*documents: Document) -> Document:
    """All statements of some policies."""
    return {"Statement": [statement for document in documents for statement in document["Statement"]]}


def _of_laptop(addresses: Addresses) -> Mapping[str, Document]:
    """The two modules that make the roles of jobs and of Airflow."""
    here = f"{REGION}:{ACCOUNT_ID}"
    keys = {f"{name}_key": f"arn:aws:kms:{here}:key/{name}" for name in ("data", "operations", "alerts")}
    known = {
        "project": addresses.project,
        "lake": f"arn:aws:s3:::{addresses.lake_bucket}",
        "code": f"arn:aws:s3:::{addresses.code_bucket}",
        "logs": f"arn:aws:s3:::{addresses.logs_bucket}",
        "application": f"arn:aws:emr-serverless:{here}:/applications/{addresses.emr_application_id}",
        "topics": [f"arn:aws:sns:{here}:{addresses.project}-alerts-{name}" for name in SEVERITIES],
        **keys,
    }
    of_secrets = {name.split("/")[1]: f"arn:aws:secretsmanager:{here}:secret:{name}" for name in secrets(addresses)}
    artefacts = dict.fromkeys(("dags", "requirements", "plugins", "startup", "startup_version"), "x")
    roles = [f"arn:aws:iam::{ACCOUNT_ID}:role/{addresses.project}-job-{kind}" for kind in job_kinds.KINDS]
    return {
        "job_roles": {**known, "secrets_key": f"arn:aws:kms:{here}:key/secrets", "secrets": of_secrets},
        "mwaa": {
            **known,
            "create": False,
            "size": {"class": "mw1.small", "min_workers": 1, "max_workers": 1, "webservers": 2, "schedulers": 2},
            "subnets": ["subnet-1", "subnet-2"],
            "security_group": "sg-1",
            "artefacts": artefacts,
            "log_retention_days": 14,
            "job_roles": roles,
        },
    }
