"""The form that every module has, and what none may hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.provision.settings import TERRAFORM

MODULES = sorted(path for path in (TERRAFORM / "modules").iterdir() if path.is_dir())
FILES = sorted(TERRAFORM.rglob("*.tf"))
LONGEST = 250


def blocks(text: str, kind: str) -> dict[str, str]:
    """The blocks of a kind by name: from their first line to the closing brace at its beginning."""
    return {found[1]: found[0] for found in re.findall(rf'(^{kind} "(\w+)" \{{\n.*?^\}})', text, re.M | re.S)}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_module_has_its_files_and_a_test(module: Path) -> None:
    assert {"main.tf", "variables.tf", "outputs.tf", "versions.tf"} <= {file.name for file in module.glob("*.tf")} | (
        {"main.tf"} if (module / "kinds.tf").exists() else set()
    )
    assert (TERRAFORM / "tests" / f"{module.name}.tftest.hcl").is_file()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(TERRAFORM).as_posix())
def test_every_variable_says_its_type_what_it_is_and_what_it_may_be(file: Path) -> None:
    text = file.read_text()
    assert len(text.splitlines()) <= LONGEST
    for name, block in blocks(text, "variable").items():
        for part in ("type ", "description ", "validation {"):
            assert re.search(rf"^  {re.escape(part)}", block, re.M), f"{name} has no {part.strip()}"
    for name, block in blocks(text, "output").items():
        assert "description " in block, name


def test_variables_are_found() -> None:
    assert sum(len(blocks(file.read_text(), "variable")) for file in FILES) > 60


def test_no_value_of_a_secret_is_in_the_state() -> None:
    text = "\n".join(file.read_text() for file in FILES)
    assert "aws_secretsmanager_secret" in text
    for holder in ("aws_secretsmanager_secret_version", "secret_string", "aws_ssm_parameter", "random_password"):
        assert holder not in text, f"{holder} puts a value into the state"


def test_secrets_are_those_that_jobs_read() -> None:
    sources = Path(TERRAFORM.parents[1], "jobs", "sources")
    asked = {
        name
        for file in sources.rglob("*.py")
        for name in re.findall(r'credentials\.read\(\s*"(\w+)"', file.read_text())
    }
    made = set(re.findall(r"^    (\w+) +=", (TERRAFORM / "modules/secrets/main.tf").read_text(), re.M)) & {
        "kafka", "salesforce", "snowflake",
    }  # fmt: skip
    assert asked == made == {"kafka", "salesforce", "snowflake"}


@pytest.mark.parametrize(("name", "days"), [("dev", 14), ("staging", 30), ("prod", 90)])
def test_environments_keep_logs_as_long_as_the_customer_says(name: str, days: int) -> None:
    text = (TERRAFORM / "environments" / f"{name}.tfvars").read_text()
    assert re.search(rf"^log_retention_days += {days}$", text, re.M)
    assert re.search(rf'^environment +(= )"{name}"$', text, re.M)


def test_only_dev_may_lose_data_and_prod_locks_its_trail() -> None:
    texts = {file.stem: file.read_text() for file in (TERRAFORM / "environments").glob("*.tfvars")}
    assert [name for name, text in texts.items() if re.search(r"^destroy_data += true", text, re.M)] == ["dev"]
    assert re.search(r"^audit_locked += true", texts["prod"], re.M)
