"""Workflows run the project's own make targets, with few rights, and take nothing that can change under them.

What a linter knows better (syntax, expressions, untrusted text) is left to `make lint-files`; see test_linted.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
FILES = [*WORKFLOWS, *sorted((REPOSITORY / ".github" / "actions").glob("*/action.yml"))]
TARGETS = set(re.findall(r"^([a-z-]+)(?: [a-z-]+)*:", (REPOSITORY / "Makefile").read_text(), re.M))
TOKEN = "id-token"

Document = dict[str, Any]

every_workflow = pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)


def document(file: Path) -> Document:
    found: Document = yaml.safe_load(file.read_text())
    return found


def make_targets(workflow: Document) -> set[str]:
    """Targets that steps name, also by way of a matrix."""
    found: set[str] = set()
    for job in workflow["jobs"].values():
        for step in job.get("steps", []):
            found |= set(re.findall(r"\bmake ([a-z][a-z-]*)", step.get("run", "")))
            if 'make "$TARGET"' in step.get("run", ""):
                found |= set(job["strategy"]["matrix"]["target"])
    return found


def unpinned(text: str) -> list[str]:
    """Actions of others that are not named by a full commit and its version."""
    named = re.findall(r"uses: (\S+)(.*)", text)
    return [
        action
        for action, comment in named
        if not action.startswith("./")
        and not (re.search(r"@[0-9a-f]{40}$", action) and re.fullmatch(r" # v\d+\.\d+\.\d+", comment))
    ]


def loose(workflow: Document) -> Iterator[str]:
    """Jobs without a time limit or rights of their own, or with rights that they don't use."""
    if workflow.get("permissions") != {}:
        yield "the workflow has rights"
    for name, job in workflow["jobs"].items():
        rights = job.get("permissions")
        if rights is None:
            yield f"{name}: no permissions"
        elif wide := {right for right, level in rights.items() if level == "write"} - {TOKEN}:
            yield f"{name}: may write {sorted(wide)}"
        if "uses" in job:
            continue  # its jobs have their own
        if not 0 < job.get("timeout-minutes", 0) <= 240:
            yield f"{name}: no time limit"
        roles = [
            step["with"]["role-to-assume"]
            for step in job["steps"]
            if step.get("uses", "").startswith("aws-actions/configure-aws-credentials@")
        ]
        if (TOKEN in (rights or {})) is not bool(roles):
            yield f"{name}: asks for a token and does not use it, or the other way round"
        if "environment" not in job and any("plan" not in role for role in roles):
            yield f"{name}: reaches an account without the approvals of an environment"


def test_there_are_workflows() -> None:
    assert {file.name for file in WORKFLOWS} >= {"checks.yml", "deploy.yml", "deploy-to.yml", "rollback.yml"}
    assert len(FILES) > len(WORKFLOWS)


def test_every_make_target_of_a_workflow_exists() -> None:
    used = set[str]().union(*(make_targets(document(file)) for file in WORKFLOWS))
    assert used >= {"lint", "test", "package", "security", "slow", "deploy", "rollback"}
    assert used <= TARGETS


def test_actions_are_pinned_by_commit() -> None:
    for file in FILES:
        assert unpinned(file.read_text()) == [], file.name
    assert any("uses: actions/checkout@" in file.read_text() for file in FILES)


def test_an_action_by_tag_branch_or_short_hash_is_named() -> None:
    commit = "a" * 40
    text = f"uses: a/b@v4\nuses: a/b@main\nuses: a/b@aaaaaaa # v1.0.0\nuses: a/b@{commit}\nuses: a/c@{commit} # v1.2.3"
    assert unpinned(text) == ["a/b@v4", "a/b@main", "a/b@aaaaaaa", f"a/b@{commit}"]


@every_workflow
def test_jobs_have_few_rights_and_a_time_limit(file: Path) -> None:
    assert list(loose(document(file))) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"permissions": {"contents": "write", TOKEN: "write"}}, "deploy: may write ['contents']"),
        ({"permissions": None}, "deploy: no permissions"),
        ({"permissions": {"contents": "read"}}, "deploy: asks for a token and does not use it, or the other way round"),
        ({"timeout-minutes": 0}, "deploy: no time limit"),
        ({"environment": None}, "deploy: reaches an account without the approvals of an environment"),
    ],
)
def test_a_job_with_more_rights_is_named(change: Document, said: str) -> None:
    workflow = document(REPOSITORY / ".github" / "workflows" / "deploy-to.yml")
    job = {**workflow["jobs"]["deploy"], **change}
    workflow["jobs"]["deploy"] = {name: value for name, value in job.items() if value is not None}
    assert said in list(loose(workflow))


@every_workflow
def test_no_key_is_stored(file: Path) -> None:
    text = file.read_text()
    assert "secrets." not in text
    assert "aws-access-key-id" not in text
    assert "pull_request_target" not in text


def test_prod_follows_staging_and_staging_follows_dev_after_all_checks() -> None:
    jobs = document(REPOSITORY / ".github" / "workflows" / "deploy.yml")["jobs"]
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "checks": None, "dev": "checks", "staging": "dev", "prod": "staging",
    }  # fmt: skip
    assert {job["with"]["environment"] for job in jobs.values() if "with" in job} == {"dev", "staging", "prod"}


def test_a_deployment_and_a_rollback_of_one_account_never_run_at_once() -> None:
    jobs = [
        document(REPOSITORY / ".github" / "workflows" / name)["jobs"][job]
        for name, job in (("deploy-to.yml", "deploy"), ("rollback.yml", "rollback"))
    ]
    assert [job["concurrency"] for job in jobs] == [
        {"group": "account-${{ inputs.environment }}", "cancel-in-progress": False}
    ] * 2
    assert {job["environment"] for job in jobs} == {"${{ inputs.environment }}"}


def test_hooks_before_a_commit_are_the_projects_own_tools() -> None:
    configured = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in configured["repos"]] == ["local"]
    hooks = configured["repos"][0]["hooks"]
    assert {hook["id"] for hook in hooks} >= {"ruff", "ruff-format", "mypy", "secrets"}
    for hook in hooks:
        assert hook["language"] == "system"
        program, *words = hook["entry"].split()
        assert (program == "make" and words[0] in TARGETS) or program.startswith(".venv/"), hook["entry"]
