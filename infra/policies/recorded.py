"""What each role used in the recorded flows: files that are kept beside the code like lock files.

`recorded.yaml` is of jobs and DAGs: `python -m infra.policies record` writes it from a platform on which the whole flow
has run (`tests/flow/test_policies.py`), with resources as on a laptop. `recorded_deployment.yaml` is of who
deploys, plans and queries: with `SLUICE_RECORD=1` the slow test of `tests/infra/provision/test_terraform.py` writes it,
when it has made dev, asked there and taken away what runs. Roles are named without the project.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from infra.local.addresses import Addresses
from infra.local.aws.access import policies, record
from infra.local.aws.access.use import Use
from infra.policies.excused import reason
from infra.policies.granted import AIRFLOW, DEPLOY, PLAN, QUERY
from jobs.lake import job_kinds

FILE = Path(__file__).with_name("recorded.yaml")
DEPLOYMENT = Path(__file__).with_name("recorded_deployment.yaml")
HEAD = "# What each role used in the recorded flow, written by a test (see recorded.py). Nobody edits it.\n"
_DRAWN = re.compile(r"(:/applications/)\w+")  # an id that another run does not draw again

# The stand-in alone shows job runs on a page of its own; AWS asks for no permission to say who one is.
NEVER_GRANTED = ("emr-serverless:GetDashboardForJobRun", *policies.ALWAYS)

Uses = Mapping[str, frozenset[Use]]


def of_platform(addresses: Addresses) -> Uses:
    """What a platform's roles have used so far.

    Left out is what people and tests did by their own keys, and what an excuse covers: it comes in one run, and not in
    the next.
    """
    names = {
        f"{addresses.project}-{AIRFLOW}": AIRFLOW,
        **{f"{addresses.project}-job-{kind}": kind for kind in job_kinds.KINDS},
    }
    seen = record.read(addresses.home)
    return {
        name: frozenset(use for caller, use in seen if caller == role and _lasting(name, use))
        for role, name in names.items()
    }


def of_deployment(addresses: Addresses) -> Uses:
    """What who deploys, plans and queries have used so far of an AWS on this machine: each time the same."""
    seen = record.read(addresses.home)
    names = {f"github-{addresses.project}-{role}": role for role in (DEPLOY, PLAN)}
    names[f"{addresses.project}-{QUERY}"] = QUERY
    return {
        name: frozenset(
            Use(use.action, _DRAWN.sub(r"\1*", use.resource))
            for caller, use in seen
            if caller == role and use.action not in NEVER_GRANTED
        )
        for role, name in names.items()
    }


def _lasting(role: str, use: Use) -> bool:
    return use.action not in NEVER_GRANTED and not reason(role, use)


def read(file: Path = FILE) -> Uses:
    """The recorded uses by role."""
    kept = yaml.safe_load(file.read_text())
    return {
        role: frozenset(Use(action, resource) for action, resources in actions.items() for resource in resources)
        for role, actions in kept.items()
    }


def write(uses: Uses, file: Path = FILE) -> None:
    """Writes uses, sorted, so that a change shows as one."""
    kept: dict[str, dict[str, list[str]]] = {}
    for role, of_role in sorted(uses.items()):
        actions = kept.setdefault(role, {})
        for use in sorted(of_role):
            actions.setdefault(use.action, []).append(use.resource)
    file.write_text(HEAD + yaml.safe_dump(kept, sort_keys=False, width=200))
