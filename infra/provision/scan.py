"""Looks for weak spots in `infra/terraform` with checkov. It asks no service: rules come with the package."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.provision.errors import ProvisionError
from infra.provision.settings import TERRAFORM
from infra.setup import environments


@dataclass(frozen=True)
class Findings:
    """What checkov found.

    Attributes:
        passed: checks that passed.
        failed: a line for each that did not.
        skipped: a line for each that the code skips, with its reason.
    """

    passed: int
    failed: list[str]
    skipped: list[str]

    @classmethod
    def of(cls, report: dict[str, Any]) -> Findings:
        """From checkov's JSON.

        Raises:
            ProvisionError: checkov looked at nothing, or could not read a file.
        """
        results = report.get("results", {})
        if errors := results.get("parsing_errors"):
            raise ProvisionError(f"checkov can't read {', '.join(errors)}")
        if not results.get("passed_checks"):
            raise ProvisionError("checkov looked at nothing: is the folder right?")
        return cls(
            passed=len(results["passed_checks"]),
            failed=sorted({_line(check) for check in results["failed_checks"]}),
            skipped=sorted(
                {f"{_line(check)}: {check['check_result']['suppress_comment']}" for check in results["skipped_checks"]}
            ),
        )

    @property
    def unexplained(self) -> list[str]:
        """Skips without a reason."""
        return [line for line in self.skipped if line.endswith((": None", ": No comment provided", ": "))]


def _line(check: dict[str, Any]) -> str:
    return f"{check['check_id']} {check['resource']} ({check['file_path']}): {check['check_name']}"


def scan(folder: Path = TERRAFORM) -> Findings:
    """Runs checkov on a folder.

    Raises:
        ProvisionError: it gave no report.
    """
    command = [str(environments.install_checkov()), "--directory", str(folder), "--framework", "terraform"]
    command += ["--skip-download", "--output", "json", "--compact"]
    # Its log-in and its telemetry stay off, whatever the shell has.
    environment = {**os.environ, "BC_API_KEY": "", "CHECKOV_TELEMETRY": "false", "LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    try:
        report = json.loads(done.stdout)
    except ValueError as error:
        raise ProvisionError(f"checkov gave no report: {done.stderr.strip()[-500:]}") from error
    return Findings.of(report)


def tell(found: Findings) -> int:
    """Prints what was found; 1 when a check failed or a skip has no reason."""
    for title, lines in (("skipped", found.skipped), ("without a reason", found.unexplained), ("FAILED", found.failed)):
        print("\n".join(f"{title}: {line}" for line in lines) or f"{title}: none")
    print(f"{found.passed} checks passed, {len(found.failed)} failed, {len(found.skipped)} skipped")
    return 1 if found.failed or found.unexplained else 0
