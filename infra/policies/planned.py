"""What Terraform computes of some modules without AWS: the plan of a Terraform test, which says its account itself."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.local.addresses import ACCOUNT_ID
from infra.provision import mirror
from infra.provision.errors import ProvisionError
from infra.provision.settings import TERRAFORM
from infra.provision.terraform import executable

IDENTITY = {"account_id": ACCOUNT_ID, "id": ACCOUNT_ID, "arn": f"arn:aws:iam::{ACCOUNT_ID}:root", "user_id": "x"}


def outputs(region: str, modules: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, str]) -> Mapping[str, Any]:
    """The values of expressions once some modules are planned.

    Args:
        region: of AWS.
        modules: by folder below `modules/`, each with its variables. Each asks in which account it is.
        wanted: name and expression, such as `${module.mwaa.policies}`.

    Raises:
        ProvisionError: Terraform is missing, or refuses.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "main.tf.json").write_text(json.dumps(_root(region, modules, wanted)))
        (root / "tests").mkdir()
        (root / "tests" / "policies.tftest.json").write_text(json.dumps(_plan(modules)))
        (root / ".terraform.lock.hcl").write_bytes((TERRAFORM / ".terraform.lock.hcl").read_bytes())
        source = [f"-plugin-dir={found}"] if (found := mirror.find()) else []
        _terraform(root, "init", "-input=false", "-lockfile=readonly", *source)
        return next(_planned(_terraform(root, "test", "-json", "-verbose")))


def _root(region: str, modules: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, str]) -> dict[str, Any]:
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}},
        "provider": {
            "aws": {
                "region": region,
                "access_key": "none",
                "secret_key": "none",
                "skip_credentials_validation": True,
                "skip_requesting_account_id": True,
                "skip_metadata_api_check": True,
            }
        },
        "module": {
            name: {"source": str(TERRAFORM / "modules" / name), **variables} for name, variables in modules.items()
        },
        "output": {name: {"value": expression} for name, expression in wanted.items()},
    }


def _plan(modules: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "override_data": [
            {"target": f"module.{module}.data.aws_caller_identity.here", "values": IDENTITY} for module in modules
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
        raise ProvisionError(f"`terraform {words[0]}` failed:\n{done.stderr}{done.stdout}")
    return done.stdout


def _planned(lines: str) -> Iterator[Mapping[str, Any]]:
    """The outputs in the plan that `terraform test` tells of."""
    for message in map(json.loads, lines.splitlines()):
        if message["type"] == "test_plan":
            changes = message["test_plan"]["output_changes"]
            yield {name: change["after"] for name, change in changes.items()}
