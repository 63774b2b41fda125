from __future__ import annotations

import re
from pathlib import Path

import pytest

from jobs.lake import job_kinds, tables
from jobs.run import STEPS

ROLES = "arn:aws:iam::123456789012:role/sluice-job-{kind}"
KINDS_TF = Path(__file__).resolve().parents[3] / "infra" / "terraform" / "modules" / "job_roles" / "kinds.tf"


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("bronze.fx_rates", "sources"),
        ("bronze.orders_events", "stream"),
        ("silver.orders", "silver"),
        ("gate", "gate"),
        ("gold.fact_orders", "gold"),
        ("register", "register"),
        ("maintenance.optimize_vacuum", "housekeeping"),
        ("report.daily", "report"),
        ("restore", "operations"),
        ("dlq.replay", "operations"),
    ],
)
def test_each_step_has_the_role_of_its_kind(step: str, kind: str) -> None:
    assert job_kinds.role(ROLES, step) == f"arn:aws:iam::123456789012:role/sluice-job-{kind}"


def test_arn_without_a_kind_is_the_role_of_all() -> None:
    assert job_kinds.role("arn:aws:iam::123456789012:role/all", "silver.orders") == "arn:aws:iam::123456789012:role/all"


def test_terraform_makes_a_role_for_each_kind_and_each_has_a_step() -> None:
    kinds = KINDS_TF.read_text().partition("  kinds = {")[2]
    assert set(re.findall(r"^    (\w+) = \{", kinds, re.M)) == set(job_kinds.KINDS)
    steps = [*STEPS, *(table.name for table in tables.every())]
    assert {job_kinds.kind(step) for step in steps} == set(job_kinds.KINDS)
