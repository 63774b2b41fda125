"""What Terraform grants each role: its own documents, planned for the buckets, topics and secrets of a laptop.

No AWS is asked: the plan is that of a Terraform test, which says itself which account it is in.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.local.addresses import ACCOUNT_ID, REGION, Addresses
from infra.local.secrets import secrets
from infra.provision import mirror
from infra.provision.errors import ProvisionError
from infra.provision.settings import TERRAFORM
from infra.provision.terraform import executable
from jobs.alerts.severity import SEVERITIES
from jobs.lake import job_kinds

AIRFLOW = "airflow"
IDENTITY = {"account_id": ACCOUNT_ID, "id": ACCOUNT_ID, "arn": f"arn:aws:iam::{ACCOUNT_ID}:root", "user_id": "x"}


def documents(addresses: Addresses) -> dict[str, dict[str, Any]]:
    """The policy of each role: `{"sluice-job-gold": {"Statement": […]}, …, "sluice-airflow": …}`.

    Of Airflow's role it is what DAGs do. What MWAA itself asks for is a policy of its own, as Amazon documents it.

    Args:
        addresses: of the platform whose resources the policies name.

    Raises:
        ProvisionError: Terraform is missing, or refuses.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "main.tf.json").write_text(json.dumps(_root(addresses)))
        (root / "tests").mkdir()
        (root / "tests" / "policies.tftest.json").write_text(json.dumps(_plan()))
        (root / ".terraform.lock.hcl").write_bytes((TERRAFORM / ".terraform.lock.hcl").read_bytes())
        source = [f"-plugin-dir={found}"] if (found := mirror.find()) else []
        _terraform(root, "init", "-input=false", "-lockfile=readonly", *source)
        planned = _outputs(_terraform(root, "test", "-json", "-verbose"))
    jobs = {f"{addresses.project}-job-{kind}": json.loads(policy) for kind, policy in planned["jobs"].items()}
    return {**jobs, f"{addresses.project}-{AIRFLOW}": json.loads(planned["airflow"])}


def _root(addresses: Addresses) -> dict[str, Any]:
    """A configuration of the two modules that make roles."""
    here = f"{REGION}:{ACCOUNT_ID}"
    keys = {f"{name}_key": f"arn:aws:kms:{here}:key/{name}" for name in ("data", "operations", "alerts")}
    known = {
        "project": addresses.project,
        "lake": f"arn:aws:s3:::{addresses.lake_bucket}",
        "code": f"arn:aws:s3:::{addresses.code_bucket}",
        "application": f"arn:aws:emr-serverless:{here}:/applications/{addresses.emr_application_id}",
        "topics": [f"arn:aws:sns:{here}:{addresses.project}-alerts-{name}" for name in SEVERITIES],
        **keys,
    }
    of_secrets = {name.split("/")[1]: f"arn:aws:secretsmanager:{here}:secret:{name}" for name in secrets(addresses)}
    artefacts = dict.fromkeys(("dags", "requirements", "plugins", "startup", "startup_version"), "x")
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}},
        "provider": {
            "aws": {
                "region": REGION,
                "access_key": "none",
                "secret_key": "none",
                "skip_credentials_validation": True,
                "skip_requesting_account_id": True,
                "skip_metadata_api_check": True,
            }
        },
        "module": {
            "jobs": {
                **known,
                "source": str(TERRAFORM / "modules" / "job_roles"),
                "secrets_key": f"arn:aws:kms:{here}:key/secrets",
                "secrets": of_secrets,
            },
            "mwaa": {
                **known,
                "source": str(TERRAFORM / "modules" / "mwaa"),
                "create": False,
                "size": {"class": "mw1.small", "min_workers": 1, "max_workers": 1, "webservers": 2, "schedulers": 2},
                "subnets": ["subnet-1", "subnet-2"],
                "security_group": "sg-1",
                "artefacts": artefacts,
                "log_retention_days": 14,
                "job_roles": [
                    f"arn:aws:iam::{ACCOUNT_ID}:role/{addresses.project}-job-{kind}" for kind in job_kinds.KINDS
                ],
            },
        },
        "output": {
            "jobs": {"value": "${module.jobs.policies}"},
            "airflow": {"value": '${module.mwaa.policies["dags"]}'},
        },
    }


def _plan() -> dict[str, Any]:
    return {
        "override_data": [
            {"target": f"module.{module}.data.aws_caller_identity.here", "values": IDENTITY}
            for module in ("jobs", "mwaa")
        ],
        "run": {"policies": {"command": "plan"}},
    }


def _terraform(root: Path, *words: str) -> str:
    done = subprocess.run(
        [executable(), f"-chdir={root}", *words],
        env={**os.environ, "TF_IN_AUTOMATION": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        raise ProvisionError(f"`terraform {words[0]}` failed:\n{done.stderr or done.stdout}")
    return done.stdout


def _outputs(lines: str) -> Mapping[str, Any]:
    """The outputs in the plan that `terraform test` tells of."""
    return next(_planned(lines))


def _planned(lines: str) -> Iterator[Mapping[str, Any]]:
    for message in map(json.loads, lines.splitlines()):
        if message["type"] == "test_plan":
            outputs = message["test_plan"]["output_changes"]
            yield {name: change["after"] for name, change in outputs.items()}
