"""Runs Terraform on `infra/terraform`. What it downloads and plans lies below `build/terraform`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.provision import mirror, registry
from infra.provision.errors import ProvisionError
from infra.provision.settings import TERRAFORM, Environment

BUILD = TERRAFORM.parents[1] / "build" / "terraform"
RELEASE = "release.tfvars.json"
MISSING = (
    "terraform is not on the PATH. Install Terraform 1.11 or later: https://developer.hashicorp.com/terraform/install"
)


def executable() -> str:
    """Where Terraform is.

    Raises:
        ProvisionError: it is not on the PATH.
    """
    found = shutil.which("terraform")
    if found is None:
        raise ProvisionError(MISSING)
    return found


@dataclass(frozen=True)
class Workspace:
    """Terraform with a data folder of its own, so that commands of several environments don't meet.

    Attributes:
        folder: below which providers, plans and written variables lie.
    """

    folder: Path

    @classmethod
    def of(cls, name: str) -> Workspace:
        return cls(BUILD / name)

    def run(self, *words: str) -> int:
        """Runs a command, with the terminal as its output; gives its exit code."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return subprocess.run([executable(), f"-chdir={TERRAFORM}", *words], env=self._environment).returncode

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "TF_DATA_DIR": str(self.folder / "data"), "TF_IN_AUTOMATION": "1"}

    def must(self, *words: str) -> None:
        """As `run`.

        Raises:
            ProvisionError: Terraform failed. It has said why.
        """
        if code := self.run(*words):
            raise ProvisionError(f"`terraform {words[0]}` ended with exit code {code}; its output says why")

    def init(self, *backend: str) -> None:
        """Gets the provider that the lock file names, and connects the state."""
        found = mirror.find()
        source = [f"-plugin-dir={found}"] if found else []
        self.must("init", "-input=false", "-lockfile=readonly", "-reconfigure", *source, *backend)

    def check(self) -> None:
        """Format, validity and the tests of the modules: no AWS is asked."""
        self.look()
        self.must("test")

    def look(self) -> None:
        """Format and validity alone: 6 CPU seconds, as validating the tests too starts a provider for each file."""
        self.must("fmt", "-check", "-diff", "-recursive")
        self.init("-backend=false")
        self.must("validate", "-no-tests")

    def connect(self, environment: Environment) -> None:
        """As `init`, with the environment's state."""
        self.init(
            f"-backend-config=bucket={environment.state_bucket}",
            f"-backend-config=key={environment.state_key}",
            f"-backend-config=region={environment.region}",
        )

    def outputs(self) -> dict[str, Any]:
        """Terraform's outputs by name, once the state is connected; empty before the first apply.

        Raises:
            ProvisionError: the state can't be read.
        """
        command = [executable(), f"-chdir={TERRAFORM}", "output", "-json"]
        shown = subprocess.run(command, env=self._environment, capture_output=True, text=True)
        if shown.returncode:
            raise ProvisionError(f"`terraform output` failed: {shown.stderr.strip()}")
        return {name: found["value"] for name, found in json.loads(shown.stdout).items()}

    def variables(self, environment: Environment, *given: str) -> list[str]:
        """The options that give a plan its variables.

        Args:
            environment: that is planned.
            given: `name=value`, which win over the files.

        Raises:
            ProvisionError: nobody has said which release runs.
        """
        release = self.folder / RELEASE
        if not release.is_file():
            raise ProvisionError(
                f'{release} is not there. Write it: {{"release": {{"name": "<hash>"}}}}, with the hash that '
                "`make package` prints, and the object versions of the uploaded files once they are uploaded."
            )
        facts = self.folder / "registry.tfvars.json"
        facts.write_text(json.dumps({"registry": registry.facts()}, indent=1))
        files = [f"-var-file={file}" for file in (environment.file, facts, release)]
        return [*files, *(f"-var={pair}" for pair in given)]
